"""How is a curve laid through data? Nonlinear least squares, with exact derivatives and standard errors.

`least_squares.py` has the function. `observations.py` takes the data, `arguments.py` the start and the bounds,
`model.py` makes a program of the model function, and `fitting.py` puts them together. `levenberg_marquardt.py` is the
method, `standard_errors.py` says how sure its answer is. `estimates.py` is what it gives, in numbers; `report.py`
prints and `picture.py` draws it, and `fitted_curve.py` has it all.
"""

from nn.curves.least_squares import least_squares

__all__ = ["least_squares"]
