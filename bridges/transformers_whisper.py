# /// script
# requires-python = ">=3.11"
# dependencies = ["transformers==5.24.0", "torch==2.15.0", "accelerate==1.15.0", "numpy==2.4.6"]
# [tool.uv]
# # A compiler for GPUs of a gigabyte, which nothing here imports.
# override-dependencies = ["triton; sys_platform == 'never'"]
# ///
"""Bridge to what insanely-fast-whisper does: the speech pipeline of transformers, in batches of 30-second chunks.

The program of that name cannot run on a CPU (it asks for the device ``cuda:cpu``) and brings speaker diarization that
is not measured here. What it measures is this pipeline with these arguments, so the bridge calls it itself; the version
is that of transformers.
"""

from __future__ import annotations

from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, environment_threads, main
from bridge_settings import LANGUAGE, THREADS, TIMESTAMPS, batch_size, beam_size, compute_type

_CHUNK_SECONDS = 30
_SAMPLE_RATE = 16_000


class TransformersWhisper(Engine):
    """The engine."""

    facts = Facts(
        id="insanely-fast-whisper",
        description="insanely-fast-whisper's pipeline: transformers' Whisper in batches, on a CPU.",
        group="torch",
        package="transformers",
        families=("whisper", "distil-whisper"),
        artifacts={"f16": "safetensors"},
        settings=(
            LANGUAGE,
            THREADS,
            beam_size(64),
            batch_size(24, 64),
            compute_type(["float32", "bfloat16", "float16"], "float32"),
            TIMESTAMPS,
        ),
        install_bytes=5_290_000_000,
    )

    def start(self) -> None:
        import torch
        import transformers

        # transformers imports its parts when they are first asked for: most of the time of the start is here.
        self._make_pipeline = transformers.pipeline
        self._torch = torch

    def load(self, request: LoadRequest) -> dict[str, Any]:
        request.require("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json")
        settings = self._settings = request.settings
        threads = settings.get("threads") or environment_threads()
        if threads:
            self._torch.set_num_threads(threads)
        self._pipeline = self._make_pipeline(
            "automatic-speech-recognition",
            model=str(request.directory),
            dtype=getattr(self._torch, settings["compute-type"]),
            device="cpu",
            model_kwargs={"attn_implementation": "sdpa"},
        )
        model = self._pipeline.model
        self._multilingual = bool(getattr(model.generation_config, "is_multilingual", True))
        return {
            "compute-type": str(model.dtype).rpartition(".")[2],
            "threads": self._torch.get_num_threads(),
            "temperature-fallback": False,
        }

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        settings = self._settings
        options: dict[str, Any] = {"num_beams": settings["beam-size"]}
        if self._multilingual:
            # A model that knows one language refuses to be told which.
            options.update(task="transcribe", language=language)
        samples = numpy.frombuffer(audio, dtype=numpy.float32).copy()
        result = self._pipeline(
            # Samples, because a path would be opened by ffmpeg.
            {"raw": samples, "sampling_rate": _SAMPLE_RATE},
            chunk_length_s=_CHUNK_SECONDS,
            batch_size=settings["batch-size"],
            return_timestamps=settings["timestamps"],
            generate_kwargs=options,
        )
        for chunk in result.get("chunks", []):
            start, end = chunk["timestamp"]
            # The model may leave the last timestamp out.
            listener.note(start or 0.0, end if end is not None else len(samples) / _SAMPLE_RATE, chunk["text"])
        return Transcription(result["text"], language if self._multilingual else "en")


if __name__ == "__main__":
    main(TransformersWhisper())
