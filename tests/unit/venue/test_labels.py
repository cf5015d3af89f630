"""Client ids and references: five words there, the same text back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.venue.labels import NO_WORDS, client_words, label_text, reference_words

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def test_words_are_little_endian_and_zero_padded():
    assert client_words("a") == (0x61, 0, 0, 0, 0)
    assert client_words("abcdefghi") == (0x6867666564636261, 0x69, 0, 0, 0)
    assert reference_words(b"\x00" * 7 + b"\x80") == (-(2**63), 0, 0, 0, 0)
    assert client_words(None) == NO_WORDS
    assert label_text(NO_WORDS) is None


@given(PRINTABLE.filter(lambda text: len(text) <= 36 and not text.startswith("0x")))
def test_client_ids_return(text):
    assert label_text(client_words(text)) == text


@given(st.binary(min_size=1, max_size=40).filter(lambda raw: raw.strip(b"\0") != b""))
def test_any_bytes_can_be_a_reference(raw):
    text = label_text(reference_words(raw))
    assert text is not None
    assert reference_words(text) == reference_words(raw)


@pytest.mark.parametrize(
    ("make", "label", "part"),
    [
        (client_words, "", "has 0 characters; 1 to 36"),
        (client_words, "x" * 37, "has 37 characters; 1 to 36"),
        (client_words, "two words", "printable ASCII"),
        (client_words, "naïve", "'ï'"),
        (reference_words, "y" * 41, "has 41 characters; 1 to 40"),
        (reference_words, b"", "not all zero"),
        (reference_words, b"\0\0", "not all zero"),
        (reference_words, b"z" * 41, "1 to 40 bytes"),
    ],
)
def test_labels_that_do_not_fit_are_refused(make, label, part):
    with pytest.raises(ValueError) as refusal:
        make(label)
    assert part in str(refusal.value)


def test_a_label_is_text():
    with pytest.raises(TypeError):
        client_words(7)
