"""Ladders of offers: curves written as Python functions, tabulated to integers when they are set.

A curve answers for one unit of debt value repaid: a *bonus* (0.05: collateral worth 1.05 is given) or a *price* (0.95:
the bidder pays 0.95 per unit of collateral at its index). Its function is asked 33 times, with exact fractions (a time
in seconds); between those points the machine draws straight lines. Bonuses are rounded down to millionths, prices up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from steelyard.model import keys as K
from steelyard.model.orders import FOR_BIDDERS, GIVES_PRICE, OF_TIME
from steelyard.num.limits import BONUS_MAX, CURVE_POINTS, CURVE_VALUE_MAX, PPM
from steelyard.venue.amounts import PPM_STEP, SECOND, Duration, Number, decimal, duration_ns
from steelyard.venue.parameters import GIVES, SIZES, TAKERS, VARIABLES

Function = Callable[[Fraction], Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One offer of a ladder: a curve, how much may be repaid, a fee on the bonus, and how long it stands."""

    of: int
    gives: int
    low: int
    high: int
    points: tuple[int, ...]
    size: int
    fee: int
    lasts_ns: int
    again: bool
    beyond_equity: bool
    part: "Step | None" = None  # how much of a debt one bid may repay
    taker: int = FOR_BIDDERS
    tip: Number = 0  # in the unit of account
    chip: int = 0

    def values(self) -> dict[int, int]:
        """What CONFIGURE sets, less what links it to other rows."""
        keys = {
            K.C_OF: self.of,
            K.C_GIVES: self.gives,
            K.C_FROM: self.low,
            K.C_TO: self.high,
            K.C_SIZE: self.size,
            K.C_FEE_PPM: self.fee,
            K.C_LASTS_NS: self.lasts_ns,
            K.C_BEYOND: int(self.beyond_equity),
            K.C_TAKER: self.taker,
            K.C_CHIP_PPM: self.chip,
        }
        return keys | {K.C_POINT + i: point for i, point in enumerate(self.points)}


def offer(
    curve: Function | Number,
    *,
    of: str = "health",
    over: tuple[Any, Any] | None = None,
    gives: str = "bonus",
    size: str = "restore",
    fee: Number = 0,
    lasts: Duration | None = None,
    again: bool = False,
    beyond_equity: bool = False,
    part: Function | Number | None = None,
    taker: str = "bidders",
    tip: Number = 0,
    chip: Number = 0,
) -> Step:
    """A step of a ladder.

    `curve` is a number, or a function of `of` ("health": E / M(maintain), "cover": what everything counts for by what
    is owed, "ltv", "time" in this step, "volatility"), asked from one end of `over` to the other. `gives` is "bonus" or
    "price", `size` "restore" (just as much as heals) or "all". `fee` is the part of the bonus that goes to the
    insurance fund. It stands for `lasts` of active time, or for ever; with `again` it then starts anew. What a bidder
    gains is the owner's: with `beyond_equity` it may be more than the owner has, and lenders bear the rest.
    `part` is the share of a debt that one bid may repay, a number or a function of the same variable.
    The `taker` is "bidders", or the "pool" that absorbs such debts: then the step takes no time, and `size` may be
    "whole", all of the debt. It may be the "book": the account sells on the spot market of collateral and debt, at no
    worse than the curve; such a step says how long it `lasts`, and its market has the fee and the slices. Or it is
    "borrowers", who owe the same asset: they take debts over whole (`spread`).
    Of the first step of a ladder: who begins the offers again once all have ended (`Venue.restart_offers`) is paid a
    `tip` in the unit of account and the part `chip` of the debt by the insurance fund.
    """
    what, form = _one_of("of", of, VARIABLES), _one_of("gives", gives, GIVES)
    low, high = _domain(what, over)
    function: Function = curve if callable(curve) else _constant(curve)
    points = tuple(_point(function, low, high, i, what, form) for i in range(CURVE_POINTS))
    if again and lasts is None:
        raise ValueError("an offer that starts again must say how long it lasts")
    return Step(
        of=what,
        gives=form,
        low=low,
        high=high,
        points=points,
        size=_one_of("size", size, SIZES),
        fee=PPM_STEP.count(fee, "fee", "millionths"),
        lasts_ns=0 if lasts is None else duration_ns(lasts, "lasts"),
        again=again,
        beyond_equity=beyond_equity,
        part=None if part is None else offer(part, of=of, over=over),
        taker=_one_of("taker", taker, TAKERS),
        tip=tip,
        chip=PPM_STEP.count(chip, "chip", "millionths"),
    )


