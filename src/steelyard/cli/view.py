"""The live view: time, keys and frames around one source."""

import time
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from steelyard.cli import screen
from steelyard.cli.drawing import DOWN, SOFT, UP, percent, short
from steelyard.cli.holdings import holdings
from steelyard.cli.keys import Keyboard, keyboard
from steelyard.cli.screen import Look
from steelyard.cli.source import Source
from steelyard.cli.watch import Watch
from steelyard.cli.words import Note
from steelyard.venue.explain import Explanation

FRAMES_PER_SECOND = 8
SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
PATIENCE = 0.6  # of the time between frames, for the market


class View:
    """Everything but the terminal: it can be driven, and looked at, without one."""

    def __init__(self, source: Source, *, speed: float = 10.0, shock: float = 0.01) -> None:
        self.source = source
        self.look = Look(source.markets[0], speed=speed, shock=shock)
        self.watch = Watch(source.markets)
        self.is_over = False
        self.watch.read(source.events(), 0.0)
        self._first = self._snap = source.snapshot(self.look.market)
        self._found = holdings(self._snap)
        self.look.settle(self._found)
        self._silence = 0.0  # seconds until the message goes

    # --- time

    def tick(self, seconds: float, patience: float | None = None) -> None:
        """So much of our time has passed."""
        if not self.look.is_paused:
            self.source.advance(seconds * self.look.speed, patience)
        self.watch.read(self.source.events(), seconds)
        self._look_again()
        self._silence -= seconds
        if self._silence <= 0:
            self.look.message = ""

    def _look_again(self) -> None:
        self._snap = self.source.snapshot(self.look.market)
        self._found = holdings(self._snap)
        self.look.settle(self._found)

    def frame(self, size: tuple[int, int]) -> list[Text]:
        return screen.frame(self._snap, self._first, self.watch, self.look, self._found, self._told(), size)

    def _told(self) -> Explanation | None:
        if self.look.page != "explain" or self.look.about is None:
            return None
        return self.source.explain(self.look.about)

    # --- keys

    def press(self, key: str) -> None:
        look = self.look
        if look.page and key in _SCROLL:
            look.scroll = max(0, look.scroll + _SCROLL[key])
        elif look.page and key in ("q", "escape", "enter", "e", "?", "backspace"):
            look.page, look.scroll = None, 0
        elif key.isdecimal() and 0 < int(key) <= len(self.source.markets):
            self._show(self.source.markets[int(key) - 1])
        else:
            action = _ACTIONS.get(key)
            if action:
                action(self)

    def _say(self, text: str) -> None:
        self.look.message, self._silence = text, 2.5

    def _show(self, market: str) -> None:
        self.look.market = market
        self._look_again()

    def _next_market(self, steps: int) -> None:
        markets = self.source.markets
        self._show(markets[(markets.index(self.look.market) + steps) % len(markets)])

    def _shock(self, way: int) -> None:
        """A fall undoes a rise: down and up again ends where it began."""
        move = self.look.shock if way > 0 else 1.0 / (1.0 + self.look.shock) - 1.0
        self.source.shock(move)
        text = f"all prices {percent(move, 2, sign=True)}"
        self.watch.say(Note(self._snap.now_ns, "you", text, f"bold {UP if way > 0 else DOWN}"))
        self._say(text + (", when it goes on" if self.look.is_paused else ""))

    def _refill(self) -> None:
        amount = self.source.refill()
        self.watch.say(Note(self._snap.now_ns, "you", f"insurance +{short(amount)} {self._snap.unit}", SOFT))
        self._say(f"{short(amount)} {self._snap.unit} paid into the insurance fund")

    def _pause(self) -> None:
        self.look.is_paused = not self.look.is_paused

    def _faster(self, way: int) -> None:
        now = self.look.speed
        others = [each for each in SPEEDS if (each > now if way > 0 else each < now)]
        if others:
            self.look.speed = others[0] if way > 0 else others[-1]
        self._say(f"{self.look.speed:g} seconds of the market in one of ours")

    def _explain(self) -> None:
        if not self._found:
            self._say("nobody holds a position or owes anything")
            return
        self.look.page, self.look.about, self.look.scroll = "explain", self._found[self.look.place].backing, 0

    def _help(self) -> None:
        self.look.page, self.look.scroll = "help", 0

    def _quit(self) -> None:
        self.is_over = True


_SCROLL = {"j": 1, "k": -1, "down": 1, "up": -1, "page down": 10, "page up": -10, "space": 10}
_ACTIONS: dict[str, Callable[[View], None]] = {
    "up": lambda view: view._shock(+1),
    "u": lambda view: view._shock(+1),
    "down": lambda view: view._shock(-1),
    "d": lambda view: view._shock(-1),
    "space": View._pause,
    "p": View._pause,
    "+": lambda view: view._faster(+1),
    "=": lambda view: view._faster(+1),
    "-": lambda view: view._faster(-1),
    "_": lambda view: view._faster(-1),
    "tab": lambda view: view._next_market(+1),
    "right": lambda view: view._next_market(+1),
    "back": lambda view: view._next_market(-1),
    "left": lambda view: view._next_market(-1),
    "j": lambda view: view.look.settle(view._found, +1),
    "k": lambda view: view.look.settle(view._found, -1),
    "enter": View._explain,
    "e": View._explain,
    "i": View._refill,
    "?": View._help,
    "h": View._help,
    "q": View._quit,
}


def picture(rows: list[Text]) -> Group:
    return Group(*(_ended(row) for row in rows))


def _ended(row: Text) -> Text:
    row.end = "\n"
    return row


def show(view: View, console: Console, keys: Keyboard) -> None:
    """Draw until somebody quits. A key is answered at once; otherwise a frame comes every eighth of a second."""
    pause = 1.0 / FRAMES_PER_SECOND
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        before = time.monotonic()
        while not view.is_over:
            live.update(picture(view.frame(console.size)), refresh=True)
            pressed = keys.wait(before + pause - time.monotonic())
            for key in pressed:
                view.press(key)
            now = time.monotonic()
            if now - before >= pause:
                view.tick(min(now - before, 0.5), PATIENCE * pause)
                before = now


def watch_live(view: View, console: Console) -> None:
    """Until somebody quits, by a key or by an interrupt."""
    with keyboard() as keys, suppress(KeyboardInterrupt):
        show(view, console, keys)


def print_frames(view: View, console: Console, count: int) -> None:
    """A number of frames as text, one after the other, each an eighth of a second later by the view's own clock."""
    for _ in range(count):
        view.tick(1.0 / FRAMES_PER_SECOND)
        console.print(picture(view.frame(console.size)), end="")
