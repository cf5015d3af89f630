"""The one JIT policy of the project.

A kernel takes the state handle and plain 64-bit integers, and returns integers. It is compiled once,
for exactly that signature, so that no caller's narrower field ever makes a second version of it.

- `_nrt=False`: reference counting of passed arrays cost three to eight times the work itself; it also turns an
  allocation inside a kernel into a compile error.
- `error_model="numpy"`: no hidden branch before each division; divisors are proven positive instead.
- No fast-math: reordered sums would break replay.
- Numba's cache does not notice an edited callee in another file, a changed constant or bounds checking, so each module
  has a cache folder of its own, keyed by a hash of it and of all that it imports: an edit recompiles what it can reach.
"""

import ast
import hashlib
import inspect
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic

JIT = not config.DISABLE_JIT

_PACKAGE = Path(__file__).resolve().parent.parent
_KERNEL_ROOMS = ("num", "model", "state", "rules", "engine")


def _digest(paths: list[Path], slots: list[tuple[str, int]]) -> str:
    """A hash of these sources, of where they find far kernels, and of all else that compiled code depends on."""
    digest = hashlib.blake2b(digest_size=12)
    for path in paths:
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(path.read_bytes())
    versions = (sys.version, numba.__version__, llvmlite.__version__, np.__version__)
    host = (platform.machine(), numba.core.codegen.get_host_cpu_features(), config.CPU_NAME, config.CPU_FEATURES)
    flags = (config.BOUNDSCHECK, config.OPT, config.DEBUGINFO_DEFAULT)
    digest.update(repr((versions, host, flags, slots)).encode())
    return digest.hexdigest()


def _cache_base() -> Path:
    base = os.environ.get("NUMBA_CACHE_DIR")
    if base:
        return Path(base)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "steelyard"


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """The files of this package that a file imports, packages above them included."""
    found = {path.parent / "__init__.py"}
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == _PACKAGE.name:
            place = _PACKAGE.parent.joinpath(*node.module.split("."))
            found.add(place.with_suffix(".py"))
            found.add(place / "__init__.py")
            found.update(place / f"{alias.name}.py" for alias in node.names)
    return tuple(sorted(each for each in found if each.exists() and each != path))


_first_slot: dict[Path, int] = {}  # of each module with kernels: how many far kernels came before its own


def _folder_of(path: Path) -> Path:
    """Where the kernels of a module are kept: its first kernel is being made, all that it imports exists."""
    reached, waiting = {path}, [path]
    while waiting:
        for each in _imports(waiting.pop()):
            if each not in reached:
                reached.add(each)
                waiting.append(each)
    paths = sorted(each for each in reached if each.is_relative_to(_PACKAGE))
    slots = [(str(each), _first_slot[each]) for each in paths if each in _first_slot]
    return _cache_base() / f"{path.stem}-{_digest(paths, slots)}"


_folders: dict[Path, Path] = {}

# One mark tells that all kernels are there: then nothing but what Python calls need be loaded. It lists the modules in
# the order in which they were met, each with its first slot and its folder.
CACHE_FOLDER = _cache_base() / (
    "all-" + _digest([path for room in _KERNEL_ROOMS for path in sorted((_PACKAGE / room).glob("*.py"))], [])
)
_COMPLETE = CACHE_FOLDER / "complete"


def _module_lines() -> list[str]:
    return [f"{_first_slot[path]}\t{path}\t{folder.name}" for path, folder in _folders.items()]


def _listed() -> list[str]:
    return _COMPLETE.read_text(encoding="utf-8").splitlines() if _COMPLETE.exists() else []


_expected = _listed()


def _new_module(path: Path) -> None:
    """A module's first kernel is being made. As long as modules come as listed, their folders need not be worked out:
    that reads every source anew, and takes longer than all the rest of a warm start."""
    _first_slot[path] = len(_far)
    line = _expected[len(_folders)].split("\t") if len(_folders) < len(_expected) else []
    if line[:2] == [str(len(_far)), str(path)]:
        _folders[path] = _cache_base() / line[2]
    else:
        _expected.clear()
        _folders[path] = _folder_of(path)


_kernels: list[Any] = []
_entries: list[Any] = []
_ready = False


