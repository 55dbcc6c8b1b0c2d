"""Reads a Whisper model from a CTranslate2 folder and gives its tensors their Hugging Face names.

The binary format (``model.bin``, version 6) is written by CTranslate2's ``model_spec.py`` (``Model.serialize``), all
numbers little-endian:

    u32 version, string spec name, u32 spec revision,
    u32 count, then for each variable: string name, u8 rank, u32 for each dimension, u8 type, u32 bytes, data,
    u32 count, then for each alias: string alias, string name of the variable

where a string is a u16 length, its terminating zero counted, and the characters.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_FORMAT_VERSION = 6
_SPECIFICATION = "WhisperSpec"
# Index of a type in CTranslate2's enumeration DataType.
_TYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}

# The smallest vocabulary of a multilingual model; an English-only one has one token less, at 50256.
_MULTILINGUAL_VOCABULARY = 51_865


@dataclass(frozen=True)
class WhisperCheckpoint:
    """A Whisper model in memory."""

    model_id: str
    """The size, with ``.en`` for an English-only model: ``tiny.en``, ``base``."""
    folder: Path
    """The CTranslate2 folder that it was read from: model.bin, config.json, tokenizer.json, vocabulary.txt."""
    tensors: dict[str, np.ndarray]
    """By Hugging Face name, in the types of the file (float16), in the order of the network."""
    settings: dict
    """The CTranslate2 ``config.json``: alignment heads, language ids, suppressed ids."""
    encoder_heads: int
    """Attention heads of an encoder layer."""
    decoder_heads: int
    """Attention heads of a decoder layer."""
    encoder_layers: int
    """Layers of the encoder."""
    decoder_layers: int
    """Layers of the decoder."""

    @property
    def vocabulary_size(self) -> int:
        """Tokens, special ones and timestamps counted."""
        return self.tensors["model.decoder.embed_tokens.weight"].shape[0]

    @property
    def width(self) -> int:
        """Length of the vectors between layers."""
        return self.tensors["model.decoder.embed_tokens.weight"].shape[1]

    @property
    def inner_width(self) -> int:
        """Length of the vector inside a feed-forward layer."""
        return self.tensors["model.encoder.layers.0.fc1.weight"].shape[0]

    @property
    def audio_positions(self) -> int:
        """Positions of the encoder: 1500 for 30 seconds."""
        return self.tensors["model.encoder.embed_positions.weight"].shape[0]

    @property
    def text_positions(self) -> int:
        """Positions of the decoder: the longest text, in tokens, its prompt counted."""
        return self.tensors["model.decoder.embed_positions.weight"].shape[0]

    @property
    def mel_bins(self) -> int:
        """Rows of the spectrogram."""
        return self.tensors["model.encoder.conv1.weight"].shape[1]

    @property
    def multilingual(self) -> bool:
        """Whether the model knows more languages than English."""
        return self.vocabulary_size >= _MULTILINGUAL_VOCABULARY

    @property
    def end_of_text(self) -> int:
        """Id of ``<|endoftext|>``; the other special tokens follow it at fixed distances."""
        return 50_257 if self.multilingual else 50_256

    def vocabulary(self) -> list[str]:
        """Returns the tokens by id, in the printable form of GPT-2's byte alphabet."""
        text = (self.folder / "vocabulary.txt").read_bytes().decode("utf-8")
        # Only the line feed ends a token: other line separators of Unicode may be part of one.
        tokens = text.split("\n")[: self.vocabulary_size]
        if len(tokens) != self.vocabulary_size:
            raise ValueError(f"vocabulary.txt holds {len(tokens)} tokens, the model {self.vocabulary_size}")
        return tokens


def read_checkpoint(folder: Path, model_id: str) -> WhisperCheckpoint:
    """Returns the model of a CTranslate2 folder. Raises ValueError for another format, OSError for a missing file."""
    variables = _read_variables(folder / "model.bin")
    tensors: dict[str, np.ndarray] = {}
    _add_stem(variables, tensors)
    layers = {side: _add_layers(variables, tensors, side) for side in ("encoder", "decoder")}
    return WhisperCheckpoint(
        model_id=model_id,
        folder=folder,
        tensors=tensors,
        settings=json.loads((folder / "config.json").read_text(encoding="utf-8")),
        encoder_heads=int(variables["encoder/num_heads"]),
        decoder_heads=int(variables["decoder/num_heads"]),
        encoder_layers=layers["encoder"],
        decoder_layers=layers["decoder"],
    )


