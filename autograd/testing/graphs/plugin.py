"""How does Hypothesis learn of `Value`? By its entry point: it calls `register` when it is first imported."""

from typing import Any


def register() -> None:
    """Registers `st.from_type(Value)`, and the settings profile "autograd": 300 examples, no deadline.

    The profile is not loaded; a project that wants it calls `settings.load_profile("autograd")`. The strategy itself
    is made when it is first needed, so that importing Hypothesis loads nothing but the engine.

    >>> from hypothesis import settings, strategies as st
    >>> settings.get_profile("autograd").max_examples
    300
    """
    from hypothesis import Phase, settings, strategies as st

    from autograd.value import Value

    def any_value(_: Any) -> Any:
        from autograd.testing.graphs.strategies import values

        return values()

    st.register_type_strategy(Value, any_value)
    # Explaining a failure takes hundreds of checks, half a minute, only to say which lines of this package ran.
    phases = [phase for phase in Phase if phase is not Phase.explain]
    settings.register_profile("autograd", max_examples=300, deadline=None, phases=phases)
