# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
"""Bridge to FluidAudio's command-line program, ``fluidaudiocli``: Parakeet on Core ML, on a Mac.

Written from the program's source and tested against a stand-in. It has not been run on a Mac.
"""

from __future__ import annotations

from typing import Any, Optional

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Transcription, main
from bridge_settings import beam_size
from bridge_program import Workplace, missing_command, missing_parts, told_version, wrong_platform

_COMMAND = "fluidaudiocli"
_HINT = "build it from FluidAudio's repository with `swift build -c release` and put it there"
_COMPILED = ("Preprocessor.mlmodelc", "Encoder.mlmodelc", "Decoder.mlmodelc")
# The two versions of the model have a last part of different names.
_LAST_PART = {"v2": "JointDecision.mlmodelc", "v3": "JointDecisionv3.mlmodelc"}
_VOCABULARY = "parakeet_vocab.json"


class FluidAudio(Engine):
    """The engine."""

    facts = Facts(
        id="fluidaudio",
        description="FluidAudio's command-line program: Parakeet on Core ML.",
        group=None,
        package=None,
        families=("parakeet",),
        artifacts={"int8": "coreml"},
        audio="file",
        settings=(beam_size(1),),
        platforms=("macos",),
        commands=(_COMMAND,),
        loads_each_trial=True,
    )
    device = "coreml"

    def version(self) -> str:
        return told_version([_COMMAND, "--version"])

    def probe(self) -> Optional[str]:
        return wrong_platform("FluidAudio") or missing_command(_COMMAND, _HINT)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        absent = missing_command(_COMMAND, _HINT)
        if absent:
            raise BridgeError("engine", absent)
        self._version = next((version for version in _LAST_PART if request.model.endswith(version)), None)
        if self._version is None:
            raise BridgeError("model", f"`{request.model}` does not say whether it is Parakeet v2 or v3")
        # The program fetches what it does not find, so it is not started unless all is there.
        parts = (*_COMPILED, _LAST_PART[self._version])
        missing = missing_parts(request.directory, parts, (_VOCABULARY,))
        if missing:
            raise BridgeError("model", f"{request.directory}: {', '.join(missing)} missing")
        self._folder = request.directory
        return {"vad": False, "timestamps": True}

    def transcribe(self, audio: str, language: Optional[str], listener: Listener) -> Transcription:
        with Workplace(_COMMAND) as place:
            output = place.path / "result.json"
            command = [_COMMAND, "transcribe", audio, "--output-json", str(output)]
            command += ["--model-version", self._version, "--model-dir", str(self._folder)]
            # It swallows its errors and ends with status 0: only what it wrote counts.
            result = place.result(output, place.run(command))
        # It times words and not sentences, so the whole is one segment.
        words = result.get("wordTimings") or [{}]
        start = words[0].get("startTime", 0.0)
        listener.note(start, words[-1].get("endTime", result.get("durationSeconds") or 0.0), result["text"])
        return Transcription(result["text"])


if __name__ == "__main__":
    main(FluidAudio())
