"""Answers as ``whisperkit-cli`` does, its ways of failing included; STAND_IN says which. Not the program itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Runs the command line and returns the exit status."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print("1.0.0-stand-in")
        return 0
    Path(os.environ["STAND_IN_CALLS"]).write_text(json.dumps(arguments), encoding="utf-8")
    mode = os.environ.get("STAND_IN", "works")
    audio = Path(arguments[arguments.index("--audio-path") + 1])
    if mode == "status":
        print("Error: Model not found", file=sys.stderr)
        return 1
    if mode == "quiet-failure":
        # A recording that cannot be transcribed does not fail the program.
        print(f"Error when transcribing {audio}: The operation could not be completed")
        return 0
    result = {
        "text": " Ask not.",
        "language": "en",
        "segments": [
            {"id": 0, "start": 0.0, "end": 1.5, "text": " Ask", "tokens": [50364, 1]},
            {"id": 1, "start": 1.5, "end": 2.0, "text": " not.", "tokens": [2, 3, 50257]},
        ],
        "timings": {"modelLoading": 0.4, "fullPipeline": 0.1},
    }
    if mode == "no-text":
        del result["text"]
    report = Path(arguments[arguments.index("--report-path") + 1]) / f"{audio.name.split('.')[0]}.json"
    report.write_text("{" if mode == "cut-off" else json.dumps(result), encoding="utf-8")
    report.with_suffix(".srt").write_text("1\n", encoding="utf-8")
    print(result.get("text", ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
