"""Tests of the bridges to programs of macOS, against stand-ins that answer and fail as those do.

Standard library only. The programs themselves were not run. Run: python3 -m unittest discover bridges/tests
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from driver import Bridge, bridge_command  # noqa: E402

HERE = Path(__file__).resolve().parent


class Program(unittest.TestCase):
    """A bridge with the stand-in of its program on PATH, and a model's folder."""

    bridge_file: str
    command: str
    stand_in: str
    parts: tuple[str, ...]
    id: str

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        program = self.programs / self.command
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -B "{HERE / self.stand_in}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        self.model = self.folder / "model"
        for part in self.parts:
            (self.model / part).parent.mkdir(parents=True, exist_ok=True)
            (self.model / part).write_bytes(b"x")
        # A second dot, because one program cuts names at the first.
        self.audio = self.folder / "clip.16k.wav"
        self.audio.write_bytes(b"RIFF")

    def start(self, mode: str = "works", installed: bool = True) -> Bridge:
        """Returns a bridge that has said hello."""
        places = [str(self.programs)] if installed else []
        environment = {
            "PATH": os.pathsep.join([*places, "/usr/bin", "/bin"]),
            "HOME": str(self.folder),
            "STAND_IN": mode,
            "STAND_IN_CALLS": str(self.folder / "calls.json"),
        }
        bridge = Bridge(bridge_command(self.bridge_file), environment)
        self.addCleanup(bridge.__exit__)
        self.hello = bridge.read()
        self.assertEqual((self.hello["reply"], self.hello["audio"]), ("hello", "file"), self.hello)
        return bridge

    def load(self, bridge: Bridge, settings: Optional[dict] = None) -> dict:
        """Has a bridge load the model and returns its answer."""
        files = [str(path.relative_to(self.model)) for path in self.model.rglob("*") if path.is_file()]
        return bridge.ask(
            "load", directory=str(self.model), files=files, model=self.id, settings={"threads": 2, **(settings or {})}
        )

    def transcribe(self, bridge: Bridge, **fields: Any) -> dict:
        """Has a bridge transcribe the recording and returns its answer."""
        return bridge.ask(
            "transcribe", **{"trial": 0, "samples": "-", "file": str(self.audio), "language": "en", **fields}
        )

    def calls(self) -> list[str]:
        """Returns the arguments that the program was started with last."""
        return json.loads((self.folder / "calls.json").read_text(encoding="utf-8"))

    def refused(self, reply: dict, kind: str, *words: str) -> None:
        """Asserts that a reply is an error of a kind whose message has some words."""
        self.assertEqual((reply["reply"], reply.get("kind")), ("error", kind), reply)
        for word in words:
            self.assertIn(word, reply["message"])

    def fails_by(self, mode: str, *words: str) -> None:
        """Asserts that a way of failing is an error that says why."""
        bridge = self.start(mode)
        self.assertEqual(self.load(bridge)["reply"], "loaded")
        self.refused(self.transcribe(bridge), "engine", *words)


class Common:
    """What holds for every such bridge."""

    def test_it_says_why_it_cannot_run_here(self) -> None:
        reason = self.start(installed=False).ask("probe")["reason"]
        self.assertIn("macOS only" if sys.platform != "darwin" else f"`{self.command}` is not on PATH", reason)

    def test_a_program_that_is_not_there_is_told_when_a_model_is_loaded(self) -> None:
        bridge = self.start(installed=False)
        self.assertEqual(self.hello["version"], "")
        self.refused(self.load(bridge), "engine", f"`{self.command}` is not on PATH")

    def test_a_failure_that_ends_well_is_a_failure(self) -> None:
        self.fails_by("quiet-failure", "wrote no result although it ended well")

    def test_a_model_that_lacks_a_part_is_told_before_the_program_fetches_it(self) -> None:
        for part in self.parts:
            kept = (self.model / part).rename(self.folder / "kept")
            self.refused(self.load(self.start()), "model", part.split("/")[0])
            kept.rename(self.model / part)
        self.assertFalse((self.folder / "calls.json").exists())

    def test_a_recording_that_is_not_there_is_told(self) -> None:
        bridge = self.start()
        self.load(bridge)
        self.refused(self.transcribe(bridge, file=str(self.folder / "none.wav")), "audio", "none.wav is not there")
        self.refused(self.transcribe(bridge, file=None), "audio", "asked for `file`")


