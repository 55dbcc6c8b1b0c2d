"""The mel filter bank that Whisper was trained with, to the bit.

OpenAI made its table with librosa (``librosa.filters.mel``: Slaney's mel scale, filters of equal area) and published it
as float32. The table is rebuilt here in rational arithmetic and in the correctly rounded functions of the ``decimal``
module, so that no processor and no mathematical library has a say in its bits.

Slaney's scale (Auditory Toolbox, 1998) is linear below 1000 Hz, at 200/3 Hz a mel, and logarithmic above, where 27 mels
are a factor of 6.4.
"""

from __future__ import annotations

import struct
from decimal import Decimal, localcontext
from fractions import Fraction

SAMPLE_RATE = 16_000
"""Samples a second of the audio that Whisper hears."""

FFT_SIZE = 400
"""Samples in one window of the Fourier transform."""

FREQUENCY_BINS = FFT_SIZE // 2 + 1
"""Frequencies from 0 Hz to half the sample rate, both counted."""

_BREAK_HERTZ = 1000
_BREAK_MEL = 15
_DIGITS = 50


def mel_filter_bank(mel_bins: int) -> bytes:
    """Returns the table of shape (mel_bins, FREQUENCY_BINS), row by row, as little-endian float32."""
    edges = _edges_in_hertz(mel_bins)
    rows = [_triangle(*edges[row : row + 3]) for row in range(mel_bins)]
    return b"".join(struct.pack(f"<{FREQUENCY_BINS}f", *row) for row in rows)


def _edges_in_hertz(mel_bins: int) -> list[Fraction]:
    """Returns the mel_bins + 2 corners of the triangles: equal steps in mel from 0 Hz to half the sample rate."""
    with localcontext() as context:
        context.prec = _DIGITS
        log_step = Decimal("6.4").ln() / 27
        top_mel = _BREAK_MEL + (Decimal(SAMPLE_RATE // 2) / _BREAK_HERTZ).ln() / log_step
        edges = []
        for step in range(mel_bins + 2):
            mel = top_mel * step / (mel_bins + 1)
            if mel < _BREAK_MEL:
                edges.append(Fraction(mel) * _BREAK_HERTZ / _BREAK_MEL)
            else:
                edges.append(Fraction(_BREAK_HERTZ * ((mel - _BREAK_MEL) * log_step).exp()))
        return edges


def _triangle(low: Fraction, middle: Fraction, high: Fraction) -> list[float]:
    """Returns one row: a triangle over the frequency bins, scaled to an area of one."""
    scale = float(2 / (high - low))
    row = []
    for frequency_bin in range(FREQUENCY_BINS):
        frequency = Fraction(SAMPLE_RATE * frequency_bin, FFT_SIZE)
        weight = min((frequency - low) / (middle - low), (high - frequency) / (high - middle))
        if weight > 0:
            # librosa rounds the triangle to float32 before it scales it; the published bits show both roundings.
            row.append(_round_to_float32(float(weight)) * scale)
        else:
            # The published table holds a negative zero where a triangle starts exactly on a bin (0 Hz).
            row.append(-0.0 if frequency == low else 0.0)
    return row


def _round_to_float32(value: float) -> float:
    """Returns the float32 nearest to a value."""
    return struct.unpack("<f", struct.pack("<f", value))[0]
