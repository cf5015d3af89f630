"""The one JIT policy of the project.

A kernel takes the state handle and plain 64-bit integers, and returns integers. It is compiled once,
for exactly that signature, so that no caller's narrower field ever makes a second version of it.

- `_nrt=False`: reference counting of passed arrays cost three to eight times the work itself; it also turns an
  allocation inside a kernel into a compile error.
- `error_model="numpy"`: no hidden branch before each division; divisors are proven positive instead.
- No fast-math: reordered sums would break replay.
- Numba's cache does not notice an edited callee in another file, a changed constant or bounds checking, so the cache
  folder is keyed by a hash of all of them, and set before the first kernel exists.
"""

import hashlib
import inspect
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core import config

JIT = not config.DISABLE_JIT

_PACKAGE = Path(__file__).resolve().parent.parent
_KERNEL_ROOMS = ("num", "model", "state", "rules", "engine")


def _cache_key() -> str:
    """A hash of everything that compiled code depends on."""
    digest = hashlib.blake2b(digest_size=12)
    for room in _KERNEL_ROOMS:
        for path in sorted((_PACKAGE / room).glob("*.py")):
            digest.update(f"{room}/{path.name}\0".encode())
            digest.update(path.read_bytes())
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    host = (platform.machine(), numba.core.codegen.get_host_cpu_features(), config.CPU_NAME, config.CPU_FEATURES)
    flags = (config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT)
    digest.update(repr((versions, host, flags)).encode())
    return digest.hexdigest()


def _cache_folder() -> Path:
    base = os.environ.get("NUMBA_CACHE_DIR")
    if base:
        return Path(base) / f"steelyard-{_cache_key()}"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "steelyard" / f"kernels-{_cache_key()}"


CACHE_FOLDER = _cache_folder()
_COMPLETE = CACHE_FOLDER / "complete"

_kernels: list[Any] = []
_entries: list[Any] = []
_ready = False


def _make(function: Callable[..., Any], inline: bool) -> Any:
    if not JIT:
        return function
    config.CACHE_DIR = str(CACHE_FOLDER)
    return numba.njit(
        cache=True, _nrt=False, error_model="numpy", fastmath=False, forceinline=inline, nogil=not inline
    )(function)


def kernel(function: Any) -> Any:
    """A compiled function over the state handle and integers."""
    compiled = _make(function, inline=False)
    _kernels.append(compiled)
    return compiled


def leaf(function: Any) -> Any:
    """A tiny kernel, inlined wherever it is called."""
    compiled = _make(function, inline=True)
    _kernels.append(compiled)
    return compiled


def entry(function: Any) -> Any:
    """A kernel that Python calls: the only kind loaded on a warm start."""
    compiled = kernel(function)
    _entries.append(compiled)
    return compiled


def _compile(compiled: Any) -> None:
    arity = len(inspect.signature(compiled.py_func).parameters)
    if not compiled.signatures:
        compiled.compile((types.int64,) * arity)
        compiled.disable_compile()


def warm(progress: Callable[[int, int, str], None] | None = None) -> bool:
    """Make every kernel ready; True if it had to be compiled rather than loaded.

    Kernels are compiled in the order they were written, callees first, so each exists in one version only.
    `progress` hears (done, total, name).
    """
    global _ready
    if _ready or not JIT:
        return False
    cold = not _COMPLETE.exists()
    todo = _kernels if cold else _entries
    for done, compiled in enumerate(todo):
        if progress:
            progress(done, len(todo), compiled.py_func.__name__)
        _compile(compiled)
    if progress:
        progress(len(todo), len(todo), "")
    _ready = True
    if cold:
        CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
        _COMPLETE.touch()
    return cold
