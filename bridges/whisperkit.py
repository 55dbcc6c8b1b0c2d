# /// script
# requires-python = ">=3.9"
# dependencies = []
# ///
"""Bridge to WhisperKit's command-line program, ``whisperkit-cli``: Whisper on Core ML, on a Mac.

Written from the program's source and tested against a stand-in. It has not been run on a Mac.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from earmark_bridge import BridgeError, Engine, Facts, Listener, LoadRequest, Transcription, main
from bridge_settings import LANGUAGE, TEMPERATURE_FALLBACK, TIMESTAMPS, VAD, beam_size
from bridge_program import Workplace, missing_command, missing_parts, told_version, wrong_platform

_COMMAND = "whisperkit-cli"
_HINT = "install it with `brew install whisperkit-cli`"
_COMPILED = ("MelSpectrogram.mlmodelc", "AudioEncoder.mlmodelc", "TextDecoder.mlmodelc")
_TOKENIZER = "tokenizer.json"


class WhisperKit(Engine):
    """The engine."""

    facts = Facts(
        id="whisperkit",
        description="WhisperKit's command-line program: Whisper on Core ML.",
        group=None,
        package=None,
        families=("whisper", "distil-whisper"),
        artifacts={"f16": "coreml", "compressed": "coreml-compressed"},
        audio="file",
        settings=(LANGUAGE, beam_size(1), TEMPERATURE_FALLBACK, VAD, TIMESTAMPS),
        platforms=("macos",),
        commands=(_COMMAND,),
        loads_each_trial=True,
    )
    device = "coreml"

    def version(self) -> str:
        return told_version([_COMMAND, "--version"])

    def probe(self) -> Optional[str]:
        return wrong_platform("WhisperKit") or missing_command(_COMMAND, _HINT)

    def load(self, request: LoadRequest) -> dict[str, Any]:
        absent = missing_command(_COMMAND, _HINT)
        if absent:
            raise BridgeError("engine", absent)
        folder = _model_folder(request)
        missing = missing_parts(folder, _COMPILED, ())
        if missing:
            raise BridgeError("model", f"{folder}: {', '.join(missing)} missing")
        # The program fetches a tokenizer that it does not find in either place.
        elsewhere = _tokenizer_folder(request.model) / _TOKENIZER
        if not (folder / _TOKENIZER).is_file() and not elsewhere.is_file():
            raise BridgeError("model", f"{_TOKENIZER} is neither in {folder} nor at {elsewhere}")
        self._folder = folder
        self._options = _options(request.settings)
        return {}

    def transcribe(self, audio: str, language: Optional[str], listener: Listener) -> Transcription:
        with Workplace(_COMMAND) as place:
            # By a model's name it asks the hub every time; by a path it does not.
            command = [_COMMAND, "transcribe", "--model-path", str(self._folder), "--audio-path", audio]
            command += ["--report", "--report-path", str(place.path), *self._options]
            if language:
                command += ["--language", language]
            said = place.run(command)
            # A recording that failed is told on standard output, and the program ends with status 0. The report has
            # the recording's name up to the first dot.
            result = place.result(place.path / f"{Path(audio).name.split('.')[0]}.json", said)
        tokens = 0
        for segment in result.get("segments") or []:
            listener.note(segment.get("start", 0.0), segment.get("end", 0.0), str(segment.get("text", "")))
            tokens += len(segment.get("tokens") or [])
        spoken = result.get("language")
        return Transcription(result["text"], spoken if isinstance(spoken, str) else None, tokens or None)


def _options(settings: dict[str, Any]) -> list[str]:
    """Returns what the program is told beside the recording; left alone it falls back five times and cuts by VAD."""
    options = ["--skip-special-tokens", "--chunking-strategy", "vad" if settings["vad"] else "none"]
    options += ["--temperature-fallback-count", "5" if settings["temperature-fallback"] else "0"]
    return options if settings["timestamps"] else [*options, "--without-timestamps"]


def _model_folder(request: LoadRequest) -> Path:
    """Returns the folder that holds the compiled models: the artifact's, or one in it, as the hub has it."""
    for name in request.files:
        if Path(name).name == "config.json":
            return (request.directory / name).parent
    return request.directory


def _tokenizer_folder(model: str) -> Path:
    """Returns where WhisperKit keeps the tokenizer of a model."""
    version = model if model.startswith("whisper-") else f"whisper-{model}"
    return Path.home() / "Documents/huggingface/models/openai" / version


if __name__ == "__main__":
    main(WhisperKit())
