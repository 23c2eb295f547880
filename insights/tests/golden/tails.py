#!/usr/bin/env python3
"""Writes tails.jsonl: random inputs and what scipy makes of them. Needs scipy; the test only reads the file.

    python3 insights/tests/golden/tails.py > insights/tests/golden/tails.jsonl
"""
import json
import math
import random

from scipy import integrate, stats


def negative_binomial(rng):
    mean = 10 ** rng.uniform(-1, 3.3)
    spread = 0.0 if rng.random() < 0.1 else 10 ** rng.uniform(-5, 0.5)
    deviation = math.sqrt(mean + spread * mean * mean)
    count = max(0, round(mean + deviation * rng.uniform(-5, 3)))
    if spread == 0.0:
        return [count, mean, spread, float(stats.poisson.cdf(count, mean))]
    size = 1 / spread
    return [count, mean, spread, float(stats.nbinom.cdf(count, size, size / (size + mean)))]


def beta_binomial(rng):
    traces, rate = round(10 ** rng.uniform(0, 3.3)), 10 ** rng.uniform(-3, -0.05)
    correlation = 0.0 if rng.random() < 0.1 else 10 ** rng.uniform(-4, -0.3)
    deviation = math.sqrt(traces * rate * (1 - rate) * (1 + (traces - 1) * correlation))
    failed = min(traces, max(0, round(traces * rate + deviation * rng.uniform(-3, 6))))
    if correlation == 0.0:
        return [failed, traces, rate, correlation, float(stats.binom.sf(failed - 1, traces, rate))]
    both = (1 - correlation) / correlation
    tail = math.fsum(stats.betabinom.pmf(range(failed, traces + 1), traces, rate * both, (1 - rate) * both))
    return [failed, traces, rate, correlation, min(tail, 1.0)]


def student(rng):
    t, df = rng.uniform(-3, 12), rng.uniform(1, 40)
    return [t, df, float(stats.t.sf(t, df))]


def mixture(rng):
    """A negative binomial's tail over the variances that an estimate with so many degrees of freedom leaves."""
    mean, spread, df = 10 ** rng.uniform(0.5, 3), 10 ** rng.uniform(-3, 0), rng.uniform(2, 30)
    count = round(mean * rng.uniform(0, 1))

    def tail(log):
        size = math.exp(log) / df / spread
        density = math.exp(stats.chi2.logpdf(math.exp(log), df) + log)
        return density * stats.nbinom.cdf(count, size, size / (size + mean))

    low, high = math.log(stats.chi2.ppf(1e-13, df)), math.log(stats.chi2.isf(1e-13, df))
    value, _ = integrate.quad(tail, low, high, limit=200, epsabs=1e-12)
    return [count, mean, spread, df, value]


def main():
    rng = random.Random(20261126)
    for _ in range(1000):
        case = {"nb": negative_binomial(rng), "bb": beta_binomial(rng), "t": student(rng), "mixture": mixture(rng)}
        print(json.dumps(case, separators=(",", ":")))


main()
