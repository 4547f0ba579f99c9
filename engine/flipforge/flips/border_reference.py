"""The walk of approximate schemes in plain Python: slow, obvious, and the oracle of the kernel.

It shares no code with it. A factor is a list of polynomials, one for each entry, as lists of coefficients; the rules
are those of `flipforge.flips.border_walk`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flipforge.flips.reference import Generator

__all__ = ["BorderTrace", "border_walk"]

Factor = list[list[int]]
Product = list[Factor]


@dataclass
class BorderTrace:
    """A scheme on its walk, and what was counted."""

    products: list[Product]
    prime: int
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + number

    @property
    def length(self) -> int:
        """Number of coefficients of a polynomial."""
        return len(self.products[0][0][0])

    def reduced(self, x: int) -> int | None:
        """Return x in the ring; None where the ternary integers have no such element."""
        return x % self.prime if self.prime else x if abs(x) <= 1 else None

    def inverse(self, z: int) -> int:
        """Return the inverse of a unit."""
        return pow(z, -1, self.prime) if self.prime else z

    def combined(self, x: Factor, z: int, degree: int, y: Factor) -> Factor | None:
        """Return x + z eps^degree y, None where an entry does not exist."""
        total = []
        for a, b in zip(x, y, strict=True):
            row = [self.reduced(c + z * d) for c, d in zip(a, _raised(b, degree), strict=True)]
            if None in row:
                return None
            total.append([c for c in row if c is not None])
        return total

    def vanishes(self, product: Product) -> bool:
        """Tell whether a product is divisible by eps^(h + 1)."""
        return sum(map(_power, product)) >= self.length

    def alike(self, axis: int, q: int, t: int) -> int:
        """Return the constant z with factor q = z factor t up to powers of eps, as far as both matter, or 0."""
        first, second = self.products[q], self.products[t]
        count = self.length - max(sum(map(_power, first)), sum(map(_power, second)))
        x, y = (_degrees(product[axis], _power(product[axis]), count) for product in (first, second))
        place = next(i for i, value in enumerate(x) if value)
        if not y[place]:
            return 0
        z = self.reduced(x[place] * self.inverse(y[place])) or 0
        return z if x == [self.reduced(z * value) for value in y] else 0

    def share(self, axis: int, q: int, t: int, z: int, to_q: int, to_t: int) -> None:
        """Make two factors equal that are alike."""
        first, second = self.products[q], self.products[t]
        weights = sum(map(_power, first)), sum(map(_power, second))
        low = min(_power(first[axis]), _power(second[axis]))
        for product, to in ((first, to_q), (second, to_t)):
            surplus = _power(product[axis]) - low
            product[to] = [_raised(entry, surplus) for entry in product[to]]
            product[axis] = [[*entry[surplus:], *[0] * surplus] for entry in product[axis]]
        model = first[axis] if weights[0] <= weights[1] else self.scaled(z, second[axis])
        first[axis], second[axis] = _copied(model), _copied(model)
        second[to_t] = self.scaled(self.inverse(z), second[to_t])

    def scaled(self, z: int, factor: Factor) -> Factor:
        """Return a factor times a constant."""
        return [[self.reduced(z * x) or 0 for x in entry] for entry in factor]

    def clear(self, q: int, t: int) -> None:
        """Remove what vanishes of two products."""
        gone = [number for number in (q, t) if self.vanishes(self.products[number])]
        for number in sorted(gone, reverse=True):
            self.remove(number)

    def remove(self, q: int) -> None:
        """Put the last product in the place of product q."""
        last = self.products.pop()
        if q < len(self.products):
            self.products[q] = last

    def merge(self, q: int) -> None:
        """Merge product q with the first that is alike on two axes."""
        for t in [other for other in range(len(self.products)) if other != q]:
            for free in range(3):
                a, b = (free + 1) % 3, (free + 2) % 3
                z, other = self.alike(a, q, t), self.alike(b, q, t)
                if not z or not other:
                    continue
                self.share(a, q, t, z, free, free)
                self.share(b, q, t, other, free, free)
                total = self.combined(self.products[q][free], 1, 0, self.products[t][free])
                if total is None:
                    continue
                self.products[q][free] = total
                if self.vanishes(self.products[q]):
                    self.remove(max(q, t))
                    self.remove(min(q, t))
                else:
                    self.remove(t)
                return

    def flip(self, draw: "Draw") -> None:
        """Flip, where the factors drawn are alike."""
        axis, q, t = draw.axis, draw.row, draw.other
        z = self.alike(axis, q, t)
        if not z:
            return
        b, c = draw.axes(axis)
        degree = draw.degree if draw.flag(37) else 0
        self.share(axis, q, t, z, b if draw.flag(38) else c, b if draw.flag(39) else c)
        first, second = self.products[q], self.products[t]
        new_b = self.combined(first[b], draw.unit, degree, second[b])
        new_c = self.combined(second[c], -draw.unit, degree, first[c])
        if new_b is None or new_c is None:
            self.count("rejected")
            return
        first[b], second[c] = new_b, new_c
        self.count("flips")
        before = len(self.products)
        self.clear(q, t)
        for number in (q, t):
            if len(self.products) == before:
                self.merge(number)
        self.count("reductions", before - len(self.products))

    def plus(self, draw: "Draw") -> None:
        """Make a plus transition or a split."""
        a, b, c, q, t = draw.axis, (draw.axis + 1) % 3, (draw.axis + 2) % 3, draw.row, draw.other
        degree = draw.degree if draw.flag(37) else 0
        first, second = self.products[q], self.products[t]
        new = [_copied(factor) for factor in first]
        zero = [[0] * self.length for _ in first[a]]
        if draw.flag(36):
            part = self.combined(zero, draw.unit, degree, second[a])
            rest = self.combined(first[a], -draw.unit, degree, second[a])
            if part is None or rest is None:
                self.count("rejected")
                return
            new[a], first[a] = part, rest
        else:
            new_c = self.combined(second[c], -draw.unit, degree, first[c])
            new_a = self.combined(second[a], -1, 0, first[a])
            new_b = self.combined(first[b], draw.unit, degree, second[b])
            if new_a is None or new_b is None or new_c is None:
                self.count("rejected")
                return
            new[b], new[c] = _copied(second[b]), new_c
            first[b], second[a] = new_b, new_a
        self.count("splits" if draw.flag(36) else "plus")
        if not self.vanishes(new):
            self.products.append(new)
        self.clear(q, t)

    def regauge(self, draw: "Draw") -> None:
        """Move a power of eps or a unit between two factors of a product."""
        product = self.products[draw.row]
        axis, other = draw.axis, draw.axes(draw.axis)[0]
        self.count("gauges")
        if not self.prime or draw.flag(37):
            if _power(product[axis]):
                product[axis] = [[*entry[1:], 0] for entry in product[axis]]
                product[other] = [_raised(entry, 1) for entry in product[other]]
            return
        unit = [1, *[0] * (self.length - 1)]
        unit[draw.degree] = -draw.unit
        inverse = [pow(draw.unit, k // draw.degree) if k % draw.degree == 0 else 0 for k in range(self.length)]
        product[axis] = [self.multiplied(entry, unit) for entry in product[axis]]
        product[other] = [self.multiplied(entry, inverse) for entry in product[other]]

    def multiplied(self, x: list[int], y: list[int]) -> list[int]:
        """Return the product of two polynomials modulo eps^(h + 1) and the prime."""
        return [sum(x[i] * y[k - i] for i in range(k + 1)) % self.prime for k in range(self.length)]


@dataclass(frozen=True)
class Draw:
    """Two numbers of 63 bits and what is read off them."""

    bits: int
    extra: int
    rank: int
    length: int
    prime: int

    def below(self, shift: int, n: int) -> int:
        """Return a number below n."""
        return (self.bits >> shift) % 4096 * n // 4096

    def flag(self, bit: int) -> bool:
        """Tell whether a bit is set."""
        return bool(self.bits >> bit & 1)

    def axes(self, axis: int) -> tuple[int, int]:
        """Return the other two axes, in the order that flag 36 says."""
        following = (axis + 1) % 3, (axis + 2) % 3
        return following[::-1] if self.flag(36) else following

    @property
    def axis(self) -> int:
        """The axis."""
        return self.below(0, 3)

    @property
    def row(self) -> int:
        """The first row."""
        return self.below(12, self.rank)

    @property
    def other(self) -> int:
        """The second row."""
        return (self.row + 1 + self.below(24, self.rank - 1)) % self.rank

    @property
    def degree(self) -> int:
        """A power of eps, from 1 to h."""
        return 1 + self.below(48, self.length - 1)

    @property
    def unit(self) -> int:
        """A unit of the ring."""
        return 1 + self.extra % 4096 * (self.prime - 1) // 4096 if self.prime else 1 - 2 * (self.extra % 2)


def border_walk(
    scheme: Sequence[Sequence[Factor]],
    prime: int,
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    seed: Sequence[int],
) -> BorderTrace:
    """Walk; ``scheme`` is u, v and w as lists of rows."""
    start = [[_copied(factor) for factor in product] for product in zip(*scheme, strict=True)]
    generator, first = Generator(seed), len(start)
    trace = BorderTrace([[_copied(factor) for factor in product] for product in start], prime)
    gone = since = taken = 0
    best = first
    while len(trace.products) > goal and taken < steps:
        if gone == path:
            trace.products = [[_copied(factor) for factor in product] for product in start]
            gone, since, best = 0, 0, first
            trace.count("restarts")
        rank = len(trace.products)
        draw = Draw(generator.next() >> 1, generator.next() >> 1, rank, trace.length, prime)
        if rank > 1:
            if since >= idle and rank < first + band:
                trace.plus(draw)
                since = 0
            elif draw.bits >> 60 == 0:
                trace.regauge(draw)
            else:
                trace.flip(draw)
        taken, gone, since = taken + 1, gone + 1, since + 1
        if len(trace.products) < best:
            best, since = len(trace.products), 0
    trace.counts["steps"] = taken
    return trace


def _power(factor: Factor) -> int:
    """Return the power of eps that divides a factor."""
    length = len(factor[0])
    return next((degree for degree in range(length) if any(entry[degree] for entry in factor)), length)


def _degrees(factor: Factor, first: int, count: int) -> list[int]:
    """Return the coefficients of so many degrees, one degree after the other."""
    return [entry[degree] for degree in range(first, first + count) for entry in factor]


def _raised(entry: Sequence[int], degree: int) -> list[int]:
    return [*[0] * min(degree, len(entry)), *entry[: max(0, len(entry) - degree)]]


def _copied(factor: Factor) -> Factor:
    return [list(entry) for entry in factor]
