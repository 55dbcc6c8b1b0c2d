# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "lightning-whisper-mlx==0.0.10",
#     "mlx[cpu]==0.32.4; sys_platform == 'linux'",
#     "mlx==0.32.4; sys_platform == 'darwin'",
# ]
# [tool.uv]
# # torch is imported only for converting checkpoints; the tiktoken that it pins has no wheels for newer Pythons.
# override-dependencies = ["torch; sys_platform == 'never'", "tiktoken==0.14.0"]
# ///
"""Bridge to lightning-whisper-mlx: Whisper on MLX, several windows of a recording at once.

It goes through the package's ``transcribe_audio``. The class ``LightningWhisperMLX`` is never touched: it asks the hub
each time it is made, whether the weights are there or not, and writes to a folder of the current directory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, main
from bridge_mlx import device_name, threads_in_effect
from bridge_settings import LANGUAGE, TEMPERATURE_FALLBACK, TIMESTAMPS, batch_size, beam_size, compute_type

_FRAMES_PER_SECOND = 100


class LightningWhisperMlx(Engine):
    """The engine."""

    facts = Facts(
        id="lightning-whisper-mlx",
        description="lightning-whisper-mlx: Whisper on MLX, decoding windows of 30 seconds in batches.",
        group="mlx",
        package="lightning-whisper-mlx",
        families=("whisper", "distil-whisper"),
        # Its way of reading quantized weights is gone from MLX.
        artifacts={"f16": "mlx"},
        settings=(
            LANGUAGE,
            beam_size(1),
            batch_size(12, 64),
            compute_type(["float16", "float32"], "float16"),
            TEMPERATURE_FALLBACK,
            # With timestamps it loses what a window says after its last one: it never goes back for it.
            replace(TIMESTAMPS, default=False),
        ),
        install_bytes=610_000_000,
    )

    def start(self) -> None:
        import lightning_whisper_mlx.transcribe
        import mlx.core

        self._mlx = mlx.core
        self._package = lightning_whisper_mlx.transcribe
        self.device = device_name(mlx.core)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        # Unlike mlx-whisper it does not look for weights.safetensors.
        request.require("config.json", "weights.npz")
        self._settings = request.settings
        self._path = str(request.directory)
        self._package.ModelHolder.get_model(self._path, getattr(self._mlx, request.settings["compute-type"]))
        return threads_in_effect(self._mlx)

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        settings = self._settings
        # Its temperatures are fixed: a window that looks wrong by these thresholds is decoded again at 1.0.
        thresholds = {}
        if not settings["temperature-fallback"]:
            thresholds = {
                "compression_ratio_threshold": None,
                "logprob_threshold": None,
                "no_speech_threshold": None,
            }
        result = self._package.transcribe_audio(
            numpy.frombuffer(audio, dtype=numpy.float32),
            path_or_hf_repo=self._path,
            language=language,
            batch_size=settings["batch-size"],
            condition_on_previous_text=False,
            without_timestamps=not settings["timestamps"],
            fp16=settings["compute-type"] == "float16",
            **thresholds,
        )
        # It gives one segment for each window, as frames and text.
        for start, end, text in result["segments"]:
            listener.note(start / _FRAMES_PER_SECOND, end / _FRAMES_PER_SECOND, text)
        return Transcription(result["text"], result["language"])


if __name__ == "__main__":
    main(LightningWhisperMlx())
