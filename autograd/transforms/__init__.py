"""How is a function differentiated, and its derivative again? Functions of functions, as in JAX.

`grad`, `value_and_grad`, `jvp`, `vjp` and `derivative` are in `derivatives.py`; `jacobian`, `hessian` and `hvp` are in
`jacobian_hessian.py`. Each of them calls the function once, on fresh inputs (`recorded_call.py`). It then walks the
graph of that call backward (`reverse.py`) or forward (`forward.py`), in floats or over Values. Second derivatives in
floats and derivatives of any order evaluate the table of rules over two more number systems: `duals.py` and
`series.py`. Read `derivatives.py` next.
"""

from autograd.transforms.derivatives import derivative, grad, jvp, value_and_grad, vjp
from autograd.transforms.jacobian_hessian import hessian, hvp, jacobian
from autograd.transforms.reverse import gradients

__all__ = ["derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
