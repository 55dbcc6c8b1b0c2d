"""An engine that answers with the number of its process and that of the trial in it, and commits a fault:
`crash` and `hang` on recordings of more than a number of seconds, `leave` and `babble` once it has answered; `mark` makes the file then.
`once:` before a fault commits it only if its file is not there yet: `once:crash SECONDS FILE`."""

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


def is_due(*faults):
    fault = FAULT.removeprefix("once:")
    if fault not in faults or (fault != FAULT and os.path.exists(sys.argv[3])):
        return None
    if fault != FAULT:
        open(sys.argv[3], "w").close()
    return fault


def answer(trial, text):
    say(reply="done", trial=trial, text=text, segments=[], language="en",
        **{"transcribe-seconds": 0.5, "first-segment-seconds": None, "cpu-seconds": None})


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
        fault = is_due("crash", "hang") if seconds > LONGEST else None
        if fault == "crash":
            os.abort()
        while fault == "hang":
            time.sleep(3600)
        text = f"process {os.getpid()} trial {count}"
        count += 1
        answer(request["trial"], text)
        fault = is_due("leave", "babble")
        if FAULT == "mark":
            open(sys.argv[3], "w").close()
        if fault == "leave":
            sys.exit(0)
        if fault == "babble":
            answer(request["trial"], "once more")
    elif request["request"] == "shutdown":
        break
