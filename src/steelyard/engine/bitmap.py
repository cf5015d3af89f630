"""Four-level bitmaps inside one flat array: find the next or previous set bit among millions in a few steps.

Level 0 has a bit per position; a bit of each level above says that the word below it is not empty.
"""

from steelyard.num import far, leaf, unlikely
from steelyard.num.wide import highest_bit, lowest_bit, shift_left, shift_right
from steelyard.state.tables import BITS


@leaf
def level_words(size):
    return (size + 63) >> 6


@leaf
def words_at(size, level):
    """Words of the level below this one."""
    for _ in range(level):
        size = level_words(size)
    return size


@far
def set_above(s, base, size, position):
    """A word that was empty is not any more: the levels above learn of it."""
    bits = BITS(s)
    for _ in range(3):
        size = level_words(size)
        base += size
        position >>= 6
        word = base + (position >> 6)
        before = bits[word]
        bits[word] = before | shift_left(1, position & 63)
        if before != 0:
            return 0
    return 0


@leaf
def bit_set(s, base, size, position):
    bits, word = BITS(s), base + (position >> 6)
    before = bits[word]
    bits[word] = before | shift_left(1, position & 63)
    if unlikely(before == 0):
        set_above(s, base, size, position)


@far
def clear_above(s, base, size, position):
    """A word became empty: the levels above learn of it."""
    bits = BITS(s)
    for _ in range(3):
        size = level_words(size)
        base += size
        position >>= 6
        word = base + (position >> 6)
        after = bits[word] & ~shift_left(1, position & 63)
        bits[word] = after
        if after != 0:
            return 0
    return 0


@leaf
def bit_clear(s, base, size, position):
    bits, word = BITS(s), base + (position >> 6)
    after = bits[word] & ~shift_left(1, position & 63)
    bits[word] = after
    if unlikely(after == 0):
        clear_above(s, base, size, position)


@far
def next_above(s, base, size, position):
    """The lowest set position beyond this one's word, or -1."""
    bits = BITS(s)
    level_base, level_size = base, size
    position = (position >> 6) + 1
    for level in range(1, 4):
        level_size = level_words(level_size)
        level_base += level_size
        if position >= level_size:
            return -1
        word = position >> 6
        rest = bits[level_base + word] & shift_left(-1, position & 63)
        if rest != 0:
            found = (word << 6) + lowest_bit(rest)
            depth = level
            while depth > 0:
                level_base -= words_at(size, depth)
                depth -= 1
                found = (found << 6) + lowest_bit(bits[level_base + found])
            return found
        position = word + 1
    return -1


@leaf
def bit_next(s, base, size, position):
    """The lowest set position at or above this one, or -1."""
    if position >= size:
        return -1
    word = position >> 6
    rest = BITS(s)[base + word] & shift_left(-1, position & 63)
    return next_above(s, base, size, position) if unlikely(rest == 0) else (word << 6) + lowest_bit(rest)


@far
def previous_above(s, base, size, position):
    """The highest set position before this one's word, or -1."""
    bits = BITS(s)
    level_base, level_size = base, size
    position = (position >> 6) - 1
    for level in range(1, 4):
        level_size = level_words(level_size)
        level_base += level_size
        if position < 0:
            return -1
        word = position >> 6
        rest = bits[level_base + word] & shift_right(-1, 63 - (position & 63))
        if rest != 0:
            found = (word << 6) + highest_bit(rest)
            depth = level
            while depth > 0:
                level_base -= words_at(size, depth)
                depth -= 1
                found = (found << 6) + highest_bit(bits[level_base + found])
            return found
        position = word - 1
    return -1


@leaf
def bit_previous(s, base, size, position):
    """The highest set position at or below this one, or -1."""
    if position < 0:
        return -1
    word = position >> 6
    rest = BITS(s)[base + word] & shift_right(-1, 63 - (position & 63))
    return previous_above(s, base, size, position) if unlikely(rest == 0) else (word << 6) + highest_bit(rest)
