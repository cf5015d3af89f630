"""Promises about our own source that no type checker keeps.

Each check is a plain function from text to complaints, and each is first shown something it must complain about.
"""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

import steelyard
from steelyard.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "steelyard"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# From top to bottom: a room imports only rooms below it. The package's public face, `steelyard` itself, gathers names
# from all rooms but the command line, which uses it.
FACE = "steelyard"
ROOMS = (
    *("__main__", "cli", "bench", FACE, "server", "lab", "desk", "rulebooks", "pricing", "history"),
    *("venue", "journal", "engine", "rules", "state", "model", "num"),
)


# --- Text: no registry addresses, no paths of one machine -------------------------------------------------------------

# Written in pieces, so that this file passes its own test.
REGISTRY = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "org"),
            ("npmjs", "com"),
            ("yarnpkg", "com"),
            ("anaconda", "org"),
            ("crates", "io"),
            ("proxy", "golang", "org"),
        )
    ),
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.~)}/-])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/(?=[\w.])")
NOT_OURS = {".git", ".venv", "node_modules", "build", "dist", "__pycache__"}


def our_files() -> list[Path]:
    """What git tracks or would track; without git, every file but what `make` and the caches leave behind."""
    git = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listing = subprocess.run(git, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        listing = b""
    if listing:
        paths = [ROOT / name.decode() for name in listing.split(b"\0") if name]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part in NOT_OURS or part.endswith("_cache") for part in path.relative_to(ROOT).parts)
        ]
    return [path for path in paths if path.is_file()]


def our_texts() -> Iterator[tuple[str, str]]:
    for path in our_files():
        data = path.read_bytes()
        if b"\0" not in data:  # else a picture or another binary
            yield path.relative_to(ROOT).as_posix(), data.decode("utf-8")


def matches(pattern: re.Pattern[str], name: str, text: str) -> list[str]:
    lines = enumerate(text.splitlines(), 1)
    return [f"{name}:{number}: {line.strip()}" for number, line in lines if pattern.search(line)]


def test_the_patterns_see_what_they_are_for():
    assert matches(REGISTRY, "x", "see https://" + "pypi" + ".org/simple")
    assert matches(REGISTRY, "x", '"resolved": "https://registry.' + "npmjs" + '.org/uplot"')
    assert matches(MACHINE_PATH, "x", "open('/" + "work/main/x')")
    assert matches(MACHINE_PATH, "x", "PATH=/" + "root/bin")
    assert not matches(MACHINE_PATH, "x", "docs/work/plan, ~/work/plan and $(HOME)/root/plan")


def test_no_text_of_ours_names_a_registry_or_a_path_of_one_machine():
    texts = dict(our_texts())
    assert {"pyproject.toml", "requirements/dev.txt", "tests/unit/test_project.py"} <= texts.keys()
    assert [hit for name, text in texts.items() for hit in matches(REGISTRY, name, text)] == []
    assert [hit for name, text in texts.items() for hit in matches(MACHINE_PATH, name, text)] == []


# --- Lock files -------------------------------------------------------------------------------------------------------

LOCKS = ("runtime.txt", "dev.txt", "uv.txt")
LOCK_ENTRY = re.compile(r"(?P<requirement>[^\s\\][^\\]*?)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)")


def read_lock(text: str) -> dict[str, tuple[str, str]]:
    """Name -> (requirement, hashes). Anything but a pinned and hashed package is refused."""
    entries = {}
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        found = LOCK_ENTRY.fullmatch(line)
        assert found, f"neither a pinned package nor a comment: {line[:80]}"
        requirement = Requirement(found["requirement"])
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), f"not pinned: {requirement}"
        assert requirement.url is None, f"carries an address: {requirement}"
        entries[canonicalize_name(requirement.name)] = (str(requirement), found["hashes"])
    return entries


def locked(name: str) -> dict[str, tuple[str, str]]:
    return read_lock((ROOT / "requirements" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "numpy==2.4.6",
        "numpy>=2 --hash=sha256:" + 64 * "0",
        "numpy==2.* --hash=sha256:" + 64 * "0",
        "numpy @ https://example.com/numpy.whl --hash=sha256:" + 64 * "0",
        "--index-url https://example.com/simple",
        "-f wheels",
        "-e .",
    ],
)
def test_a_lock_line_must_be_one_version_with_its_hashes(line):
    with pytest.raises(AssertionError):
        read_lock(line)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_hold_pinned_and_hashed_packages_only(name):
    assert locked(name)
    assert "://" not in (ROOT / "requirements" / name).read_text(encoding="utf-8")


