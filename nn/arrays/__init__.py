"""How do the parameters of a model look as arrays? As NumPy's, with PyTorch's names and shapes.

`views.py` is what `layer.weight` is made of, `parameter_array.py` what it gives. `state.py` finds the arrays of a whole
model, for `state_dict(arrays=True)` and back; `matching.py` finds which name of PyTorch's belongs to which of ours.
"""
