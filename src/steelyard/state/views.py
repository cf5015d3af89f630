"""How code sees the tables: `LEG(s).quantity[row]` is one load, `LEG(s).quantity[row] = x` one store.

Compiled code receives one integer, the address of a directory: addresses of far kernels, then address and length of
every table. A view is two words and a column is a view with a name, so nothing is left of either once compiled. What
NumPy's own records would bring along (shapes, strides, negative indices) made kernels half as long again. Numbers come
out 64 bits wide. Every column is its own kind of memory: the optimiser may keep a mark while a quantity is written.

Without the JIT the handle is the `State` itself and a view is an attribute.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import infer_getattr, intrinsic, lower_builtin, lower_getattr_generic, models, register_model

from steelyard.num import FAR_MAX, JIT

_WORD = ir.IntType(64)
_BYTE = ir.IntType(8)


class Column:
    """Without the JIT: a column whose numbers come out 64 bits wide, as compiled code loads them."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, row: Any) -> Any:
        assert np.all(np.asarray(row) >= 0), "compiled code does not count from the end"
        return np.int64(self.array[row])

    def __setitem__(self, row: Any, value: Any) -> None:
        assert np.all(np.asarray(row) >= 0), "compiled code does not count from the end"
        self.array[row] = int(value)  # a Python integer that does not fit raises


class Columns:
    """Without the JIT: a table whose columns are like that."""

    __slots__ = ("table",)

    def __init__(self, table: Any) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getattr__(self, name: str) -> Column:
        return Column(np.asarray(self.table)[name])


class _Memory(types.Type):  # type: ignore[misc]
    """Where a table's numbers are: `size` bytes a row; a column is `bits` wide and `offset` bytes into it."""

    def __init__(self, name: str, size: int, fields: dict[str, tuple[int, int]]) -> None:
        super().__init__(f"{type(self).__name__}({name})")
        self.name_of_memory = name
        self.size = size
        self.fields = fields


class _Table(_Memory):
    """Rows of named columns."""


class _Grid(_Memory):
    """Rows of `size / 8` numbers."""


class _Line(_Memory):
    """One column: numbers of one width."""


@register_model(_Table)
@register_model(_Grid)
@register_model(_Line)
class _Model(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("address", types.int64), ("length", types.int64)])


@infer_getattr
class _TableAttributes(AttributeTemplate):  # type: ignore[misc]
    key = _Table

    def generic_resolve(self, table: Any, name: str) -> Any:
        if name not in table.fields:
            return None
        return _Line(f"{table.name_of_memory}.{name}", table.size, {"": table.fields[name]})


@lower_getattr_generic(_Table)
def _get_column(context: Any, builder: Any, table: Any, value: Any, name: str) -> Any:
    given = cgutils.create_struct_proxy(table)(context, builder, value)
    line = _Line(f"{table.name_of_memory}.{name}", table.size, {"": table.fields[name]})
    column = cgutils.create_struct_proxy(line)(context, builder)
    column.address, column.length = given.address, given.length
    return column._getvalue()


def _is_row(index: Any) -> bool:
    return isinstance(index, types.Integer)


def _is_place(index: Any) -> bool:
    return isinstance(index, types.BaseTuple) and len(index) == 2 and all(_is_row(each) for each in index)


_PLACE = types.UniTuple(types.int64, 2)


@infer_global(operator.getitem)
class _Get(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        memory, index = args
        if isinstance(memory, _Line) and _is_row(index):
            return signature(types.int64, memory, types.int64)
        if isinstance(memory, _Grid) and _is_place(index):
            return signature(types.int64, memory, _PLACE)
        return None


@infer_global(operator.setitem)
class _Set(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        memory, index, _ = args
        if isinstance(memory, _Line) and _is_row(index):
            return signature(types.none, memory, types.int64, types.int64)
        if isinstance(memory, _Grid) and _is_place(index):
            return signature(types.none, memory, _PLACE, types.int64)
        return None


@infer_global(len)
class _Length(AbstractTemplate):  # type: ignore[misc]
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.int64, *args) if isinstance(args[0], _Memory) else None


@lower_builtin(len, _Memory)
def _length(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0]).length


