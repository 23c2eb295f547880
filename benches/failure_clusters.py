#!/usr/bin/env python3
"""Grouping accuracy and speed of the failure patterns on labelled logs, beside drain3.

    python3 benches/failure_clusters.py FOLDER

FOLDER is a checkout of Loghub (github.com/logpai/loghub): SYSTEM/SYSTEM_2k.log_structured.csv. Needs drain3 (`pip install drain3`);
build before: cargo build --release -p retrace-insights --example cluster. One configuration for all sets, on both sides.

GA: share of lines whose group is exactly the labelled one. FGA: the harmonic mean of precision and recall over groups.
"""
import collections
import csv
import logging
import os
import pathlib
import re
import subprocess
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

ROOT = pathlib.Path(__file__).resolve().parent.parent
OURS = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/cluster"
REPEAT = 5
# The masks of drain3's own example configuration.
LEFT, RIGHT = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
MASKS = [
    (r"(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))", "ID"),
    (r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})", "IP"),
    (r"([0-9a-f]{6,} ?){3,}", "SEQ"),
    (r"([0-9A-F]{4} ?){4,}", "SEQ"),
    (r"(0x[a-f0-9A-F]+)", "HEX"),
    (r"([\-\+]?\d+)", "NUM"),
]


def accuracy(truth, found):
    labelled, grouped = collections.defaultdict(set), collections.defaultdict(set)
    for line, (label, group) in enumerate(zip(truth, found)):
        labelled[label].add(line)
        grouped[group].add(line)
    right = [lines for lines in grouped.values() if labelled[truth[min(lines)]] == lines]
    precision, recall = len(right) / len(grouped), len(right) / len(labelled)
    harmonic = 2 * precision * recall / (precision + recall) if right else 0.0
    return sum(map(len, right)) / len(truth), harmonic


def drain(lines, masked):
    config = TemplateMinerConfig()
    if masked:
        config.masking_instructions = [MaskingInstruction(LEFT + pattern + RIGHT, name) for pattern, name in MASKS]
    miner = TemplateMiner(config=config)
    started = time.monotonic()
    groups = [miner.add_log_message(line)["cluster_id"] for line in lines]
    return groups, time.monotonic() - started


def ours(lines):
    done = subprocess.run([OURS], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    seconds = float(re.search(r"([\d.]+) s\b", done.stderr).group(1))
    return done.stdout.split("\n")[: len(lines)], seconds


def main():
    logging.disable(logging.CRITICAL)
    files = sorted(pathlib.Path(sys.argv[1]).glob("*/*_2k.log_structured.csv"))
    if not files:
        sys.exit(f"no *_2k.log_structured.csv below {sys.argv[1]}")
    print(f"{'':14}{'patterns':>9}{'drain3':>16}{'drain3, masks':>18}{'retrace':>18}")
    figures, everything = collections.defaultdict(list), []
    for file in files:
        with file.open(encoding="utf-8", errors="replace", newline="") as source:
            rows = list(csv.DictReader(source))
        lines = [re.sub(r"[\r\n]", " ", row["Content"]) for row in rows]
        truth = [row["EventId"] for row in rows]
        everything += lines
        cells = []
        for name, groups in (("drain3", drain(lines, False)), ("masked", drain(lines, True)), ("ours", ours(lines))):
            figures[name].append(accuracy(truth, groups[0]))
            cells.append("GA %.3f FGA %.3f" % figures[name][-1])
        print(f"{file.parent.name:14}{len(set(truth)):>9}  {'  '.join(cells)}")
    for name, found in figures.items():
        print(f"{name:8} mean GA {sum(ga for ga, _ in found) / len(found):.4f}  FGA {sum(f for _, f in found) / len(found):.4f}")
    everything *= REPEAT
    for name, seconds in (("drain3", drain(everything, False)[1]), ("masked", drain(everything, True)[1]), ("ours", ours(everything)[1])):
        print(f"{name:8} {len(everything) / seconds:,.0f} lines/s on one core")


if __name__ == "__main__":
    main()
