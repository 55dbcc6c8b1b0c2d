"""Writes engines.yaml: what is known of every bridge without starting it.

usage: python3 engine_table.py [--check]

The bridges' own declarations are the source, so that the table says what ``hello`` says. With ``--check`` nothing is
written, and the exit status is 1 if the file is not what it should be.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any, Optional

sys.dont_write_bytecode = True

import earmark_bridge  # noqa: E402

BRIDGES = Path(__file__).resolve().parent
TABLE = BRIDGES / "engines.yaml"
_HEADER = """\
# What is known of every bridge without starting anything. Written by engine_table.py from the bridges' own
# declarations: change those and run `python3 bridges/engine_table.py`.
#
# package:          the distribution whose version is the engine's; without one the program itself is asked
# version:          the version of it that the lock pins
# environment:      engines of one name share an environment, installed from locks/NAME.txt; none: Python is enough
# families:         of the models that it reads
# artifacts:        from the matrix's word for a quantization to the artifact; the first is the default
# audio:            what a recording is handed over as: raw samples, or a WAV file
# device:           what it computes on; MLX takes a GPU where there is one
# network:          it transcribes through a network
# loads-each-trial: loading cannot be told apart from transcribing
# install-bytes:    about what the environment takes up on disk
version: 1
engines:
"""


def engines() -> list[tuple[str, Any]]:
    """Returns the file name and the class of every bridge, by id."""
    found = []
    for path in BRIDGES.glob("*.py"):
        # What several bridges share, and this.
        if path.stem.startswith("bridge_") or path.stem in ("earmark_bridge", "engine_table"):
            continue
        specification = importlib.util.spec_from_file_location(f"bridge_of_{path.stem}", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, earmark_bridge.Engine) and hasattr(value, "facts")
        ]
        found.extend((path.name, engine) for engine in classes)
    return sorted(found, key=lambda pair: pair[1].facts.id)


def table() -> str:
    """Returns the text of engines.yaml."""
    lines = []
    for file, engine in engines():
        facts = engine.facts
        entries = {
            "description": facts.description,
            "file": file,
            "package": facts.package,
            "version": pinned_version(facts),
            "environment": facts.group,
            "platforms": list(facts.platforms),
            "commands": list(facts.commands),
            "families": list(facts.families),
            "artifacts": facts.artifacts,
            "any-model": facts.any_model,
            "audio": facts.audio,
            "device": engine.device,
            "network": facts.network,
            "loads-each-trial": facts.loads_each_trial,
            "install-bytes": facts.install_bytes,
        }
        lines.append(f"  {facts.id}:\n")
        # JSON on one line is YAML.
        lines += [f"    {name}: {json.dumps(value)}\n" for name, value in said(entries).items()]
        lines.append("    settings:\n")
        lines += [f"      - {json.dumps(said(setting.declaration()))}\n" for setting in facts.settings]
    return _HEADER + "".join(lines)


def said(entries: dict[str, Any]) -> dict[str, Any]:
    """Returns the entries that have a value: what is not known is left out."""
    return {name: value for name, value in entries.items() if value is not None}


def pinned_version(facts: earmark_bridge.Facts) -> Optional[str]:
    """Returns the version of an engine's distribution in the lock of its environment."""
    if facts.package is None:
        return None
    lock = (BRIDGES / "locks" / f"{facts.group}.txt").read_text(encoding="utf-8")
    found = re.search(rf"(?m)^{re.escape(facts.package)}==([^\s;]+)", lock)
    return found[1] if found else None


def main() -> int:
    """Runs the command line."""
    text = table()
    if "--check" in sys.argv[1:]:
        return 0 if TABLE.is_file() and TABLE.read_text(encoding="utf-8") == text else 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
