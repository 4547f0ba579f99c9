"""Sums of factors and products of units as LLVM instructions, one class for each ring.

How factors and units are coded is told by `flipforge.flips._kinds`.
"""

from abc import ABC, abstractmethod
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]

__all__ = ["ARITHMETIC", "Arithmetic", "Values"]

_I1, _I64 = ir.IntType(1), ir.IntType(64)
_TRUE = ir.Constant(_I1, 1)

Values = list[Any]


class Arithmetic(ABC):
    """Builds the instructions of one ring; factors are lists of lane words, units are 64-bit words.

    Parameters
    ----------
    width, words
        Bits of a lane word, and words of a factor.
    builder
        Of llvmlite.
    """

    units = 1
    one = 0

    def __init__(self, width: int, words: int, builder: Any) -> None:
        self.width, self.words, self.builder = width, words, builder
        self.int = ir.IntType(width)

    def word(self, value: int) -> Any:
        """Return a constant lane word."""
        return ir.Constant(self.int, value)

    def any(self, values: Values) -> Any:
        """Tell whether a bit is set."""
        whole = values[0]
        for value in values[1:]:
            whole = self.builder.or_(whole, value)
        return self.builder.icmp_unsigned("!=", whole, self.word(0))

    @abstractmethod
    def add(self, x: Values, y: Values) -> tuple[Values, Any]:
        """Return x + y as it is, and whether it exists."""

    @abstractmethod
    def combine(self, x: Values, y: Values, unit: Any) -> tuple[Values, Any, Any]:
        """Return x + unit * y normalised, the unit it was divided by, and whether it exists."""

    @abstractmethod
    def times(self, s: Any, t: Any) -> Any:
        """Return the product of two units."""

    @abstractmethod
    def divide(self, s: Any, t: Any) -> Any:
        """Return the quotient of two units."""

    @abstractmethod
    def negate(self, s: Any) -> Any:
        """Return the negative of a unit."""


class _Two(Arithmetic):
    """GF(2)."""

    def add(self, x: Values, y: Values) -> tuple[Values, Any]:
        return [self.builder.xor(a, b) for a, b in zip(x, y, strict=True)], _TRUE

    def combine(self, x: Values, y: Values, unit: Any) -> tuple[Values, Any, Any]:
        return self.add(x, y)[0], ir.Constant(_I64, 0), _TRUE

    def times(self, s: Any, t: Any) -> Any:
        return s

    divide = times

    def negate(self, s: Any) -> Any:
        return s


