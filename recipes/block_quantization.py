"""ggml's block quantization: rows of float32 in blocks of 32 values with one scale for each block.

The formats are those of ggml's reference quantizers (``quantize_row_*_ref`` in ggml-quants.c); a block is, in order:

====== ================================================================== ==========================
name   fields                                                              value of one weight
====== ================================================================== ==========================
q4_0   scale f16, 16 bytes of low nibbles                                  scale * (quant - 8)
q5_0   scale f16, 4 bytes of fifth bits, 16 bytes of low nibbles           scale * (quant - 16)
q5_1   scale f16, minimum f16, 4 bytes of fifth bits, 16 bytes of nibbles  scale * quant + minimum
q8_0   scale f16, 32 signed bytes                                          scale * quant
====== ================================================================== ==========================

Byte i of the nibbles holds weight i in its lower and weight i + 16 in its upper half; bit i of the fifth bits
belongs to weight i.

**Why the bytes are the same everywhere.** Every step is a separate, element-wise numpy operation on float32:
one addition, multiplication or division each, which IEEE 754 rounds in one way only, whatever the width of the
vector unit. Nothing is summed in floating point, and no product is fused with an addition, as they are
different numpy calls. Where an extreme value is not unique, its *first* position is taken by ``argmax`` or
``argmin``, which numpy promises and which is what the reference does; this settles the sign of the scale and of
zeros.
"""

from __future__ import annotations

from typing import Callable

import numpy as np

BLOCK_LENGTH = 32
"""Weights in one block."""

_ONE_HALF = np.float32(0.5)


def quantize(values: np.ndarray, kind: str) -> bytes:
    """Returns the blocks of an array, row by row.

    ``values`` is of any float type, the length of its last axis a multiple of BLOCK_LENGTH; ``kind`` is a key of
    QUANTIZERS. Raises ValueError for rows that cannot be cut into blocks.
    """
    if values.shape[-1] % BLOCK_LENGTH:
        raise ValueError(f"rows of {values.shape[-1]} weights cannot be cut into blocks of {BLOCK_LENGTH}")
    blocks = values.astype(np.float32).reshape(-1, BLOCK_LENGTH)
    return QUANTIZERS[kind](blocks).tobytes()


def _q8_0(blocks: np.ndarray) -> np.ndarray:
    scale = np.abs(blocks).max(axis=1) / np.float32(127)
    quants = _round_half_away_from_zero(blocks * _inverse(scale)[:, None])
    return _records([("scale", "<f2", scale), ("quants", "i1", quants)])


def _q4_0(blocks: np.ndarray) -> np.ndarray:
    scale, quants = _around_middle(blocks, middle=8)
    return _records([("scale", "<f2", scale), ("nibbles", "u1", _nibbles(quants))])


def _q5_0(blocks: np.ndarray) -> np.ndarray:
    scale, quants = _around_middle(blocks, middle=16)
    return _records(
        [("scale", "<f2", scale), ("fifth_bits", "u1", _fifth_bits(quants)), ("nibbles", "u1", _nibbles(quants))]
    )


def _q5_1(blocks: np.ndarray) -> np.ndarray:
    minimum = _pick(blocks, blocks.argmin(axis=1))
    scale = (_pick(blocks, blocks.argmax(axis=1)) - minimum) / np.float32(31)
    offsets = blocks - minimum[:, None]
    # All values are positive here, so that cutting the fraction off after adding a half rounds to the nearest.
    quants = (offsets * _inverse(scale)[:, None] + _ONE_HALF).astype(np.uint8)
    return _records(
        [
            ("scale", "<f2", scale),
            ("minimum", "<f2", minimum),
            ("fifth_bits", "u1", _fifth_bits(quants)),
            ("nibbles", "u1", _nibbles(quants)),
        ]
    )


QUANTIZERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"q4_0": _q4_0, "q5_0": _q5_0, "q5_1": _q5_1, "q8_0": _q8_0}
"""From the name of a format to the function that makes records of float32 blocks of shape (n, BLOCK_LENGTH)."""


def _around_middle(blocks: np.ndarray, middle: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns scales and quants of 0 to 2 * middle - 1.

    The value farthest from zero in a block has quant 0, with its sign in the scale.
    """
    extreme = _pick(blocks, np.abs(blocks).argmax(axis=1))
    # A block of zeros counts as +0, whatever the sign of its first zero, as in the reference.
    extreme[extreme == 0] = 0
    scale = extreme / np.float32(-middle)
    shifted = blocks * _inverse(scale)[:, None] + np.float32(middle + 0.5)
    return scale, np.minimum(shifted.astype(np.uint8), np.uint8(2 * middle - 1))


def _pick(blocks: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Returns from each block the value at its position."""
    return np.take_along_axis(blocks, positions[:, None], axis=1)[:, 0]


def _inverse(scale: np.ndarray) -> np.ndarray:
    """Returns 1 / scale, and 0 where the scale is 0."""
    return np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)


def _round_half_away_from_zero(values: np.ndarray) -> np.ndarray:
    """Returns what C's ``roundf`` returns, which numpy's ``rint`` (half to even) does not."""
    whole = np.trunc(values)
    # The difference of a float and its whole part is exact, so that the comparison is, too.
    return whole + np.copysign((np.abs(values - whole) >= _ONE_HALF).astype(np.float32), values)


def _nibbles(quants: np.ndarray) -> np.ndarray:
    """Returns 16 bytes for each block: the lower four bits of its 32 quants."""
    low = quants & np.uint8(0x0F)
    half = BLOCK_LENGTH // 2
    return low[:, :half] | (low[:, half:] << np.uint8(4))


def _fifth_bits(quants: np.ndarray) -> np.ndarray:
    """Returns 4 bytes for each block: bit 4 of its 32 quants, the first in the lowest bit."""
    return np.packbits((quants >> np.uint8(4)) & np.uint8(1), axis=1, bitorder="little")


def _records(fields: list[tuple[str, str, np.ndarray]]) -> np.ndarray:
    """Returns packed records, one for each block, of fields given as (name, type, values)."""
    layout = [(name, kind, values.shape[1:]) for name, kind, values in fields]
    records = np.zeros(len(fields[0][2]), dtype=layout)
    for name, _, values in fields:
        records[name] = values
    return records
