"""Four-level bitmaps inside one flat array: find the next or previous set bit among millions in a few steps.

Level 0 has a bit per position; a bit of each level above says that the word below it is not empty.
"""

from steelyard.num import kernel, leaf
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


@kernel
def bit_set(s, base, size, position):
    bits = BITS(s)
    for _ in range(4):
        word = base + (position >> 6)
        before = bits[word]
        bits[word] = before | shift_left(1, position & 63)
        if before != 0:
            return 0
        size = level_words(size)
        base += size
        position >>= 6
    return 0


@kernel
def bit_clear(s, base, size, position):
    bits = BITS(s)
    for _ in range(4):
        word = base + (position >> 6)
        after = bits[word] & ~shift_left(1, position & 63)
        bits[word] = after
        if after != 0:
            return 0
        size = level_words(size)
        base += size
        position >>= 6
    return 0


@kernel
def bit_next(s, base, size, position):
    """The lowest set position at or above this one, or -1."""
    bits = BITS(s)
    level_base, level_size = base, size
    for level in range(4):
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
        level_size = level_words(level_size)
        level_base += level_size
        position = word + 1
    return -1


@kernel
def bit_previous(s, base, size, position):
    """The highest set position at or below this one, or -1."""
    bits = BITS(s)
    level_base, level_size = base, size
    for level in range(4):
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
        level_size = level_words(level_size)
        level_base += level_size
        position = word - 1
    return -1
