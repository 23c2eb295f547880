#!/usr/bin/env python3
"""Writes two_sample.jsonl: random inputs and what scipy makes of them. Needs scipy; the test only reads the file.

    python3 insights/tests/golden/two_sample.py > insights/tests/golden/two_sample.jsonl
"""
import bisect
import json
import random

import numpy
from scipy import stats

BOUNDS = [1]
while BOUNDS[-1] < 2**64 - 1:
    BOUNDS.append(max(BOUNDS[-1] + 1, BOUNDS[-1] * 101 // 100))


def middle(value):
    place = min(bisect.bisect_right(BOUNDS, value), len(BOUNDS) - 1)
    return 0.0 if place == 0 else (BOUNDS[place - 1] + BOUNDS[place] - 1) / 2


def sample(rng):
    scale, spread = 10 ** rng.uniform(0, 12), rng.uniform(0.05, 2)
    zeros = rng.choice([0.0, 0.0, 0.3])
    return lambda: 0 if rng.random() < zeros else int(scale * rng.lognormvariate(0, spread))


def case(rng):
    draw = sample(rng)
    shift = rng.choice([1, 1, 1.05, 1.5, 4])
    a = [draw() for _ in range(rng.randint(1, 60))]
    b = [int(draw() * shift) for _ in range(rng.randint(1, 60))]
    mid_a, mid_b = numpy.array([middle(v) for v in a]), numpy.array([middle(v) for v in b])
    ks = stats.ks_2samp(mid_a, mid_b, method="asymp").statistic
    log_a, log_b = numpy.log1p(mid_a), numpy.log1p(mid_b)
    n, m = rng.randint(1, 5000), rng.randint(1, 5000)
    failed = rng.randint(0, n), rng.randint(0, m) if rng.random() < 0.5 else 0
    pooled = sum(failed) / (n + m)
    deviation = (pooled * (1 - pooled) * (1 / n + 1 / m)) ** 0.5
    z = (failed[0] / n - failed[1] / m) / deviation if deviation else 0.0
    p_values = [rng.random() ** rng.choice([1, 4]) for _ in range(rng.randint(1, 12))]
    q = rng.choice([0.01, 0.25, 0.5, 0.9, 0.99, 1.0])
    return {
        "a": a, "b": b, "ks": ks, "ks_p": float(stats.kstwobign.sf(ks * (len(a) * len(b) / (len(a) + len(b))) ** 0.5)),
        "distance": float(stats.wasserstein_distance(log_a, log_b) / max(log_a.std(), 0.01)),
        "q": q, "quantile": float(numpy.quantile(numpy.array(a, dtype=float), q, method="inverted_cdf")),
        "mean": float(numpy.mean(mid_a)),
        "errors": [failed[0], n, failed[1], m], "errors_p": float(2 * stats.norm.sf(abs(z))),
        "p": p_values, "adjusted": [float(p) for p in stats.false_discovery_control(p_values)],
    }


def main():
    rng = random.Random(20261125)
    for _ in range(1000):
        print(json.dumps(case(rng), separators=(",", ":")))


main()
