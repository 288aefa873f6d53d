"""Is somebody's own scalar engine right? `judging.py` has `check_engine`, and the order in which claims are tested.

The engine is a class: `Value(2.0)` makes a number, operators and methods compute with it, and `y.backward()` fills in
`x.grad`. What it offers is found by trying. Each claim about it is then tested, so that a fault is named where it is
and not where it shows.

Read `claims_about_operations.py` and `claims_about_graphs.py` for what is claimed, `truth.py` for what is right,
`programs.py` for how an answer is judged, `sweep.py` for narrow intervals, and `search.py` for the graphs.
`their_side.py` and `running.py` run somebody else's code, `process.py` gives it a process of its own, and
`supervisor.py` stands between that and the judge. `report.py` has what is printed of one engine, `outcomes.py`
and `requirements.py` what is said of many.
"""
