# /// script
# requires-python = ">=3.11"
# dependencies = ["faster-whisper==1.2.1", "ctranslate2==4.8.5", "tokenizers==0.23.3", "numpy==2.4.6"]
# ///
"""Bridge to faster-whisper: CTranslate2's Whisper with OpenAI's decoding loop."""

from __future__ import annotations

from typing import Any, Iterator, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, environment_threads, main
from bridge_settings import (
    LANGUAGE,
    TEMPERATURE_FALLBACK,
    THREADS,
    TIMESTAMPS,
    VAD,
    batch_size,
    beam_size,
    compute_type,
)

_FALLBACK = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_SAMPLE_RATE = 16_000
_WINDOW = 30 * _SAMPLE_RATE


class FasterWhisper(Engine):
    """The engine."""

    facts = Facts(
        id="faster-whisper",
        description="faster-whisper: CTranslate2's Whisper, on a CPU.",
        group="faster-whisper",
        package="faster-whisper",
        families=("whisper", "distil-whisper"),
        artifacts={"f16": "ctranslate2"},
        settings=(
            LANGUAGE,
            THREADS,
            beam_size(64),
            # Weights of 16 bits, calculated in 32, are what whisper.cpp and candle do with theirs.
            compute_type(["float32", "int8", "int8_float32", "int16", "bfloat16"], "float32"),
            TEMPERATURE_FALLBACK,
            VAD,
            TIMESTAMPS,
            batch_size(1, 64),
        ),
        install_bytes=461_000_000,
    )

    def start(self) -> None:
        import faster_whisper

        self._package = faster_whisper
        self._model: Any = None

    def load(self, request: LoadRequest) -> dict[str, Any]:
        # Without tokenizer.json the package asks the hub for one.
        request.require("model.bin", "config.json", "tokenizer.json")
        settings = self._settings = request.settings
        threads = settings.get("threads") or environment_threads() or 0
        model = self._package.WhisperModel(
            str(request.directory),
            device="cpu",
            compute_type=settings["compute-type"],
            cpu_threads=threads,
            num_workers=1,
            local_files_only=True,
        )
        batched = settings["batch-size"] > 1
        self._model = self._package.BatchedInferencePipeline(model) if batched else model
        # In batches it never goes back for what a window says after its last timestamp, so it is not given any: which
        # is that pipeline's own default.
        self._timestamps = settings["timestamps"] and not batched
        return {
            # CTranslate2 replaces a type that this processor cannot calculate in.
            "compute-type": model.model.compute_type,
            "threads": threads or None,
            "timestamps": self._timestamps,
            # That pipeline takes the first temperature only.
            "temperature-fallback": settings["temperature-fallback"] and not batched,
        }

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        samples = numpy.frombuffer(audio, dtype=numpy.float32)
        segments, information = self._begin(samples, language)
        texts, tokens = [], 0
        # The work happens in here: the package returns before it has decoded anything.
        for segment in segments:
            listener.heard(segment.start, segment.end, segment.text)
            texts.append(segment.text)
            tokens += len(segment.tokens)
        return Transcription("".join(texts), information.language, tokens)

    def _begin(self, samples: Any, language: Optional[str]) -> tuple[Iterator[Any], Any]:
        settings = self._settings
        options: dict[str, Any] = {
            "language": language,
            "beam_size": settings["beam-size"],
            "vad_filter": settings["vad"],
            "without_timestamps": not self._timestamps,
            "temperature": _FALLBACK if settings["temperature-fallback"] else 0.0,
        }
        if settings["batch-size"] == 1:
            return self._model.transcribe(samples, condition_on_previous_text=False, **options)
        if not settings["vad"]:
            # The batched pipeline cuts at silences, or where it is told.
            options["clip_timestamps"] = [
                {"start": start / _SAMPLE_RATE, "end": min(start + _WINDOW, len(samples)) / _SAMPLE_RATE}
                for start in range(0, len(samples), _WINDOW)
            ]
        return self._model.transcribe(samples, batch_size=settings["batch-size"], **options)


if __name__ == "__main__":
    main(FasterWhisper())
