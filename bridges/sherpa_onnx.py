# /// script
# requires-python = ">=3.11"
# dependencies = ["sherpa-onnx==2.0.1", "numpy==2.4.6"]
# ///
"""Bridge to sherpa-onnx: ONNX Runtime with recognizers of many families; here Moonshine and Parakeet."""

from __future__ import annotations

from functools import partial
from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, environment_threads, main
from bridge_settings import THREADS, beam_size

_SAMPLE_RATE = 16_000
_MOONSHINE = {"encoder": "encoder_model.ort", "decoder": "decoder_model_merged.ort", "tokens": "tokens.txt"}
_PARAKEET = {
    "encoder": "encoder.int8.onnx",
    "decoder": "decoder.int8.onnx",
    "joiner": "joiner.int8.onnx",
    "tokens": "tokens.txt",
}


class SherpaOnnx(Engine):
    """The engine."""

    facts = Facts(
        id="sherpa-onnx",
        description="sherpa-onnx: Moonshine and Parakeet on ONNX Runtime, on a CPU.",
        group="sherpa-onnx",
        package="sherpa-onnx",
        families=("moonshine", "parakeet"),
        artifacts={"int8": "sherpa-onnx-int8"},
        settings=(THREADS, beam_size(1)),
        install_bytes=116_000_000,
    )

    def start(self) -> None:
        import sherpa_onnx

        self._package = sherpa_onnx

    def load(self, request: LoadRequest) -> dict[str, Any]:
        threads = request.settings.get("threads") or environment_threads() or 1
        recognizers = self._package.OfflineRecognizer
        if any(name.endswith(".ort") for name in request.files):
            make, parts = recognizers.from_moonshine_v2, _MOONSHINE
        else:
            make, parts = partial(recognizers.from_transducer, model_type="nemo_transducer"), _PARAKEET
        # It says nothing of tokens that are missing, and ends the process over those that it cannot read.
        request.require(*parts.values())
        paths = {part: str(request.directory / name) for part, name in parts.items()}
        self._recognizer = make(num_threads=threads, **paths)
        return {"threads": threads, "temperature-fallback": False, "vad": False, "timestamps": False}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        samples = numpy.frombuffer(audio, dtype=numpy.float32)
        stream = self._recognizer.create_stream()
        stream.accept_waveform(_SAMPLE_RATE, samples)
        self._recognizer.decode_stream(stream)
        result = stream.result
        listener.note(0.0, len(samples) / _SAMPLE_RATE, result.text)
        return Transcription(result.text, tokens=len(result.tokens))


if __name__ == "__main__":
    main(SherpaOnnx())
