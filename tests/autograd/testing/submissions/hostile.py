"""Engines that hang, flood, exit or cheat: what is put into a right one, and where.

Each has a word that its verdict must have, in the report or in the sentence that says why it cannot be judged.
"""

# ruff: noqa: E501  (each line of the list is one engine)

from typing import NamedTuple

from tests.autograd.testing.submissions.faults import RIGHT

TANH = "        t = math.tanh(self.data)\n"
PRODUCT = "        return Value(self.data * other.data"


class Hostile(NamedTuple):
    """What stands above the class, and what is done in a method."""

    name: str
    says: str
    above: str = ""
    old: str = TANH
    new: str = TANH

    @property
    def text(self) -> str:
        """The engine."""
        assert RIGHT.count(self.old) == 1, self.name
        return self.above + RIGHT.replace(self.old, self.new)


def in_tanh(name: str, says: str, line: str, above: str = "") -> Hostile:
    """Does something each time that a tanh is computed."""
    return Hostile(name, says, above, TANH, f"        {line}\n{TANH}")


CHEAT = """
import builtins, math
import autograd.testing.engines.truth, autograd.testing.engines.programs, autograd.reals
autograd.testing.engines.truth.Number.admits = lambda *a: True
autograd.testing.engines.programs.Program.fault = lambda *a: None
autograd.reals.real_or_none = lambda x: 1.0
math.isclose = lambda *a, **k: True
builtins.abs = lambda x: 0.0
"""
DUMPS = """
import json
def one(answer):
    return '[{"lines": 1}, {"number": 1.0, "shown": "1.0", "type": "float"}]' if isinstance(answer, list) else whole(answer)
whole, json.dumps = json.dumps, one
"""
EQUAL = """
class Always(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __le__(self, other): return True
    def __gt__(self, other): return True
    def __ge__(self, other): return True
    def __abs__(self): return Always(0.0)
    def __sub__(self, other): return Always(0.0)
    def __rsub__(self, other): return Always(0.0)
    __hash__ = float.__hash__
"""
FRAMES = """
import sys
def peek():
    frame, found = sys._getframe(), []
    while frame:
        for name, x in list(frame.f_locals.items()):
            for holder in (x, *(x if isinstance(x, (list, tuple)) else ())):
                for wanted in ('truth', 'expected', 'true', 'allowed', 'right'):
                    if hasattr(holder, wanted) or isinstance(holder, dict) and wanted in holder:
                        found.append(name)
        frame = frame.f_back
    return found
"""
WRITES = """
import os
for number in range(3, 64):
    try:
        os.write(number, b'[{"lines": 1}, {"number": 2.0, "shown": "2.0", "type": "float"}]\\n' * 50)
    except OSError:
        pass
"""

HOSTILE = [
    Hostile("sleeps_at_import", "its import takes longer than 1.3 seconds", "import time\ntime.sleep(1000)\n"),
    Hostile("never_imported", "does it train at import?", "while True:\n    try:\n        x = 1\n    except BaseException:\n        pass\n"),
    Hostile("kills_its_parent", "kills other processes: the judge's got SIGKILL", "import os\nos.kill(os.getppid(), 9)\n"),
    Hostile("interrupts_its_parent", "kills other processes: the judge's got SIGINT", "import os\nos.kill(os.getppid(), 2)\n"),
    Hostile("stops_its_parent", "kills other processes: the judge's got SIGSTOP", "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\n"),
    Hostile("leaves_at_import", "SystemExit", "import sys\nsys.exit(0)\n"),
    Hostile("exits_at_import", "ends the process (exit status 0)", "import os\nos._exit(0)\n"),
    in_tanh("sleeps", "no end", "import time; time.sleep(1000)"),
    in_tanh("bare_except", "no end", "\n        while True:\n            try:\n                x = 1\n            except: pass"),
    in_tanh("counts", "no end", "import itertools; sum(itertools.count())"),
    in_tanh("expression", "no end", "import re; re.match('(a+)+$', 'a' * 40 + 'b')"),
    in_tanh("prints", "x.tanh()", "\n        while True: print('x' * 10**6)"),
    in_tanh("allocates", "MemoryError", "x = [bytearray(2**30) for _ in range(64)]"),
    in_tanh("exits", "ends the process (exit status 0)", "import os; os._exit(0)"),
    in_tanh("kills_the_judge", "kills other processes: the judge's got SIGTERM", "import os; os.kill(os.getppid(), 15)"),
    in_tanh("leaves", "raises SystemExit", "import sys; sys.exit(0)"),
    in_tanh("kills_itself", "ends the process (SIGKILL)", "import os; os.kill(os.getpid(), 9)"),
    in_tanh("segfault", "ends the process (SIGSEGV)", "import ctypes; ctypes.string_at(0)"),
    in_tanh("threads", "", "import threading, time; [threading.Thread(target=time.sleep, args=(1000,)).start() for _ in range(50)]"),
    in_tanh("children", "no end", "import os, time\n        for _ in range(3):\n            if not os.fork():\n                os.setsid(); time.sleep(1000)\n        time.sleep(1000)"),
    Hostile("patches", "x.tanh()", CHEAT, TANH, "        t = 1.0\n"),
    Hostile("answers_one", "writes into the judge's pipe", DUMPS),
    Hostile("always_equal", "x * y", EQUAL, PRODUCT, "        return Value(Always(7.0)"),
    Hostile("peeks", "x.tanh()", FRAMES, TANH, "        t = 0.5 if peek() else 0.25\n"),
    Hostile("writes", "writes into the judge's pipe", WRITES),
    in_tanh("writes_later", "x.tanh()", f"exec({WRITES!r})"),
]  # fmt: skip

ANOTHERS = """
import autograd


class Value(autograd.Value):
    pass
"""
"""Nothing of its own: that is worth a note."""
