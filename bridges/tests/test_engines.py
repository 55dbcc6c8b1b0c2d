"""Tests of the bridges with their real engines and real weights, where these are installed.

EARMARK_ENVIRONMENTS names a folder with a virtual environment for each name in engines.yaml, EARMARK_MODELS a store
with MODEL/ARTIFACT/ folders. What is not there is skipped. Nothing may be fetched: the way out leads to a closed port.
Run: python3 bridges/tests/test_engines.py
"""

from __future__ import annotations

import array
import os
import sys
import tempfile
import unittest
import wave
from pathlib import Path
from typing import Any, Optional

BRIDGES = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(Path(__file__).resolve().parent), str(BRIDGES)]

from driver import Bridge, bridge_command  # noqa: E402

CLIP = BRIDGES.parent / "corpus" / "format-arctic-a0007-8k-mono-wav.wav"
WORDS = "you always want to see it"
NOWHERE = "http://127.0.0.1:9"


def samples_of_the_clip(path: Path) -> None:
    """Writes the clip as float32 at 16 kHz: a sample between every two of its 8 kHz."""
    with wave.open(str(CLIP), "rb") as clip:
        assert (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) == (8000, 1, 2)
        values = array.array("h", clip.readframes(clip.getnframes()))
    doubled = array.array("f")
    for here, following in zip(values, values[1:]):
        doubled.extend((here / 32768, (here + following) / 65536))
    path.write_bytes(doubled.tobytes())