class WhisperKit(Common, Program):
    """whisperkit-cli."""

    bridge_file = "whisperkit.py"
    id = "tiny.en"
    command = "whisperkit-cli"
    stand_in = "stand_in_whisperkit.py"
    parts = (
        "MelSpectrogram.mlmodelc/coremldata.bin",
        "AudioEncoder.mlmodelc/coremldata.bin",
        "TextDecoder.mlmodelc/coremldata.bin",
        "tokenizer.json",
    )

    def test_a_recording_is_transcribed(self) -> None:
        bridge = self.start()
        self.assertEqual(self.hello["version"], "1.0.0-stand-in")
        loaded = self.load(bridge)
        self.assertEqual(
            loaded["settings"], {"beam-size": 1, "temperature-fallback": False, "vad": False, "timestamps": True}
        )
        done = self.transcribe(bridge)
        self.assertEqual((done["text"], done["language"], done["tokens"]), (" Ask not.", "en", 5))
        self.assertEqual(done["segments"][1], {"start-seconds": 1.5, "end-seconds": 2.0, "text": " not."})
        # The work is the program's.
        self.assertGreater(done["cpu-seconds"], 0)
        arguments = self.calls()
        for option, value in {
            "--model-path": str(self.model),
            "--audio-path": str(self.audio),
            "--language": "en",
            "--chunking-strategy": "none",
            "--temperature-fallback-count": "0",
        }.items():
            self.assertEqual(arguments[arguments.index(option) + 1], value)
        # By a name it would ask the hub.
        self.assertNotIn("--model", arguments)
        self.assertEqual(bridge.end(), 0)
        self.assertEqual(bridge.stdout(), "")

    def test_settings_reach_the_program(self) -> None:
        bridge = self.start()
        self.load(bridge, {"vad": True, "temperature-fallback": True, "timestamps": False})
        self.transcribe(bridge, language=None)
        arguments = self.calls()
        self.assertEqual(arguments[arguments.index("--chunking-strategy") + 1], "vad")
        self.assertEqual(arguments[arguments.index("--temperature-fallback-count") + 1], "5")
        self.assertIn("--without-timestamps", arguments)
        self.assertNotIn("--language", arguments)

    def test_a_tokenizer_of_the_programs_own_cache_serves(self) -> None:
        cache = self.folder / "Documents/huggingface/models/openai/whisper-tiny.en"
        cache.mkdir(parents=True)
        (self.model / "tokenizer.json").rename(cache / "tokenizer.json")
        self.assertEqual(self.load(self.start())["reply"], "loaded")

    def test_a_model_in_a_folder_of_the_artifact_is_found(self) -> None:
        inner = self.folder / "inner" / "openai_whisper-tiny.en"
        inner.parent.mkdir()
        self.model.rename(inner)
        self.model = inner.parent
        (inner / "config.json").write_bytes(b"{}")
        bridge = self.start()
        self.assertEqual(self.load(bridge)["reply"], "loaded")
        self.transcribe(bridge)
        self.assertEqual(self.calls()[self.calls().index("--model-path") + 1], str(inner))

    def test_every_other_way_of_failing_is_told(self) -> None:
        self.fails_by("status", "ended with status 1", "Model not found")
        self.fails_by("cut-off", "wrote no JSON")
        self.fails_by("no-text", "a result without a text")


class FluidAudio(Common, Program):
    """fluidaudiocli."""

    bridge_file = "fluidaudio.py"
    id = "parakeet-tdt-0.6b-v3"
    command = "fluidaudiocli"
    stand_in = "stand_in_fluidaudio.py"
    parts = (
        "Preprocessor.mlmodelc/coremldata.bin",
        "Encoder.mlmodelc/coremldata.bin",
        "Decoder.mlmodelc/coremldata.bin",
        "JointDecisionv3.mlmodelc/coremldata.bin",
        "parakeet_vocab.json",
    )

    def test_a_recording_is_transcribed(self) -> None:
        bridge = self.start()
        # It has no way to say its version.
        self.assertEqual(self.hello["version"], "")
        self.assertEqual(self.load(bridge)["reply"], "loaded")
        done = self.transcribe(bridge)
        self.assertEqual((done["text"], done["tokens"]), ("Ask not.", None))
        self.assertEqual(done["segments"], [{"start-seconds": 0.25, "end-seconds": 1.75, "text": "Ask not."}])
        arguments = self.calls()
        self.assertEqual(arguments[:2], ["transcribe", str(self.audio)])
        self.assertEqual(arguments[arguments.index("--model-dir") + 1], str(self.model))
        self.assertEqual(arguments[arguments.index("--model-version") + 1], "v3")

    def test_the_model_says_which_version_it_is(self) -> None:
        bridge = self.start()
        self.id = "parakeet-tdt-0.6b-v2"
        self.refused(self.load(bridge), "model", "JointDecision.mlmodelc missing")
        (self.model / "JointDecisionv3.mlmodelc").rename(self.model / "JointDecision.mlmodelc")
        self.assertEqual(self.load(bridge)["reply"], "loaded")
        self.transcribe(bridge)
        self.assertEqual(self.calls()[self.calls().index("--model-version") + 1], "v2")
        self.id = "parakeet"
        self.refused(self.load(bridge), "model", "does not say whether it is Parakeet v2 or v3")

    def test_a_result_without_words_has_the_length_of_the_recording(self) -> None:
        bridge = self.start("no-words")
        self.load(bridge)
        self.assertEqual(
            self.transcribe(bridge)["segments"], [{"start-seconds": 0.0, "end-seconds": 2.0, "text": "Ask not."}]
        )


if __name__ == "__main__":
    unittest.main()
