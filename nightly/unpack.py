#!/usr/bin/env python3
"""Takes out of an archive that a stranger made what a comparison needs, and nothing else.

    unpack.py ARTIFACT.zip FOLDER

Only the files that are named below, as regular files, each within its limit; their bytes are counted as
they come, so that what the archive says of itself is not believed. Anything else in it ends this with a
message, and nothing is left in FOLDER.
"""

import os
import shutil
import stat
import sys
import zipfile

MEBIBYTE = 1024 * 1024
LIMITS = {
    f"{side}/{name}": limit
    for side in ("base", "head")
    for name, limit in (("plan.json", 8 * MEBIBYTE), ("journal.jsonl", 64 * MEBIBYTE))
}
# Text for people, which the measuring job made for its own summary. It is not used.
IGNORED = {"comparison.md"}
LARGEST_ARCHIVE = 32 * MEBIBYTE


class Refused(Exception):
    """The archive is not what it should be."""


def copy(archive, entry, target, limit):
    left = limit
    with archive.open(entry) as source, open(target, "xb") as file:
        while chunk := source.read(1 << 16):
            left -= len(chunk)
            if left < 0:
                raise Refused(f"{entry.filename!r} is larger than {limit} bytes")
            file.write(chunk)


def unpack(path, folder):
    if os.path.getsize(path) > LARGEST_ARCHIVE:
        raise Refused(f"the archive is larger than {LARGEST_ARCHIVE} bytes")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > 16:
            raise Refused(f"it holds {len(entries)} entries")
        seen = set()
        for entry in entries:
            name = entry.filename
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if name in ("base/", "head/") and kind in (0, stat.S_IFDIR):
                continue
            if name in seen:
                raise Refused(f"{name!r} is in it twice")
            seen.add(name)
            if name in IGNORED:
                continue
            if name not in LIMITS or kind not in (0, stat.S_IFREG):
                raise Refused(f"{name!r} does not belong in it")
            target = os.path.join(folder, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            copy(archive, entry, target, LIMITS[name])
        if missing := sorted(set(LIMITS) - seen):
            raise Refused(f"it lacks {', '.join(missing)}")


def main():
    path, folder = sys.argv[1:]
    os.makedirs(folder)
    try:
        unpack(path, folder)
    except (Refused, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(f"the artifact is refused: {error}")
    except Exception as error:  # zlib's and others' own, on bytes that are made to provoke them
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(f"the artifact is refused: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
