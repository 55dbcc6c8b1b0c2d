"""Writes a Whisper model in the layout of Hugging Face: safetensors weights, JSON settings and the tokenizer.

The files are what ``transformers``' ``save_pretrained`` writes for ``WhisperForConditionalGeneration`` and its
processor. JSON is written with sorted keys and fixed separators, and the safetensors file by hand (its format
is a JSON header and raw bytes), so that the bytes depend on no package's version.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from whisper_checkpoint import WhisperCheckpoint

# Distances from ``<|endoftext|>`` to other special tokens, the same in every Whisper vocabulary of 99 languages.
_START_OF_TRANSCRIPT = 1
_TRANSLATE = 101
_TRANSCRIBE = 102
_START_OF_PREVIOUS = 104
_NO_TIMESTAMPS = 106

_SAFETENSORS_TYPES = {"float16": "F16", "float32": "F32"}
_SAFETENSORS_ALIGNMENT = 8


def write_safetensors(tensors: dict[str, np.ndarray], file: BinaryIO) -> None:
    """Writes tensors, ordered by name.

    The format (safetensors, README): u64 length of the header, a JSON object from name to type, shape and range
    of bytes, padded with spaces to a multiple of 8, then the data.
    """
    header: dict[str, dict] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        end = offset + tensor.nbytes
        header[name] = {
            "dtype": _SAFETENSORS_TYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    encoded = json.dumps(header, separators=(",", ":")).encode("ascii")
    encoded += b" " * (-len(encoded) % _SAFETENSORS_ALIGNMENT)
    file.write(struct.pack("<Q", len(encoded)) + encoded)
    for name in sorted(tensors):
        file.write(tensors[name].astype(tensors[name].dtype.newbyteorder("<")).tobytes())


def write_config(checkpoint: WhisperCheckpoint, path: Path) -> None:
    """Writes ``config.json``: the shape of the network, and the token ids that generation needs."""
    end = checkpoint.end_of_text
    _write_json(
        path,
        {
            "_name_or_path": f"openai/whisper-{checkpoint.model_id}",
            "activation_dropout": 0.0,
            "activation_function": "gelu",
            "architectures": ["WhisperForConditionalGeneration"],
            "attention_dropout": 0.0,
            "begin_suppress_tokens": checkpoint.settings["suppress_ids_begin"],
            "bos_token_id": end,
            "d_model": checkpoint.width,
            "decoder_attention_heads": checkpoint.decoder_heads,
            "decoder_ffn_dim": checkpoint.inner_width,
            "decoder_layerdrop": 0.0,
            "decoder_layers": checkpoint.decoder_layers,
            "decoder_start_token_id": end + _START_OF_TRANSCRIPT,
            "dropout": 0.0,
            "encoder_attention_heads": checkpoint.encoder_heads,
            "encoder_ffn_dim": checkpoint.inner_width,
            "encoder_layerdrop": 0.0,
            "encoder_layers": checkpoint.encoder_layers,
            "eos_token_id": end,
            "init_std": 0.02,
            "is_encoder_decoder": True,
            "max_length": checkpoint.text_positions,
            "max_source_positions": checkpoint.audio_positions,
            "max_target_positions": checkpoint.text_positions,
            "model_type": "whisper",
            "num_hidden_layers": checkpoint.encoder_layers,
            "num_mel_bins": checkpoint.mel_bins,
            "pad_token_id": end,
            "scale_embedding": False,
            "suppress_tokens": checkpoint.settings["suppress_ids"],
            "torch_dtype": "float16",
            "use_cache": True,
            "vocab_size": checkpoint.vocabulary_size,
        },
    )


def write_generation_config(checkpoint: WhisperCheckpoint, path: Path) -> None:
    """Writes ``generation_config.json``: what ``generate`` starts from, suppresses and aligns words by."""
    end = checkpoint.end_of_text
    config = {
        "alignment_heads": checkpoint.settings["alignment_heads"],
        "begin_suppress_tokens": checkpoint.settings["suppress_ids_begin"],
        "bos_token_id": end,
        "decoder_start_token_id": end + _START_OF_TRANSCRIPT,
        "eos_token_id": end,
        "is_multilingual": checkpoint.multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": checkpoint.text_positions,
        "no_timestamps_token_id": end + _NO_TIMESTAMPS,
        "pad_token_id": end,
        "prev_sot_token_id": end + _START_OF_PREVIOUS,
        "return_timestamps": False,
        "suppress_tokens": checkpoint.settings["suppress_ids"],
    }
    if checkpoint.multilingual:
        vocabulary = checkpoint.vocabulary()
        config["lang_to_id"] = {vocabulary[token]: token for token in checkpoint.settings["lang_ids"]}
        config["task_to_id"] = {"transcribe": end + _TRANSCRIBE, "translate": end + _TRANSLATE}
    _write_json(path, config)


def write_preprocessor_config(checkpoint: WhisperCheckpoint, path: Path) -> None:
    """Writes ``preprocessor_config.json``: how audio becomes a spectrogram."""
    _write_json(
        path,
        {
            "chunk_length": 30,
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": checkpoint.mel_bins,
            "hop_length": 160,
            "n_fft": 400,
            "n_samples": 480_000,
            "nb_max_frames": 3000,
            "padding_side": "right",
            "padding_value": 0.0,
            "processor_class": "WhisperProcessor",
            "return_attention_mask": False,
            "sampling_rate": 16_000,
        },
    )


def write_tokenizer(checkpoint: WhisperCheckpoint, folder: Path) -> None:
    """Writes the tokenizer's files beside its ``tokenizer.json``, in the form of GPT-2's."""
    tokenizer = json.loads((checkpoint.folder / "tokenizer.json").read_text(encoding="utf-8"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "add_prefix_space": False,
            "bos_token": "<|endoftext|>",
            "eos_token": "<|endoftext|>",
            "errors": "replace",
            "model_max_length": 1024,
            "pad_token": "<|endoftext|>",
            "tokenizer_class": "WhisperTokenizer",
            "unk_token": "<|endoftext|>",
        },
    )
    by_id = sorted(tokenizer["model"]["vocab"].items(), key=lambda item: item[1])
    vocabulary = json.dumps(dict(by_id), ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_bytes((vocabulary + "\n").encode("utf-8"))
    # Newer tokenizer files hold a merge as a pair, older ones as two words in a string.
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    (folder / "merges.txt").write_bytes("\n".join(["#version: 0.2", *merges, ""]).encode("utf-8"))


def _write_json(path: Path, value: dict) -> None:
    path.write_bytes((json.dumps(value, indent=2, sort_keys=True) + "\n").encode("ascii"))
