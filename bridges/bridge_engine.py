"""What a bridge says of its engine and does with it; the loop in earmark_bridge.py calls it."""

from __future__ import annotations

import importlib.metadata
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

from bridge_settings import BridgeError, Setting


@dataclass(frozen=True)
class Facts:
    """What can be known of an engine without starting it; ``engines.yaml`` is made of these."""

    id: str
    """The backend's id in a matrix."""
    description: str
    """One sentence for people."""
    group: Optional[str]
    """The environment it is installed into, shared by all engines of the group; None: Python alone is enough."""
    package: Optional[str]
    """The distribution whose version is the engine's; None: the engine is another program, which is asked."""
    settings: tuple[Setting, ...]
    """What it can be told."""
    families: tuple[str, ...] = ()
    """The families of models that it reads; an artifact's id means one format for each family."""
    artifacts: dict[str, str] = field(default_factory=dict)
    """From the matrix's word for a quantization to the artifact that is read; the first is the default."""
    audio: str = "samples"
    """``samples`` or ``file``: what it wants to be handed a recording as."""
    platforms: tuple[str, ...] = ("linux", "macos")
    """Where it runs."""
    commands: tuple[str, ...] = ()
    """Programs that must be on PATH."""
    network: bool = False
    """Whether it needs a network to transcribe."""
    loads_each_trial: bool = False
    """Whether loading cannot be told apart from transcribing."""
    any_model: bool = False
    """Whether it takes any model name, because it reads no artifact."""
    install_bytes: int = 0
    """About what its environment takes up on disk."""


@dataclass(frozen=True)
class LoadRequest:
    """What is to be loaded. That the folder and its files are there has been checked."""

    directory: Optional[Path]
    """The artifact's folder; None for an engine that reads none."""
    files: list[str]
    """The names of its files."""
    model: str
    """The model's id."""
    settings: dict[str, Any]
    """Every declared setting that has a value, defaults filled in."""

    def only_file(self, suffix: str) -> Path:
        """Returns the one file of a suffix. Raises BridgeError."""
        found = [name for name in self.files if name.endswith(suffix)]
        if self.directory is None or len(found) != 1:
            raise BridgeError("model", f"expected one file that ends in {suffix}, found {len(found)}")
        return self.directory / found[0]

    def require(self, *names: str) -> None:
        """Raises BridgeError if one of the files is not in the folder: engines fetch what they miss, or fail oddly."""
        for name in names:
            if self.directory is None or not (self.directory / name).exists():
                raise BridgeError("model", f"{self.directory}: {name} is missing")


@dataclass(frozen=True)
class Transcription:
    """What was heard."""

    text: str
    """The whole text, raw."""
    language: Optional[str] = None
    """The language that was detected; None: as it was given."""
    tokens: Optional[int] = None
    """How many tokens were generated, if the engine tells."""


class Listener:
    """Takes segments: in their order, and as soon as the engine has them."""

    def __init__(self, tell: Callable[[dict], None]) -> None:
        self.segments: list[dict] = []
        self.first_at: Optional[float] = None
        self._tell = tell

    def heard(self, start: float, end: float, text: str) -> None:
        """Tells a segment while the engine is still at work; times are in seconds of the audio."""
        if self.first_at is None and text.strip():
            self.first_at = time.perf_counter()
        self.note(start, end, text)
        self._tell(self.segments[-1])

    def note(self, start: float, end: float, text: str) -> None:
        """Takes a segment that an engine gives only when all is done: it says nothing about time."""
        times = [value if math.isfinite(value) else 0.0 for value in (float(start), float(end))]
        self.segments.append({"start-seconds": times[0], "end-seconds": times[1], "text": clean(text)})


class Engine:
    """A speech recognizer. A bridge derives from this; whatever it raises becomes an ``error`` reply."""

    facts: Facts
    device = "cpu"

    def start(self) -> None:
        """Imports what the engine needs. Runs before ``hello``."""

    def version(self) -> str:
        """Returns the engine's version; empty if it cannot be known."""
        return importlib.metadata.version(self.facts.package) if self.facts.package else ""

    def probe(self) -> Optional[str]:
        """Returns why it cannot run here and what would help, or None if it can. Loads nothing."""
        return None

    def load(self, request: LoadRequest) -> dict[str, Any]:
        """Loads a model. Returns the settings in effect, asked back from the engine where it can be asked."""
        raise NotImplementedError

    def transcribe(self, audio: Any, language: Optional[str], listener: Listener) -> Transcription:
        """Transcribes. ``audio`` is an ``array`` of float32 samples, or the path of a WAV file: as the facts say."""
        raise NotImplementedError


def clean(text: str) -> str:
    """Returns text that every JSON reader takes: half a surrogate pair is not Unicode."""
    return text.encode("utf-8", "replace").decode("utf-8")
