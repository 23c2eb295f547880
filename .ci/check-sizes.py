#!/usr/bin/env python3
"""Source files stay small: median ≤ 150 lines, 90th percentile ≤ 350, none over 500. Tests are not counted."""
import pathlib
import re
import sys

MEDIAN, P90, MOST = 150, 350, 500
ROOT = pathlib.Path(__file__).resolve().parent.parent
TEST_ATTRIBUTE = re.compile(r"^\s*#\[cfg\((all\()?test\b.*\)\]")
# Braces within text and comments do not nest blocks.
IGNORED = re.compile(r'//.*|b?"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'')


def is_test(path):
    parts = path.relative_to(ROOT).parts
    return "tests" in parts or path.name in ("tests.rs", "test.rs")


def lines_without_tests(text):
    """The number of lines with every item under `#[cfg(test)]` cut out."""
    count, cutting, depth, opened = 0, False, 0, False
    for line in text.splitlines():
        if not cutting:
            if not TEST_ATTRIBUTE.match(line):
                count += 1
                continue
            cutting, depth, opened = True, 0, False
            line = line[line.index("]") + 1:]
        code = IGNORED.sub("", line)
        depth += code.count("{") - code.count("}")
        opened = opened or "{" in code
        if (opened and depth <= 0) or (not opened and code.rstrip().endswith(";")):
            cutting = False
    return count


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main():
    sources = (path for folder in ("*", "benches/*") for path in ROOT.glob(f"{folder}/src/**/*.rs"))
    files = [path for path in sources if not is_test(path)]
    sizes = sorted((lines_without_tests(path.read_text()), path.relative_to(ROOT)) for path in files)
    counts = [size for size, _ in sizes]
    if not counts:
        sys.exit("check-sizes: no source files found")
    median, p90, most = percentile(counts, 0.5), percentile(counts, 0.9), counts[-1]
    print(f"check-sizes: {len(counts)} files, {sum(counts)} lines, median {median}, p90 {p90}, largest {most}")
    for size, path in reversed(sizes[-3:]):
        print(f"  {size:4} {path}")
    faults = []
    if median > MEDIAN:
        faults.append(f"the median is {median}, above {MEDIAN}")
    if p90 > P90:
        faults.append(f"the 90th percentile is {p90}, above {P90}")
    faults += [f"{path} has {size} lines, more than {MOST}" for size, path in sizes if size > MOST]
    if faults:
        sys.exit("check-sizes: " + "; ".join(faults))


if __name__ == "__main__":
    main()