class _Signed(Arithmetic):
    """What GF(3) and the ternary integers share: two planes, units 1 and -1.

    Swapping the planes of a factor negates it; so the formulas are those of one plane, on words that hold both.
    """

    units = 2

    def add(self, x: Values, y: Values) -> tuple[Values, Any]:
        return self._sum(x, y, self._swapped(y))

    def combine(self, x: Values, y: Values, unit: Any) -> tuple[Values, Any, Any]:
        negated = self._swapped(y)
        flip = self.builder.trunc(unit, _I1)
        y, negated = self._chosen(flip, negated, y), self._chosen(flip, y, negated)
        total, exists = self._sum(x, y, negated)
        opposite = self._swapped(total)
        negative = self._is_negative(total, opposite)
        return self._chosen(negative, opposite, total), self.builder.zext(negative, _I64), exists

    def times(self, s: Any, t: Any) -> Any:
        return self.builder.xor(s, t)

    divide = times

    def negate(self, s: Any) -> Any:
        return self.builder.xor(s, ir.Constant(_I64, 1))

    @abstractmethod
    def _sum(self, x: Values, y: Values, negated: Values) -> tuple[Values, Any]:
        """Return x + y and whether it exists; the negative of y is given too."""

    def _is_negative(self, total: Values, opposite: Values) -> Any:
        """Tell whether the first nonzero entry is -1."""
        b = self.builder
        negative = ir.Constant(_I1, 0)
        for word, other in reversed(list(zip(total, opposite, strict=True))[: max(1, len(total) // 2)]):
            held = b.or_(word, other)
            here = b.icmp_unsigned("!=", b.and_(other, b.and_(held, b.neg(held))), self.word(0))
            if len(total) == 1:
                return here
            negative = b.select(b.icmp_unsigned("!=", held, self.word(0)), here, negative)
        return negative

    def _chosen(self, condition: Any, yes: Values, no: Values) -> Values:
        return [self.builder.select(condition, x, y) for x, y in zip(yes, no, strict=True)]

    def _swapped(self, x: Values) -> Values:
        if len(x) > 1:
            return x[len(x) // 2 :] + x[: len(x) // 2]
        half = self.word(self.width // 2)
        return [self.builder.or_(self.builder.shl(x[0], half), self.builder.lshr(x[0], half))]


class _Three(_Signed):
    """GF(3)."""

    def _sum(self, x: Values, y: Values, negated: Values) -> tuple[Values, Any]:
        b = self.builder
        mixed = [b.or_(s, t) for s, t in zip(x, negated, strict=True)]
        crossed = [b.xor(s, t) for s, t in zip(mixed, self._swapped(mixed), strict=True)]
        ends = [b.or_(s, t) for s, t in zip(self._swapped(x), negated, strict=True)]
        return [b.xor(s, t) for s, t in zip(ends, crossed, strict=True)], _TRUE


class _Ternary(_Signed):
    """The integers -1, 0, 1: a sum that holds 2 or -2 does not exist."""

    def _sum(self, x: Values, y: Values, negated: Values) -> tuple[Values, Any]:
        b = self.builder
        both = [b.or_(s, t) for s, t in zip(x, y, strict=True)]
        total = [b.and_(s, b.not_(t)) for s, t in zip(both, self._swapped(both), strict=True)]
        return total, b.not_(self.any([b.and_(s, t) for s, t in zip(x, y, strict=True)]))


class _Packed(Arithmetic):
    """GF(5) and GF(7), four bits an entry: a sum of two entries and what shows an overflow stay below 16."""

    one = 1
    prime = 0

    @property
    def units(self) -> int:  # type: ignore[override]
        return self.prime - 1

    def add(self, x: Values, y: Values) -> tuple[Values, Any]:
        return [self._add(s, t) for s, t in zip(x, y, strict=True)], _TRUE

    def combine(self, x: Values, y: Values, unit: Any) -> tuple[Values, Any, Any]:
        b = self.builder
        total, _ = self.add(x, self._scaled(y, unit))
        lead = ir.Constant(_I64, 1)
        for word in reversed(total):
            holds = b.icmp_unsigned("!=", word, self.word(0))
            zeros = b.cttz(b.select(holds, word, self.word(1)), _TRUE)
            first = b.and_(b.lshr(word, b.and_(zeros, self.word(-4 & (1 << self.width) - 1))), self.word(15))
            lead = b.select(holds, self._wide(first), lead)
        return self._scaled(total, self._inverse(lead)), lead, _TRUE

    def times(self, s: Any, t: Any) -> Any:
        return self.builder.urem(self.builder.mul(s, t), ir.Constant(_I64, self.prime))

    def divide(self, s: Any, t: Any) -> Any:
        return self.times(s, self._inverse(t))

    def negate(self, s: Any) -> Any:
        return self.builder.sub(ir.Constant(_I64, self.prime), s)

    def _wide(self, value: Any) -> Any:
        return value if self.width == 64 else self.builder.zext(value, _I64)

    def _each(self, value: int) -> Any:
        return self.word(sum(value << place for place in range(0, self.width, 4)))

    def _add(self, x: Any, y: Any) -> Any:
        b = self.builder
        total = b.add(x, y)
        beyond = b.lshr(b.and_(b.add(total, self._each(8 - self.prime)), self._each(8)), self.word(3))
        return b.sub(total, b.mul(beyond, self.word(self.prime)))

    def _scaled(self, x: Values, unit: Any) -> Values:
        b = self.builder
        bits = [b.trunc(b.lshr(unit, ir.Constant(_I64, place)), _I1) for place in range(3)]
        scaled = []
        for word in x:
            twice = self._add(word, word)
            result = b.select(bits[2], self._add(twice, twice), self.word(0))
            result = self._add(result, b.select(bits[1], twice, self.word(0)))
            scaled.append(self._add(result, b.select(bits[0], word, self.word(0))))
        return scaled

    def _inverse(self, unit: Any) -> Any:
        table = sum(pow(x, -1, self.prime) << 4 * x for x in range(1, self.prime))
        place = self.builder.shl(unit, ir.Constant(_I64, 2))
        return self.builder.and_(self.builder.lshr(ir.Constant(_I64, table), place), ir.Constant(_I64, 15))


class _Five(_Packed):
    prime = 5


class _Seven(_Packed):
    prime = 7


ARITHMETIC: dict[str, type[Arithmetic]] = {"GF2": _Two, "GF3": _Three, "ZT": _Ternary, "GF5": _Five, "GF7": _Seven}
"""The rings that are walked over."""
