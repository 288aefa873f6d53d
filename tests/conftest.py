"""How many examples do the property tests try, and are they the same each time?

Locally Hypothesis looks at new examples in every run and remembers the failures; under CI, and with
`--hypothesis-profile=ci`, it repeats the same ones.
"""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=300)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
