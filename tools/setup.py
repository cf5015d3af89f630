"""Make `.venv`: exactly the locked packages, and the project itself, editable.

Needs the standard library only, and does nothing when nothing has changed. Every verb of the Makefile runs
it first.
"""

import sys

if sys.version_info < (3, 11):  # before any import or syntax that an old Python would trip over
    sys.exit(
        "steelyard needs Python 3.11 or newer, and this is %s (%s).\n"
        "Install one, or name it: make setup PYTHON=/path/to/python3.11" % (sys.version.split()[0], sys.executable)
    )

import hashlib
import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
COMMAND = VENV / "bin" / "steelyard"
STAMP = VENV / "setup.stamp"
LOCK = "requirements/dev.txt"
UV_LOCK = "requirements/uv.txt"
INPUTS = ("pyproject.toml", "requirements/runtime.txt", LOCK, UV_LOCK, "tools/setup.py")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "--retries", "2")

NO_VENV = """\
This Python cannot make virtual environments ({python}).
On Debian or Ubuntu: apt-get install python3-venv. Elsewhere: a Python that has the modules venv and ensurepip."""
NO_PACKAGES = """\
The locked packages could not be installed; the messages above say why.
Most often the reason is the network or a proxy (HTTPS_PROXY, PIP_INDEX_URL and PIP_CERT are respected), or that no
ready-made package exists for this Python and processor (there is none for Intel Macs).
Run `make setup` again once that is solved."""
NO_PROJECT = """\
The packages are installed, but steelyard itself could not be; the messages above say why.
If they do not help: make clean, then make setup."""


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def place() -> str:
    """What an environment is bound to: one that was moved, or made by another Python, is made anew."""
    return f"{sys.version} {sys.base_prefix} {ROOT}"


def content() -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        path = ROOT / name
        if not path.is_file():
            sys.exit(f"setup: {name} is missing; is this a complete copy of the repository?")
        data = path.read_bytes()
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def stamped() -> list[str]:
    try:
        return STAMP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def one_line(text: str) -> str:
    return " ".join(text.split())


def run(*arguments: str) -> bool:
    """Run the environment's Python; True if it succeeded."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return subprocess.run([str(PYTHON), *arguments], cwd=ROOT, env=environment, check=False).returncode == 0


def make_environment() -> None:
    say(f"making .venv with Python {sys.version.split()[0]}")
    if VENV.is_symlink():
        VENV.unlink()
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode or not run("-c", "import pip"):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"{made.stdout}{NO_VENV.format(python=sys.executable)}")


def install_packages() -> bool:
    """Install what the lock names; True if uv did it."""
    wheels = ("--require-hashes", "--only-binary", ":all:")
    # uv brings its own root certificates; those of the system also know a company's proxy.
    system = ssl.get_default_verify_paths()
    certificates = ("--system-certs",) if sys.platform == "darwin" or system.cafile or system.capath else ()
    if run(*PIP, "install", *wheels, "-r", UV_LOCK):
        say("installing the locked packages")
        if run(
            "-m",
            "uv",
            "--quiet",
            "pip",
            "sync",
            "--compile-bytecode",
            *certificates,
            "--python",
            str(PYTHON),
            *wheels,
            LOCK,
        ):
            return True
    say("uv did not succeed; trying pip, which is slower")
    if not run(*PIP, "install", "--no-deps", *wheels, "-r", LOCK):
        sys.exit(NO_PACKAGES)
    return False


def install_project(with_uv: bool) -> None:
    # The build backend is one of the locked packages, so nothing is downloaded here.
    options = ("--no-deps", "--no-build-isolation", "--editable", ".")
    done = with_uv and run("-m", "uv", "--quiet", "pip", "install", "--python", str(PYTHON), *options)
    if not (done or run(*PIP, "install", *options)) or not COMMAND.exists():
        sys.exit(NO_PROJECT)
    run("-m", "compileall", "-q", "src")  # a start is quicker with it, also where Python may not write such files


def main() -> None:
    started = time.monotonic()
    stamp = [one_line(place()), content()]
    before = stamped()
    if before == stamp and COMMAND.exists():
        return
    if before[:1] != stamp[:1] or not PYTHON.exists():
        make_environment()
    STAMP.write_text(stamp[0], encoding="utf-8")  # complete only when everything below has succeeded
    install_project(with_uv=install_packages())
    STAMP.write_text("\n".join(stamp) + "\n", encoding="utf-8")
    say(f"done in {time.monotonic() - started:.0f} s; the command is .venv/bin/steelyard")


if __name__ == "__main__":
    main()
