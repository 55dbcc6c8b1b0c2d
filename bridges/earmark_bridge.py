"""The loop that every bridge shares: it speaks Earmark's protocol on one side and calls an engine on the other.

A bridge is a program that hosts one speech recognizer. It declares what the recognizer is (``Facts``), says how to load
it and how to transcribe (``Engine``), and hands an instance to ``main``. README.md beside this file describes the
messages. Needs Python 3.9 and its standard library only.

Importing this module already does what must come before any heavy import: it points standard output at standard error,
so that nothing that is printed can be taken for the protocol, and sets the variables that numerical libraries and hub
clients read once. A bridge therefore imports its engine in ``Engine.start``, which runs before ``hello``: the time of
the imports belongs to the start of the process and not to the loading of a model.
"""

from __future__ import annotations

import array
import json
import os
import resource
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Optional

from bridge_engine import Engine, Facts, Listener, LoadRequest, Transcription, clean
from bridge_settings import BridgeError, Setting

__all__ = [
    "BridgeError",
    "Engine",
    "Facts",
    "Listener",
    "LoadRequest",
    "Setting",
    "Transcription",
    "environment_threads",
    "main",
    "usable_cpus",
]

PROTOCOL_VERSION = 1
DESCRIPTOR_VARIABLE = "EARMARK_PROTOCOL_FD"
SAMPLE_RATE = 16_000
MAXIMUM_LINE_BYTES = 16 * 1024 * 1024
_MAXIMUM_MESSAGE_CHARACTERS = 2000

_FOLDER = os.path.dirname(os.path.abspath(__file__))
# Each of these is one library's way of asking how many threads it may start. The runner sets the first.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
# The runner's wall is what protects; with these, well-behaved libraries fail at once instead of trying again.
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


def main(engine: Engine) -> None:
    """Serves the runner until it says ``shutdown`` or is gone. Does not return."""
    descriptor = os.environ.pop(DESCRIPTOR_VARIABLE, "")
    if not descriptor.isdigit():
        print("a bridge is started by the runner, not by hand", file=sys.stderr)
        _end(2)
    # A bridge may have the name of the package that it hosts, and would import itself.
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != _FOLDER]
    status = 1
    try:
        status = _Server(engine, _Channel(int(descriptor))).serve()
    except (BrokenPipeError, ConnectionResetError):
        print("the runner is gone", file=sys.stderr)
    # Whatever it is, the process ends here, and the log says why.
    except BaseException:
        traceback.print_exc()
    _end(status)


class _Channel:
    """Lines over the private descriptor."""

    def __init__(self, descriptor: int) -> None:
        # Programs that the engine runs must not hold the runner's connection open.
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._reader = os.fdopen(descriptor, "rb", buffering=1 << 16, closefd=False)
        # Engines may tell segments from threads of their own.
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """Returns the next line, or nothing at the end. Raises OverflowError."""
        line = self._reader.readline(MAXIMUM_LINE_BYTES + 1)
        if len(line) > MAXIMUM_LINE_BYTES:
            raise OverflowError(f"a line is longer than {MAXIMUM_LINE_BYTES} bytes")
        return line

    def write(self, message: dict) -> None:
        """Sends a message whole."""
        line = json.dumps(message, allow_nan=False).encode("ascii") + b"\n"
        with self._lock:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]


