"""Writes the locks: what an environment of bridges holds, every file by its digest.

usage: python3 make_locks.py [ENVIRONMENT …]

What the bridges of an environment pin in their headers (PEP 723) is resolved for Linux and macOS and every Python from
the oldest that they allow, with uv, which must be on PATH. Install with `pip install --require-hashes --no-deps` or
`uv pip install --require-hashes --no-deps`: some packages declare what they never import, and that is left out here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

LOCKS = Path(__file__).resolve().parent
sys.path.insert(0, str(LOCKS.parent))
sys.dont_write_bytecode = True

from engine_table import engines  # noqa: E402

_PYTHON = "3.11"
_HEADER = re.compile(r"(?m)^# /// script$\n((?:^#(?: .*)?$\n)+)^# ///$")
# A requirement with its hashes, and the marker that it ends in.
_ENTRY = re.compile(r"(?m)^(\S+==[^;\s\\]+)(?: ; ([^\\\n]+?))?( \\\n(?:    --hash=\S+(?: \\)?\n?)+)")
_NOWHERE = re.compile(r"sys_platform == '(?:never|win32|emscripten)'")


def main() -> int:
    """Runs the command line."""
    groups: dict[str, list[Path]] = {}
    for file, engine in engines():
        if engine.facts.group:
            groups.setdefault(engine.facts.group, []).append(LOCKS.parent / file)
    for group in sys.argv[1:] or sorted(groups):
        (LOCKS / f"{group}.txt").write_text(lock(groups[group]), encoding="utf-8")
    return 0


def lock(bridges: list[Path]) -> str:
    """Returns the requirements of some bridges, resolved together."""
    wanted: dict[str, list[str]] = {"dependencies": [], "override-dependencies": []}
    for bridge in bridges:
        declared = header(bridge.read_text(encoding="utf-8"))
        wanted["dependencies"] += declared["dependencies"]
        wanted["override-dependencies"] += declared.get("tool", {}).get("uv", {}).get("override-dependencies", [])
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.in" for name in wanted}
        for name, path in files.items():
            path.write_text("".join(f"{line}\n" for line in dict.fromkeys(wanted[name])), encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", _PYTHON, "--no-annotate"]
        command += ["--fork-strategy", "fewest", "--generate-hashes", "--no-header", "--no-emit-index-url"]
        command += ["--override", str(files["override-dependencies"]), str(files["dependencies"])]
        resolved = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    entries = [match for match in _ENTRY.finditer(resolved) if not _NOWHERE.fullmatch(match[2] or "")]
    return "# Written by make_locks.py; Python 3.11 or newer, Linux and macOS.\n" + "".join(
        match[0].rstrip("\n") + "\n" for match in entries
    )


def header(text: str) -> dict:
    """Returns the metadata that a script carries (PEP 723)."""
    found = _HEADER.search(text)
    if found is None:
        raise ValueError("the bridge has no header")
    return tomllib.loads("".join(line[2:] or "\n" for line in found[1].splitlines(keepends=True)))


if __name__ == "__main__":
    sys.exit(main())
