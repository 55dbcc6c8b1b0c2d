"""Writes zip files whose bytes depend on nothing but their contents.

Entries are stored as they are, without dates, in the order given; the layout is that of PKWARE's APPNOTE 6.3.3. Needs
the standard library only: its own ``zipfile`` notes the system and the version of Python, and so gives other bytes
elsewhere.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Iterable

_VERSION = 20
_UNIX = 3
_MIDNIGHT = 0
_FIRST_OF_JANUARY_1980 = 0x21
_REGULAR_FILE = 0o100644 << 16
_LOCAL_HEADER_BYTES = 30
_MAXIMUM_BYTES = 0xFFFF_FFFF
# The id and the filling of the extra field by which PyTorch's writer aligns data, so that a file can be mapped.
_PADDING_ID = b"FB"
_PADDING = b"Z"


def write_stored_zip(file: BinaryIO, entries: Iterable[tuple[str, bytes]], alignment: int = 1) -> None:
    """Writes entries of ASCII names, the data of each at a multiple of ``alignment`` bytes.

    Raises ValueError for a file of 4 GiB or more, which needs another layout.
    """
    directory = b""
    position = 0
    count = 0
    for name, data in entries:
        encoded = name.encode("ascii")
        extra = _padding(position + _LOCAL_HEADER_BYTES + len(encoded), alignment)
        checked = (zlib.crc32(data), len(data), len(data), len(encoded))
        common = struct.pack("<5H3IH", _VERSION, 0, 0, _MIDNIGHT, _FIRST_OF_JANUARY_1980, *checked)
        local = b"PK\3\4" + common + struct.pack("<H", len(extra)) + encoded + extra
        directory += b"PK\1\2" + struct.pack("<BB", _VERSION, _UNIX) + common
        directory += struct.pack("<4H2I", 0, 0, 0, 0, _REGULAR_FILE, position) + encoded
        file.write(local)
        file.write(data)
        position += len(local) + len(data)
        count += 1
        if position + len(directory) > _MAXIMUM_BYTES:
            raise ValueError("a zip file of 4 GiB or more cannot be written")
    file.write(directory + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, len(directory), position, 0))


def _padding(position: int, alignment: int) -> bytes:
    """Returns an extra field after which data that would begin at ``position`` is aligned."""
    if alignment == 1:
        return b""
    length = -(position + 4) % alignment
    return _PADDING_ID + struct.pack("<H", length) + _PADDING * length
