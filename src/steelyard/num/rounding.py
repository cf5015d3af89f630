"""Exact multiply-then-divide, with the direction in the name.

Promises
- The result is exact whenever it fits 64 bits, however wide the product.
- A result that does not fit saturates at plus or minus INT64_MAX, so a limit check after it still refuses.
- The divisor is positive.
"""

import numpy as np

from steelyard.num._jit import JIT, kernel, leaf
from steelyard.num.limits import INT64_MAX
from steelyard.num.wide import multiply, multiply_unsigned

if JIT:

    @kernel
    def _divide_wide_down(amount, numer, denom):
        """floor(amount * numer / denom) for a product that needs two words: schoolbook division by 32-bit limbs."""
        negative = (amount < 0) != (numer < 0)
        high, low = multiply_unsigned(np.uint64(abs(amount)), np.uint64(abs(numer)))
        divisor = np.uint64(denom)
        if high >= divisor:
            return -INT64_MAX if negative else INT64_MAX
        # Knuth's algorithm D with base 2**32 and a two-limb, normalised divisor.
        one, half, mask = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
        base = one << half
        shift = np.uint64(0)
        while (divisor >> np.uint64(63)) == 0:
            divisor = divisor << one
            shift += one
        if shift > 0:
            high = (high << shift) | (low >> (np.uint64(64) - shift))
            low = low << shift
        divisor_high, divisor_low = divisor >> half, divisor & mask
        quotient = np.uint64(0)
        for limb in (low >> half, low & mask):
            guess = high // divisor_high
            rest = high - guess * divisor_high
            while guess >= base or guess * divisor_low > ((rest << half) | limb):
                guess -= one
                rest += divisor_high
                if rest >= base:
                    break
            high = ((high << half) | limb) - guess * divisor
            quotient = (quotient << half) | guess
        if quotient > np.uint64(INT64_MAX):
            return -INT64_MAX if negative else INT64_MAX
        result = np.int64(quotient)
        if negative:
            return -result - 1 if high != 0 else -result
        return result

else:

    def _divide_wide_down(amount: int, numer: int, denom: int) -> int:
        result = int(amount) * int(numer) // int(denom)
        return max(-INT64_MAX, min(INT64_MAX, result))


@kernel
def mul_div_down(amount, numer, denom):
    """floor(amount * numer / denom). A product that fits takes one machine division."""
    product, overflowed = multiply(amount, numer)
    if overflowed:
        return _divide_wide_down(amount, numer, denom)
    return product // denom


@kernel
def mul_div_up(amount, numer, denom):
    """ceil(amount * numer / denom)."""
    return -mul_div_down(-amount, numer, denom)


if JIT:

    @kernel
    def mul_div_rest(amount, numer, denom):
        """amount * numer modulo denom, where the quotient fits: the low words of both products differ by it."""
        return multiply(amount, numer)[0] - multiply(mul_div_down(amount, numer, denom), denom)[0]

else:

    def mul_div_rest(amount: int, numer: int, denom: int) -> int:
        return int(amount) * int(numer) % int(denom)


if JIT:

    @leaf
    def trillionth_down(amount, numer):
        """floor(amount * numer / 10**12) for a numer that is not negative, by two divisions by a constant.

        10**12 is 2**12 times 5**12: the low bits are shifted away, what is left is divided as two digits of 32 bits.
        """
        high, low = multiply_unsigned(np.uint64(abs(amount)), np.uint64(numer))
        if high >= np.uint64(1 << 32):
            return mul_div_down(amount, numer, 1_000_000_000_000)
        upper = (high << np.uint64(20)) | (low >> np.uint64(44))
        first = upper // np.uint64(244_140_625)
        rest = ((upper - first * np.uint64(244_140_625)) << np.uint64(32)) | (
            (low >> np.uint64(12)) & np.uint64(0xFFFFFFFF)
        )
        second = rest // np.uint64(244_140_625)
        quotient = np.int64((first << np.uint64(32)) + second)
        if amount >= 0:
            return quotient
        exact = rest == second * np.uint64(244_140_625) and (low & np.uint64(4095)) == np.uint64(0)
        return -quotient if exact else -quotient - 1

else:

    def trillionth_down(amount: int, numer: int) -> int:
        return int(mul_div_down(amount, numer, 1_000_000_000_000))


@leaf
def ppm_down(amount, rate_ppm):
    """floor(amount * rate); dividing by the constant million costs one multiplication."""
    product, overflowed = multiply(amount, rate_ppm)
    if overflowed:
        return mul_div_down(amount, rate_ppm, 1_000_000)
    return product // 1_000_000


@leaf
def ppm_up(amount, rate_ppm):
    """ceil(amount * rate)."""
    return -ppm_down(-amount, rate_ppm)


@kernel
def root_up(square):
    """The smallest number whose square is at least this; it must be below 2**60."""
    if square <= 0:
        return 0
    below = 0  # the largest number whose square is less
    for bit in range(29, -1, -1):
        higher = below + (1 << bit)
        if higher * higher < square:
            below = higher
    return below + 1


@leaf
def clamp(value, low, high):
    return low if value < low else high if value > high else value


@leaf
def median(a, b, c):
    return max(min(a, b), min(max(a, b), c))
