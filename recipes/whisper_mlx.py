"""Writes a Whisper model as the MLX packages read it: ``config.json`` and ``weights.npz``.

``mlx-whisper`` reads ``weights.safetensors`` or, where there is none, ``weights.npz``; ``lightning-whisper-mlx`` reads
``weights.npz`` only, so one folder serves both. Tensors have OpenAI's names but for the feed-forward layers; MLX's
convolutions want their channels last, and it computes the encoder's positions itself.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np

from stored_zip import write_stored_zip
from whisper_checkpoint import WhisperCheckpoint
from whisper_openai import openai_dimensions, openai_tensors

_NPY_ALIGNMENT = 64


def write_mlx(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    """Writes both files to a folder."""
    config = {**openai_dimensions(checkpoint), "model_type": "whisper"}
    (folder / "config.json").write_bytes((json.dumps(config, indent=2, sort_keys=True) + "\n").encode("ascii"))
    with open(folder / "weights.npz", "wb") as file:
        entries = ((f"{name}.npy", _npy(tensor)) for name, tensor in mlx_tensors(checkpoint).items())
        write_stored_zip(file, entries)


def mlx_tensors(checkpoint: WhisperCheckpoint) -> dict[str, np.ndarray]:
    """Returns the tensors by MLX's names, in the order of the network."""
    tensors = {}
    for name, tensor in openai_tensors(checkpoint).items():
        if name == "encoder.positional_embedding":
            continue
        if re.fullmatch(r"encoder\.conv[12]\.weight", name):
            tensor = tensor.transpose(0, 2, 1)
        tensors[name.replace(".mlp.0.", ".mlp1.").replace(".mlp.2.", ".mlp2.")] = tensor
    return tensors


def _npy(tensor: np.ndarray) -> bytes:
    """Returns an array in NumPy's format, version 1.0: MLX reads the header by the positions of its characters."""
    kind = {"float16": "<f2", "float32": "<f4"}[tensor.dtype.name]
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(tensor.shape)}, }}"
    header += " " * (-(len(header) + 11) % _NPY_ALIGNMENT) + "\n"
    prefix = b"\x93NUMPY\1\0" + struct.pack("<H", len(header))
    return prefix + header.encode("ascii") + np.ascontiguousarray(tensor, dtype=kind).tobytes()
