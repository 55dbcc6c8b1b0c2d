"""Tests of the loop that every bridge shares, with an engine that does what it is told. Standard library only.

Run: python3 -m unittest discover bridges/tests
"""

from __future__ import annotations

import array
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))

from driver import Bridge, bridge_command  # noqa: E402

FAKE = "tests/fake_bridge.py"


class Loop(unittest.TestCase):
    """Every request, every way to ask wrongly, and every way in which an engine misbehaves."""

    def setUp(self) -> None:
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "model.bin").write_bytes(b"weights")
        samples = array.array("f", [0.5] * 32_000)
        if sys.byteorder == "big":
            samples.byteswap()
        self.samples = str(self.folder / "clip.f32")
        Path(self.samples).write_bytes(samples.tobytes())

    def start(self, **environment: str) -> Bridge:
        """Returns a bridge that is ended with the test."""
        bridge = Bridge(bridge_command(FAKE), environment)
        self.addCleanup(bridge.__exit__)
        return bridge

    def ready(self, **environment: str) -> Bridge:
        """Returns a bridge that has said hello."""
        bridge = self.start(**environment)
        self.assertEqual(bridge.read()["reply"], "hello")
        return bridge

    def load(self, bridge: Bridge, settings: Optional[dict] = None, **fields: Any) -> dict:
        """Has a bridge load the model and returns its answer."""
        request = {"directory": str(self.folder), "files": ["model.bin"], "model": "m", **fields}
        return bridge.ask("load", settings=settings or {}, **request)

    def transcribe(self, bridge: Bridge, language: Optional[str] = None, **fields: Any) -> dict:
        """Has a bridge transcribe the clip and returns its answer."""
        return bridge.ask("transcribe", **{"trial": 7, "samples": self.samples, "language": language, **fields})

    def refused(self, reply: dict, kind: str, *words: str) -> None:
        """Asserts that a reply is an error of a kind whose message has some words."""
        self.assertEqual((reply["reply"], reply.get("kind")), ("error", kind), reply)
        for word in words:
            self.assertIn(word, reply["message"])

    def test_hello_says_what_the_engine_is(self) -> None:
        hello = self.start().read()
        self.assertEqual(
            {name: hello[name] for name in ("reply", "protocol", "engine", "version", "device", "artifacts", "audio")},
            {
                "reply": "hello",
                "protocol": 1,
                "engine": "fake-bridge",
                "version": "1.2.3",
                "device": "cpu",
                "artifacts": ["fake-artifact"],
                "audio": "samples",
            },
        )
        beam = next(setting for setting in hello["settings"] if setting["name"] == "beam-size")
        self.assertEqual(beam["kind"], {"integer": {"minimum": 1, "maximum": 5}})
        self.assertEqual((beam["default"], beam["affects"]), (1, "decode"))

    def test_the_straight_way(self) -> None:
        bridge = self.ready()
        self.assertEqual(bridge.ask("probe"), {"reply": "probed", "ready": True, "reason": None})
        loaded = self.load(bridge, {"beam-size": 2, "threads": 2, "language": "en"})
        self.assertEqual(loaded["reply"], "loaded", loaded)
        self.assertGreaterEqual(loaded["seconds"], 0)
        # Defaults are filled in, what the engine says comes last, and what nobody knows is left out.
        expected = {"beam-size": 2, "compute-type": "int8", "loud": False, "language": "en"}
        self.assertEqual(loaded["settings"], expected)
        done = self.transcribe(bridge, "en")
        self.assertEqual((done["trial"], done["text"], done["tokens"]), (7, " sum 16000.000", 3))
        self.assertEqual(done["language"], "en")
        self.assertEqual([told["segment"] for told in done["heard"]], done["segments"])
        self.assertEqual(done["segments"][1], {"start-seconds": 1.0, "end-seconds": 2.0, "text": "sum 16000.000"})
        # The first segment has no text; the second comes after 20 ms and the end after 20 more.
        self.assertGreaterEqual(done["first-segment-seconds"], 0.02)
        self.assertGreaterEqual(done["transcribe-seconds"], done["first-segment-seconds"] + 0.02)
        self.assertGreaterEqual(done["cpu-seconds"], 0)
        self.assertEqual(bridge.end(), 0)

    def test_why_it_cannot_run_here_is_told(self) -> None:
        bridge = self.ready(FAKE_PROBE="it needs a Mac")
        self.assertEqual(bridge.ask("probe"), {"reply": "probed", "ready": False, "reason": "it needs a Mac"})

    def test_what_is_printed_does_not_reach_the_protocol(self) -> None:
        bridge = self.ready()
        self.load(bridge, {"loud": True})
        self.assertEqual(self.transcribe(bridge)["reply"], "done")
        self.assertEqual(bridge.end(), 0)
        self.assertEqual(bridge.stdout(), "")
        for line in ("importing", '{"reply":"done"}', "from native code", "from a program"):
            self.assertIn(line, bridge.stderr())

    def test_a_missing_model_is_told(self) -> None:
        bridge = self.ready()
        self.refused(self.load(bridge, files=["model.bin", "vocabulary.txt"]), "model", "vocabulary.txt is missing")
        self.refused(self.load(bridge, directory=str(self.folder / "none")), "model", "none is no folder")
        self.refused(self.load(bridge, directory=None), "model", "needs a model's folder")
        self.refused(self.load(bridge, model="broken"), "model", "ValueError: not a model")
        self.refused(self.transcribe(bridge), "engine", "no model is loaded")
        self.assertEqual(self.load(bridge)["reply"], "loaded")

    def test_garbage_is_told_and_shown(self) -> None:
        bridge = self.ready()
        for line in (b"Loading \x1b[2J\xff...\n", b"[1]\n", b'"load"\n', b"{}\n", b"\n", b"[" * 100_000 + b"\n"):
            bridge.send_bytes(line)
            self.refused(bridge.read(), "engine", "expected a message")
        self.refused(bridge.ask("sing"), "engine", "there is no request `sing`")
        self.assertEqual(self.load(bridge)["reply"], "loaded")
        self.refused(bridge.ask("transcribe", trial=1), "engine", "'samples' is missing")

    def test_a_line_without_an_end_ends_the_bridge(self) -> None:
        bridge = self.ready()
        try:
            bridge.send_bytes(b"x" * (16 * 1024 * 1024 + 2))
        except BrokenPipeError:
            pass
        self.refused(bridge.read(), "engine", "longer than 16777216 bytes")
        self.assertEqual(bridge.process.wait(timeout=30), 1)

    def test_settings_are_checked(self) -> None:
        bridge = self.ready()
        cases = [
            ({"beam-width": 5}, "`fake-bridge` has no setting `beam-width`", "`beam-size`"),
            ({"beam-size": 6}, "`beam-size` takes a whole number from 1 to 5, and this is `6`"),
            ({"beam-size": 1.5}, "this is `1.5`"),
            ({"beam-size": True}, "this is `true`"),
            ({"beam-size": "2"}, "a whole number"),
            ({"patience": 1.1}, "`patience` takes a number from 0.0 to 1.0"),
            ({"compute-type": "int4"}, "`compute-type` takes one of `float32`, `int8`, and this is `int4`"),
            ({"loud": "yes"}, "`loud` takes `true` or `false`"),
            ({"language": None}, "`language` takes text"),
        ]
        for settings, *words in cases:
            self.refused(self.load(bridge, settings), "setting", *words)
        self.assertEqual(self.load(bridge, {"beam-size": 2.0, "patience": 1})["settings"]["beam-size"], 2)

    def test_recordings_that_cannot_be_read_are_told(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        self.refused(self.transcribe(bridge, samples=str(self.folder / "none.f32")), "audio", "none.f32")
        uneven = self.folder / "uneven.f32"
        uneven.write_bytes(b"12345")
        self.refused(self.transcribe(bridge, samples=str(uneven)), "audio", "uneven.f32")
        self.assertEqual(self.transcribe(bridge)["reply"], "done")

    def test_what_an_engine_raises_is_told_and_the_next_trial_goes_on(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        self.refused(self.transcribe(bridge, "fails"), "engine", "RuntimeError: out of luck")
        self.refused(self.transcribe(bridge, "refuses"), "audio", "nothing is said in it")
        self.assertEqual(self.transcribe(bridge)["reply"], "done")
        # The log has the place.
        self.assertIn("in _fails", bridge.stderr())

    def test_text_and_times_that_no_json_can_hold_are_mended(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        done = self.transcribe(bridge, "surrogate")
        self.assertEqual(done["text"], "half ?")
        self.assertEqual(done["segments"], [{"start-seconds": 0.0, "end-seconds": 0.0, "text": "half ?"}])

    def test_segments_of_several_threads_arrive_whole(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        self.assertEqual(len(self.transcribe(bridge, "threads")["heard"]), 200)

    def test_an_engine_that_ends_the_process_is_seen_to(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        bridge.send("transcribe", trial=0, samples=self.samples, language="exits")
        self.assertIsNone(bridge.read())
        self.assertEqual(bridge.process.wait(timeout=30), 1)
        self.assertIn("the engine had enough", bridge.stderr())

    def test_an_engine_that_is_not_installed_is_told_in_place_of_hello(self) -> None:
        bridge = self.start(FAKE_START="fail")
        self.refused(bridge.read(), "engine", "ImportError: No module named 'fake'")
        self.assertEqual(bridge.process.wait(timeout=30), 1)

    def test_the_environment_is_offline_and_has_the_threads(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        self.assertEqual(self.transcribe(bridge, "environment")["text"], "1 1 2 -")

    def test_programs_of_the_engine_count_and_do_not_hold_the_connection(self) -> None:
        bridge = self.ready()
        self.load(bridge)
        self.assertGreater(self.transcribe(bridge, "works")["cpu-seconds"], 0.01)
        if sys.platform == "linux":
            # Standard input, output and error, and the folder that is listed.
            self.assertEqual(self.transcribe(bridge, "leaks")["text"], "4")

    def test_it_ends_when_the_runner_is_gone(self) -> None:
        bridge = self.ready()
        bridge.hang_up()
        self.assertEqual(bridge.process.wait(timeout=30), 0)

    def test_started_by_hand_it_says_so(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "EARMARK_PROTOCOL_FD"}
        ended = subprocess.run(
            bridge_command(FAKE), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        self.assertEqual(ended.returncode, 2)
        self.assertIn("started by the runner", ended.stderr)


if __name__ == "__main__":
    unittest.main()
