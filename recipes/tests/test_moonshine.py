"""Tests of the tokens that the Moonshine recipe writes. Needs the standard library only.

Run: python3 recipes/tests/test_moonshine.py
"""

from __future__ import annotations

import base64
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from moonshine_from_wheel import read_tokens, sherpa_tokens  # noqa: E402


class Tokens(unittest.TestCase):
    """From the library's file to sherpa-onnx's."""

    def test_tokens_come_out_by_id(self) -> None:
        data = b"\x05<unk>\x01\x00\x00\x04\xe2\x96\x81a"
        self.assertEqual(read_tokens(data), [b"<unk>", b"\x00", b"", "▁a".encode()])

    def test_a_file_of_another_form_is_refused(self) -> None:
        for data in (b"\x05<un", b"\x80" + b"a" * 200):
            with self.assertRaises(ValueError):
                read_tokens(data)

    def test_each_token_has_a_line_with_its_number(self) -> None:
        lines = sherpa_tokens([b" a\n", b"b"]).split(b"\n")
        self.assertEqual(lines, [base64.b64encode(b" a\n") + b" 0", b"Yg== 1", b""])


if __name__ == "__main__":
    unittest.main()
