# /// script
# requires-python = ">=3.11"
# dependencies = ["moonshine-voice==0.0.73", "numpy==2.4.6"]
# ///
"""Bridge to moonshine-voice: Moonshine with its own runtime, which can cut a recording at pauses by itself."""

from __future__ import annotations

import os
from typing import Any, Optional

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Transcription, main, usable_cpus
from bridge_settings import THREADS, VAD, beam_size

_SAMPLE_RATE = 16_000
_FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
_ARCHITECTURES = ("tiny", "base")
# Read by its library when a model is loaded.
_SINGLE_THREAD = "MOONSHINE_ORT_SINGLE_THREAD"


class Moonshine(Engine):
    """The engine."""

    facts = Facts(
        id="moonshine",
        description="moonshine-voice: Moonshine with its own runtime, on a CPU.",
        group="moonshine",
        package="moonshine-voice",
        families=("moonshine",),
        artifacts={"int8": "moonshine-ort"},
        settings=(THREADS, beam_size(1), VAD),
        install_bytes=199_000_000,
    )

    def start(self) -> None:
        import moonshine_voice.transcriber

        self._package = moonshine_voice.transcriber

    def load(self, request: LoadRequest) -> dict[str, Any]:
        request.require(*_FILES)
        # The files do not say which network they hold.
        architecture = next((word for word in _ARCHITECTURES if word in request.model.split("-")), None)
        if architecture is None:
            known = " or ".join(f"`{word}`" for word in _ARCHITECTURES)
            raise BridgeError("model", f"`{request.model}` does not say whether it is Moonshine {known}")
        # One thread, or as many as ONNX Runtime likes: that is all it can be told.
        single = request.settings.get("threads") == 1
        os.environ.pop(_SINGLE_THREAD, None)
        if single:
            os.environ[_SINGLE_THREAD] = "1"
        # At a threshold of zero its detector takes everything for one stretch of speech.
        options = {} if request.settings["vad"] else {"vad_threshold": 0.0}
        self._transcriber = self._package.Transcriber(
            str(request.directory), self._package.ModelArch[architecture.upper()], options=options
        )
        return {"threads": 1 if single else usable_cpus(), "temperature-fallback": False, "timestamps": False}

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        transcript = self._transcriber.transcribe_without_streaming(audio, _SAMPLE_RATE)
        for line in transcript.lines:
            listener.note(line.start_time, line.start_time + line.duration, line.text)
        return Transcription(" ".join(line.text for line in transcript.lines), "en")


if __name__ == "__main__":
    main(Moonshine())