def _make(function: Callable[..., Any], *, inline: bool = False, python: bool = False) -> Any:
    """Compile, with a wrapper for Python only where Python calls."""
    if not JIT:
        return function
    path = Path(inspect.getfile(function)).resolve()
    if path not in _folders:
        _new_module(path)
    config.CACHE_DIR = str(_folders[path])
    compiled = numba.njit(
        cache=True,
        _nrt=False,
        error_model="numpy",
        fastmath=False,
        forceinline=inline,
        nogil=python,
        no_cpython_wrapper=not python,
        no_cfunc_wrapper=True,
    )(function)
    _in_one_version(compiled)
    _kernels.append(compiled)
    return compiled


def _in_one_version(compiled: Any) -> None:
    """Whoever asks first, and with whatever types: the version of 64-bit integers is made, and no other.

    Numba makes a version of its own for a caller's constant, which ignores what is passed. Taken for the kernel itself
    it would post to one account whatever the account; and processes that compile at once save several versions under
    one name.
    """
    make, signature = compiled.compile, _signature(compiled)

    def compile_it(_: Any) -> Any:
        made = make(signature)
        compiled.disable_compile()
        return made

    compiled.compile = compile_it


def _signature(compiled: Any) -> tuple[Any, ...]:
    return (types.int64,) * len(inspect.signature(compiled.py_func).parameters)


def kernel(function: Any) -> Any:
    """A compiled function over the state handle and integers."""
    return _make(function)


def leaf(function: Any) -> Any:
    """A kernel inlined wherever it is called: tiny, or called from one place that every order passes."""
    return _make(function, inline=True)


def entry(function: Any) -> Any:
    """A kernel that Python calls: the only kind loaded on a warm start. Other threads go on meanwhile."""
    compiled = _make(function, python=True)
    _entries.append(compiled)
    return compiled


if JIT:

    @intrinsic
    def unlikely(typingctx: Any, condition: Any) -> Any:
        """The condition, with word to the compiler that it hardly ever holds: what follows is kept out of the way.

        An order runs through some thousand instructions; those it never takes should not lie between them.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            bit = ir.IntType(1)
            expect = cgutils.get_or_insert_function(builder.module, ir.FunctionType(bit, [bit, bit]), "llvm.expect.i1")
            asked = args[0]
            if asked.type != bit:
                asked = builder.icmp_unsigned("!=", asked, ir.Constant(asked.type, 0))
            return builder.call(expect, [asked, ir.Constant(bit, 0)])

        return types.boolean(condition), codegen

else:

    def unlikely(condition: Any) -> Any:
        return condition


FAR_MAX = 192  # words at the start of every directory of tables: addresses of far kernels
_far: list[Any] = []


def _far_call(slot: int, arity: int) -> Any:
    """A call through the address in the directory that the first argument points to."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        directory = builder.inttoptr(args[0], word.as_pointer())
        address = builder.load(builder.gep(directory, [ir.Constant(word, slot)]))
        address.set_metadata("invariant.load", builder.module.add_metadata([]))
        # Numba's own calling convention. Kernels do not raise, except to tell of an index checked out of bounds.
        kind = context.call_conv.get_function_type(signature.return_type, signature.args)
        target = builder.inttoptr(address, kind.as_pointer())
        if config.BOUNDSCHECK:
            conv = context.call_conv
            status, result = conv.call_function(builder, target, signature.return_type, signature.args, args)
            with cgutils.if_unlikely(builder, status.is_error):
                conv.return_status_propagate(builder, status)
            return result
        # Where nothing can be raised there is no status to look at, and the place of the result needs no zero in it.
        with builder.goto_entry_block():
            result = builder.alloca(word)
        builder.call(target, [result, ir.Constant(kind.args[1], None), *args])
        return builder.load(result)

    parameters = [inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_OR_KEYWORD) for i in range(arity)]

    def call(typingctx: Any, *given: Any) -> Any:
        return types.int64(*[types.int64] * arity), codegen

    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD), *parameters]
    )
    return intrinsic(call)


