"""Records a graph once, and replays it as native code for many examples at once."""

from autograd.compiler.compiled import CompiledFunction, compile
from autograd.compiler.program import Program
from autograd.compiler.tracing import RecordingError

__all__ = ["CompiledFunction", "Program", "RecordingError", "compile"]
