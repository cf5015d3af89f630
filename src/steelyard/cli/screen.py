"""Composes one frame of the view, whatever the size of the terminal."""

from dataclasses import dataclass

from rich.text import Text

from steelyard.cli import drawing as D
from steelyard.cli import overlay, panels
from steelyard.cli.drawing import BAR, FAINT, PLAIN, SOFT, WARN
from steelyard.cli.holdings import Holding, table
from steelyard.cli.source import Snapshot
from steelyard.cli.watch import Watch
from steelyard.venue.explain import Explanation

LEAST = (80, 24)


@dataclass
class Look:
    """What the person at the terminal has chosen."""

    market: str
    chosen: tuple[str, str] | None = None  # account and market of a position
    page: str | None = None  # "explain" or "help"
    about: str | None = None  # the account that is explained
    scroll: int = 0
    is_paused: bool = False
    speed: float = 10.0
    shock: float = 0.01
    message: str = ""
    place: int = 0  # of the chosen position in the table

    def settle(self, found: list[Holding], steps: int = 0) -> None:
        """Keep the choice on its position, or move it; where a position is gone, its neighbour is chosen.

        The top of the list is no position's: whoever is nearest to liquidation is there.
        """
        keys = [each.key for each in found]
        place = keys.index(self.chosen) if self.place and self.chosen in keys else self.place
        self.place = max(0, min(len(keys) - 1, place + steps))
        self.chosen = keys[self.place] if keys else None


def too_small(width: int, height: int) -> list[Text]:
    need = f"The view needs {LEAST[0]} x {LEAST[1]}; this terminal is {width} x {height}."
    rows = [D.line(width) for _ in range(max(0, height // 2 - 1))]
    for text, style in ((need, PLAIN), ("Make it larger, or press q to leave.", SOFT)):
        rows += [D.line(width, (part, style)) for part in _pieces(text, width)]
    return D.filled(rows, width, height)


def _pieces(text: str, width: int) -> list[str]:
    if len(text) <= width:
        return [text.center(width)]
    return [row.plain for row in overlay.wrapped(text, width, "", "", width)]


def frame(
    snap: Snapshot,
    first: Snapshot,
    watch: Watch,
    look: Look,
    found: list[Holding],
    told: Explanation | None,
    size: tuple[int, int],
) -> list[Text]:
    width, height = size
    if width < LEAST[0] or height < LEAST[1]:
        return too_small(width, height)
    rows = [_top(snap, watch, look, width), *panels.headline(snap, watch, look.market, width)]
    body = height - len(rows) - 1
    if look.page == "help":
        rows += _page("help", "q to go back", overlay.help_page(width), look, width, body)
    elif look.page == "explain" and told is not None:
        lines = overlay.explanation_page(told, watch, width)
        rows += _page(f"{told.account}, line by line", "q to go back", lines, look, width, body)
    else:
        rows += _panels(snap, first, watch, look, found, width, body)
    return [*D.filled(rows, width, height - 1), _foot(look, width)]


def _panels(
    snap: Snapshot, first: Snapshot, watch: Watch, look: Look, found: list[Holding], width: int, body: int
) -> list[Text]:
    upper = max(10, min(body - 10, (body + 2) * 14 // 28))
    upper -= upper % 2  # as many asks as bids
    gap = 1 if width < 90 else 2
    book_width = max(27 if width < 90 else 30, min(48, width * 30 // 100))
    tape_width = 25 if width >= 90 else 19
    side = width - book_width - tape_width - 2 * gap
    funds = panels.funds(snap, first, side)
    columns = [
        panels.book(snap, look.market, book_width, upper),
        panels.tape(snap, watch, look.market, tape_width, upper),
        funds + panels.news(watch, side, upper - len(funds)),
    ]
    return [*D.beside(columns, gap), *table(found, len(snap.queue), look.place, look.market, width, body - upper)]


def _page(name: str, note: str, lines: list[Text], look: Look, width: int, height: int) -> list[Text]:
    room = height - 1
    look.scroll = max(0, min(look.scroll, len(lines) - room))
    more = len(lines) - room - look.scroll
    hint = f"{more} more rows below, " if more > 0 else ""
    return [D.title(width, name, hint + note), *D.filled(lines[look.scroll :], width, room)]


def _top(snap: Snapshot, watch: Watch, look: Look, width: int) -> Text:
    tabs: list[D.Piece] = [(" steelyard  ", f"bold {D.ACCENT}")]
    for place, market in enumerate(snap.markets, 1):
        here = market.symbol == look.market
        tabs += [(f" {place} ", FAINT if not here else SOFT), (f"{market.symbol} ", f"bold {PLAIN}" if here else SOFT)]
    speed = f"{look.speed:g}x"
    state = ("paused ", f"bold {WARN}") if look.is_paused else (f"{speed} ", PLAIN)
    tail = [(f"{D.clock(snap.now_ns)}  ", PLAIN), state, (f" {watch.rate:>7,.0f} events/s ", SOFT)]
    room = width - sum(len(text) for text, _ in tail)
    row = D.line(width, D.line(room, *tabs), *tail)
    row.stylize(BAR)
    return row


def _foot(look: Look, width: int) -> Text:
    shock = f"{look.shock * 100:g}%"
    if look.page:
        keys = [("j k", "scroll"), ("q", "back")]
    else:
        keys = [("↓↑", f"shock {shock}"), ("space", "pause"), ("+-", "speed"), ("tab", "market"), ("jk", "choose")]
        keys += [("e", "explain"), ("?", "help"), ("q", "quit")]
    pieces: list[D.Piece] = [(f" {look.message}  ", WARN)] if look.message else []
    for key, what in keys:
        pieces += [(f" {key} ", f"bold {D.ACCENT}"), (f"{what} ", SOFT)]
    row = D.line(width, *pieces)
    row.stylize(BAR)
    return row
