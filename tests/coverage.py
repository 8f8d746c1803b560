#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints docs/coverage.md from the counts that gcovr added up.

usage: coverage.py COUNTS.json SOURCE UNCOVERED

UNCOVERED has lines "FILE LABEL reason": labels of error paths that no test takes, and why. A label
that is not taken and not there, or there and taken, is reported on stderr, and the status is 1.
"""
import json
import re
import sys

LABEL = re.compile(r"^(\w+):$")


def read_reasons(path):
    """The lines of UNCOVERED: (file, label) -> reason."""
    reasons = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, label, reason = line.split(None, 2)
                reasons[name, label] = reason.strip()
    return reasons


def ranges(numbers):
    """[1, 2, 3, 7] -> "1-3, 7"."""
    parts = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in parts)


def labels_not_taken(source, counts):
    """The labels of this file whose first line with code after it was never run."""
    with open(source, encoding="utf-8") as lines:
        text = lines.read().splitlines()
    for number, line in enumerate(text, start=1):
        label = LABEL.match(line)
        if not label:
            continue
        after = [n for n in sorted(counts) if n > number]
        if after and counts[after[0]] == 0:
            yield label[1]


class File:
    """What was counted in one file."""

    def __init__(self, entry, source):
        self.name = entry["file"].split("/")[-1]
        self.counts = {}
        taken = every = 0
        for line in entry["lines"]:
            if line.get("gcovr/noncode"):
                continue
            number = line["line_number"]
            self.counts[number] = self.counts.get(number, 0) + line["count"]
            for branch in line.get("branches", []):
                every += 1
                taken += branch["count"] > 0
        self.branches = every
        self.branches_taken = taken
        self.missed = [n for n in sorted(self.counts) if self.counts[n] == 0]
        self.labels = list(labels_not_taken(f"{source}/driver/{self.name}", self.counts))

    def row(self):
        """One line of the table."""
        lines = len(self.counts)
        return (f"| {self.name} | {lines} | {percent(lines - len(self.missed), lines)} | "
                f"{percent(self.branches_taken, self.branches)} | {ranges(self.missed)} |")


def percent(part, whole):
    """How much of it, with one digit."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def main():
    """Prints the page; returns how many labels have no reason, or one too many."""
    counts, source, uncovered = sys.argv[1:]
    with open(counts, encoding="utf-8") as data:
        entries = [e for e in json.load(data)["files"] if e["file"].endswith(".c")]
    files = [File(entry, source) for entry in sorted(entries, key=lambda e: e["file"])]
    reasons = read_reasons(uncovered)
    lines = sum(len(f.counts) for f in files)
    missed = sum(len(f.missed) for f in files)
    branches = sum(f.branches for f in files)
    taken = sum(f.branches_taken for f in files)

    print("""<!-- SPDX-License-Identifier: GPL-2.0-only -->
# Which lines of the driver the tests run

Written by `make coverage`: gcov's counts of the driver on the debug kernel, added over all
machines. Branches are those that the compiler made, which inlines and optimises as always; a
condition that it proved away is none of them. Numbers of lines are those of the source that was
measured.

| file | lines | run | branches taken | lines not run |
|---|---|---|---|---|""")
    for file in files:
        print(file.row())
    print(f"| all | {lines} | {percent(lines - missed, lines)} | {percent(taken, branches)} | |")

    print("""
## Labels of error paths that were not taken

| file | label | why |
|---|---|---|""")
    bad = 0
    seen = set()
    for file in files:
        for label in file.labels:
            seen.add((file.name, label))
            reason = reasons.get((file.name, label))
            if reason is None:
                bad += 1
                print(f"coverage: {file.name}: {label} is not taken", file=sys.stderr)
            print(f"| {file.name} | {label} | {reason or '-'} |")
    for name, label in reasons:
        if (name, label) not in seen:
            bad += 1
            print(f"coverage: {name}: {label} has a reason, but is taken", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
