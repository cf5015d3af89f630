"""Pages that cover the panels: why an account is as healthy as it is, and what the keys do."""

from decimal import Decimal

from rich.text import Text

from steelyard.cli import drawing as D
from steelyard.cli.drawing import ACCENT, DOWN, FAINT, PLAIN, SOFT, UP
from steelyard.cli.panels import note_line
from steelyard.cli.watch import Watch
from steelyard.venue.explain import Explanation
from steelyard.venue.records import Requirements

KEYS = (
    ("↓ ↑   or  d u", "push all prices down or up"),
    ("space", "pause and go on"),
    ("+ -", "faster, slower"),
    ("1 2 3  or  tab", "switch the market"),
    ("j k", "choose a position or a loan"),
    ("enter  or  e", "explain the account that backs it, line by line"),
    ("i", "pay 100,000 into the insurance fund"),
    ("?", "this page"),
    ("q", "leave; in a page: back"),
)
ABOUT = (
    "A simulated market on the real machine: makers quote, takers trade, leveraged holders hold, and everything "
    "that happens to them is an event of the engine. The same seed and the same shocks give the same market.",
    "E is an account's equity, M its maintenance requirement. An account is healthy while E is at least M; M / E is "
    "how much of that is used up. Below M it is liquidated: slices on the book, then the backstop, and once E is below "
    "zero the insurance fund pays, then counterparties are deleveraged. * marks an isolated position, ‼ a trade that a "
    "liquidation made.",
    "A loan is money borrowed against coins; its size is what is owed. It is judged like a position, and liquidated by "
    "converting its coins. A liquidation price is the first price at which the account is unhealthy; a coin and its "
    "perpetual move together.",
)


def help_page(width: int) -> list[Text]:
    rows = [D.line(width)]
    rows += [D.line(width, (f"   {keys:<18}", f"bold {ACCENT}"), (what, PLAIN)) for keys, what in KEYS]
    for paragraph in ABOUT:
        rows.append(D.line(width))
        rows += wrapped(paragraph, width - 6, "   ", PLAIN, width)
    return rows


def explanation_page(told: Explanation, watch: Watch, width: int) -> list[Text]:
    """The legs as a table whose columns add up, how each came about, and what happened to the account lately."""
    good = told.equity >= told.requirements.maintain
    rows = [D.line(width), D.line(width, ("   ", ""), (told.verdict, f"bold {UP if good else DOWN}")), D.line(width)]
    heads = ("equity E", "M open", "M maintain", "M restore", "M takeover")
    cell = min(17, max(11, (width - 16) // 5))
    name = min(14, width - 3 - 5 * cell)
    rows.append(D.line(width, (f"   {'':<{name}}" + "".join(f"{head:>{cell}}" for head in heads), FAINT)))
    rows += [
        D.line(width, (f"   {D.left(each.leg, name)}{_cells(each.equity, each.requirements, cell)}", PLAIN))
        for each in told.lines
    ]
    rows.append(D.line(width, (f"   {'─' * (name + 5 * cell)}", FAINT)))
    total = _cells(told.equity, told.requirements, cell)
    rows += [D.line(width, (f"   {told.unit:<{name}}", SOFT), (total, f"bold {PLAIN}")), D.line(width)]
    for each in told.lines:
        for note in each.working:
            rows += wrapped(f"{each.leg}: {note}", width - 6, "   ", SOFT, width, hang=2)
    lately = [note for note in watch.news if note.account == told.account][-8:]
    if lately:
        rows += [D.line(width), D.line(width, ("   lately", f"bold {SOFT}"))]
        rows += [D.line(width, ("   ", ""), note_line(note, width - 6)) for note in lately]
    return rows


def _cells(equity: Decimal, m: Requirements, cell: int) -> str:
    values = (equity, m.open, m.maintain, m.restore, m.takeover)
    return "".join(D.right(f"{value:,.4f}", cell - 1).rjust(cell) for value in values)


def wrapped(text: str, width: int, indent: str, style: str, full: int, hang: int = 0) -> list[Text]:
    """Words on as many rows as they need."""
    rows: list[str] = []
    now = ""
    for word in text.split():
        room = width - (hang if rows else 0)
        if now and len(now) + 1 + len(word) > room:
            rows.append(now)
            now = word
        else:
            now = f"{now} {word}" if now else word
    rows.append(now)
    return [D.line(full, (indent + (" " * hang if place else "") + row, style)) for place, row in enumerate(rows)]
