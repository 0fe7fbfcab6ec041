"""Mixes faults into a log at known places: mix.py LOG FAULTS MIXED --words N [--every N] [--after N] [--lines N] [--seed N].

Writes MIXED, and MIXED.places with one line for each fault: number of the line (from 1), loud or quiet.
A fault begins with the first N words of the line that it follows (its time), and replaces nothing.
"""
import argparse
import random
import re

parser = argparse.ArgumentParser()
parser.add_argument("log")
parser.add_argument("faults")
parser.add_argument("mixed")
parser.add_argument("--words", type=int, default=0, help="words of the time that a line begins with")
parser.add_argument("--every", type=int, default=200, help="lines of a stretch that gets one fault")
parser.add_argument("--after", type=int, default=400, help="lines that stay without")
parser.add_argument("--lines", type=int, default=10**9, help="of the log that are taken")
parser.add_argument("--seed", type=int, default=1)
options = parser.parse_args()

with open(options.log, encoding="utf-8", errors="replace", newline="\n") as file:
    lines = file.read().split("\n")[:options.lines]
with open(options.faults, encoding="utf-8") as file:
    faults = [line.rstrip("\n").split(" ", 1) for line in file]
choice = random.Random(options.seed)
choice.shuffle(faults)
stretches = range(options.after, len(lines) - options.every + 1, options.every)
at = {start + choice.randrange(options.every): fault for start, fault in zip(stretches, faults)}
written = 0
with open(options.mixed, "w", encoding="utf-8", newline="\n") as mixed, open(options.mixed + ".places", "w") as places:
    for number, line in enumerate(lines):
        mixed.write(line.replace("\r", " ") + "\n")
        written += 1
        if number in at:
            kind, text = at[number]
            time = re.match(r"(\S+\s+){%d}" % options.words, line + " ")
            mixed.write((time.group() if time else "") + text + "\n")
            written += 1
            places.write(f"{written} {kind}\n")
