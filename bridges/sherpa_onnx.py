# /// script
# requires-python = ">=3.11"
# dependencies = ["sherpa-onnx==2.0.1", "numpy==2.4.6"]
# ///
"""Bridge to sherpa-onnx: ONNX Runtime with recognizers of many families; here Moonshine's."""

from __future__ import annotations

from typing import Any, Optional

from earmark_bridge import Engine, Facts, Listener, LoadRequest, Transcription, environment_threads, main
from bridge_settings import THREADS, beam_size

_SAMPLE_RATE = 16_000


class SherpaOnnx(Engine):
    """The engine."""

    facts = Facts(
        id="sherpa-onnx",
        description="sherpa-onnx: Moonshine on ONNX Runtime, on a CPU.",
        group="sherpa-onnx",
        package="sherpa-onnx",
        artifacts={"int8": "moonshine-ort"},
        settings=(THREADS, beam_size(1)),
        install_bytes=116_000_000,
    )

    def start(self) -> None:
        import sherpa_onnx

        self._package = sherpa_onnx

    def load(self, request: LoadRequest) -> dict[str, Any]:
        names = ("encoder_model.ort", "decoder_model_merged.ort", "tokens.txt")
        # It says nothing of tokens that are missing, and ends the process over those that it cannot read.
        request.require(*names)
        encoder, decoder, tokens = (str(request.directory / name) for name in names)
        threads = request.settings.get("threads") or environment_threads() or 1
        self._recognizer = self._package.OfflineRecognizer.from_moonshine_v2(
            encoder=encoder, decoder=decoder, tokens=tokens, num_threads=threads
        )
        return {"threads": threads, "temperature-fallback": False, "vad": False, "timestamps": False}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        import numpy

        samples = numpy.frombuffer(audio, dtype=numpy.float32)
        stream = self._recognizer.create_stream()
        stream.accept_waveform(_SAMPLE_RATE, samples)
        self._recognizer.decode_stream(stream)
        result = stream.result
        listener.note(0.0, len(samples) / _SAMPLE_RATE, result.text)
        return Transcription(result.text, "en", len(result.tokens))


if __name__ == "__main__":
    main(SherpaOnnx())
