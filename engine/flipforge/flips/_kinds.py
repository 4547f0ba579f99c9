"""Factors and units as values of kernels: what makes one walk serve every representation.

A *factor* is a vector over the ring, held as a tuple of lane words and *normalised*: its first nonzero entry is 1. A
*unit* is an invertible element; a product is ``unit * u (x) v (x) w``. How both are coded:

==========  ===================================================  ==============================
ring        factor                                               unit
==========  ===================================================  ==============================
GF2         bit i is entry i                                     0, for 1
GF3, ZT     two bit planes: entry i is 1, entry i is -1          0 for 1, 1 for -1
GF5, GF7    entry i in bits 4i to 4i + 3                         itself
==========  ===================================================  ==============================

Both planes share one word where the factor fits into half of it; otherwise the first half of the words is one plane.
A `Kind` is passed to kernels as an argument without content: its type selects the ring's
`flipforge.flips._arithmetic`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numba.extending
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types as numba_types

from flipforge.flips._arithmetic import ARITHMETIC, Arithmetic, Values
from flipforge.jit import intrinsic

__all__ = [
    "Kind",
    "add",
    "address",
    "combine",
    "divide",
    "entry",
    "is_own_key",
    "is_zero",
    "key_of",
    "load",
    "meets",
    "negate",
    "octet",
    "same",
    "store",
    "times",
    "unit",
    "units",
    "words",
    "zero",
]

_I1, _I64 = ir.IntType(1), ir.IntType(64)
_TRUE = ir.Constant(_I1, 1)

types: Any = numba_types
extending: Any = numba.extending


@dataclass(frozen=True)
class Kind:
    """Name of a ring, bits of a lane word, and words of a factor."""

    ring: str
    width: int
    words: int


class KindType(types.Type):  # type: ignore[misc]
    """The type of a `Kind`: one for each of its values."""

    def __init__(self, ring: str, width: int, words: int) -> None:
        self.ring, self.width, self.words = ring, width, words
        super().__init__(name=f"Kind({ring}, {width}, {words})")

    @property
    def lane(self) -> Any:
        """Type of a lane word."""
        return {16: types.uint16, 32: types.uint32, 64: types.uint64}[self.width]

    @property
    def factor(self) -> Any:
        """Type of a factor."""
        return types.UniTuple(self.lane, self.words)


extending.register_model(KindType)(extending.models.OpaqueModel)


def _typeof(value: Kind, context: Any) -> KindType:
    return KindType(value.ring, value.width, value.words)


def _unbox(kind: Any, value: Any, context: Any) -> Any:
    return extending.NativeValue(context.context.get_dummy_value())


extending.typeof_impl.register(Kind)(_typeof)
extending.unbox(KindType)(_unbox)


def _split(builder: Any, kind: KindType, value: Any) -> Values:
    return [builder.extract_value(value, place) for place in range(kind.words)]


def _ring(kind: KindType, builder: Any) -> Arithmetic:
    return ARITHMETIC[kind.ring](kind.width, kind.words, builder)


def _made(context: Any, builder: Any, kind: KindType, words_of: Sequence[Any]) -> Any:
    return context.make_tuple(builder, kind.factor, list(words_of))


@intrinsic
def add(typing: Any, kind: Any, x: Any, y: Any) -> Any:
    """Return x + y as it is, not normalised; it must exist."""
    sig = kind.factor(kind, kind.factor, kind.factor)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        total, _ = _ring(kind, builder).add(_split(builder, kind, args[1]), _split(builder, kind, args[2]))
        return _made(context, builder, kind, total)

    return sig, generate


@intrinsic
def combine(typing: Any, kind: Any, x: Any, y: Any, unit: Any) -> Any:
    """Return x + unit * y normalised, the unit it was divided by, and whether it exists; zero if the sum is zero."""
    result = types.Tuple((kind.factor, types.uint64, types.boolean))
    sig = result(kind, kind.factor, kind.factor, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        ring = _ring(kind, builder)
        total, by, exists = ring.combine(_split(builder, kind, args[1]), _split(builder, kind, args[2]), args[3])
        return context.make_tuple(builder, result, [_made(context, builder, kind, total), by, exists])

    return sig, generate


def _of_units(count: int, build: Callable[..., Any]) -> Callable[..., Any]:
    def typed(kind: Any) -> Any:
        sig = types.uint64(kind, *[types.uint64] * count)

        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return build(_ring(kind, builder), *args[1:])

        return sig, generate

    return typed


@intrinsic
def times(typing: Any, kind: Any, s: Any, t: Any) -> Any:
    """Product of two units."""
    return _of_units(2, lambda ring, s, t: ring.times(s, t))(kind)


@intrinsic
def divide(typing: Any, kind: Any, s: Any, t: Any) -> Any:
    """Quotient of two units."""
    return _of_units(2, lambda ring, s, t: ring.divide(s, t))(kind)


@intrinsic
def negate(typing: Any, kind: Any, s: Any) -> Any:
    """Negative of a unit."""
    return _of_units(1, lambda ring, s: ring.negate(s))(kind)


@intrinsic
def units(typing: Any, kind: Any) -> Any:
    """Number of units."""
    return _of_units(0, lambda ring: ir.Constant(_I64, ring.units))(kind)


@intrinsic
def unit(typing: Any, kind: Any, number: Any) -> Any:
    """Code of the unit with that number, counted from 0; number 0 is 1."""
    return _of_units(1, lambda ring, number: ring.builder.add(number, ir.Constant(_I64, ring.one)))(kind)


@intrinsic
def words(typing: Any, kind: Any) -> Any:
    """Words of a factor."""
    return _of_units(0, lambda ring: ir.Constant(_I64, ring.words))(kind)


@intrinsic
def octet(typing: Any, kind: Any, value: Any, place: Any) -> Any:
    """Return the byte with that number of a factor, counted from the lowest of its first word."""
    sig = types.uint64(kind, kind.factor, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        parts = _split(builder, kind, args[1])
        word = parts[0]
        for number in range(1, kind.words):
            past = builder.icmp_unsigned(">=", args[2], ir.Constant(_I64, number * kind.width // 8))
            word = builder.select(past, parts[number], word)
        within = builder.and_(args[2], ir.Constant(_I64, kind.width // 8 - 1))
        wide = word if kind.width == 64 else builder.zext(word, _I64)
        return builder.and_(builder.lshr(wide, builder.shl(within, ir.Constant(_I64, 3))), ir.Constant(_I64, 255))

    return sig, generate


@intrinsic
def same(typing: Any, x: Any, y: Any) -> Any:
    """Tell whether two factors are equal."""
    sig = types.boolean(x, x)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        result = _TRUE
        for place in range(x.count):
            pair = [builder.extract_value(arg, place) for arg in args]
            result = builder.and_(result, builder.icmp_unsigned("==", *pair))
        return result

    return sig, generate


@intrinsic
def meets(typing: Any, x: Any, mask: Any) -> Any:
    """Tell whether a factor has a nonzero entry where a mask, a factor of all bits there, has one."""
    sig = types.boolean(x, x)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        common = ir.Constant(ir.IntType(x.dtype.bitwidth), 0)
        for place in range(x.count):
            pair = [builder.extract_value(arg, place) for arg in args]
            common = builder.or_(common, builder.and_(*pair))
        return builder.icmp_unsigned("!=", common, ir.Constant(common.type, 0))

    return sig, generate


@intrinsic
def is_zero(typing: Any, x: Any) -> Any:
    """Tell whether a factor is zero."""
    sig = types.boolean(x)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole = builder.extract_value(args[0], 0)
        for place in range(1, x.count):
            whole = builder.or_(whole, builder.extract_value(args[0], place))
        return builder.icmp_unsigned("==", whole, ir.Constant(whole.type, 0))

    return sig, generate


@intrinsic
def zero(typing: Any, kind: Any) -> Any:
    """Return the zero factor."""
    sig = kind.factor(kind)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _made(context, builder, kind, [ir.Constant(ir.IntType(kind.width), 0)] * kind.words)

    return sig, generate


@intrinsic
def address(typing: Any, array: Any) -> Any:
    """Return where the data of an array lies; who passes it on must hold the array.

    Inside loops a number is cheaper to hand to helpers than an array, whose references are counted.
    """
    sig = types.int64(array)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ptrtoint(context.make_array(array)(context, builder, args[0]).data, _I64)

    return sig, generate


@intrinsic
def entry(typing: Any, table: Any, at: Any) -> Any:
    """Return the number at a place of an int64 array that is given by its address."""
    sig = types.int64(types.int64, types.int64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(builder.gep(builder.inttoptr(args[0], _I64.as_pointer()), [args[1]]))

    return sig, generate


def _place(context: Any, builder: Any, kind: KindType, table_type: Any, table: Any, at: Any) -> Values:
    if isinstance(table_type, types.Integer):
        data = builder.inttoptr(table, ir.IntType(kind.width).as_pointer())
    else:
        data = context.make_array(table_type)(context, builder, table).data
    start = builder.mul(at, ir.Constant(_I64, kind.words))
    return [builder.gep(data, [builder.add(start, ir.Constant(_I64, word))]) for word in range(kind.words)]


@intrinsic
def load(typing: Any, kind: Any, table: Any, at: Any) -> Any:
    """Return the factor with that number from an array of words, or from the address of one."""
    sig = kind.factor(kind, table, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        places = _place(context, builder, kind, sig.args[1], args[1], args[2])
        return _made(context, builder, kind, [builder.load(place) for place in places])

    return sig, generate


@intrinsic
def store(typing: Any, kind: Any, table: Any, at: Any, value: Any) -> Any:
    """Put a factor into an array of words, or at the address of one, under that number."""
    sig = types.void(kind, table, types.uint64, kind.factor)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        places = _place(context, builder, kind, sig.args[1], args[1], args[2])
        for place, word in zip(places, _split(builder, kind, args[3]), strict=True):
            builder.store(word, place)
        return context.get_dummy_value()

    return sig, generate


@intrinsic
def is_own_key(typing: Any, kind: Any, keys: Any) -> Any:
    """Tell whether a factor is its own key, so that no two factors share one."""
    sig = types.boolean(kind, keys)
    own = kind.words == 1 and kind.width <= keys.dtype.bitwidth
    return sig, lambda context, builder, sig, args: ir.Constant(_I1, int(own))


@intrinsic
def key_of(typing: Any, kind: Any, keys: Any, value: Any, salt: Any) -> Any:
    """Key of a factor: itself where it fits, else a multiplicative hash."""
    sig = keys.dtype(kind, keys, kind.factor, types.uint64)

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        parts = _split(builder, kind, args[2])
        size = keys.dtype.bitwidth
        if kind.words == 1 and kind.width <= size:
            return parts[0] if kind.width == size else builder.zext(parts[0], ir.IntType(size))
        mixed = ir.Constant(_I64, 0)
        for part in parts:
            word = part if kind.width == 64 else builder.zext(part, _I64)
            mixed = builder.mul(builder.xor(mixed, word), args[3])
            if kind.words > 1:
                mixed = builder.xor(mixed, builder.lshr(mixed, ir.Constant(_I64, 32)))
        if kind.words > 1:
            mixed = builder.mul(mixed, args[3])
        return builder.trunc(builder.lshr(mixed, ir.Constant(_I64, 64 - size)), ir.IntType(size))

    return sig, generate
