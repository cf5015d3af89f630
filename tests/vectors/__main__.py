"""`python -m tests.vectors FILE`: run worked examples through the machine."""

import argparse
import json
import sys

from tests.vectors.run import counted, load, outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--json", action="store_true", help="counts only, for machines to read")
    options = parser.parse_args()
    outcomes = [outcome(vector) for vector in load(options.file)]
    counts = counted(outcomes)
    if options.json:
        print(json.dumps(counts))
    else:
        table(outcomes, counts)
    return min(1, counts["total"]["failed"])


def table(outcomes, counts):
    wide = max(len(each.id) for each in outcomes)
    for topic in counts["topics"]:
        print(topic)
        for each in outcomes:
            if each.topic == topic:
                print(f"  {each.id:{wide}}  {each.verdict:11}  {each.why}".rstrip())
    print(", ".join(f"{count} {verdict}" for verdict, count in counts["total"].items()))


if __name__ == "__main__":
    sys.exit(main())
