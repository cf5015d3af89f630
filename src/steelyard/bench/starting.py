"""What a start costs: cold, when everything must be compiled, and warm, when it is loaded.

Run as a program this module starts a machine, gives it one command and says how that went.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any


def started(cache: str) -> tuple[float, bool]:
    """(seconds until a new process has run its first command, whether it had to compile)."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        said = process.stdout.readline()
        seconds = time.perf_counter() - start
    if not said:
        raise AssertionError("the machine did not start")
    return seconds, bool(json.loads(said)["compiled"])


def starts() -> dict[str, Any]:
    """A cold start with an empty cache, then a warm one."""
    with tempfile.TemporaryDirectory() as cache:
        cold_s, compiled = started(cache)
        assert compiled, "an empty cache makes the first start a cold one"
        warm_s, compiled = started(cache)
        assert not compiled, "the second start finds what the first compiled"
    return {"cold_s": cold_s, "warm_s": warm_s}


def main() -> None:
    from steelyard.num import warm
    from steelyard.venue import builders
    from steelyard.venue.machine import Machine

    compiled = warm()
    Machine().submit(builders.clock(1))
    print(json.dumps({"compiled": compiled}), flush=True)


if __name__ == "__main__":
    main()
