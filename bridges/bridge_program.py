"""What the bridges to command-line programs share.

Such a program is started anew for each recording, so that loading and transcribing cannot be told apart; the facts say
so. It is judged by the result that it writes and never by its exit status alone: the programs here report success
after a failure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional, Sequence

from bridge_settings import BridgeError

_TAIL_CHARACTERS = 500


def missing_command(command: str, hint: str) -> Optional[str]:
    """Returns why a program cannot be started, or None."""
    return None if shutil.which(command) else f"`{command}` is not on PATH: {hint}"


def wrong_platform(name: str) -> Optional[str]:
    """Returns why a program of macOS cannot run here, or None."""
    return None if sys.platform == "darwin" else f"{name} runs on macOS only"


def told_version(command: Sequence[str]) -> str:
    """Returns the first line that a program says when it is asked for its version; empty if there is none."""
    try:
        answer = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = answer.stdout.decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip() if lines and answer.returncode == 0 else ""


def missing_parts(folder: Path, compiled: Sequence[str], files: Sequence[str]) -> list[str]:
    """Returns which compiled Core ML models (folders that hold coremldata.bin) and files are not in a folder."""
    missing = [name for name in compiled if not (folder / name / "coremldata.bin").is_file()]
    return missing + [name for name in files if not (folder / name).is_file()]


class Workplace:
    """A folder for what a program writes, made new for each recording: no earlier result can be taken for its own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder = tempfile.TemporaryDirectory(prefix=f"earmark-{name}-")

    def __enter__(self) -> "Workplace":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self._folder.name)

    def run(self, command: Sequence[str]) -> str:
        """Runs the program and returns the end of what it said. Raises BridgeError if it could not be started or says
        by its status that it failed."""
        try:
            ended = subprocess.run(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.path,
            )
        except OSError as error:
            raise BridgeError("engine", f"{self._name} cannot be started: {error}") from error
        output = ended.stdout.decode("utf-8", "replace")
        # Into the log of the attempt.
        print(output, file=sys.stderr, end="", flush=True)
        said = output.strip()[-_TAIL_CHARACTERS:]
        if ended.returncode != 0:
            raise BridgeError("engine", f"{self._name} ended with status {ended.returncode}: {said or 'no output'}")
        return said

    def result(self, path: Path, said: str) -> dict[str, Any]:
        """Returns the JSON object that the program was to write. Raises BridgeError."""
        if not path.is_file():
            raise BridgeError("engine", f"{self._name} wrote no result although it ended well: {said or 'no output'}")
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise BridgeError("engine", f"{self._name} wrote no JSON: {error}: {said or 'no output'}") from error
        if not isinstance(result, dict) or not isinstance(result.get("text"), str):
            raise BridgeError("engine", f"{self._name} wrote a result without a text: {said or 'no output'}")
        return result
