"""Keys from a terminal, one by one and without waiting; the terminal is given back as it was, whatever happens."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ESCAPE = b"\x1b"
_NAMED = {
    b"\r": "enter",
    b"\n": "enter",
    b"\t": "tab",
    b" ": "space",
    b"\x7f": "backspace",
    b"\x08": "backspace",
    b"\x03": "q",
    b"\x04": "q",
}
_SEQUENCES = {
    b"A": "up",
    b"B": "down",
    b"C": "right",
    b"D": "left",
    b"H": "home",
    b"F": "end",
    b"Z": "back",
    b"5~": "page up",
    b"6~": "page down",
}


class KeyParser:
    """From bytes to names of keys. An escape that arrives alone is a key only once nothing followed it."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        self._rest += data
        keys: list[str] = []
        while self._rest:
            taken, key = self._next(self._rest)
            if taken == 0:
                break
            self._rest = self._rest[taken:]
            if key:
                keys.append(key)
        return keys

    def flush(self) -> list[str]:
        """No more bytes came: what was begun is over."""
        rest, self._rest = self._rest, b""
        return ["escape"] if rest == ESCAPE else []

    @staticmethod
    def _next(data: bytes) -> tuple[int, str | None]:
        """(bytes taken, key or None for what is not known); nothing is taken while more may follow."""
        first = data[:1]
        if first != ESCAPE:
            if first in _NAMED:
                return 1, _NAMED[first]
            length = 1 if first < b"\x80" else 2 if first < b"\xe0" else 3 if first < b"\xf0" else 4
            if len(data) < length:
                return 0, None
            text = data[:length].decode("utf-8", "replace")
            return length, text if text.isprintable() else None
        if len(data) == 1:
            return 0, None
        if data[1:2] not in (b"[", b"O"):
            return 1, "escape"
        for end in range(2, len(data)):
            if 0x40 <= data[end] <= 0x7E:
                return end + 1, _SEQUENCES.get(data[2 : end + 1])
        return 0, None


class Keyboard:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parser = KeyParser()

    def wait(self, seconds: float) -> list[str]:
        """The keys that were pressed, as soon as there are any; none if the time is over."""
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, seconds))
        if not ready:
            return self._parser.flush()
        data = os.read(self._descriptor, 1024)
        return self._parser.feed(data) if data else ["q"]  # the terminal is gone


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def keyboard(stream: Any = None) -> Iterator[Keyboard]:
    """Keys as they are pressed, unechoed; the terminal's settings come back at the end, also after a signal."""
    descriptor = (stream or sys.stdin).fileno()
    before = termios.tcgetattr(descriptor)
    signals = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        tty.setcbreak(descriptor)
        quiet = termios.tcgetattr(descriptor)
        quiet[6][termios.VSUSP] = b"\x00"  # stopped halfway, the screen would not be given back
        termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
        yield Keyboard(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number, handler in signals.items():
            signal.signal(number, handler)
