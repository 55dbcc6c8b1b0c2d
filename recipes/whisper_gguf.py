"""Writes a Whisper model as GGUF, in the form that candle's quantized Whisper reads.

The file, all numbers little-endian (ggml, ``docs/gguf.md``):

    magic "GGUF", u32 version, u64 count of tensors, u64 count of metadata,
    for each metadata: string key, u32 type, value,
    for each tensor: string name, u32 rank, u64 dimensions with the fastest first, u32 type, u64 offset of its data,
    the data of the tensors, each padded with zeros to a multiple of 32 bytes

where a string is a u64 length and the characters. Tensors keep their Hugging Face names. The weights of linear
layers and the token embedding are quantized; convolutions, norms, biases and positions stay float32: candle
expands them when it loads the file.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from block_quantization import quantize
from whisper_checkpoint import WhisperCheckpoint

_MAGIC = b"GGUF"
_VERSION = 3
_ALIGNMENT = 32
# Types of metadata.
_UNSIGNED_32, _STRING = 4, 8
# Types of tensors, as in ggml.h.
_FLOAT32, _Q8_0 = 0, 8
# ``general.file_type`` of a file whose matrices are mostly Q8_0, and the version of the quantization formats.
_MOSTLY_Q8_0 = 7
_QUANTIZATION_VERSION = 2


def write_gguf_q8_0(checkpoint: WhisperCheckpoint, file: BinaryIO) -> None:
    """Writes the model with its matrices as Q8_0."""
    metadata = [
        ("general.architecture", "whisper"),
        ("general.name", f"whisper-{checkpoint.model_id}"),
        ("general.alignment", _ALIGNMENT),
        ("general.file_type", _MOSTLY_Q8_0),
        ("general.quantization_version", _QUANTIZATION_VERSION),
    ]
    tensors = {name: _encode(name, tensor) for name, tensor in checkpoint.tensors.items()}

    header = [_MAGIC, struct.pack("<IQQ", _VERSION, len(tensors), len(metadata))]
    for key, value in metadata:
        header.append(_string(key))
        if isinstance(value, str):
            header.append(struct.pack("<I", _STRING) + _string(value))
        else:
            header.append(struct.pack("<II", _UNSIGNED_32, value))
    offset = 0
    for name, (tensor_type, data) in tensors.items():
        shape = checkpoint.tensors[name].shape
        header.append(_string(name))
        header.append(struct.pack(f"<I{len(shape)}QIQ", len(shape), *reversed(shape), tensor_type, offset))
        offset += len(data) + _padding(len(data))

    encoded_header = b"".join(header)
    file.write(encoded_header + bytes(_padding(len(encoded_header))))
    for _, data in tensors.values():
        file.write(data + bytes(_padding(len(data))))


def _encode(name: str, tensor: np.ndarray) -> tuple[int, bytes]:
    """Returns the type and the data of a tensor."""
    if tensor.ndim == 2 and not name.endswith("embed_positions.weight"):
        return _Q8_0, quantize(tensor, "q8_0")
    return _FLOAT32, tensor.astype("<f4").tobytes()


def _string(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return struct.pack("<Q", len(encoded)) + encoded


def _padding(length: int) -> int:
    """Returns the zeros that are missing to the next multiple of the alignment."""
    return -length % _ALIGNMENT