class _Server:
    """Requests in, replies out."""

    def __init__(self, engine: Engine, channel: _Channel) -> None:
        self._engine = engine
        self._channel = channel
        self._loaded = False
        self._samples: tuple[str, array.array] = ("", array.array("f"))

    def serve(self) -> int:
        """Returns the exit status of the process."""
        try:
            self._engine.start()
            hello = self._hello()
        # Whatever it is, the runner is told.
        except Exception as error:
            self._channel.write(_error(error, "engine"))
            return 1
        self._channel.write(hello)
        while True:
            try:
                line = self._channel.read()
            except OverflowError as error:
                self._channel.write(_error(error, "engine"))
                return 1
            if not line:
                return 0
            try:
                request = _decode(line)
                if request["request"] == "shutdown":
                    return 0
                reply = self._answer(request)
            except Exception as error:
                reply = _error(error, "engine")
            self._channel.write(reply)

    def _hello(self) -> dict:
        facts = self._engine.facts
        return {
            "reply": "hello",
            "protocol": PROTOCOL_VERSION,
            "engine": facts.id,
            "version": self._engine.version(),
            "device": self._engine.device,
            "artifacts": sorted(set(facts.artifacts.values())),
            "audio": facts.audio,
            "settings": [setting.declaration() for setting in facts.settings],
        }

    def _answer(self, request: dict) -> dict:
        name = request["request"]
        if name == "probe":
            reason = self._engine.probe()
            return {"reply": "probed", "ready": reason is None, "reason": reason}
        if name == "load":
            return self._load(request)
        if name == "transcribe":
            return self._transcribe(request)
        raise BridgeError("engine", f"there is no request `{name}`")

    def _load(self, request: dict) -> dict:
        started = time.perf_counter()
        given = request.get("settings") or {}
        load = LoadRequest(
            directory=Path(request["directory"]) if request.get("directory") else None,
            files=list(request.get("files") or []),
            model=str(request.get("model") or ""),
            settings=self._settings(given),
        )
        if self._engine.facts.artifacts:
            _require_files(load)
        self._loaded = False
        try:
            in_effect = {**load.settings, **self._engine.load(load)}
        except (BridgeError, ImportError, MemoryError):
            raise
        except Exception as error:
            traceback.print_exc()
            raise BridgeError("model", _words(error)) from error
        self._loaded = True
        seconds = time.perf_counter() - started
        return {
            "reply": "loaded",
            "seconds": seconds,
            "settings": {name: value for name, value in in_effect.items() if value is not None},
        }

    def _settings(self, given: dict) -> dict[str, Any]:
        """Returns every declared setting that has a value. Raises BridgeError for one that is unknown or wrong."""
        facts = self._engine.facts
        known = {setting.name: setting for setting in facts.settings}
        values = {name: setting.default for name, setting in known.items() if setting.default is not None}
        for name, value in given.items():
            if name in known:
                values[name] = known[name].accept(value)
            elif name not in ("threads", "language"):
                # Those two the runner tells every engine, and not every one can follow.
                shown = ", ".join(f"`{setting}`" for setting in known) or "none"
                raise BridgeError("setting", f"`{facts.id}` has no setting `{name}`; it has {shown}")
        return values

    def _transcribe(self, request: dict) -> dict:
        if not self._loaded:
            raise BridgeError("engine", "no model is loaded")
        trial = request["trial"]
        language = request.get("language")
        audio = self._audio(request)
        listener = Listener(
            lambda segment: self._channel.write({"reply": "segment", "trial": trial, "segment": segment})
        )
        cpu_before = _cpu_seconds()
        started = time.perf_counter()
        heard = self._engine.transcribe(audio, language, listener)
        seconds = time.perf_counter() - started
        cpu = _cpu_seconds() - cpu_before
        return {
            "reply": "done",
            "trial": trial,
            "text": clean(heard.text),
            "segments": listener.segments,
            "language": heard.language or language,
            "transcribe-seconds": seconds,
            "first-segment-seconds": None if listener.first_at is None else listener.first_at - started,
            # The work of a server cannot be seen from here.
            "cpu-seconds": None if self._engine.facts.network else cpu,
            "tokens": heard.tokens,
        }

    def _audio(self, request: dict) -> Any:
        """Returns the recording, read before the clock starts and kept for the next trial."""
        if self._engine.facts.audio == "file":
            path = request.get("file")
            if not path:
                raise BridgeError("audio", "this engine asked for `file`, and the request names none")
            if not os.path.isfile(path):
                raise BridgeError("audio", f"{path} is not there")
            return path
        path = request["samples"]
        if self._samples[0] != path:
            self._samples = (path, read_samples(path))
        return self._samples[1]


def read_samples(path: str) -> array.array:
    """Returns raw little-endian float32 samples. Raises BridgeError."""
    samples = array.array("f")
    try:
        samples.frombytes(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise BridgeError("audio", f"{path}: {error}") from error
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def environment_threads() -> Optional[int]:
    """Returns how many threads the runner set for libraries that read it once, when they start."""
    text = os.environ.get(_THREAD_VARIABLES[0], "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def usable_cpus() -> int:
    """Returns how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _require_files(load: LoadRequest) -> None:
    if load.directory is None:
        raise BridgeError("model", "this engine needs a model's folder")
    if not load.directory.is_dir():
        raise BridgeError("model", f"{load.directory} is no folder")
    load.require(*load.files)


def _decode(line: bytes) -> dict:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict) or not isinstance(request.get("request"), str):
        shown = ascii(line[:200])[1:]
        raise BridgeError("engine", f"expected a message, found {shown}")
    return request


def _error(error: Exception, kind: str) -> dict:
    if isinstance(error, BridgeError):
        kind = error.kind
    else:
        traceback.print_exc()
    message = clean(_words(error))[:_MAXIMUM_MESSAGE_CHARACTERS]
    return {"reply": "error", "kind": kind, "message": message}


def _words(error: Exception) -> str:
    if isinstance(error, BridgeError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return f"{type(error).__name__}: {error}"


def _cpu_seconds() -> float:
    """Returns the CPU time of this process, all of its threads, and of the programs that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _end(status: int) -> None:
    """Ends the process without the teardown of native libraries, which is slow and may crash."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(status)


def prepare_process() -> None:
    """Does what must come before any heavy import. Runs when this module is imported by a bridge."""
    os.dup2(2, 1)
    threads = os.environ.get(_THREAD_VARIABLES[0])
    if threads:
        for name in _THREAD_VARIABLES[1:]:
            os.environ.setdefault(name, threads)
    for name, value in _OFFLINE.items():
        os.environ.setdefault(name, value)


if os.environ.get(DESCRIPTOR_VARIABLE):
    prepare_process()