def fixed_bonus(bonus: Number, **terms: Any) -> Step:
    """The same bonus for everybody."""
    return offer(bonus, **terms)


def absorbed(bonus: Number, **terms: Any) -> Step:
    """The stake pool of the collateral and the debt takes the whole debt over, with this bonus while there is one."""
    return offer(bonus, **{"size": "whole", "taker": "pool", **terms})


def through_book(bonus: Number, lasts: Duration, **terms: Any) -> Step:
    """Collateral is sold on the spot market of both assets, for at most this much below its index."""
    return offer(bonus, **{"taker": "book", "lasts": lasts, **terms})


def spread(bonus: Number, **terms: Any) -> Step:
    """Others who owe the same asset take the whole debt over, by what they owe, and get the collateral."""
    return offer(bonus, **{"size": "whole", "taker": "borrowers", **terms})


def bonus_by_cover(least: Number, most: Number, down_to: Number, **terms: Any) -> Step:
    """A bonus that grows in a straight line from `least` at cover 1 to `most` at cover `down_to`."""
    small, large, end = (Fraction(decimal(each)) for each in (least, most, down_to))
    slope = (large - small) / (1 - end)
    return offer(lambda cover: small + slope * (1 - cover), of="cover", over=(down_to, 1), **terms)


def discount_by_cover(most: Number, **terms: Any) -> Step:
    """Collateral is priced at the cover itself, at most so far below its index: the worse it stands, the cheaper."""
    floor_price = 1 - Fraction(decimal(most))
    return offer(lambda cover: cover, of="cover", over=(floor_price, 1), gives="price", **terms)


def falling_auction(start: Number, end: Number, over: Duration, curve: Function | None = None, **terms: Any) -> Step:
    """The price falls from `start` to `end` (in parts of the index) in `over` of active time, and stays there.

    `curve` gives another way down: the price by the seconds since it began. Whatever the owner has, it falls on.
    """
    first, last, span = Fraction(decimal(start)), Fraction(decimal(end)), Fraction(duration_ns(over), SECOND)
    way: Function = curve or (lambda time: first + (last - first) * time / span)
    return offer(way, of="time", over=(0, span), gives="price", **{"size": "all", "beyond_equity": True, **terms})


def rising_auction(bonus: Number, over: Duration, start: Number = 0, **terms: Any) -> Step:
    """The bonus rises from `start` to `bonus` in `over` of active time, and stays there."""
    first, last, span = Fraction(decimal(start)), Fraction(decimal(bonus)), Fraction(duration_ns(over), SECOND)
    always = {"size": "all", "beyond_equity": True, **terms}
    return offer(lambda time: first + (last - first) * time / span, of="time", over=(0, span), **always)


def _one_of(name: str, word: str, words: Sequence[str]) -> int:
    if word not in words:
        raise ValueError(f"{name} {word!r} is not one of {', '.join(words)}")
    return words.index(word)


def _domain(what: int, over: tuple[Any, Any] | None) -> tuple[int, int]:
    low, high = (0, 1) if over is None else over
    unit = SECOND if what == OF_TIME else PPM
    ends = []
    for end in (low, high):
        exact = Fraction(end) if isinstance(end, Fraction) else Fraction(decimal(end, "over"))
        if exact * unit != floor(exact * unit):
            raise ValueError(f"the end {end} of a curve is finer than the machine counts (1 / {unit})")
        ends.append(int(exact * unit))
    return ends[0], ends[1]


def _constant(curve: Number) -> Function:
    number = decimal(curve, "curve")
    return lambda _: number


def _point(function: Function, low: int, high: int, i: int, what: int, form: int) -> int:
    x = (low + Fraction(high - low) * i / (CURVE_POINTS - 1)) / (SECOND if what == OF_TIME else PPM)
    answer = function(x)
    if not isinstance(answer, int | float | Decimal | Fraction) or isinstance(answer, bool):
        raise TypeError(f"a curve answers with a number; this one says {answer!r} at {float(x):g}")
    try:
        exact = Fraction(answer) * PPM
    except (ValueError, OverflowError):
        raise ValueError(f"a curve answers with a number; this one says {answer!r} at {float(x):g}") from None
    y = ceil(exact) if form == GIVES_PRICE else floor(exact)
    most = CURVE_VALUE_MAX if form == GIVES_PRICE else BONUS_MAX
    if not 0 <= y <= most:
        word = GIVES[form]
        raise ValueError(
            f"the {word} at {VARIABLES[what]} {float(x):g} is {float(exact / PPM):g}, not within 0 to {most // PPM}"
        )
    return y
