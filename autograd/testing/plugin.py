"""How does Hypothesis learn of `Value`? By its entry point: it calls `register` when it is first imported."""

from typing import Any


def register() -> None:
    """Registers `st.from_type(Value)`. The strategy itself is made when it is first asked for."""
    from hypothesis import strategies as st

    from autograd.value import Value

    def any_value(_: Any) -> Any:
        from autograd.testing.strategies import values

        return values()

    st.register_type_strategy(Value, any_value)
