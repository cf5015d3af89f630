"""128-bit helpers that compiled code needs and Numba lacks, each with a plain-integer twin for runs without the JIT.

Division of 128-bit integers is left out on purpose: it calls a runtime symbol that is not there and aborts the process.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from steelyard.num._jit import JIT

_MASK = (1 << 64) - 1
_MIN, _MAX = -(1 << 63), (1 << 63) - 1
_I64, _I128, _I1 = ir.IntType(64), ir.IntType(128), ir.IntType(1)


def wrap(value: int) -> int:
    """The low 64 bits, as a signed number: what the hardware keeps."""
    value = int(value) & _MASK
    return value - (1 << 64) if value > _MAX else value


if JIT:

    @intrinsic
    def multiply(typingctx: Any, a: Any, b: Any) -> Any:
        """(product, overflowed)."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pair = builder.smul_with_overflow(args[0], args[1])
            overflowed = builder.zext(builder.extract_value(pair, 1), _I64)
            return context.make_tuple(builder, signature.return_type, (builder.extract_value(pair, 0), overflowed))

        return types.UniTuple(types.int64, 2)(types.int64, types.int64), codegen

    @intrinsic
    def multiply_unsigned(typingctx: Any, a: Any, b: Any) -> Any:
        """(high, low) words of the product of two unsigned words."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wide = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
            high = builder.trunc(builder.lshr(wide, ir.Constant(_I128, 64)), _I64)
            return context.make_tuple(builder, signature.return_type, (high, builder.trunc(wide, _I64)))

        return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen

    @intrinsic
    def multiply_shift_down(typingctx: Any, a: Any, b: Any, bits: Any) -> Any:
        """floor(a * b / 2**bits); exact whenever the result fits."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wide = builder.mul(builder.sext(args[0], _I128), builder.sext(args[1], _I128))
            return builder.trunc(builder.ashr(wide, builder.zext(args[2], _I128)), _I64)

        return types.int64(types.int64, types.int64, types.int64), codegen

    @intrinsic
    def product_is_less(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        """a * b < c * d, in 128 bits."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a, b, c, d = (builder.sext(word, _I128) for word in args)
            return builder.zext(builder.icmp_signed("<", builder.mul(a, b), builder.mul(c, d)), _I64)

        return types.int64(types.int64, types.int64, types.int64, types.int64), codegen

    @intrinsic
    def lowest_bit(typingctx: Any, word: Any) -> Any:
        """Position of the lowest set bit; the word must not be zero."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], ir.Constant(_I1, 1))

        return types.int64(types.int64), codegen

    @intrinsic
    def highest_bit(typingctx: Any, word: Any) -> Any:
        """Position of the highest set bit; the word must not be zero."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.sub(ir.Constant(_I64, 63), builder.ctlz(args[0], ir.Constant(_I1, 1)))

        return types.int64(types.int64), codegen

    @intrinsic
    def shift_left(typingctx: Any, word: Any, bits: Any) -> Any:
        """word << bits, keeping the low 64 bits."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.shl(args[0], args[1])

        return types.int64(types.int64, types.int64), codegen

    @intrinsic
    def shift_right(typingctx: Any, word: Any, bits: Any) -> Any:
        """word >> bits, filling with zeros."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.lshr(args[0], args[1])

        return types.int64(types.int64, types.int64), codegen

    @intrinsic
    def mix(typingctx: Any, a: Any, b: Any) -> Any:
        """A well-spread hash of two words (multiply, fold, multiply)."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = builder.xor(args[0], builder.mul(args[1], ir.Constant(_I64, _SPREAD)))
            word = builder.xor(word, builder.lshr(word, ir.Constant(_I64, 32)))
            word = builder.mul(word, ir.Constant(_I64, _SPREAD))
            return builder.xor(word, builder.lshr(word, ir.Constant(_I64, 29)))

        return types.int64(types.int64, types.int64), codegen

else:

    def multiply(a: int, b: int) -> tuple[int, int]:
        product = int(a) * int(b)
        return wrap(product), int(not _MIN <= product <= _MAX)

    def multiply_unsigned(a: int, b: int) -> tuple[int, int]:
        product = int(a) * int(b)
        return product >> 64, product & _MASK

    def multiply_shift_down(a: int, b: int, bits: int) -> int:
        return wrap((int(a) * int(b)) >> int(bits))

    def product_is_less(a: int, b: int, c: int, d: int) -> int:
        return int(int(a) * int(b) < int(c) * int(d))

    def lowest_bit(word: int) -> int:
        word = int(word) & _MASK
        return (word & -word).bit_length() - 1

    def highest_bit(word: int) -> int:
        return (int(word) & _MASK).bit_length() - 1

    def shift_left(word: int, bits: int) -> int:
        return wrap(int(word) << int(bits))

    def shift_right(word: int, bits: int) -> int:
        return wrap((int(word) & _MASK) >> int(bits))

    def mix(a: int, b: int) -> int:
        word = (int(a) ^ (int(b) * _SPREAD)) & _MASK
        word ^= word >> 32
        word = (word * _SPREAD) & _MASK
        return wrap(word ^ (word >> 29))


_SPREAD = 0x9E3779B97F4A7C15
