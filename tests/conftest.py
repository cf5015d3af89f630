"""How random tests run: a few hundred cases at home, many thousands with HYPOTHESIS_PROFILE=nightly."""

import os

from hypothesis import settings

# No deadline: the first example may pay for compiling a kernel.
settings.register_profile("home", deadline=None, max_examples=200, print_blob=True)
settings.register_profile("nightly", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "home"))
