"""What needs native code: kernels, their layout, the machine that runs them, and where compiled code is kept."""
