"""Steps that the recipes share: a virtual environment, pinned wheels, a work folder that goes again.

Needs Python 3.9 or newer with ``venv`` and ``pip``, and a package index that pip can reach.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

RECIPES = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 9)
EXIT_FAILED = 1
EXIT_NOT_INSTALLED = 3

# Settings that would take packages out of the virtual environment, or bring others into it.
FOREIGN_SETTINGS = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PIP_PREFIX",
    "PIP_REQUIREMENT",
    "PIP_CONSTRAINT",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
)


class StepFailed(Exception):
    """A step that went wrong; the message says what to do, the status is the one to leave with."""

    def __init__(self, message: str, status: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.status = status


def run_recipe(destination: Path, make: Callable[[Path], None]) -> int:
    """Hands a work folder inside the destination to ``make``, removes it again and returns the exit status."""
    # A termination becomes an exception, so that the child is ended and the work folder is removed.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    try:
        require_tools()
        destination.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".recipe-", dir=destination))
        try:
            make(work)
        finally:
            remove_folder(work)
    except StepFailed as failure:
        report(f"error: {failure}")
        return failure.status
    except OSError as error:
        report(f"error: {error}; check the room and the rights in {destination}, then run the recipe again")
        return EXIT_FAILED
    return 0


def require_tools() -> None:
    """Raises StepFailed if this Python is too old or cannot make virtual environments."""
    if sys.version_info < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, version[:2])) for version in (OLDEST_PYTHON, sys.version_info))
        raise StepFailed(
            f"Python {found} is too old: the recipe needs {wanted} or newer as python3", EXIT_NOT_INSTALLED
        )
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise no_virtual_environments(f"its module {module} is not installed")


def no_virtual_environments(reason: str) -> StepFailed:
    """Returns the failure of a Python without venv or pip, with the command that installs them."""
    major, minor = sys.version_info[:2]
    return StepFailed(
        f"{sys.executable} cannot make a virtual environment with pip: {reason}. On Debian and Ubuntu run "
        f"`sudo apt-get install python{major}.{minor}-venv`, then run the recipe again",
        EXIT_NOT_INSTALLED,
    )


def child_environment(work: Path, cache: Path | None) -> dict[str, str]:
    """Returns the caller's environment, changed so that children stay in the work folder and say little."""
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_SETTINGS}
    temporary = work / "tmp"
    temporary.mkdir()
    environment.update(
        TMPDIR=str(temporary),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONNOUSERSITE="1",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
        PIP_PROGRESS_BAR="off",
    )
    if cache is not None:
        environment["PIP_CACHE_DIR"] = str(cache / "pip")
    elif "PIP_CACHE_DIR" not in environment:
        environment["PIP_NO_CACHE_DIR"] = "1"
    return environment


def make_virtual_environment(folder: Path, environment: dict[str, str]) -> Path:
    """Makes a virtual environment and returns its Python."""
    report(f"making a virtual environment with {sys.executable}")
    if run([sys.executable, "-m", "venv", str(folder)], environment) != 0:
        raise no_virtual_environments("the attempt failed as printed above")
    return folder / "bin" / "python"


def install_tools(python: Path, environment: dict[str, str]) -> None:
    """Installs what conversions need into a virtual environment."""
    requirements = RECIPES / "requirements-tools.txt"
    report(f"installing {requirements.name}")
    pip(python, ["install", "--no-compile", "--requirement", str(requirements)], environment)


def download_wheels(python: Path, name: str, store: Path, environment: dict[str, str], *options: str) -> list[Path]:
    """Has pip download the wheels of ``requirements-NAME.txt`` to a folder in ``store`` and returns them.

    pip checks every wheel against its pinned digest, those from an earlier run too, and fetches what is missing
    or wrong.
    """
    requirements = RECIPES / f"requirements-{name}.txt"
    # Other pins get a folder of their own, so that it never holds two versions of a wheel.
    pins = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = store / f"wheels-{name}-{pins[:16]}"
    report(f"downloading {requirements.name}")
    command = ["download", "--dest", str(folder), "--requirement", str(requirements), *options]
    pip(python, command, environment)
    wheels = sorted(folder.glob("*.whl"))
    for wheel in wheels:
        report(f"downloaded {wheel.name}: {wheel.stat().st_size} bytes")
    return wheels


def pip(python: Path, command: list[str], environment: dict[str, str]) -> None:
    """Runs a pip command that takes pinned wheels only. Raises StepFailed."""
    pinned = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--quiet"]
    if run([str(python), "-m", "pip", *command, *pinned], environment) != 0:
        raise StepFailed(
            f"pip {command[0]} failed as printed above; check the network, the proxy and pip's index settings, "
            "then run the recipe again"
        )


def publish(artifacts: Path, model_folder: Path) -> None:
    """Moves every artifact to its place; both are on one file system, so that each arrives whole."""
    model_folder.mkdir(exist_ok=True)
    for artifact in sorted(artifacts.iterdir()):
        artifact.rename(model_folder / artifact.name)


def remove_folder(folder: Path) -> None:
    """Removes a folder, for five seconds at most.

    Processes that an interrupted venv or pip had started may still write to it: they stay in the caller's
    process group, which is the caller's to end, and fail when their files are gone.
    """
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(0.1)


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command with its output on standard error and returns its exit status."""
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode


def report(line: str) -> None:
    """Prints a line to standard error."""
    print(line, file=sys.stderr, flush=True)
