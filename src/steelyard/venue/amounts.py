"""Exact conversions between what people write (decimals, text, durations) and the integers of the machine.

Promises
- Nothing is rounded silently: what is not a whole number of steps is refused, and the refusal names the step and the
  nearest values that would do.
- A float is refused, because it is rarely the number that was meant.
- `Step.back(Step.count(x)) == x` for every x that is accepted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from operator import index

from steelyard.num.limits import INT64_MAX, PPB, PPM, TIME_NS_MAX

Number = Decimal | str | int
Duration = Number | timedelta
Instant = Number | datetime | timedelta

SECOND = 1_000_000_000
_WIDE = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|ms|s|m|h|d)\s*")


def decimal(value: Number, what: str = "value") -> Decimal:
    """The exact decimal that was written."""
    if isinstance(value, Decimal):
        result = value
    elif isinstance(value, str):
        try:
            result = Decimal(value.strip().replace("_", ""))
        except InvalidOperation:
            raise ValueError(f"{what} {value!r} is not a number") from None
    elif isinstance(value, float):
        raise TypeError(
            f"{what} {value!r} is a float, which stands for {_shorten(Decimal(value))}; "
            f"write Decimal({str(value)!r}) or {str(value)!r} to say which decimal is meant"
        )
    else:
        try:
            if isinstance(value, bool):
                raise TypeError
            result = Decimal(index(value))
        except TypeError:
            kind = type(value).__name__
            raise TypeError(f"{what} is {value!r} ({kind}); it must be a Decimal, a str or an int") from None
    if not result.is_finite():
        raise ValueError(f"{what} {value!r} is not a finite number")
    return result


def _shorten(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:24]}..."


@dataclass(frozen=True, slots=True)
class Step:
    """A grid of decimals: `coefficient` x 10**-`places`. Whole numbers of it are what the machine counts."""

    coefficient: int
    places: int

    @staticmethod
    def of(value: Number, what: str = "step") -> "Step":
        size = decimal(value, what)
        if size <= 0:
            raise ValueError(f"{what} {value} must be above zero")
        numerator, denominator = size.as_integer_ratio()
        places = 0
        while denominator > 1:
            if places == 30:
                raise ValueError(f"{what} {value} has more decimals than can be kept")
            shared = 10 if denominator % 10 == 0 else 5 if denominator % 5 == 0 else 2
            numerator *= 10 // shared
            denominator //= shared
            places += 1
        return Step(numerator, places)

    @staticmethod
    def atoms(decimals: int) -> "Step":
        return Step(1, decimals)

    @property
    def size(self) -> Decimal:
        return _WIDE.scaleb(Decimal(self.coefficient), -self.places)

    def count(self, value: Number, what: str = "value", unit: str = "steps") -> int:
        """How many steps `value` is, exactly."""
        amount = decimal(value, what)
        numerator, denominator = amount.as_integer_ratio()
        steps, rest = divmod(numerator * int(10**self.places), denominator * self.coefficient)
        if rest:
            raise ValueError(
                f"{what} {plain(amount)} is not a whole number of {unit} of {plain(self.size)}; "
                f"nearest are {self.text(steps)} and {self.text(steps + 1)}"
            )
        if abs(steps) > INT64_MAX:
            raise ValueError(f"{what} {plain(amount)} is beyond what the machine can hold ({self.text(INT64_MAX)})")
        return steps

    def back(self, steps: int) -> Decimal:
        """The decimal of a number of steps, padded to the decimals of the step."""
        return _WIDE.scaleb(Decimal(int(steps) * self.coefficient), -self.places)

    def text(self, steps: int) -> str:
        return plain(self.back(steps))


PPM_STEP, PPB_STEP, NS_STEP, BORROW_STEP = Step(1, 6), Step(1, 9), Step(1, 9), Step(1, 12)
RATE_STEP = Step(1, 12)
assert PPM == 10**PPM_STEP.places and PPB == 10**PPB_STEP.places and SECOND == 10**NS_STEP.places


def plain(value: Decimal) -> str:
    """Without an exponent."""
    return format(value, "f")


def trimmed(value: Decimal, least: int = 0) -> str:
    """For people: thousands set apart, no more zeros at the end than `least` decimals ask for."""
    whole, _, decimals = format(value, ",f").partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


def grouped(value: Decimal) -> str:
    """Money for people: every digit that matters, and at least two decimals."""
    return trimmed(value, 2)


def ratio_up(numerator: int, denominator: int, places: int = 6) -> Decimal | None:
    """A ratio for people, rounded up; None where it means nothing."""
    if denominator <= 0:
        return None
    return _WIDE.scaleb(Decimal(-(-(numerator * 10**places) // denominator)), -places)


def ratio_down(numerator: int, denominator: int, places: int = 6) -> Decimal | None:
    if denominator <= 0:
        return None
    return _WIDE.scaleb(Decimal(numerator * 10**places // denominator), -places)


def average(total: Decimal, parts: Decimal, places: int) -> Decimal:
    """A quotient for people, rounded half to even at `places` decimals."""
    exponent = Decimal((0, (1,), -places))
    return _WIDE.divide(total, parts).quantize(exponent, rounding=ROUND_HALF_EVEN, context=_WIDE)


def quotient(total: Decimal, parts: Decimal) -> Decimal:
    """For people: as many digits as the widest number has, and more."""
    return _WIDE.divide(total, parts)


def product(a: Decimal, b: Decimal) -> Decimal:
    """Exact for every amount the machine can hold."""
    return _WIDE.multiply(a, b)


# --- Time -----------------------------------------------------------------------------------------------------------


def duration_ns(value: Duration, what: str = "duration") -> int:
    """Nanoseconds of seconds (int, Decimal), of text such as "8h", "1h30m" or "250ms", or of a timedelta."""
    if isinstance(value, timedelta):
        return ((value.days * 86_400 + value.seconds) * 10**6 + value.microseconds) * 1000
    if isinstance(value, str):
        total, place = 0, 0
        while place < len(value):
            found = _DURATION.match(value, place)
            if found is None:
                raise ValueError(f"{what} {value!r} is not a duration; write seconds, or text such as '8h' or '250ms'")
            total += Step(1, 0).count(product(Decimal(found[1]), Decimal(_UNITS[found[2]])), what, "nanoseconds")
            place = found.end()
        if not value.strip():
            raise ValueError(f"{what} is empty")
        return total
    return NS_STEP.count(value, what, "nanoseconds")


def instant_ns(value: Instant, now_ns: int, what: str = "time") -> int:
    """Nanoseconds of the venue's clock: seconds or a datetime say when, text or a timedelta say how long from now."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{what} {value} has no time zone; write datetime(..., tzinfo=UTC)")
        result = duration_ns(value - _EPOCH)
    elif isinstance(value, str | timedelta):
        result = now_ns + duration_ns(value, what)
    else:
        result = duration_ns(value, what)
    if not 0 <= result <= TIME_NS_MAX:
        raise ValueError(f"{what} {value} is outside the venue's clock (0 to {plain(NS_STEP.back(TIME_NS_MAX))} s)")
    return result


