"""`python -m tests.fuzz --rounds 100`: abuse the machine; the last line printed names the round that hurt it."""

import argparse
import faulthandler
import sys

from tests.fuzz.rounds import play


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--first", type=int, default=0, help="the round to begin with")
    options = parser.parse_args()
    faulthandler.enable()
    for number in range(options.first, options.first + options.rounds):
        print(f"python -m tests.fuzz --seed {options.seed} --first {number} --rounds 1", flush=True)
        play(options.seed, number)
    print(f"{options.rounds} rounds survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
