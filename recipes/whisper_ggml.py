"""Writes a Whisper model in the ggml format that whisper.cpp reads.

The file, all numbers little-endian i32 unless said otherwise (whisper.cpp, ``models/convert-pt-to-ggml.py`` and
``examples/quantize/quantize.cpp``):

    magic, 11 hyper-parameters,
    mel rows, mel columns, the mel filter bank as float32,
    count of text tokens, then for each token: length, bytes,
    then for each tensor: rank, length of the name, type, dimensions with the fastest first, name, data
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from block_quantization import quantize
from mel_filter_bank import FREQUENCY_BINS, mel_filter_bank
from whisper_checkpoint import WhisperCheckpoint

_MAGIC = 0x67676D6C
# Quantized files carry ggml's quantization version 2 in the thousands of their file type.
_QUANTIZATION_VERSION = 2000
# Name -> (type of the file, type of a tensor): ``ggml_ftype`` and ``ggml_type`` of ggml.h.
_TYPES = {"f16": (1, 1), "q4_0": (2, 2), "q8_0": (7, 8), "q5_0": (8, 6), "q5_1": (9, 7)}
_FLOAT32, _FLOAT16 = 0, 1

# Tokens of GPT-2's vocabulary; whisper.cpp names the special tokens after them itself.
_TEXT_TOKENS = 50_257

_CONVOLUTION_BIASES = ("encoder.conv1.bias", "encoder.conv2.bias")
_POSITIONS = ("encoder.positional_embedding", "decoder.positional_embedding")

_WHOLE_NAMES = {
    "encoder.layer_norm.weight": "encoder.ln_post.weight",
    "encoder.layer_norm.bias": "encoder.ln_post.bias",
    "decoder.layer_norm.weight": "decoder.ln.weight",
    "decoder.layer_norm.bias": "decoder.ln.bias",
    "encoder.embed_positions.weight": "encoder.positional_embedding",
    "decoder.embed_positions.weight": "decoder.positional_embedding",
    "decoder.embed_tokens.weight": "decoder.token_embedding.weight",
}
_NAME_PARTS = {
    "layers": "blocks",
    "self_attn": "attn",
    "self_attn_layer_norm": "attn_ln",
    "encoder_attn": "cross_attn",
    "encoder_attn_layer_norm": "cross_attn_ln",
    "final_layer_norm": "mlp_ln",
    "q_proj": "query",
    "k_proj": "key",
    "v_proj": "value",
    "out_proj": "out",
    "fc1": "mlp.0",
    "fc2": "mlp.2",
}


def write_ggml(checkpoint: WhisperCheckpoint, kind: str, file: BinaryIO) -> None:
    """Writes the model with its matrices in ``kind``: f16, q8_0, q5_1, q5_0 or q4_0."""
    file_type, matrix_type = _TYPES[kind]
    if kind != "f16":
        file_type += _QUANTIZATION_VERSION
    _write_header(checkpoint, file_type, file)
    for name, tensor in _openai_tensors(checkpoint):
        if tensor.ndim < 2 or name in _CONVOLUTION_BIASES or name in _POSITIONS:
            tensor_type, data = _FLOAT32, tensor.astype("<f4").tobytes()
        elif kind == "f16" or tensor.ndim != 2:
            tensor_type, data = _FLOAT16, tensor.astype("<f2").tobytes()
        else:
            tensor_type, data = matrix_type, quantize(tensor, kind)
        encoded_name = name.encode("ascii")
        _write_integers(file, tensor.ndim, len(encoded_name), tensor_type, *reversed(tensor.shape))
        file.write(encoded_name)
        file.write(data)


def _write_header(checkpoint: WhisperCheckpoint, file_type: int, file: BinaryIO) -> None:
    _write_integers(
        file,
        _MAGIC,
        checkpoint.vocabulary_size,
        checkpoint.audio_positions,
        checkpoint.width,
        checkpoint.encoder_heads,
        checkpoint.encoder_layers,
        checkpoint.text_positions,
        checkpoint.width,
        checkpoint.decoder_heads,
        checkpoint.decoder_layers,
        checkpoint.mel_bins,
        file_type,
    )
    _write_integers(file, checkpoint.mel_bins, FREQUENCY_BINS)
    file.write(mel_filter_bank(checkpoint.mel_bins))
    byte_of = _byte_alphabet()
    _write_integers(file, _TEXT_TOKENS)
    for token in checkpoint.vocabulary()[:_TEXT_TOKENS]:
        encoded = bytes(byte_of[character] for character in token)
        _write_integers(file, len(encoded))
        file.write(encoded)


def _write_integers(file: BinaryIO, *values: int) -> None:
    file.write(struct.pack(f"<{len(values)}i", *values))


def _openai_tensors(checkpoint: WhisperCheckpoint) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the tensors under OpenAI's names."""
    for name, tensor in checkpoint.tensors.items():
        name = _openai_name(name)
        # whisper.cpp adds the bias of a convolution to every frame, and wants it as a column.
        yield name, tensor.reshape(-1, 1) if name in _CONVOLUTION_BIASES else tensor


def _openai_name(name: str) -> str:
    """Returns OpenAI's name of a tensor that Hugging Face calls ``name``."""
    inner = name[len("model.") :]
    if inner in _WHOLE_NAMES:
        return _WHOLE_NAMES[inner]
    return ".".join(_NAME_PARTS.get(part, part) for part in inner.split("."))


def _byte_alphabet() -> dict[str, int]:
    """Returns the byte for each character of GPT-2's printable alphabet (``bytes_to_unicode`` in its encoder.py).

    A printable byte of Latin-1 stands for itself; the others are the characters from U+0100, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    alphabet = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(0x100) if byte not in printable]
    alphabet.update({chr(0x100 + position): byte for position, byte in enumerate(others)})
    return alphabet