def test_the_development_lock_contains_the_runtime_lock():
    assert locked("runtime.txt").items() <= locked("dev.txt").items()


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("runtime.txt", PROJECT["project"]["dependencies"]),
        ("dev.txt", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("dev.txt", PROJECT["build-system"]["requires"]),
    ],
    ids=["runtime", "dev", "build"],
)
def test_the_lock_answers_what_the_project_asks_for(lock, wanted):
    entries = locked(lock)
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in entries, f"{name} is not in {lock}: make lock"
        version = next(iter(Requirement(entries[name][0]).specifier)).version
        assert requirement.specifier.contains(version), f"{lock} has {name} {version}, wanted {requirement}: make lock"


def test_the_compiler_is_pinned_exactly():
    wanted = {Requirement(line).name: str(Requirement(line).specifier) for line in PROJECT["project"]["dependencies"]}
    for name in ("numba", "numpy"):  # kernels use a private option of the one, built for the other
        assert re.fullmatch(r"==[^,*]+", wanted[name])


# --- Source: read as syntax trees -------------------------------------------------------------------------------------


def sources(*rooms: str) -> list[tuple[str, ast.Module]]:
    paths = []
    for folder in [PACKAGE / room for room in rooms] or [PACKAGE]:
        found = sorted(folder.rglob("*.py"))
        assert found, f"{folder} has no source; was it moved?"
        paths += found
    return [(path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_bytes())) for path in paths]


def stored(tree: ast.AST) -> Iterator[ast.Attribute | ast.Subscript]:
    """Every attribute or subscript that is assigned to or deleted, loop variables and the like included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What a chain such as `a.b[c].d` reaches through: `a.b[c]`, `a.b`, `a`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
        yield node


def root(node: ast.AST) -> str:
    *_, last = inside(node)
    return last.id if isinstance(last, ast.Name) else ast.unparse(last)


def bindings(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(name, value) wherever a plain name is bound; in `a, b = c, d` each name has its own value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from paired(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield from paired(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            item = ast.Subscript(value=node.iter, slice=ast.Constant(0), ctx=ast.Load())
            yield from paired(node.target, item)


def paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple | ast.List):
        same = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        for place, part in enumerate(target.elts):
            yield from paired(part, value.elts[place] if same else value)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


# --- Arrows point down


def room_of(name: str) -> str:
    parts = Path(name).parts
    if len(parts) > 1:
        return parts[0]
    return "__main__" if name == "__main__.py" else FACE


def imported(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of our own, those inside functions included."""
    package = ["steelyard", *Path(name).parent.parts]
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            modules = [base]
            if base == "steelyard":  # a room, or one of the package's public names
                names = [alias.name for alias in node.names]
                modules = [f"{base}.{each}" if each in ROOMS or (PACKAGE / each).is_dir() else base for each in names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            modules = [str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant)]
        for module in modules:
            top, _, below = module.partition(".")
            if top == "steelyard":
                yield node.lineno, below.split(".")[0] or FACE


def arrows_up(name: str, tree: ast.Module) -> list[str]:
    here = room_of(name)
    if here not in ROOMS:
        return [f"{name}: the room {here} is not on the map; give it a place in ROOMS and in the architecture"]
    return [
        f"{name}:{line}: {here} imports {room}"
        for line, room in imported(name, tree)
        if room != here and ROOMS.index(here) >= (ROOMS.index(room) if room in ROOMS else -1)
    ]


