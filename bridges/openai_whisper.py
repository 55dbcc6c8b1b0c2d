# /// script
# requires-python = ">=3.11"
# dependencies = ["openai-whisper==20250625", "torch==2.15.0", "tiktoken==0.14.0", "numpy==2.4.6"]
# [tool.uv]
# # A compiler for GPUs of a gigabyte, which nothing here imports.
# override-dependencies = ["triton; sys_platform == 'never'"]
# ///
"""Bridge to openai-whisper: OpenAI's own package, on PyTorch."""

from __future__ import annotations

from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, environment_threads, main
from bridge_settings import LANGUAGE, TEMPERATURE_FALLBACK, THREADS, TIMESTAMPS, beam_size

_FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


class OpenaiWhisper(Engine):
    """The engine."""

    facts = Facts(
        id="openai-whisper",
        description="openai-whisper: OpenAI's own Whisper, on PyTorch, on a CPU.",
        group="torch",
        package="openai-whisper",
        families=("whisper",),
        artifacts={"f16": "pt"},
        settings=(LANGUAGE, THREADS, beam_size(64), TEMPERATURE_FALLBACK, TIMESTAMPS),
        install_bytes=5_290_000_000,
    )

    def start(self) -> None:
        import torch
        import whisper

        self._torch = torch
        self._package = whisper

    def load(self, request: LoadRequest) -> dict[str, Any]:
        settings = self._settings = request.settings
        threads = settings.get("threads") or environment_threads()
        if threads:
            self._torch.set_num_threads(threads)
        # By its path: by its name the package fetches a file whose digest it does not know, offline or not.
        self._model = self._package.load_model(str(request.only_file(".pt")), device="cpu")
        # It widens its weights when they are read, and has no 16-bit arithmetic on a CPU.
        kind = str(next(self._model.parameters()).dtype).rpartition(".")[2]
        return {"compute-type": kind, "threads": self._torch.get_num_threads()}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        settings = self._settings
        beams = settings["beam-size"]
        result = self._package.transcribe(
            self._model,
            numpy.frombuffer(audio, dtype=numpy.float32).copy(),
            language=language,
            temperature=_FALLBACK if settings["temperature-fallback"] else 0.0,
            condition_on_previous_text=False,
            without_timestamps=not settings["timestamps"],
            beam_size=beams if beams > 1 else None,
            fp16=False,
        )
        for segment in result["segments"]:
            listener.note(segment["start"], segment["end"], segment["text"])
        tokens = sum(len(segment["tokens"]) for segment in result["segments"])
        return Transcription(result["text"], result["language"], tokens)


if __name__ == "__main__":
    main(OpenaiWhisper())
