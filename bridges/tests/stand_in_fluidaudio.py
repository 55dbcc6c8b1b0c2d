"""Answers as ``fluidaudiocli`` does, its ways of failing included; STAND_IN says which. Not the program itself."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Runs the command line and returns the exit status."""
    arguments = sys.argv[1:]
    if arguments[:1] != ["transcribe"]:
        print(f"Unknown command: {arguments[:1]}")
        return 1
    Path(os.environ["STAND_IN_CALLS"]).write_text(json.dumps(arguments), encoding="utf-8")
    if os.environ.get("STAND_IN") == "quiet-failure":
        # Every error is caught, logged, and forgotten.
        print("[ERROR] Failed to transcribe file: the model could not be loaded", file=sys.stderr)
        return 0
    words = [
        {"word": "Ask", "startTime": 0.25, "endTime": 0.5, "confidence": 0.9},
        {"word": "not.", "startTime": 0.5, "endTime": 1.75, "confidence": 0.8},
    ]
    result = {
        "audioFile": arguments[1],
        "mode": "batch",
        "modelVersion": "v3",
        "text": "Ask not.",
        "durationSeconds": 2.0,
        "processingTimeSeconds": 0.1,
        "rtfx": 20.0,
        "confidence": 0.85,
        "wordTimings": [] if os.environ.get("STAND_IN") == "no-words" else words,
    }
    Path(arguments[arguments.index("--output-json") + 1]).write_text(json.dumps(result), encoding="utf-8")
    print(result["text"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