def _tag(builder: Any, memory: Any) -> Any:
    """What tells the optimiser that other columns are other memory."""
    module = builder.module
    root = module.add_metadata([ir.MetaDataString(module, "steelyard")])
    kind = module.add_metadata([ir.MetaDataString(module, memory.name_of_memory), root])
    return module.add_metadata([kind, kind, ir.Constant(_WORD, 0)])


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The address of a number, checked against the table's length where bounds are checked."""
    memory = signature.args[0]
    given = cgutils.create_struct_proxy(memory)(context, builder, args[0])
    offset, bits = memory.fields[""]
    place = args[1]
    if isinstance(memory, _Grid):
        place, column = builder.extract_value(args[1], 0), builder.extract_value(args[1], 1)
        _check_bounds(context, builder, column, ir.Constant(_WORD, memory.size // 8))
        offset = builder.mul(column, ir.Constant(_WORD, 8))
    else:
        offset = ir.Constant(_WORD, offset)
    _check_bounds(context, builder, place, given.length)
    base = builder.inttoptr(given.address, _BYTE.as_pointer())
    start = builder.add(builder.mul(place, ir.Constant(_WORD, memory.size)), offset)
    return builder.bitcast(builder.gep(base, [start], inbounds=True), ir.IntType(bits).as_pointer())


def _check_bounds(context: Any, builder: Any, index: Any, length: Any) -> None:
    if config.BOUNDSCHECK:
        with builder.if_then(builder.icmp_unsigned(">=", index, length), likely=False):
            context.call_conv.return_user_exc(builder, IndexError, ("index is out of bounds",))


@lower_builtin(operator.getitem, _Line, types.int64)
@lower_builtin(operator.getitem, _Grid, _PLACE)
def _get(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    loaded = builder.load(_pointer(context, builder, signature, args))
    loaded.set_metadata("tbaa", _tag(builder, signature.args[0]))
    return loaded if loaded.type == _WORD else builder.sext(loaded, _WORD)


@lower_builtin(operator.setitem, _Line, types.int64, types.int64)
@lower_builtin(operator.setitem, _Grid, _PLACE, types.int64)
def _set(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    pointer = _pointer(context, builder, signature, args)
    value = args[2] if pointer.type.pointee == _WORD else builder.trunc(args[2], pointer.type.pointee)
    stored = builder.store(value, pointer)
    stored.set_metadata("tbaa", _tag(builder, signature.args[0]))
    return context.get_dummy_value()


def _memory(name: str, kind: Any, stride: int) -> _Memory:
    if isinstance(kind, int):
        return _Grid(name, stride, {"": (0, 64)})
    if kind.names is None:
        return _Line(name, stride, {"": (0, 8 * kind.itemsize)})
    return _Table(
        name, stride, {each: (kind.fields[each][1], 8 * kind.fields[each][0].itemsize) for each in kind.names}
    )


def _word_of_directory(builder: Any, handle: Any, place: int) -> Any:
    directory = builder.inttoptr(handle, _WORD.as_pointer())
    loaded = builder.load(builder.gep(directory, [ir.Constant(_WORD, place)]))
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


def view(slot: int, name: str, kind: Any, stride: int) -> Callable[[Any], Any]:
    """What opens a table: `kind` is the row's dtype or its count of numbers; rows are `stride` bytes apart."""
    if not JIT:
        named = not isinstance(kind, int) and kind.names is not None
        return lambda state: (Columns if named else Column)(getattr(state, name))
    memory = _memory(name, kind, stride)

    @intrinsic
    def opened(typingctx: Any, state: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            result = cgutils.create_struct_proxy(memory)(context, builder)
            result.address = _word_of_directory(builder, args[0], FAR_MAX + 2 * slot)
            result.length = _word_of_directory(builder, args[0], FAR_MAX + 2 * slot + 1)
            return result._getvalue()

        return memory(types.int64), codegen

    return opened  # type: ignore[no-any-return]


def ahead(slot: int, stride: int) -> Callable[[Any, Any], Any]:
    """Ask the processor to fetch the first cache line of a row that will be needed soon.

    Changes nothing; without the JIT it does nothing.
    """
    if not JIT:
        return lambda state, row: None

    @intrinsic
    def fetch_row(typingctx: Any, state: Any, row: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            flag = ir.IntType(32)
            fetch = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), flag, flag, flag]),
                "llvm.prefetch.p0i8",
            )
            address = _word_of_directory(builder, args[0], FAR_MAX + 2 * slot)
            start = builder.add(address, builder.mul(args[1], ir.Constant(_WORD, stride)))
            pointer = builder.inttoptr(start, _BYTE.as_pointer())
            builder.call(fetch, [pointer, ir.Constant(flag, 1), ir.Constant(flag, 3), ir.Constant(flag, 1)])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return fetch_row  # type: ignore[no-any-return]
