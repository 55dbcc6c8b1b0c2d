# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "mlx-whisper==0.4.3",
#     "mlx[cpu]==0.32.4; sys_platform == 'linux'",
#     "mlx==0.32.4; sys_platform == 'darwin'",
# ]
# [tool.uv]
# # Declared by the package and imported only for converting checkpoints, which nobody asks for here.
# override-dependencies = ["torch; sys_platform == 'never'"]
# ///
"""Bridge to mlx-whisper: Whisper on Apple's MLX, on the GPU of a Mac or the CPU of a Linux machine."""

from __future__ import annotations

import importlib
from typing import Any, Optional

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Transcription, main
from bridge_mlx import device_name, threads_in_effect
from bridge_settings import LANGUAGE, TEMPERATURE_FALLBACK, TIMESTAMPS, beam_size, compute_type

_FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class MlxWhisper(Engine):
    """The engine."""

    facts = Facts(
        id="mlx-whisper",
        description="mlx-whisper: Whisper on MLX, Apple's array library.",
        group="mlx",
        package="mlx-whisper",
        families=("whisper", "distil-whisper"),
        artifacts={"f16": "mlx", "8bit": "mlx-8bit", "4bit": "mlx-4bit"},
        settings=(
            LANGUAGE,
            # Its beam search is not written: more than one raises NotImplementedError.
            beam_size(1),
            compute_type(["float16", "float32"], "float16"),
            TEMPERATURE_FALLBACK,
            TIMESTAMPS,
        ),
        install_bytes=610_000_000,
    )

    def start(self) -> None:
        import mlx.core

        self._mlx = mlx.core
        # The package's attribute of that name is the function in it.
        self._package = importlib.import_module("mlx_whisper.transcribe")
        self.device = device_name(mlx.core)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        request.require("config.json")
        if not any((request.directory / f"weights.{suffix}").is_file() for suffix in ("safetensors", "npz")):
            raise BridgeError("model", f"{request.directory}: weights.safetensors or weights.npz is missing")
        self._settings = request.settings
        self._path = str(request.directory)
        # What transcribe() does first, so that the first trial finds it done.
        self._package.ModelHolder.get_model(self._path, getattr(self._mlx, request.settings["compute-type"]))
        return threads_in_effect(self._mlx)

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        settings = self._settings
        result = self._package.transcribe(
            numpy.frombuffer(audio, dtype=numpy.float32),
            path_or_hf_repo=self._path,
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
    main(MlxWhisper())