class RealEngine:
    """What every engine must do."""

    bridge_file: str
    engine: str
    environment: str
    model = "tiny.en"
    artifact: str
    # Whether its text is compared: a model of random weights says anything.
    understands = True

    def setUp(self) -> None:
        environments, models = (os.environ.get(f"EARMARK_{name}") for name in ("ENVIRONMENTS", "MODELS"))
        self.python = Path(environments or "none") / self.environment / "bin" / "python"
        self.folder = Path(models or "none") / self.model / self.artifact
        for needed in (self.python, self.folder):
            if not needed.exists():
                self.skipTest(f"{needed} is not there")
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.temporary = Path(temporary.name)
        self.samples = self.temporary / "clip.f32"
        samples_of_the_clip(self.samples)

    def start(self) -> Bridge:
        """Returns a bridge that has said hello, in an empty home from which no network can be reached."""
        environment = {"HOME": str(self.temporary), "XDG_CACHE_HOME": str(self.temporary / "cache")}
        environment.update({name: NOWHERE for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")})
        bridge = Bridge(bridge_command(self.bridge_file, str(self.python)), environment)
        self.addCleanup(bridge.__exit__)
        hello = self.hello = bridge.read()
        self.assertEqual((hello["reply"], hello.get("engine")), ("hello", self.engine), hello)
        self.assertTrue(hello["version"])
        return bridge

    def load(self, bridge: Bridge, settings: Optional[dict] = None, folder: Optional[Path] = None) -> dict:
        """Has a bridge load the model and returns its answer."""
        folder = folder or self.folder
        files = sorted(path.name for path in folder.iterdir())
        given = {"threads": 2, "language": "en", **(settings or {})}
        return bridge.ask("load", directory=str(folder), files=files, model=self.model, settings=given)

    def transcribe(self, bridge: Bridge, trial: int = 0) -> dict:
        """Has a bridge transcribe the clip and returns its answer."""
        return bridge.ask("transcribe", trial=trial, samples=str(self.samples), language="en")

    def refused(self, reply: dict, kind: str, *words: str) -> None:
        """Asserts that a reply is an error of a kind whose message has some words."""
        self.assertEqual((reply["reply"], reply.get("kind")), ("error", kind), reply)
        for word in words:
            self.assertIn(word, reply["message"])

    def test_it_transcribes_the_same_twice(self) -> None:
        bridge = self.start()
        self.assertEqual(bridge.ask("probe"), {"reply": "probed", "ready": True, "reason": None})
        loaded = self.load(bridge)
        self.assertEqual(loaded["reply"], "loaded", loaded)
        for setting in self.hello["settings"]:
            if setting["default"] is not None:
                self.assertIn(setting["name"], loaded["settings"])
        self.assertIs(type(loaded["settings"]["threads"]), int)
        texts = []
        for trial in range(2):
            done = self.transcribe(bridge, trial)
            self.assertEqual((done["reply"], done.get("trial")), ("done", trial), done)
            if self.understands:
                self.assertIn(WORDS, done["text"])
            for segment in done["segments"]:
                self.assertLessEqual(0.0, segment["start-seconds"])
                self.assertLessEqual(segment["start-seconds"], segment["end-seconds"])
            self.assertGreater(done["cpu-seconds"], 0)
            if "heard" in done:
                self.assertEqual([told["segment"] for told in done["heard"]], done["segments"])
            texts.append(done["text"])
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(bridge.end(), 0)
        self.assertEqual(bridge.stdout(), "")

    def test_a_file_that_is_not_there_is_told_and_not_fetched(self) -> None:
        bridge = self.start()
        for missing in sorted(path.name for path in self.folder.iterdir()):
            part = self.temporary / "without" / missing
            part.mkdir(parents=True)
            for path in self.folder.iterdir():
                if path.name != missing:
                    (part / path.name).symlink_to(path.resolve())
            if missing in self.needed:
                self.refused(self.load(bridge, folder=part), "model")

    def test_files_of_something_else_are_told_or_end_the_process(self) -> None:
        folder = self.temporary / "garbage"
        folder.mkdir()
        for path in self.folder.iterdir():
            (folder / path.name).write_bytes(b"garbage " * 1000)
        bridge = self.start()
        try:
            self.refused(self.load(bridge, folder=folder), "model")
        except AssertionError:
            # Native code that cannot go on: the runner sees a crash, with what was said about it.
            self.assertNotIn(bridge.process.wait(timeout=60), (0, None))
            self.assertTrue(bridge.stderr())

    def test_what_it_cannot_be_told_is_refused(self) -> None:
        bridge = self.start()
        self.refused(self.load(bridge, {"beam-width": 5}), "setting", f"`{self.engine}` has no setting `beam-width`")
        self.refused(self.load(bridge, {"beam-size": 0}), "setting", "`beam-size` takes a whole number from 1")
        bridge.send_bytes(b"\x00garbage\n")
        self.refused(bridge.read(), "engine", "expected a message")
        self.refused(self.transcribe(bridge), "engine", "no model is loaded")


def case(name: str, **facts: Any) -> None:
    """Makes the tests of one engine."""
    globals()[name] = type(name, (RealEngine, unittest.TestCase), facts)


MLX = ("config.json", "weights.npz")
case(
    "FasterWhisper",
    bridge_file="faster_whisper.py",
    engine="faster-whisper",
    environment="faster-whisper",
    artifact="ctranslate2",
    needed=("model.bin", "config.json", "tokenizer.json"),
)
case("Mlx", bridge_file="mlx_whisper.py", engine="mlx-whisper", environment="mlx", artifact="mlx", needed=MLX)
case(
    "LightningMlx",
    bridge_file="lightning_whisper_mlx.py",
    engine="lightning-whisper-mlx",
    environment="mlx",
    artifact="mlx",
    needed=MLX,
)
case(
    "OpenaiWhisper",
    bridge_file="openai_whisper.py",
    engine="openai-whisper",
    environment="torch",
    artifact="pt",
    needed=("tiny.en.pt",),
)
case(
    "WhisperMps",
    bridge_file="whisper_mps.py",
    engine="whisper-mps",
    environment="torch",
    artifact="pt",
    needed=("tiny.en.pt",),
)
case(
    "Transformers",
    bridge_file="transformers_whisper.py",
    engine="insanely-fast-whisper",
    environment="torch",
    artifact="safetensors",
    needed=("config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"),
)
case(
    "SherpaOnnx",
    bridge_file="sherpa_onnx.py",
    engine="sherpa-onnx",
    environment="sherpa-onnx",
    model="moonshine-tiny-en",
    artifact="sherpa-onnx-int8",
    needed=("encoder_model.ort", "decoder_model_merged.ort", "tokens.txt"),
)
case(
    "Moonshine",
    bridge_file="moonshine.py",
    engine="moonshine",
    environment="moonshine",
    model="moonshine-tiny-en",
    artifact="moonshine-ort",
    needed=("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"),
)
case(
    "ParakeetMlx",
    bridge_file="parakeet_mlx.py",
    engine="parakeet-mlx",
    environment="mlx",
    model="random",
    artifact="mlx",
    needed=("config.json", "model.safetensors"),
    understands=False,
)


if __name__ == "__main__":
    unittest.main()
