"""Sets of rows as bit masks, made by vector compares: the few LLVM fragments the mask kernel is written in.

A *set* is a tuple of unsigned integers, one per block of rows; its type says how many lanes a block has (32 or 64) and
how many blocks there are, so every kernel specialisation follows from the types of its arguments. *Keys* are a flat
array, aligned to 64 bytes, with one number for each row, axis after axis; a dead row holds 0, which no live row has.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from flipforge.jit import intrinsic

__all__ = [
    "equal",
    "is_one_block",
    "join",
    "load_set",
    "lowest",
    "meet",
    "members",
    "minus",
    "nth",
    "quads",
    "single",
    "store_set",
    "when",
]

_I64 = ir.IntType(64)
_SLOW_PDEP = ("znver1", "znver2")  # these run pdep in microcode


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    return context.make_array(array_type)(context, builder, array).data


def _splat(builder: Any, value: Any, lanes: int) -> Any:
    vector = ir.VectorType(value.type, lanes)
    seeded = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
    return builder.shuffle_vector(seeded, ir.Constant(vector, ir.Undefined), zeros)


def _blocks(builder: Any, kind: Any, value: Any) -> list[Any]:
    return [builder.extract_value(value, b) for b in range(kind.count)]


def _pack(context: Any, builder: Any, kind: Any, blocks: Sequence[Any]) -> Any:
    return context.make_tuple(builder, kind, list(blocks))


def _widen(builder: Any, value: Any) -> Any:
    return value if value.type.width == 64 else builder.zext(value, _I64)


@intrinsic
def equal(typing: Any, keys: Any, at: Any, key: Any, like: Any) -> Any:
    """Set of the rows that hold ``key``; theirs begin at ``at``."""
    sig = like(keys, types.uint64, keys.dtype, like)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = _data(context, builder, sig.args[0], args[0])
        width = like.dtype.bitwidth
        size = keys.dtype.bitwidth // 8
        vector = ir.VectorType(context.get_value_type(keys.dtype), width)
        wanted = _splat(builder, args[2], width)
        masks = []
        for block in range(like.count):
            place = builder.gep(data, [builder.add(args[1], ir.Constant(_I64, block * width))])
            held = builder.load(builder.bitcast(place, vector.as_pointer()), align=min(64, width * size))
            masks.append(builder.bitcast(builder.icmp_unsigned("==", held, wanted), ir.IntType(width)))
        return _pack(context, builder, like, masks)

    return sig, generate


def _blockwise(combine: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def typed(typing: Any, left: Any, right: Any) -> Any:
        sig = left(left, left)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            pairs = zip(_blocks(builder, left, args[0]), _blocks(builder, left, args[1]), strict=True)
            return _pack(context, builder, left, [combine(builder, x, y) for x, y in pairs])

        return sig, generate

    return typed


@intrinsic
def meet(typing: Any, left: Any, right: Any) -> Any:
    """Intersection."""
    return _blockwise(lambda builder, x, y: builder.and_(x, y))(typing, left, right)


@intrinsic
def join(typing: Any, left: Any, right: Any) -> Any:
    """Union."""
    return _blockwise(lambda builder, x, y: builder.or_(x, y))(typing, left, right)


@intrinsic
def minus(typing: Any, left: Any, right: Any) -> Any:
    """Difference."""
    return _blockwise(lambda builder, x, y: builder.and_(x, builder.not_(y)))(typing, left, right)


@intrinsic
def when(typing: Any, condition: Any, rows: Any) -> Any:
    """Return the set itself if the condition holds, else the empty one, without a branch."""
    sig = rows(types.boolean, rows)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        blocks = _blocks(builder, rows, args[1])
        return _pack(context, builder, rows, [builder.select(args[0], x, ir.Constant(x.type, 0)) for x in blocks])

    return sig, generate


@intrinsic
def members(typing: Any, rows: Any) -> Any:
    """Size of the set."""
    sig = types.uint64(rows)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        total = ir.Constant(_I64, 0)
        for block in _blocks(builder, rows, args[0]):
            total = builder.add(total, builder.ctpop(_widen(builder, block)))
        return total

    return sig, generate


@intrinsic
def single(typing: Any, row: Any, like: Any) -> Any:
    """Set of one row."""
    sig = like(types.uint64, like)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        width = like.dtype.bitwidth
        kind = ir.IntType(width)
        within = builder.and_(args[0], ir.Constant(_I64, width - 1))
        bit = builder.shl(ir.Constant(kind, 1), builder.trunc(within, kind) if width < 64 else within)
        if like.count == 1:
            return _pack(context, builder, like, [bit])
        home = builder.lshr(args[0], ir.Constant(_I64, width.bit_length() - 1))
        blocks = []
        for block in range(like.count):
            mine = builder.icmp_unsigned("==", home, ir.Constant(_I64, block))
            blocks.append(builder.select(mine, bit, ir.Constant(kind, 0)))
        return _pack(context, builder, like, blocks)

    return sig, generate


def _has_fast_pdep(context: Any) -> bool:
    _, name, features = context.codegen().magic_tuple()
    return "+bmi2" in features.split(",") and name not in _SLOW_PDEP


def _nth_by_pdep(builder: Any, word: Any, index: Any) -> Any:
    pdep = builder.module.declare_intrinsic("llvm.x86.bmi.pdep.64", (), ir.FunctionType(_I64, [_I64, _I64]))
    bit = builder.call(pdep, [builder.shl(ir.Constant(_I64, 1), index), word])
    return builder.cttz(bit, ir.Constant(ir.IntType(1), 1))


def _nth_by_counting(builder: Any, word: Any, index: Any) -> Any:
    place = ir.Constant(_I64, 0)
    for width in (32, 16, 8, 4, 2, 1):
        below = builder.ctpop(builder.and_(word, ir.Constant(_I64, (1 << width) - 1)))
        past = builder.icmp_unsigned(">=", index, below)
        index = builder.select(past, builder.sub(index, below), index)
        word = builder.select(past, builder.lshr(word, ir.Constant(_I64, width)), word)
        place = builder.select(past, builder.add(place, ir.Constant(_I64, width)), place)
    return place


@intrinsic
def nth(typing: Any, rows: Any, index: Any) -> Any:
    """Row number of the member with that index in ascending order; the index must be below the set's size."""
    sig = types.uint64(rows, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        blocks = [_widen(builder, block) for block in _blocks(builder, rows, args[0])]
        word, index = blocks[0], args[1]
        start = skipped = below = ir.Constant(_I64, 0)
        for number in range(1, rows.count):
            below = builder.add(below, builder.ctpop(blocks[number - 1]))
            past = builder.icmp_unsigned(">=", index, below)
            word = builder.select(past, blocks[number], word)
            skipped = builder.select(past, below, skipped)
            start = builder.select(past, ir.Constant(_I64, number * rows.dtype.bitwidth), start)
        find = _nth_by_pdep if _has_fast_pdep(context) else _nth_by_counting
        return builder.add(start, find(builder, word, builder.sub(index, skipped)))

    return sig, generate


@intrinsic
def lowest(typing: Any, rows: Any) -> Any:
    """Lowest row number of a set that is not empty."""
    sig = types.uint64(rows)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        blocks = [_widen(builder, block) for block in _blocks(builder, rows, args[0])]
        word, start = blocks[-1], ir.Constant(_I64, (rows.count - 1) * rows.dtype.bitwidth)
        for number in range(rows.count - 2, -1, -1):
            holds = builder.icmp_unsigned("!=", blocks[number], ir.Constant(_I64, 0))
            word = builder.select(holds, blocks[number], word)
            start = builder.select(holds, ir.Constant(_I64, number * rows.dtype.bitwidth), start)
        return builder.add(start, builder.cttz(word, ir.Constant(ir.IntType(1), 1)))

    return sig, generate


@intrinsic
def quads(typing: Any, rows: Any) -> Any:
    """Set of the numbers 4k for which one of 4k, 4k + 1 and 4k + 2 is a member."""
    sig = rows(rows)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        blocks = []
        for block in _blocks(builder, rows, args[0]):
            lowest_bits = ir.Constant(block.type, sum(1 << bit for bit in range(0, block.type.width, 4)))
            second, third = (builder.lshr(block, ir.Constant(block.type, by)) for by in (1, 2))
            blocks.append(builder.and_(builder.or_(block, builder.or_(second, third)), lowest_bits))
        return _pack(context, builder, rows, blocks)

    return sig, generate


@intrinsic
def is_one_block(typing: Any, rows: Any) -> Any:
    """Tell whether sets of this type have one block."""
    return types.boolean(rows), lambda context, builder, sig, args: ir.Constant(ir.IntType(1), int(rows.count == 1))


@intrinsic
def load_set(typing: Any, sets: Any, number: Any, like: Any) -> Any:
    """Return the set with that number from a flat array of blocks."""
    sig = like(sets, types.uint64, like)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = _data(context, builder, sig.args[0], args[0])
        start = builder.mul(args[1], ir.Constant(_I64, like.count))
        places = [builder.add(start, ir.Constant(_I64, block)) for block in range(like.count)]
        return _pack(context, builder, like, [builder.load(builder.gep(data, [at])) for at in places])

    return sig, generate


@intrinsic
def store_set(typing: Any, sets: Any, number: Any, rows: Any) -> Any:
    """Store a set under that number into a flat array of blocks."""
    sig = types.void(sets, types.uint64, rows)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = _data(context, builder, sig.args[0], args[0])
        start = builder.mul(args[1], ir.Constant(_I64, rows.count))
        for place, block in enumerate(_blocks(builder, rows, args[2])):
            builder.store(block, builder.gep(data, [builder.add(start, ir.Constant(_I64, place))]))
        return context.get_dummy_value()

    return sig, generate
