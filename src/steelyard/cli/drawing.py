"""Numbers, bars and lines of exact widths: what the panels of the view are made of."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.text import Text

# The palette: two sides, one warning, and greys. Everything else is weight.
UP, DOWN, WARN, ACCENT = "#3fb68b", "#e5606e", "#e0a33e", "#7aa2f7"
PLAIN, SOFT, FAINT = "#d5d8de", "#868d9a", "#4b515d"
UP_BAR, DOWN_BAR, TRACK = "#24503f", "#5c3037", "#2a2e38"
CHOSEN, BAR = "on #262b36", "on #1b1e26"

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = " ▁▂▃▄▅▆▇█"

Piece = tuple[str, str]
Number = Decimal | float | int


def line(width: int, *pieces: Piece | Text) -> Text:
    """One row, cut or filled to the width."""
    text = Text(no_wrap=True, end="")
    for piece in pieces:
        if isinstance(piece, Text):
            text.append_text(piece)
        else:
            text.append(*piece)
    return fit(text, width)


def fit(text: Text, width: int) -> Text:
    text.truncate(max(0, width), overflow="ellipsis" if width > 1 else "crop", pad=True)
    return text


def left(value: str, width: int) -> str:
    """A cell of text; what is too long ends in an ellipsis."""
    return value.ljust(width) if len(value) <= width else value[: max(0, width - 1)] + "…"[: min(1, width)]


def right(value: str, width: int) -> str:
    return value.rjust(width) if len(value) <= width else value[: max(0, width - 1)] + "…"[: min(1, width)]


def beside(columns: Sequence[Sequence[Text]], gap: int) -> list[Text]:
    """Columns of rows with their own widths, put side by side."""
    rows = []
    for parts in zip(*columns, strict=True):
        row = Text(no_wrap=True, end="")
        for place, part in enumerate(parts):
            if place:
                row.append(" " * gap)
            row.append_text(part)
        rows.append(row)
    return rows


def filled(rows: Iterable[Text], width: int, height: int) -> list[Text]:
    """Exactly `height` rows."""
    kept = list(rows)[:height]
    return kept + [line(width) for _ in range(height - len(kept))]


def title(width: int, name: str, note: str = "") -> Text:
    """The head of a panel: its name, a thin rule, and a note at the end."""
    note = left(note, max(0, width - len(name) - 4)).rstrip()
    tail = f" {note}" if note else ""
    rule = "─" * max(0, width - len(name) - len(tail) - 1)
    return line(width, (name, f"bold {SOFT}"), (f" {rule}", FAINT), (tail, SOFT))


def bar(share: float, width: int) -> str:
    """A horizontal bar, exact to an eighth of a cell."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def gauge(share: float, width: int) -> str:
    """The part of a thin line that is used up, to half a cell; more than nothing is always seen."""
    halves = max(1, round(max(0.0, min(1.0, share)) * width * 2))
    return "━" * (halves // 2) + "╸" * (halves % 2)


def curve(values: Sequence[float], width: int, height: int) -> list[str]:
    """A small graph of the last `width` values, top row first, scaled to its own range."""
    shown = list(values)[-width:]
    if not shown:
        return [" " * width] * height
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    steps = [1 + round((value - low) / span * (8 * height - 1)) if high > low else 4 * height for value in shown]
    rows = []
    for row in reversed(range(height)):
        cells = "".join(_HEIGHTS[max(0, min(8, step - 8 * row))] for step in steps)
        rows.append(cells.rjust(width))
    return rows


# --- Numbers


def places(step: Decimal) -> int:
    """Decimals of a tick or a lot."""
    return max(0, -int(step.normalize().as_tuple().exponent))


def decimals_of(value: Decimal) -> int:
    """As many as the value is written with."""
    return max(0, -int(value.as_tuple().exponent))


def number(value: Number | None, decimals: int) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}"


def money(value: Number) -> str:
    return f"{value:,.2f}"


def short(value: Number) -> str:
    """A few digits: 81.20, 812, 12.3k, 1.20m."""
    amount = float(value)
    size = abs(amount)
    for least, scale, unit, digits in ((999.5e6, 1e9, "b", 2), (999.95e3, 1e6, "m", 2), (9_999.5, 1e3, "k", 1)):
        if size >= least:
            return f"{amount / scale:,.{digits}f}{unit}"
    return f"{amount:,.0f}" if size >= 100 else f"{amount:,.2f}"


def percent(value: Number | None, decimals: int = 2, sign: bool = False) -> str:
    if value is None:
        return "–"
    return f"{float(value) * 100:{'+' if sign else ''},.{decimals}f}%"


def clock(ns: int) -> str:
    seconds = ns // 1_000_000_000
    return f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def countdown(ns: int) -> str:
    seconds = max(0, ns // 1_000_000_000)
    hours, rest = divmod(seconds, 3600)
    tail = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{tail}" if hours else tail


def coin(symbol: str | None) -> str:
    return (symbol or "").partition("-")[0]


def tone(value: Any) -> str:
    return UP if value > 0 else DOWN if value < 0 else SOFT
