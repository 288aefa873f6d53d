"""How many examples do the property tests try, and are they the same each time?

Locally Hypothesis looks at new examples in every run and remembers the failures; under CI, and with
`--hypothesis-profile=ci`, it repeats the same ones. No example has a deadline: a busy machine is no fault.
"""

import os
import signal

from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=300)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what runs in the background with Ctrl-C ignored, and processes hand that on to those they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