def seconds(ns: int) -> Decimal:
    """Without a fraction where there is none."""
    whole, rest = divmod(ns, SECOND)
    return NS_STEP.back(ns) if rest else Decimal(whole)


def duration_text(ns: int) -> str:
    """As short as exact: "8h", "1m30s", "250ms"."""
    if ns == 0:
        return "0s"
    parts = []
    for unit in ("d", "h", "m", "s", "ms", "us", "ns"):
        count, ns = divmod(ns, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def clock_text(ns: int) -> str:
    """An instant for people: a date, or the time since zero for a clock that starts there."""
    if ns < 365 * _UNITS["d"]:
        days, rest = divmod(ns, _UNITS["d"])
        text = f"{rest // _UNITS['h']:02}:{rest // _UNITS['m'] % 60:02}:{rest // SECOND % 60:02}"
        text = f"day {days} {text}" if days else text
    else:
        text = f"{_EPOCH + timedelta(seconds=ns // SECOND):%Y-%m-%d %H:%M:%S}"
    fraction = f"{ns % SECOND:09}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def iso8601(ns: int) -> str:
    """Milliseconds, as trading clients expect it."""
    moment = _EPOCH + timedelta(seconds=ns // SECOND)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ns // 10**6 % 1000:03}Z"


def milliseconds(ns: int) -> int:
    return ns // 10**6
