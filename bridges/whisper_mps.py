# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "whisper-mps==0.0.10",
#     "torch==2.15.0",
#     "mlx[cpu]==0.32.4; sys_platform == 'linux'",
#     "mlx==0.32.4; sys_platform == 'darwin'",
# ]
# [tool.uv]
# # A compiler for GPUs of a gigabyte, which nothing here imports.
# override-dependencies = ["triton; sys_platform == 'never'"]
# ///
"""Bridge to whisper-mps: Whisper on MLX, converted from OpenAI's checkpoints as it is loaded.

The package has no way to be given a path: a name is looked up in its table of addresses, and the file that it fetches
must have the digest in the address. The bridge replaces the table by one with the artifact's own file in it, and the
function that fetches by one that returns it.
"""

from __future__ import annotations

import importlib
from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, main
from bridge_mlx import device_name, threads_in_effect
from bridge_settings import LANGUAGE, TEMPERATURE_FALLBACK, TIMESTAMPS, beam_size, compute_type

_FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class WhisperMps(Engine):
    """The engine."""

    facts = Facts(
        id="whisper-mps",
        description="whisper-mps: Whisper on MLX from OpenAI's own checkpoints.",
        group="torch",
        package="whisper-mps",
        families=("whisper",),
        artifacts={"f16": "pt"},
        settings=(
            LANGUAGE,
            beam_size(1),
            compute_type(["float16", "float32"], "float16"),
            TEMPERATURE_FALLBACK,
            TIMESTAMPS,
        ),
        install_bytes=5_290_000_000,
    )

    def start(self) -> None:
        import mlx.core

        self._mlx = mlx.core
        self._models = importlib.import_module("whisper_mps.whisper.load_models")
        # The package's attribute of that name is the function in it.
        self._package = importlib.import_module("whisper_mps.whisper.transcribe")
        self.device = device_name(mlx.core)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        self._settings = request.settings
        path = self._path = str(request.only_file(".pt"))
        self._models._MODELS = {path: path}
        # They serve for timestamps of words, which are not asked for.
        self._models._ALIGNMENT_HEADS = {path: None}
        self._models._download = lambda address, _folder: address
        self._package.ModelHolder.get_model(path, getattr(self._mlx, request.settings["compute-type"]))
        return threads_in_effect(self._mlx)

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        settings = self._settings
        result = self._package.transcribe(
            numpy.frombuffer(audio, dtype=numpy.float32),
            model=self._path,
            language=language,
            temperature=_FALLBACK if settings["temperature-fallback"] else 0.0,
            condition_on_previous_text=False,
            without_timestamps=not settings["timestamps"],
            fp16=settings["compute-type"] == "float16",
        )
        for segment in result["segments"]:
            listener.note(segment["start"], segment["end"], segment["text"])
        tokens = sum(len(segment["tokens"]) for segment in result["segments"])
        return Transcription(result["text"], result["language"], tokens)


if __name__ == "__main__":
    main(WhisperMps())
