"""Tests of what is written down about the bridges. Standard library only.

Run: python3 -m unittest discover bridges/tests
"""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path

BRIDGES = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BRIDGES))

import engine_table  # noqa: E402

HEADER = re.compile(r"(?m)^# /// script$\n((?:^#(?: .*)?$\n)+)^# ///$")


class Table(unittest.TestCase):
    """engines.yaml, the headers and the locks."""

    def test_the_table_says_what_the_bridges_declare(self) -> None:
        written = engine_table.TABLE.read_text(encoding="utf-8")
        self.assertEqual(written, engine_table.table(), "run `python3 bridges/engine_table.py`")

    def test_every_bridge_of_the_field_is_there(self) -> None:
        ids = [engine.facts.id for _, engine in engine_table.engines()]
        self.assertEqual(len(ids), len(set(ids)))
        nine = {"faster-whisper", "mlx-whisper", "lightning-whisper-mlx", "parakeet-mlx", "insanely-fast-whisper"}
        nine |= {"whisper-mps", "whisperkit", "fluidaudio"}
        more = {"openai-whisper", "sherpa-onnx", "moonshine", "openai-http"}
        self.assertEqual(set(ids), nine | more)

    def test_declarations_are_sound(self) -> None:
        for file, engine in engine_table.engines():
            facts = engine.facts
            with self.subTest(file):
                names = [setting.name for setting in facts.settings]
                self.assertEqual(len(names), len(set(names)))
                for setting in facts.settings:
                    self.assertRegex(setting.name, r"^[a-z][a-z0-9-]*$")
                    self.assertTrue(setting.description.endswith("."))
                    if setting.default is not None:
                        self.assertEqual(setting.accept(setting.default), setting.default)
                self.assertEqual(facts.group is None, facts.package is None)
                self.assertEqual(facts.any_model, not facts.artifacts)
                self.assertEqual(facts.any_model, not facts.families)

    def test_what_a_bridge_pins_is_what_its_lock_holds(self) -> None:
        for file, engine in engine_table.engines():
            with self.subTest(file):
                header = HEADER.search((BRIDGES / file).read_text(encoding="utf-8"))[1]
                listed = re.search(r"(?ms)^# dependencies = \[(.*?)\]$", header)[1]
                pinned = re.findall(r'"([a-z0-9_-]+)(?:\[[a-z]+\])?==([^";]+)', listed)
                self.assertEqual(len(pinned), listed.count('"') // 2, "every dependency is pinned exactly")
                if engine.facts.group is None:
                    self.assertEqual(pinned, [])
                    continue
                lock = (BRIDGES / "locks" / f"{engine.facts.group}.txt").read_text(encoding="utf-8")
                for name, version in pinned:
                    self.assertRegex(lock, rf"(?m)^{re.escape(name)}=={re.escape(version)}( ;.*)? \\$")
                self.assertIn(engine.facts.package, dict(pinned))

    def test_every_entry_of_a_lock_has_digests(self) -> None:
        locks = {engine.facts.group for _, engine in engine_table.engines() if engine.facts.group}
        self.assertEqual({path.stem for path in (BRIDGES / "locks").glob("*.txt")}, locks)
        for group in locks:
            text = (BRIDGES / "locks" / f"{group}.txt").read_text(encoding="utf-8")
            entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
            for entry in entries:
                self.assertRegex(entry, r"^[a-z0-9._-]+==\S+.*\\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+\Z", group)


if __name__ == "__main__":
    unittest.main()
