"""Takes the weights of Moonshine tiny (English) out of the Python wheel that carries them.

usage: python3 moonshine_from_wheel.py --destination FOLDER [--cache FOLDER] [--artifacts moonshine-ort]

Needs what recipe_steps.py needs. The artifact becomes FOLDER/moonshine-tiny-en/moonshine-ort/: the encoder and the
decoder, the tokens as Moonshine's own library reads them, and the same tokens as sherpa-onnx reads them. It writes to
FOLDER and to the cache only.

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
ARTIFACT = "moonshine-ort"
FILES = ("decoder_model_merged.ort", "encoder_model.ort", "tokenizer.bin")
_FOLDER = "moonshine_voice/assets/tiny-en"
# Whatever machine this is: the weights are the same, and so are their digests.
_PLATFORM = ("--platform", "manylinux_2_34_x86_64", "--python-version", "3.11")
# From here on a length is written in another way, which no token of this model needs.
_LONG = 0x80


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description="Takes the weights of Moonshine tiny out of a Python wheel.")
    parser.add_argument("--destination", required=True, type=Path, help=f"where {MODEL}/{ARTIFACT}/ is made")
    parser.add_argument("--cache", type=Path, help="where downloads are kept for the next time")
    parser.add_argument("--artifacts", choices=[ARTIFACT], default=ARTIFACT, help="there is one")
    arguments = parser.parse_args()
    destination = arguments.destination.resolve()
    if (destination / MODEL / ARTIFACT).exists():
        parser.error(f"{destination / MODEL / ARTIFACT} exists already: remove it or choose another destination")
    cache = arguments.cache and arguments.cache.resolve()
    return run_recipe(destination, lambda work: make_artifact(work, cache, destination))


def make_artifact(work: Path, cache: Path | None, destination: Path) -> None:
    """Makes the artifact in a work folder and moves it to its place."""
    environment = child_environment(work, cache)
    python = make_virtual_environment(work / "venv", environment)
    (wheel,) = download_wheels(python, MODEL, cache or work, environment, *_PLATFORM)
    folder = work / "artifacts" / ARTIFACT
    folder.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            (folder / name).write_bytes(archive.read(f"{_FOLDER}/{name}"))
    tokens = read_tokens((folder / "tokenizer.bin").read_bytes())
    (folder / "tokens.txt").write_bytes(sherpa_tokens(tokens))
    for path in sorted(folder.iterdir()):
        report(f"wrote {ARTIFACT}/{path.name}: {path.stat().st_size} bytes")
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