def far(function: Any) -> Any:
    """A kernel that others call through its address, so that its code is not optimised again inside each of them.

    Numba links and optimises a callee anew in every caller: without this, depth costs more compile time than length.
    It returns one integer. What an order goes through at every step stays near.
    """
    if not JIT:
        return function
    compiled = _make(function)
    slot = len(_far)
    assert slot < FAR_MAX, "room in the directory"
    _far.append(compiled)
    return _far_call(slot, len(inspect.signature(function).parameters))


def far_twin(near: Any) -> Any:
    """The far way to a near kernel, for callers in which its speed does not matter."""
    if not JIT:
        return near
    slot = len(_far)
    assert slot < FAR_MAX, "room in the directory"
    _far.append(near)
    return _far_call(slot, len(inspect.signature(near.py_func).parameters))


def far_addresses() -> list[int]:
    """Where the far kernels are in this process."""
    if not JIT:
        return []
    warm()
    addresses = []
    for compiled in _far:
        result = compiled.overloads[_signature(compiled)]
        answer = types.unliteral(result.signature.return_type)
        assert answer == types.int64, f"{compiled.py_func.__name__} returns one integer"
        addresses.append(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
    return addresses


def _compile(compiled: Any) -> None:
    if not compiled.signatures:
        compiled.compile(_signature(compiled))


def _modules() -> dict[Path, list[Any]]:
    """The kernels of each module, callees first."""
    found: dict[Path, list[Any]] = {}
    for compiled in _kernels:
        found.setdefault(Path(inspect.getfile(compiled.py_func)).resolve(), []).append(compiled)
    return found


def _claim(path: Path) -> bool:
    """Whether this process is the first to take a module on."""
    claims = CACHE_FOLDER / "claims"
    claims.mkdir(parents=True, exist_ok=True)
    try:
        (claims / _folders[path].name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _compile_from_the_end() -> None:
    """What a second process does on a cold start: it takes modules from the end until it meets the first process."""
    sys.path.insert(0, str(_PACKAGE.parent))
    for name in sys.argv[1:]:
        import_module(name)
    for path, kernels in reversed(_modules().items()):
        if not _claim(path):
            return
        for compiled in kernels:
            _compile(compiled)


def _second_process() -> "subprocess.Popen[bytes] | None":
    """Half of the work of a cold start, on another core. It imports what is imported here, in the same order."""
    if (os.cpu_count() or 1) < 2:
        return None
    names = [f"{_PACKAGE.name}." + ".".join(path.relative_to(_PACKAGE).with_suffix("").parts) for path in _modules()]
    start = f"import sys; sys.path.insert(0, {str(_PACKAGE.parent)!r}); "
    start += f"from {__name__} import _compile_from_the_end; _compile_from_the_end()"
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-c", start, *names], stdin=quiet, stdout=quiet, stderr=quiet)


def _compile_with_help(say: Callable[[str], None]) -> None:
    """Everything into the cache: this process from the first module on, another from the last."""
    shutil.rmtree(CACHE_FOLDER / "claims", ignore_errors=True)
    second = _second_process()
    try:
        for path, kernels in _modules().items():
            if second is None or _claim(path):
                for compiled in kernels:
                    say(compiled.py_func.__name__)
                    _compile(compiled)
        if second is not None:
            say("the last modules")
            second.wait()
    finally:
        if second is not None and second.poll() is None:
            second.terminate()
            second.wait()


def warm(progress: Callable[[int, int, str], None] | None = None) -> bool:
    """Make every kernel ready; True if it had to be compiled rather than loaded.

    Kernels are compiled in the order they were written, callees first, so each exists in one version only.
    `progress` hears (done, total, name).
    """
    global _ready
    if _ready or not JIT:
        return False
    cold = not _COMPLETE.exists()
    todo = _kernels if cold else _far + _entries

    def say(name: str) -> None:
        if progress:
            progress(sum(bool(compiled.signatures) for compiled in todo), len(todo), name)

    if cold:
        _compile_with_help(say)
    for compiled in todo:  # what the other process compiled is loaded here
        say(compiled.py_func.__name__)
        _compile(compiled)
    if progress:
        progress(len(todo), len(todo), "")
    _ready = True
    if cold:
        CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
        _COMPLETE.write_text("\n".join(_module_lines()), encoding="utf-8")
        shutil.rmtree(CACHE_FOLDER / "claims", ignore_errors=True)
    return cold
