"""Bootstrap intervals by scipy, which those of `score::bootstrap` are compared with.

Needs Python with `numpy` and `scipy`; installs nothing. Tests run it when the environment variable
EARMARK_SCIPY_PYTHON names an interpreter. Reads one JSON object a line, and answers each with the
`[low, high]` of a 95 % percentile interval:

    {"kind": "ratio", "base": [[…], …], "new": [[…], …]}     ratio of medians; with three launches or
                                                             more, launches are drawn, then trials
    {"kind": "rate", "errors": […], "words": […]}            Σ errors ÷ Σ words
    {"kind": "difference", "base": […], "new": […], "words": […]}
                                                             the same of two, on the same resamples
"""

import json
import sys

import numpy
from scipy import stats

RESAMPLES = 20_000


def scipy_interval(data, statistic, paired):
    """Returns scipy's own interval."""
    found = stats.bootstrap(
        data,
        statistic,
        n_resamples=RESAMPLES,
        paired=paired,
        vectorized=False,
        method="percentile",
        rng=numpy.random.default_rng(11),
    ).confidence_interval
    return [float(found.low), float(found.high)]


def drawn_median(launches, random):
    """Returns the median of launches that were drawn, and of trials drawn within each."""
    chosen = random.integers(len(launches), size=len(launches))
    drawn = [random.choice(launches[launch], size=len(launches[launch])) for launch in chosen]
    return numpy.median(numpy.concatenate(drawn))


def ratio(base, new):
    """Returns the interval of a ratio of medians: scipy's where trials are drawn, which knows no
    draws in two stages."""
    if len(base) < 3 and len(new) < 3:
        flat = [numpy.concatenate(side) for side in (new, base)]
        return scipy_interval(
            flat, lambda one, other: numpy.median(one) / numpy.median(other), False
        )
    random = numpy.random.default_rng(11)
    ratios = [
        drawn_median(new, random) / drawn_median(base, random) for _ in range(RESAMPLES // 2)
    ]
    return [float(end) for end in numpy.percentile(ratios, [2.5, 97.5])]


def answer(question):
    """Returns the interval that a question asks for."""
    if question["kind"] == "ratio":
        return ratio(question["base"], question["new"])
    if question["kind"] == "rate":
        data = (numpy.array(question["errors"]), numpy.array(question["words"]))
        return scipy_interval(data, lambda errors, words: errors.sum() / words.sum(), True)
    data = tuple(numpy.array(question[key]) for key in ("base", "new", "words"))
    return scipy_interval(
        data, lambda base, new, words: (new.sum() - base.sum()) / words.sum(), True
    )


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