class _Reader:
    """Takes values one after the other from the bytes of a file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def number(self, kind: str) -> int:
        """Returns the next number, of a type of the module ``struct``."""
        (value,) = struct.unpack_from("<" + kind, self.data, self.position)
        self.position += struct.calcsize("<" + kind)
        return value

    def string(self) -> str:
        """Returns the next string without its terminating zero."""
        length = self.number("H")
        value = self.data[self.position : self.position + length]
        self.position += length
        return value.rstrip(b"\0").decode("utf-8")

    def array(self) -> np.ndarray:
        """Returns the next array, as a view of the data."""
        shape = [self.number("I") for _ in range(self.number("B"))]
        kind = np.dtype(_TYPES[self.number("B")])
        size = self.number("I")
        value = np.frombuffer(self.data, kind, size // kind.itemsize, self.position).reshape(shape)
        self.position += size
        return value


def _read_variables(path: Path) -> dict[str, np.ndarray]:
    """Returns every variable and alias of a ``model.bin``."""
    reader = _Reader(path.read_bytes())
    version, specification = reader.number("I"), reader.string()
    if (version, specification) != (_FORMAT_VERSION, _SPECIFICATION):
        raise ValueError(
            f"{path.name} is {specification!r} in format version {version}; "
            f"only {_SPECIFICATION!r} in version {_FORMAT_VERSION} can be read"
        )
    reader.number("I")
    variables = {}
    for _ in range(reader.number("I")):
        name = reader.string()
        variables[name] = reader.array()
    for _ in range(reader.number("I")):
        alias = reader.string()
        variables.setdefault(alias, variables[reader.string()])
    if reader.position != len(reader.data):
        raise ValueError(f"{path.name} has {len(reader.data) - reader.position} bytes after its last alias")
    return variables


def _add_stem(variables: dict[str, np.ndarray], tensors: dict[str, np.ndarray]) -> None:
    """Adds what stands outside the layers: convolutions, embeddings and final norms."""
    for convolution in ("conv1", "conv2"):
        _add_linear(variables, tensors, f"encoder/{convolution}", f"model.encoder.{convolution}")
    for side in ("encoder", "decoder"):
        tensors[f"model.{side}.embed_positions.weight"] = variables[f"{side}/position_encodings/encodings"]
        _add_norm(variables, tensors, f"{side}/layer_norm", f"model.{side}.layer_norm")
    tensors["model.decoder.embed_tokens.weight"] = variables["decoder/embeddings/weight"]


def _add_layers(variables: dict[str, np.ndarray], tensors: dict[str, np.ndarray], side: str) -> int:
    """Adds the layers of the encoder or the decoder and returns their number."""
    count = 0
    while f"{side}/layer_{count}/ffn/linear_0/weight" in variables:
        source, target = f"{side}/layer_{count}", f"model.{side}.layers.{count}"
        attention = f"{source}/self_attention"
        _add_norm(variables, tensors, f"{attention}/layer_norm", f"{target}.self_attn_layer_norm")
        _add_stacked(variables, tensors, f"{attention}/linear_0", f"{target}.self_attn", ["q_proj", "k_proj", "v_proj"])
        _add_linear(variables, tensors, f"{attention}/linear_1", f"{target}.self_attn.out_proj")
        if side == "decoder":
            attention = f"{source}/attention"
            _add_norm(variables, tensors, f"{attention}/layer_norm", f"{target}.encoder_attn_layer_norm")
            _add_linear(variables, tensors, f"{attention}/linear_0", f"{target}.encoder_attn.q_proj")
            _add_stacked(variables, tensors, f"{attention}/linear_1", f"{target}.encoder_attn", ["k_proj", "v_proj"])
            _add_linear(variables, tensors, f"{attention}/linear_2", f"{target}.encoder_attn.out_proj")
        _add_norm(variables, tensors, f"{source}/ffn/layer_norm", f"{target}.final_layer_norm")
        _add_linear(variables, tensors, f"{source}/ffn/linear_0", f"{target}.fc1")
        _add_linear(variables, tensors, f"{source}/ffn/linear_1", f"{target}.fc2")
        count += 1
    return count


def _add_norm(variables: dict[str, np.ndarray], tensors: dict[str, np.ndarray], source: str, target: str) -> None:
    tensors[f"{target}.weight"] = variables[f"{source}/gamma"]
    tensors[f"{target}.bias"] = variables[f"{source}/beta"]


def _add_linear(variables: dict[str, np.ndarray], tensors: dict[str, np.ndarray], source: str, target: str) -> None:
    tensors[f"{target}.weight"] = variables[f"{source}/weight"]
    tensors[f"{target}.bias"] = variables[f"{source}/bias"]


def _add_stacked(
    variables: dict[str, np.ndarray], tensors: dict[str, np.ndarray], source: str, target: str, names: list[str]
) -> None:
    """Adds projections that CTranslate2 keeps as one matrix, one above the other."""
    weights = np.split(variables[f"{source}/weight"], len(names))
    biases = np.split(variables[f"{source}/bias"], len(names))
    for name, weight, bias in zip(names, weights, biases):
        tensors[f"{target}.{name}.weight"] = weight
        if name != "k_proj":
            tensors[f"{target}.{name}.bias"] = bias
        elif bias.any():
            # Whisper's keys have no bias; CTranslate2 fills the gap with zeros.
            raise ValueError(f"{source} has a bias for its keys, which Whisper has not")
