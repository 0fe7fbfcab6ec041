"""How many faults are among the most surprising lines: count.py PLACES LINES.jsonl [--after N] [--share N].

PLACES was written by mix.py, LINES.jsonl by ./bitttt watch --once --share 1 --json.
Prints the faults among the most surprising share of all lines, and among those that the program would have shown as it went.
"""
import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("places")
parser.add_argument("lines")
parser.add_argument("--after", type=int, default=400, help="lines that are not counted")
parser.add_argument("--share", type=float, default=0.01)
options = parser.parse_args()

with open(options.places) as file:
    places = dict(line.split() for line in file)
with open(options.lines, encoding="utf-8") as file:
    lines = [json.loads(line) for line in file]
lines = [line for line in lines if line["line"] > options.after]
top = sorted(lines, key=lambda line: -line["surprise"])[:max(1, round(options.share * len(lines)))]
shown = [line for line in lines if line["share"] <= options.share]


def found(among):
    kinds = [places[str(line["line"])] for line in among if str(line["line"]) in places]
    return "%d of %d loud, %d of %d quiet in %d lines" % (
        kinds.count("loud"), list(places.values()).count("loud"),
        kinds.count("quiet"), list(places.values()).count("quiet"), len(among))


print("most surprising:", found(top))
print("shown as they came:", found(shown))
