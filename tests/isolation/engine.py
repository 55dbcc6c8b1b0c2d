"""An engine that answers with the number of its process and that of the trial in it, and commits a fault on
recordings of more than a number of seconds: `ENGINE FAULT SECONDS`. `once:` before a fault commits it only
if its file is not there yet: `once:crash SECONDS FILE`."""

import json
import os
import sys
import time

FAULT, LONGEST = sys.argv[1], float(sys.argv[2])
CHANNEL = int(os.environ["EARMARK_PROTOCOL_FD"])


def say(**message):
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(CHANNEL, data) :]


def commit_fault():
    fault = FAULT
    if fault.startswith("once:"):
        if os.path.exists(sys.argv[3]):
            return
        open(sys.argv[3], "w").close()
        fault = fault.removeprefix("once:")
    if fault == "crash":
        os.abort()
    if fault == "hang":
        while True:
            time.sleep(3600)


say(reply="hello", protocol=1, engine="kept", version="7", device="cpu", artifacts=[], audio="samples",
    settings=[{"name": "beam-size", "kind": {"integer": {"minimum": 1, "maximum": 5}},
               "affects": "decode", "default": 1, "description": "Hypotheses."}])
count = 0
for line in os.fdopen(CHANNEL, "rb", closefd=False):
    request = json.loads(line)
    if request["request"] == "load":
        settings = {"threads": 1, "beam-size": 1} | request["settings"]
        say(reply="loaded", seconds=0.25, settings=settings)
    elif request["request"] == "transcribe":
        seconds = os.stat(request["samples"]).st_size / 64000
        if seconds > LONGEST:
            commit_fault()
        text = f"process {os.getpid()} trial {count}"
        count += 1
        say(reply="done", trial=request["trial"], text=text, segments=[], language="en",
            **{"transcribe-seconds": 0.5, "first-segment-seconds": None, "cpu-seconds": None})
    elif request["request"] == "shutdown":
        break
