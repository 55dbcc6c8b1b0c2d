"""Settings that engines can be told, with types, ranges and defaults; one name means one thing for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Union

LOAD = "load"
DECODE = "decode"
MEASUREMENT = "measurement"


class BridgeError(Exception):
    """A failure with its kind: ``model``, ``audio``, ``setting`` or ``engine``. The message is for people."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Setting:
    """One setting that an engine has."""

    name: str
    """Its name in a matrix, such as ``beam-size``."""
    kind: Union[str, dict]
    """``boolean``, ``text``, ``{"integer": {"minimum": …, "maximum": …}}``, the same with ``number``, or
    ``{"choice": [words]}``."""
    affects: str
    """What it changes: ``load``, ``decode`` or ``measurement``."""
    description: str
    """One sentence for people."""
    default: Optional[Any] = None
    """The value when nothing is said; None where it depends on the machine or the recording."""

    def declaration(self) -> dict:
        """Returns the declaration as ``hello`` tells it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "affects": self.affects,
            "default": self.default,
            "description": self.description,
        }

    def accept(self, value: Any) -> Any:
        """Returns the value in the setting's own type. Raises BridgeError if it is of another or out of range."""
        if self.kind == "text":
            if isinstance(value, (str, int, float)):
                return value if isinstance(value, str) else _written(value)
            raise self._wrong("text", value)
        if self.kind == "boolean":
            if isinstance(value, bool):
                return value
            raise self._wrong("`true` or `false`", value)
        (name, limits), *_ = self.kind.items()
        if name == "choice":
            if _written(value) in limits:
                return _written(value)
            raise self._wrong("one of " + ", ".join(f"`{word}`" for word in limits), value)
        words = "a whole number" if name == "integer" else "a number"
        wanted = f"{words} from {limits['minimum']} to {limits['maximum']}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(wanted, value)
        if name == "integer" and not float(value).is_integer():
            raise self._wrong(wanted, value)
        if not limits["minimum"] <= value <= limits["maximum"]:
            raise self._wrong(wanted, value)
        return int(value) if name == "integer" else float(value)

    def _wrong(self, wanted: str, value: Any) -> BridgeError:
        return BridgeError("setting", f"`{self.name}` takes {wanted}, and this is `{_written(value)}`")


def _written(value: Any) -> str:
    """Returns a value as YAML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _integer(minimum: int, maximum: int) -> dict:
    return {"integer": {"minimum": minimum, "maximum": maximum}}


LANGUAGE = Setting("language", "text", DECODE, "Language code such as `en`; default: the clip's own, else detection.")
THREADS = Setting("threads", _integer(1, 1024), DECODE, "Threads of the engine; default: the physical cores.")
TEMPERATURE_FALLBACK = Setting(
    "temperature-fallback",
    "boolean",
    DECODE,
    "Decode again at higher temperatures where the text looks wrong; off, each window is decoded once.",
    False,
)
VAD = Setting("vad", "boolean", DECODE, "Leave out what a voice activity detector takes for silence.", False)
TIMESTAMPS = Setting("timestamps", "boolean", DECODE, "Have the model write timestamps into its text.", True)


def beam_size(maximum: int) -> Setting:
    """Returns the setting of an engine that keeps up to ``maximum`` hypotheses; 1 for one that is always greedy."""
    return Setting("beam-size", _integer(1, maximum), DECODE, "Hypotheses kept while decoding; 1 is greedy.", 1)


def batch_size(default: int, maximum: int) -> Setting:
    """Returns the setting of an engine that decodes several windows of a recording at once."""
    return Setting("batch-size", _integer(1, maximum), DECODE, "Windows of a recording decoded at once.", default)


def compute_type(words: list[str], default: str) -> Setting:
    """Returns the setting of an engine that can calculate in several types."""
    return Setting("compute-type", {"choice": words}, LOAD, "The type in which the engine calculates.", default)