@pytest.mark.parametrize(
    ("name", "code", "complaints"),
    [
        ("rules/a.py", "from steelyard.num import kernel", 0),
        ("rules/a.py", "from steelyard.rules.b import c", 0),
        ("rules/a.py", "from .b import c", 0),
        ("rules/a.py", "from ..num import kernel", 0),
        ("rules/a.py", "import numpy.engine", 0),
        ("cli/a.py", "from steelyard import __version__, venue", 0),
        ("__init__.py", "from steelyard.lab import sweep", 0),
        ("__main__.py", "from steelyard.cli.app import main", 0),
        ("rules/a.py", "from steelyard.engine.ledger import book", 1),
        ("rules/a.py", "from ..engine import ledger", 1),
        ("rules/a.py", "from steelyard import model, engine", 1),
        ("rules/a.py", "from .. import engine, venue", 2),
        ("rules/a.py", "import steelyard.engine.book", 1),
        ("rules/a.py", "import steelyard", 1),
        ("rules/a.py", "from steelyard import __version__", 1),
        ("rules/a.py", "from steelyard.loft import beam", 1),
        ("__init__.py", "from steelyard.cli import app", 1),
        ("num/a.py", "def f():\n    from steelyard.model import keys", 1),
        ("num/a.py", "import_module('steelyard.model')", 1),
        ("loft/a.py", "import os", 1),
    ],
)
def test_the_arrow_check_sees_every_kind_of_import(name, code, complaints):
    assert len(arrows_up(name, ast.parse(code))) == complaints


def test_arrows_point_down():
    assert [complaint for name, tree in sources() for complaint in arrows_up(name, tree)] == []


# --- Rules answer and never write

KERNELS = {"kernel", "leaf", "entry"}  # the decorators of steelyard.num


def is_kernel(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(each).split("(")[0].split(".")[-1] in KERNELS for each in function.decorator_list)


def parameters(function: ast.FunctionDef) -> set[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, [given.vararg, given.kwarg])]
    return {each.arg for each in every}


def writes(name: str, tree: ast.Module) -> list[str]:
    """Stores into anything but an output given by the caller, whose name ends in `_out`.

    A kernel allocates nothing, so whatever it stores into belongs to somebody else. Plain Python may fill what it made
    itself, and is asked about its parameters only, and other names for them.
    """
    complaints = {}
    for function in functions(tree):
        given = parameters(function)
        outputs = {each for each in given if each.endswith("_out")}
        foreign = given - outputs
        for _ in range(8):  # names of names of ...
            foreign |= {
                bound
                for bound, value in bindings(function)
                if isinstance(value, ast.Name | ast.Attribute | ast.Subscript) and root_or_name(value) in foreign
            }
        for target in stored(function):
            where = root(target)
            if where not in outputs and (is_kernel(function) or where in foreign):
                complaints[target.lineno] = f"{name}:{target.lineno}: {function.name} writes {ast.unparse(target)}"
    return list(complaints.values())


def root_or_name(value: ast.expr) -> str:
    return value.id if isinstance(value, ast.Name) else root(value)


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        ("@kernel\ndef f(s, row):\n    leg = LEG(s)\n    return leg.quantity[row]", 0),
        ("@kernel\ndef f(s, row):\n    total = 0\n    total += row\n    return total", 0),
        ("@kernel\ndef f(risk_out, row):\n    risk_out[row] = 1", 0),
        ("@kernel\ndef f(risk_out, row):\n    risk_out.equity[row] = 1", 0),
        ("def f(rows):\n    made = {}\n    made[1] = rows\n    return made", 0),
        ("@kernel\ndef f(leg, row):\n    leg[row] = 1", 1),
        ("@kernel\ndef f(leg, row):\n    leg.quantity[row] = 1", 1),
        ("@kernel\ndef f(leg, row):\n    leg.quantity[row] += 1", 1),
        ("@kernel\ndef f(s, row):\n    leg = LEG(s)\n    leg.quantity[row] = 1", 1),
        ("@kernel\ndef f(s, row):\n    LEG(s).quantity[row] = 1", 1),
        ("@leaf\ndef f(leg, row):\n    leg.a[row], leg.b[row] = 1, 2\n    del leg.c", 2),
        ("@num.kernel\ndef f(s, row):\n    risk_out = SCRATCH(s)\n    risk_out[row] = 1", 1),
        ("@kernel\ndef f(leg):\n    for leg[0] in range(3):\n        pass", 1),
        ("def f(rows):\n    rows[0] = 1", 1),
        ("def f(rows):\n    a, b = rows.first, 1\n    c = a\n    c[0] = b", 1),
        ("def f(*, rows):\n    rows.size = 1", 1),
    ],
)
def test_the_purity_check_sees_every_kind_of_write(code, complaints):
    assert len(writes("x.py", ast.parse(code))) == complaints


