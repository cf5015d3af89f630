"""Does the machine's answer agree with a published number, under the rounding stated for it?"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Between:
    """An answer in whole ticks: the exact one lies between two neighbours."""

    low: Fraction
    high: Fraction


def towards_zero(number):
    return math.floor(number) if number >= 0 else math.ceil(number)


def half_up(number):
    return math.floor(abs(number) + Fraction(1, 2)) * (1 if number >= 0 else -1)


WAYS = {"trunc": towards_zero, "half_up": half_up, "ceil": math.ceil, "floor": math.floor}


def rounded(answer, rounding):
    """The machine's exact answer, rounded as the source says it rounds."""
    named = re.match(r"(trunc|half_up|ceil|floor)_(\d+)", rounding)
    if named:
        unit = Fraction(1, 10 ** int(named[2]))
        return WAYS[named[1]](answer / unit) * unit
    worded = re.match(r"(ceil|floor) to ([\d.]+)", rounding)
    if worded:
        unit = Fraction(worded[2])
        return WAYS[worded[1]](answer / unit) * unit
    if rounding.endswith("margin ceil to 1 quantum"):
        return Fraction(math.ceil(answer))
    if rounding.startswith("trunc toward zero"):
        return Fraction(towards_zero(answer))
    return answer


def tolerance(expected, rounding):
    """How far apart two numbers may be that the source calls the same."""
    if rounding == "float64":
        return abs(expected) / 2**50
    within = re.match(r"within ([\d.e-]+)", rounding)
    if within:
        return Fraction(within[1]) * max(1, abs(expected))  # relative, below one absolute
    published = re.match(r"published_r(\d+)", rounding)
    return Fraction(1, 2 * 10 ** int(published[1])) if published else Fraction(0)


def agrees(expected, answer, rounding):
    if isinstance(expected, list):
        return len(expected) == len(answer) and all(map(agrees, expected, answer, [rounding] * len(answer)))
    if expected is None or isinstance(expected, bool | str):
        return expected == answer
    expected = Fraction(expected)
    allowed = tolerance(expected, rounding)
    if isinstance(answer, Between):
        return answer.low - allowed <= expected <= answer.high + allowed
    return abs(rounded(Fraction(answer), rounding) - expected) <= allowed
