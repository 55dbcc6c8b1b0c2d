"""Writes a Whisper model as OpenAI's package reads it: a ``.pt`` file of PyTorch.

The file is a zip of ``data.pkl`` and one ``data/N`` for each tensor, as ``torch.save`` writes it since PyTorch 1.6
(``torch/serialization.py``, ``_save``). The pickle is put together here opcode by opcode, from those that
``torch.load(weights_only=True)`` lets through: PyTorch is not needed, and its version has no say in the bytes.
"""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

import numpy as np

from stored_zip import write_stored_zip
from whisper_checkpoint import WhisperCheckpoint

_ALIGNMENT = 64
_STORAGES = {"float16": "HalfStorage", "float32": "FloatStorage"}

# Applied to a Hugging Face name one after the other.
_RENAMED = [
    (r"^model\.", ""),
    (r"\.layers\.", ".blocks."),
    (r"self_attn_layer_norm", "attn_ln"),
    (r"encoder_attn_layer_norm", "cross_attn_ln"),
    (r"final_layer_norm", "mlp_ln"),
    (r"^encoder\.layer_norm", "encoder.ln_post"),
    (r"^decoder\.layer_norm", "decoder.ln"),
    (r"encoder_attn\.", "cross_attn."),
    (r"self_attn\.", "attn."),
    (r"q_proj", "query"),
    (r"k_proj", "key"),
    (r"v_proj", "value"),
    (r"out_proj", "out"),
    (r"\.fc1\.", ".mlp.0."),
    (r"\.fc2\.", ".mlp.2."),
    (r"embed_tokens", "token_embedding"),
    (r"embed_positions\.weight", "positional_embedding"),
]


def openai_tensors(checkpoint: WhisperCheckpoint) -> dict[str, np.ndarray]:
    """Returns the tensors by OpenAI's names, in the order of the network."""
    renamed = {}
    for name, tensor in checkpoint.tensors.items():
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def openai_dimensions(checkpoint: WhisperCheckpoint) -> dict[str, int]:
    """Returns the shape of the network as OpenAI's ``ModelDimensions`` names it."""
    return {
        "n_mels": checkpoint.mel_bins,
        "n_audio_ctx": checkpoint.audio_positions,
        "n_audio_state": checkpoint.width,
        "n_audio_head": checkpoint.encoder_heads,
        "n_audio_layer": checkpoint.encoder_layers,
        "n_vocab": checkpoint.vocabulary_size,
        "n_text_ctx": checkpoint.text_positions,
        "n_text_state": checkpoint.width,
        "n_text_head": checkpoint.decoder_heads,
        "n_text_layer": checkpoint.decoder_layers,
    }


def write_pt(checkpoint: WhisperCheckpoint, file: BinaryIO) -> None:
    """Writes ``{"dims": …, "model_state_dict": …}``."""
    tensors = openai_tensors(checkpoint)
    dimensions = _dictionary({name: _number(value) for name, value in openai_dimensions(checkpoint).items()})
    state = _dictionary({name: _tensor(tensor, key) for key, (name, tensor) in enumerate(tensors.items())})
    pickle = b"\x80\x02" + _dictionary({"dims": dimensions, "model_state_dict": state}) + b"."
    entries = [("archive/data.pkl", pickle), ("archive/byteorder", b"little")]
    for key, tensor in enumerate(tensors.values()):
        entries.append((f"archive/data/{key}", tensor.astype(tensor.dtype.newbyteorder("<")).tobytes()))
    entries.append(("archive/version", b"3\n"))
    write_stored_zip(file, entries, _ALIGNMENT)


def _tensor(tensor: np.ndarray, key: int) -> bytes:
    """Returns the call of ``_rebuild_tensor_v2`` that makes a tensor of the storage ``data/key``."""
    storage = [_text("storage"), _global("torch", _STORAGES[tensor.dtype.name]), _text(str(key)), _text("cpu")]
    strides = [stride // tensor.itemsize for stride in np.empty(tensor.shape, tensor.dtype).strides]
    hooks = _global("collections", "OrderedDict") + b")R"
    arguments = [
        _tuple([*storage, _number(tensor.size)]) + b"Q",
        _number(0),
        _tuple(map(_number, tensor.shape)),
        _tuple(map(_number, strides)),
        b"\x89",
        hooks,
    ]
    return _global("torch._utils", "_rebuild_tensor_v2") + _tuple(arguments) + b"R"


def _dictionary(entries: dict[str, bytes]) -> bytes:
    return b"}(" + b"".join(_text(key) + value for key, value in entries.items()) + b"u"


def _tuple(items) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _text(text: str) -> bytes:
    encoded = text.encode("utf-8")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _number(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode("ascii")
