"""Drives a bridge over a socket pair, as the runner does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional, Sequence

BRIDGES = Path(__file__).resolve().parent.parent
# Long enough for the imports of a heavy engine on a busy machine; a test that waits for this has failed.
PATIENCE_SECONDS = 300.0


class Bridge:
    """A bridge's process. Use it as a context manager: what is left of it is ended."""

    def __init__(self, command: Sequence[str], environment: Optional[dict[str, str]] = None, threads: int = 2) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.settimeout(PATIENCE_SECONDS)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
        kept.update(
            EARMARK_PROTOCOL_FD=str(theirs.fileno()),
            OMP_NUM_THREADS=str(threads),
            HF_HUB_OFFLINE="1",
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONNOUSERSITE="1",
        )
        kept.update(environment or {})
        # Files, not pipes: a bridge that prints much must not wait for a reader.
        self._stdout = tempfile.TemporaryFile()
        self._stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            list(command),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            env=kept,
        )
        theirs.close()
        self._socket = ours
        self._reader = ours.makefile("rb")

    def __enter__(self) -> "Bridge":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stdout.close()
        self._stderr.close()

    def send(self, request: str, **fields: Any) -> None:
        """Sends a request; ``_`` in a field's name stands for ``-``."""
        message = {"request": request, **{name.replace("_", "-"): value for name, value in fields.items()}}
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._socket.sendall(data)

    def read(self) -> Optional[dict]:
        """Returns the next reply, or None when the bridge has closed its side."""
        line = self._reader.readline()
        return json.loads(line) if line else None

    def ask(self, request: str, **fields: Any) -> dict:
        """Sends a request and returns its answer; segments on the way are under ``heard``."""
        self.send(request, **fields)
        heard = []
        while True:
            reply = self.read()
            if reply is None:
                raise AssertionError(f"the bridge is gone: {self.stderr()[-2000:]}")
            if reply["reply"] != "segment":
                return {**reply, "heard": heard} if heard else reply
            heard.append(reply)

    def hang_up(self) -> None:
        """Closes the connection, as a runner does that is gone."""
        self._reader.close()
        self._socket.close()

    def end(self) -> int:
        """Says shutdown and returns the exit status."""
        self.send("shutdown")
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def stdout(self) -> str:
        """Returns what the process has printed to standard output."""
        self._stdout.seek(0)
        return self._stdout.read().decode("utf-8", "replace")

    def stderr(self) -> str:
        """Returns what the process has printed to standard error."""
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "replace")


def bridge_command(file: str, python: str = sys.executable) -> list[str]:
    """Returns the command that starts a bridge of this folder."""
    return [python, str(BRIDGES / file)]
