"""Converts a Whisper model from a CTranslate2 folder to the artifacts that Earmark's engines read.

usage: convert_whisper.py --model tiny.en --source CTRANSLATE2_FOLDER --destination FOLDER [--artifacts a,b,c]

Each artifact becomes a folder of its own in FOLDER, named after it, and stands there only when it is whole. The same
source gives the same bytes on every machine. Needs numpy; prints one line for each file to standard error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Callable

from artifact_names import ARTIFACTS, parse_artifacts
from whisper_checkpoint import WhisperCheckpoint, read_checkpoint
from whisper_ggml import write_ggml
from whisper_gguf import write_gguf_q8_0
from whisper_hugging_face import (
    write_config,
    write_generation_config,
    write_preprocessor_config,
    write_safetensors,
    write_tokenizer,
)
from whisper_mlx import write_mlx
from whisper_openai import write_pt

_CTRANSLATE2_FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description="Converts a Whisper model from CTranslate2 to other formats.")
    parser.add_argument("--model", required=True, help="id of the model, as in the names of its files: tiny.en")
    parser.add_argument("--source", required=True, type=Path, help="the CTranslate2 folder")
    parser.add_argument("--destination", required=True, type=Path, help="where the folders of the artifacts go")
    parser.add_argument(
        "--artifacts", type=parse_artifacts, default=list(ARTIFACTS), help="which, by comma; default all"
    )
    arguments = parser.parse_args()

    checkpoint = read_checkpoint(arguments.source, arguments.model)
    arguments.destination.mkdir(parents=True, exist_ok=True)
    for artifact in arguments.artifacts:
        folder = write_artifact(checkpoint, artifact, arguments.destination)
        for path in sorted(folder.iterdir()):
            print(f"wrote {artifact}/{path.name}: {path.stat().st_size} bytes", file=sys.stderr, flush=True)


def write_artifact(checkpoint: WhisperCheckpoint, artifact: str, destination: Path) -> Path:
    """Writes one artifact to a folder of its name in ``destination`` and returns it.

    Raises FileExistsError if there is one already.
    """
    final = destination / artifact
    if final.exists():
        raise FileExistsError(f"{final} exists already")
    partial_folder = destination / f".{artifact}.partial"
    if partial_folder.exists():
        shutil.rmtree(partial_folder)
    partial_folder.mkdir()
    WRITERS[artifact](checkpoint, partial_folder)
    os.rename(partial_folder, final)
    return final


def _ggml(kind: str, checkpoint: WhisperCheckpoint, folder: Path) -> None:
    suffix = "" if kind == "f16" else f"-{kind}"
    with open(folder / f"ggml-{checkpoint.model_id}{suffix}.bin", "wb") as file:
        write_ggml(checkpoint, kind, file)


def _gguf_q8_0(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    with open(folder / "model-q8_0.gguf", "wb") as file:
        write_gguf_q8_0(checkpoint, file)
    write_config(checkpoint, folder / "config.json")
    shutil.copyfile(checkpoint.folder / "tokenizer.json", folder / "tokenizer.json")


def _safetensors(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    with open(folder / "model.safetensors", "wb") as file:
        write_safetensors(checkpoint.tensors, file)
    write_config(checkpoint, folder / "config.json")
    write_generation_config(checkpoint, folder / "generation_config.json")
    write_preprocessor_config(checkpoint, folder / "preprocessor_config.json")
    write_tokenizer(checkpoint, folder)
    shutil.copyfile(checkpoint.folder / "tokenizer.json", folder / "tokenizer.json")


def _ctranslate2(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    for name in _CTRANSLATE2_FILES:
        shutil.copyfile(checkpoint.folder / name, folder / name)


def _pt(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    with open(folder / f"{checkpoint.model_id}.pt", "wb") as file:
        write_pt(checkpoint, file)


WRITERS: dict[str, Callable[[WhisperCheckpoint, Path], None]] = {
    **{f"ggml-{kind}": partial(_ggml, kind) for kind in ("f16", "q8_0", "q5_1", "q5_0", "q4_0")},
    "gguf-q8_0": _gguf_q8_0,
    "safetensors": _safetensors,
    "ctranslate2": _ctranslate2,
    "mlx": write_mlx,
    "pt": _pt,
}
"""From the name of an artifact to the function that writes its files to a folder; the keys are ARTIFACTS."""


if __name__ == "__main__":
    main()
