"""Speaks the protocol as a bridge does, and does one thing wrong that its first argument names."""

import json
import os
import signal
import sys

action = sys.argv[1]
channel = os.fdopen(int(os.environ["EARMARK_PROTOCOL_FD"]), "r+b", buffering=0)


def say(**message):
    channel.write(json.dumps(message).encode() + b"\n")


if action == "prints":
    print('{"reply": "done"}', flush=True)
if action == "garbage":
    channel.write(b"Loading model...\n")
say(
    reply="hello",
    protocol=1,
    engine="other" if action == "other-engine" else "moonshine",
    version="9.9" if action == "other-version" else "0.0.73",
    device="cpu",
)
for line in channel:
    request = json.loads(line)
    if request["request"] == "shutdown":
        break
    if request["request"] == "load":
        if action == "dies":
            sys.exit("no such tensor")
        if action == "hangs":
            signal.pause()
        # As an engine does that cannot follow what it was told.
        say(reply="loaded", seconds=0.5, settings={**request["settings"], "threads": 1, "vad": False})
    else:
        heard = os.path.basename(request["samples"]).split(".")[-1]
        say(
            **{
                "reply": "done",
                "trial": request["trial"],
                "text": f"heard {heard} file={request.get('file')}",
                "segments": [],
                "language": "en",
                "transcribe-seconds": 0.1,
                "first-segment-seconds": None,
                "cpu-seconds": 0.1,
            }
        )
