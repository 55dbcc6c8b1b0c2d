"""A bridge to nothing that keeps to the protocol, but for the one fault that its first argument names."""

import json
import os
import sys
import time

FAULT = sys.argv[1]
CHANNEL = int(os.environ["EARMARK_PROTOCOL_FD"])
SETTING = {
    "name": "beam-size",
    "kind": {"integer": {"minimum": 1, "maximum": 5}},
    "affects": "decode",
    "default": 1,
    "description": "Hypotheses.",
}


def say(**message):
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(CHANNEL, data) :]


def refuse(kind, message):
    say(reply="error", kind=kind, message=message)


def hang():
    while True:
        time.sleep(3600)


def done(trial, seconds, text="and so my fellow americans"):
    segment = {"start-seconds": 0.0, "end-seconds": seconds, "text": text}
    if FAULT == "out-of-order":
        segment["end-seconds"] = seconds + 60
    if FAULT == "wrong-trial":
        trial += 1
    say(reply="segment", trial=trial, segment=segment)
    took = -1.0 if FAULT == "negative-time" else 1e-9
    say(
        reply="done",
        trial=trial,
        text=text,
        segments=[segment],
        language="en",
        **{"transcribe-seconds": took, "first-segment-seconds": None, "cpu-seconds": None},
    )
    if FAULT == "done-twice":
        say(reply="done", trial=trial, text=text, segments=[], language="en",
            **{"transcribe-seconds": 0.1, "first-segment-seconds": None, "cpu-seconds": None})


def transcribe(request, count):
    if FAULT == "dies":
        os.abort()
    if FAULT == "hangs":
        hang()
    if FAULT == "prints":
        print("Loading weights...", flush=True)
    if FAULT == "speaks-garbage":
        os.write(CHANNEL, b"Detected language: English\n")
    if FAULT == "floods":
        while True:
            say(reply="segment", trial=request["trial"],
                segment={"start-seconds": 0.0, "end-seconds": 1.0, "text": "x"})
    try:
        size = os.stat(request["samples"]).st_size
    except OSError as error:
        return refuse("audio", str(error))
    if size % 4:
        return refuse("audio", "no whole number of samples")
    text = sys.argv[2] if len(sys.argv) > 2 else "and so on"
    if FAULT == "changes-its-mind":
        text += f" {count}"
    done(request["trial"], size / 64000, text)


def serve():
    if FAULT == "silent":
        hang()
    if FAULT == "fails-to-start":
        sys.exit("no module named anything")
    say(
        reply="hello",
        protocol=2 if FAULT == "other-protocol" else 1,
        engine="other" if FAULT == "wrong-id" else "test",
        version="9" if FAULT == "lies" else "1",
        device="cpu",
        artifacts=[],
        audio="samples",
        settings=[SETTING],
    )
    loaded = False
    count = 0
    for line in os.fdopen(CHANNEL, "rb", closefd=False):
        try:
            request = json.loads(line)
        except ValueError:
            if FAULT == "dies-of-garbage":
                os.abort()
            refuse("engine", "no message")
            continue
        name = request["request"]
        if name == "probe":
            say(reply="probed", ready=True)
        elif name == "load":
            unknown = set(request["settings"]) - {"beam-size", "threads"}
            beam = request["settings"].get("beam-size", 1)
            if unknown and FAULT != "takes-any-setting":
                refuse("engine" if FAULT == "wrong-kind" else "setting", "no such setting")
            elif not 1 <= beam <= 5:
                refuse("setting", "out of range")
            else:
                loaded = True
                settings = {} if FAULT == "hides-settings" else {"beam-size": beam}
                say(reply="loaded", seconds=0.0, settings=settings)
        elif name == "transcribe":
            count += 1
            if loaded:
                transcribe(request, count)
            else:
                refuse("engine", "nothing is loaded")
        elif name == "shutdown":
            if FAULT == "stays":
                hang()
            if FAULT == "ends-badly":
                os._exit(7)
            if FAULT == "leaves-one":
                os.posix_spawn("/bin/sleep", ["sleep", "3600"], {}, setsid=True)
            os._exit(0)
        else:
            refuse("engine", "no such request")
    if FAULT == "outlives":
        hang()


if FAULT != "prints":
    os.dup2(2, 1)
serve()
