"""What scipy says of lists of numbers, for tests that hold the summaries of times against it.

Reads one JSON list a line and writes one JSON object for each: the median, the interval of the
median between order statistics with what it covers, percentiles by nearest rank, and the modified
z-scores.
"""

import fractions
import json
import math
import sys
import warnings

import numpy
from scipy import stats


def interval(values):
    """Returns the ends of a 95 % interval of the median, or nothing if there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = stats.quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    return None if numpy.isnan([found.low, found.high]).any() else [found.low, found.high]


def coverage(count):
    """Returns what the narrowest of these intervals over so many values covers."""
    ranks = [rank for rank in range(1, count // 2 + 1) if 1 - 2 * stats.binom.cdf(rank - 1, count, 0.5) >= 0.95]
    return 1 - 2 * stats.binom.cdf(max(ranks) - 1, count, 0.5) if ranks else None


def percentile(values, percent):
    """Returns a percentile by nearest rank: numpy's own rounds 28 % of 25 values up to the eighth."""
    rank = math.ceil(fractions.Fraction(percent * len(values), 100))
    return float(numpy.sort(values)[rank - 1])


def scores(values):
    """Returns the sizes of the modified z-scores (Iglewicz and Hoaglin); zero if all are equal."""
    deviations = numpy.abs(values - numpy.median(values))
    spread = stats.median_abs_deviation(values) / 0.6745
    if spread == 0:
        spread = deviations.mean() / 0.7979
    return (deviations / spread if spread > 0 else numpy.zeros(len(values))).tolist()


for line in sys.stdin:
    values = numpy.array(json.loads(line))
    print(
        json.dumps(
            {
                "median": float(numpy.median(values)),
                "interval": interval(values),
                "coverage": coverage(len(values)),
                "percentiles": [
                    percentile(values, percent) for percent in range(1, 101)
                ],
                "scores": scores(values),
            }
        )
    )
