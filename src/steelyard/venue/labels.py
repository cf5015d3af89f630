"""Client order ids and references: short text outside, five 64-bit words inside (little endian, zero padded)."""

import struct

from steelyard.num.limits import CLIENT_WORDS

Words = tuple[int, int, int, int, int]
NO_WORDS: Words = (0, 0, 0, 0, 0)

CLIENT_ID_MAX = 36
REFERENCE_MAX = 8 * CLIENT_WORDS
_WORDS = struct.Struct(f"<{CLIENT_WORDS}q")


def client_words(client_id: str | None) -> Words:
    """The words of a client order id: up to 36 printable ASCII characters."""
    return NO_WORDS if client_id is None else _words(client_id, "client_id", CLIENT_ID_MAX)


def reference_words(reference: str | bytes) -> Words:
    """The words of a reference: up to 40 printable ASCII characters, or up to 40 bytes as they are."""
    if isinstance(reference, bytes):
        if not 0 < len(reference.rstrip(b"\0")) <= len(reference) <= REFERENCE_MAX:
            raise ValueError(f"a reference has 1 to {REFERENCE_MAX} bytes, not all zero; got {reference!r}")
        return _pack(reference)
    return _words(reference, "reference", REFERENCE_MAX)


def label_text(words: Words) -> str | None:
    """Back to text; None if there is none, hexadecimal digits after "0x" if it is not printable ASCII."""
    raw = _WORDS.pack(*words).rstrip(b"\0")
    if not raw:
        return None
    if all(33 <= byte < 127 for byte in raw) and not raw.startswith(b"0x"):
        return raw.decode("ascii")
    return f"0x{raw.hex()}"


def _words(text: str, what: str, longest: int) -> Words:
    if not isinstance(text, str):
        raise TypeError(f"{what} is {text!r}; it must be a str")
    if text.startswith("0x") and what == "reference":
        return reference_words(bytes.fromhex(text[2:]))
    if not 0 < len(text) <= longest:
        raise ValueError(f"{what} {text!r} has {len(text)} characters; 1 to {longest} are allowed")
    strange = sorted({letter for letter in text if not "!" <= letter <= "~"})
    if strange:
        raise ValueError(f"{what} {text!r} may hold printable ASCII without blanks only, not {''.join(strange)!r}")
    return _pack(text.encode("ascii"))


def _pack(raw: bytes) -> Words:
    a, b, c, d, e = _WORDS.unpack(raw.ljust(REFERENCE_MAX, b"\0"))
    return a, b, c, d, e
