"""Would the tests notice a mistake? Small ones are made on purpose, one at a time, and a test must fail at each.

    python -m tests.mutations             # mutants made by hand, of every rule and of the engine: all must be killed
    python -m tests.mutations --mutmut    # those that mutmut makes of rules.py, value.py, functions.py and graph.py

Nothing on disk changes, and nothing outlives a trial: the tests are collected once, and every mutant lives in a fork of
that process. Start with `mutant.py` (what is changed), then `trial.py` (who notices); `SURVIVORS.md` argues why the
survivors of `--mutmut` may live.
"""
