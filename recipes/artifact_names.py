"""The artifacts that a Whisper recipe can write, for its command lines. Needs the standard library only."""

from __future__ import annotations

import argparse

ARTIFACTS = (
    "ggml-f16",
    "ggml-q8_0",
    "ggml-q5_1",
    "ggml-q5_0",
    "ggml-q4_0",
    "gguf-q8_0",
    "safetensors",
    "ctranslate2",
    "mlx",
    "pt",
)
"""Every artifact, in the order in which they are written."""


def parse_artifacts(text: str) -> list[str]:
    """Returns the artifacts named in a comma-separated list, each once, for ``argparse``."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in ARTIFACTS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown) or 'nothing'} is no artifact; choose from {', '.join(ARTIFACTS)}"
        )
    return names