def test_rules_never_write():
    assert [complaint for name, tree in sources("rules") for complaint in writes(name, tree)] == []


# --- A table is written as `table.field[row]`


def is_row(value: ast.AST) -> bool:
    """`table[row]`; a text key (`tables["leg"]`) finds a table, not a row of one."""
    return isinstance(value, ast.Subscript) and not (
        isinstance(value.slice, ast.Constant) and isinstance(value.slice.value, str)
    )


def writes_through_record(name: str, tree: ast.Module) -> list[str]:
    complaints = {}
    # A name means something in its own function only, so the module's own lines are looked at without them.
    own = ast.Module([line for line in tree.body if not isinstance(line, (ast.FunctionDef, ast.ClassDef))], [])
    for scope in [own, *functions(tree)]:
        records: set[str] = set()
        for _ in range(8):  # names of names of ...
            records |= {
                bound
                for bound, value in bindings(scope)
                if is_row(value) or (isinstance(value, ast.Name) and value.id in records)
            }
        for target in stored(scope):
            chain = [target, *inside(target)]
            for outer, inner in pairwise(chain):
                by_name = isinstance(outer, ast.Attribute) or (isinstance(outer, ast.Subscript) and not is_row(outer))
                if by_name and (is_row(inner) or (isinstance(inner, ast.Name) and inner.id in records)):
                    complaints[target.lineno] = f"{name}:{target.lineno}: writes {ast.unparse(target)} through a record"
    return list(complaints.values())


@pytest.mark.parametrize(
    ("code", "complaints"),
    [
        ("def f(leg, row):\n    leg.cost[row] = 1", 0),
        ("def f(s, row):\n    leg = LEG(s)\n    leg.cost[row] += 1", 0),
        ("def f(leg, row):\n    record = leg[row]\n    return record.cost", 0),
        ("def f(tables, row):\n    leg = tables['leg']\n    leg.cost[row] = 1", 0),
        ("def f(bits, i):\n    word = bits[i]\n    bits[i] = word | 1", 0),
        ("def f(leg, row):\n    record = leg[row]\n    record.cost = 1", 1),
        ("def f(leg, row):\n    record = leg[row]\n    record.cost -= 1\n    record['cost'] = 1", 2),
        ("def f(leg, row):\n    record: Row = leg[row]\n    record.levels[2] = 1", 1),
        ("def f(leg, row):\n    first, second = leg[row], leg[row + 1]\n    second.cost = 1", 1),
        ("def f(leg, row):\n    record = leg[row]\n    other = record\n    other.cost = 1", 1),
        ("def f(leg):\n    for record in leg:\n        record.cost = 1", 1),
        ("def f(leg, row):\n    leg[row].cost = 1", 1),
        ("def f(s, row):\n    LEG(s)[row].levels[1] = 1", 1),
        ("def f(leg, row):\n    (record := leg[row]).cost\n    record.cost = 1", 1),
        ("record = leg[1]\nrecord.cost = 1", 1),
    ],
)
def test_the_record_check_sees_every_kind_of_write(code, complaints):
    assert len(writes_through_record("x.py", ast.parse(code))) == complaints


def test_nothing_is_written_through_a_record():
    found = [complaint for name, tree in sources("engine", "rules") for complaint in writes_through_record(name, tree)]
    assert found == []


# --- The command and the package --------------------------------------------------------------------------------------


def test_one_version_is_told_everywhere():
    assert PROJECT["project"]["version"] == steelyard.__version__
    answer = CliRunner().invoke(app, ["--version"])
    assert (answer.exit_code, answer.output) == (0, f"steelyard {steelyard.__version__}\n")


def test_help_names_every_group():
    answer = CliRunner().invoke(app, ["--help"])
    assert answer.exit_code == 0
    for group in app.registered_groups:
        assert group.name is not None and group.name in answer.output


def test_the_package_ships_its_types_and_licence():
    assert (PACKAGE / "py.typed").is_file()
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0" and "Version 2.0, January 2004" in licence
