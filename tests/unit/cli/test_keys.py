"""Bytes of a terminal become keys, and the terminal comes back as it was."""

import os
import pty
import signal
import termios

import pytest

from steelyard.cli.keys import KeyParser, keyboard


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"q", ["q"]),
        (b"jk", ["j", "k"]),
        (b"+-?", ["+", "-", "?"]),
        (b" \r\n\t", ["space", "enter", "enter", "tab"]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]),
        (b"\x1bOA\x1bOB", ["up", "down"]),
        (b"\x1b[Z", ["back"]),
        (b"\x1b[5~\x1b[6~", ["page up", "page down"]),
        (b"\x1b[1;5A", []),  # with a modifier: not known, and not taken for other keys
        (b"\x1b[200~q", ["q"]),
        ("é".encode(), ["é"]),
        (b"\x1bq", ["escape", "q"]),
        (b"\x01", []),
        (b"\x03", ["q"]),
        (b"\xff", []),
    ],
)
def test_bytes_become_keys(data, keys):
    parser = KeyParser()
    assert parser.feed(data) + parser.flush() == [*keys]


def test_a_sequence_may_arrive_in_pieces():
    parser = KeyParser()
    assert parser.feed(b"\x1b") == []
    assert parser.feed(b"[") == []
    assert parser.feed(b"Aq") == ["up", "q"]


def test_an_escape_alone_is_a_key_once_nothing_follows():
    parser = KeyParser()
    assert parser.feed(b"\x1b") == []
    assert parser.flush() == ["escape"]
    assert parser.flush() == []


@pytest.fixture
def terminal():
    """The two ends of a terminal: what a person holds, and what a program reads."""
    outer, inner = pty.openpty()
    with open(outer, "r+b", buffering=0) as hands, open(inner, "r+b", buffering=0) as stream:
        yield hands, stream


def test_keys_come_at_once_and_unechoed(terminal):
    hands, stream = terminal
    with keyboard(stream) as keys:
        flags = termios.tcgetattr(stream.fileno())[3]
        assert not flags & termios.ICANON and not flags & termios.ECHO
        assert keys.wait(0.0) == []
        hands.write(b"\x1b[Bq")
        assert keys.wait(5.0) == ["down", "q"]


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt, SystemExit])
def test_the_terminal_is_given_back(terminal, error):
    _, stream = terminal
    before = termios.tcgetattr(stream.fileno())
    handler = signal.getsignal(signal.SIGTERM)
    if error is None:
        with keyboard(stream):
            pass
    else:
        with pytest.raises(error), keyboard(stream):
            raise error
    assert termios.tcgetattr(stream.fileno()) == before
    assert signal.getsignal(signal.SIGTERM) == handler


def test_a_signal_gives_the_terminal_back_too(terminal):
    _, stream = terminal
    before = termios.tcgetattr(stream.fileno())
    with pytest.raises(SystemExit) as left, keyboard(stream):
        os.kill(os.getpid(), signal.SIGTERM)
    assert left.value.code == 128 + signal.SIGTERM
    assert termios.tcgetattr(stream.fileno()) == before
