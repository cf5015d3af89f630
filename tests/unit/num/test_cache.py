"""A cache folder is keyed by everything that the kernels in it were compiled from."""

import inspect
import sys
from pathlib import Path
from types import ModuleType

import numba
import pytest

import steelyard.engine.machine
import steelyard.engine.queries  # noqa: F401  (all kernels of the machine)
from steelyard.num import _jit

pytestmark = pytest.mark.skipif(not _jit.JIT, reason="without the JIT nothing is cached")


def kernel_modules() -> list[tuple[Path, ModuleType]]:
    loaded = {Path(module.__file__): module for module in sys.modules.values() if getattr(module, "__file__", None)}
    return [(path, loaded[path]) for path in _jit._folders]


def reached_from(path: Path) -> set[Path]:
    reached, waiting = {path}, [path]
    while waiting:
        for each in _jit._imports(waiting.pop()):
            if each not in reached:
                reached.add(each)
                waiting.append(each)
    return reached


def test_what_a_module_calls_is_among_its_imports():
    called = 0
    for path, module in kernel_modules():
        reached = reached_from(path)
        for value in vars(module).values():
            function = getattr(value, "py_func", None)
            if function is not None:
                assert Path(inspect.getfile(function)).resolve() in reached, (path.name, function.__name__)
                called += 1
    assert called > 300


def test_constants_are_among_the_imports():
    package = Path(_jit.__file__).parent.parent
    reached = reached_from(package / "engine" / "liquidation.py")
    assert {package / "num" / "limits.py", package / "model" / "orders.py", package / "model" / "reject.py"} <= reached


def test_an_edit_changes_the_folders_of_all_that_reach_it_and_of_no_other(monkeypatch):
    package = Path(_jit.__file__).parent.parent
    edited = package / "engine" / "ledger.py"
    before = dict(_jit._folders)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path == edited else b""))
    for path, folder in before.items():
        assert (_jit._folder_of(path) != folder) == (edited in reached_from(path)), path.name


def test_a_far_kernel_more_moves_the_folders_of_those_that_come_after(monkeypatch):
    package = Path(_jit.__file__).parent.parent
    ledger, judge = package / "engine" / "ledger.py", package / "engine" / "judge.py"
    before = dict(_jit._folders)
    monkeypatch.setitem(_jit._first_slot, ledger, _jit._first_slot[ledger] + 1)
    assert _jit._folder_of(judge) != before[judge]
    assert _jit._folder_of(package / "engine" / "bitmap.py") == before[package / "engine" / "bitmap.py"]


def test_a_constant_makes_no_version_of_its_own(monkeypatch, tmp_path):
    """A caller that comes before its callee, as in the second process: its constant is an argument like any other."""
    for name, empty in (("_kernels", []), ("_folders", {}), ("_first_slot", {})):
        monkeypatch.setattr(_jit, name, empty)
    monkeypatch.setattr(_jit, "_cache_base", lambda: tmp_path)

    @_jit.kernel
    def second(s, account):
        return account

    @_jit.kernel
    def caller(s, account):
        return 1_000 * second(s, 2) + second(s, account > 5)

    @_jit.entry
    def entered(s, account):
        return second(s, account)

    _jit._compile(caller)
    _jit._compile(second)
    _jit._compile(entered)
    assert second.signatures == [(numba.int64, numba.int64)]
    assert entered(0, 7) == 7


def test_each_kernel_exists_in_one_version():
    _jit.warm()
    for compiled in _jit._kernels:
        assert compiled.signatures in ([], [_jit._signature(compiled)]), compiled.py_func.__name__


def test_a_module_is_taken_on_by_one_process_only(monkeypatch, tmp_path):
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    first, *_, last = _jit._modules()
    assert _jit._claim(last)
    assert not _jit._claim(last)
    assert _jit._claim(first)


def test_the_second_process_goes_from_the_end_until_it_meets_the_first(monkeypatch, tmp_path):
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["-c"])
    compiled = []
    monkeypatch.setattr(_jit, "_compile", compiled.append)
    modules = list(_jit._modules().items())
    taken = len(modules) // 2
    for path, _ in modules[:taken]:
        assert _jit._claim(path)
    _jit._compile_from_the_end()
    assert compiled == [kernel for _, kernels in reversed(modules[taken:]) for kernel in kernels]


def test_folders_are_taken_from_the_list_only_while_modules_come_in_its_order(monkeypatch):
    places = list(_jit._folders)
    listed = _jit._module_lines()
    worked_out = []
    monkeypatch.setattr(_jit, "_folder_of", lambda path: worked_out.append(path) or Path("anew"))
    for name, empty in (("_folders", {}), ("_first_slot", {}), ("_far", [])):
        monkeypatch.setattr(_jit, name, empty)
    monkeypatch.setattr(_jit, "_expected", [line.replace(line.split("\t")[0], "0", 1) for line in listed])
    _jit._new_module(places[0])
    assert _jit._folders[places[0]].name == listed[0].split("\t")[2]
    assert worked_out == []
    _jit._new_module(places[2])  # not the one that comes next
    _jit._new_module(places[1])  # in the list, but after what was not
    assert worked_out == [places[2], places[1]]
