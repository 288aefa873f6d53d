"""What does the framework of the point's arrays itself say of a derivative? PyTorch, JAX, and this engine are asked.

In `choice.py` `as_function` prepares a function and its point: whatever the framework does not differentiate is left
out of the point, and the parameters of a model are added to it. `own_claims` gives the framework's backward pass, and
its forward pass, as claims that can be checked (`claims.py`). `framework.py` says what a framework is; each has a file
of its own.
"""
