"""The walk of orbits in plain Python: slow, obvious, and the oracle of its kernel.

It shares no code with it; generator and sums are those of the plain walk's twin. A product is three tuples of entries,
in the coordinates of the problem, and a unit. A factor is normalised where the
first nonzero entry of what the first element that moves it to its home makes of it is 1. The rules are those of
`flipforge.flips`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flipforge.flips.reference import Arithmetic, Factor, Generator

__all__ = ["Move", "Product", "SymmetricTrace", "symmetric_walk"]

Factors = tuple[Factor, Factor, Factor]


class Product(NamedTuple):
    """Factors and the unit before them."""

    factors: Factors
    unit: int = 1


@dataclass(frozen=True)
class Move:
    """A group element: the factor on axis i goes to axis ``axes[i]`` through the matrix ``maps[i]``, a row an entry."""

    axes: tuple[int, int, int]
    maps: tuple[tuple[Factor, ...], tuple[Factor, ...], tuple[Factor, ...]]


@dataclass
class Orbit:
    """A row: one of its products; frozen orbits are sets of images, the others sums over the whole group."""

    product: Product
    length: int
    frozen: bool


@dataclass(frozen=True)
class SymmetricTrace:
    """What the walk did: the ordinary scheme at the end, sorted, and the counts that `SymmetricWalk` has."""

    products: list[Product]
    steps: int
    plus: int
    thawed: int
    rejected: int
    reductions: int
    restarts: int
    partnered: int


def symmetric_walk(
    orbits: Sequence[tuple[Factors, int]],
    group: Sequence[Move],
    *,
    ring: str,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    slots: int,
    seed: Sequence[int],
) -> SymmetricTrace:
    """Walk from orbits, given by a product and a length each, as `flipforge.flips.symmetric_walk` does."""
    state = _State(group, Arithmetic(ring), Generator(seed), slots)
    first = [(state.normal(factors, 1), length) for factors, length in orbits]
    state.begin(first)
    state.limit = state.rank() + band * len(group)
    taken = walked = 0
    counts = dict.fromkeys(("plus", "thawed", "rejected", "reductions", "restarts"), 0)
    while state.rank() > goal and taken < steps:
        event = "restarts" if walked >= path else state.step(idle)
        if event == "restarts":
            if not walked:
                break
            state.begin(first)
            walked = 0
        else:
            taken += 1
            walked += 1
        if event == "flip":
            counts["reductions"] += state.gone()
        else:
            counts[event] += 1
            state.gone()
    return SymmetricTrace(
        state.scheme(),
        taken,
        counts["plus"],
        counts["thawed"],
        counts["rejected"],
        counts["reductions"],
        counts["restarts"],
        len(state.entries()),
    )


class _State:
    def __init__(self, group: Sequence[Move], ring: Arithmetic, generator: Generator, slots: int) -> None:
        self.group, self.ring, self.generator = group, ring, generator
        self.slots: list[Orbit | None] = [None] * slots
        self.known: dict[Product, list[Product]] = {}
        self.limit = self.since = self.before = self.record = 0
        homes = [min(move.axes[axis] for move in group) for axis in range(3)]
        carriers = [next(m for m in group if m.axes[axis] == home) for axis, home in enumerate(homes)]
        self.carried = [carrier.maps[axis] for axis, carrier in enumerate(carriers)]

    def begin(self, orbits: Sequence[tuple[Product, int]]) -> None:
        fill = [Orbit(product, length, length < len(self.group)) for product, length in orbits]
        self.slots = [*fill, *([None] * (len(self.slots) - len(fill)))]
        self.before = self.record = self.rank()
        self.since = 0

    def rank(self) -> int:
        return sum(row.length for row in self.slots if row is not None)

    def gone(self) -> int:
        """Return how much the rank fell in this step, and note a record."""
        rank = self.rank()
        gone, self.before = self.before - rank, rank
        if rank < self.record:
            self.record, self.since = rank, 0
        return gone

    def through(self, matrix: Sequence[Factor], factor: Factor) -> Factor:
        return tuple(self.ring.reduced(sum(x * y for x, y in zip(row, factor, strict=True))) for row in matrix)

    def normal(self, factors: Sequence[Factor], unit: int) -> Product:
        found = []
        for axis, factor in enumerate(factors):
            lead = next((x for x in self.through(self.carried[axis], factor) if x), 1)
            found.append(tuple(self.ring.reduced(x * self.ring.inverse(lead)) for x in factor))
            unit = self.ring.reduced(unit * lead)
        return Product((found[0], found[1], found[2]), unit)

    def apply(self, move: Move, product: Product) -> Product:
        moved: list[Factor] = [()] * 3
        for factor, axis, matrix in zip(product.factors, move.axes, move.maps, strict=True):
            moved[axis] = self.through(matrix, factor)
        return self.normal(moved, product.unit)

    def plus_scaled(self, x: Factor, y: Factor, scale: int) -> Factor | None:
        """Return x + scale * y as it is; None where it does not exist."""
        made = self.ring.combine(x, y, scale)
        return None if made is None else tuple(self.ring.reduced(entry * made[1]) for entry in made[0])

    def images(self, product: Product) -> list[Product]:
        if product not in self.known:
            self.known[product] = [self.apply(move, product) for move in self.group]
        return self.known[product]

    def walking(self) -> list[tuple[int, Orbit]]:
        return [(slot, row) for slot, row in enumerate(self.slots) if row is not None and not row.frozen]

    def row(self, slot: int) -> Orbit:
        row = self.slots[slot]
        assert row is not None
        return row

    def partners(self, slot: int, axis: int) -> list[tuple[int, int, int]]:
        """All (slot, axis, element) that move the factor of another orbit onto this one, in that order."""
        wanted = self.row(slot).product.factors[axis]
        return sorted(
            (other, move.axes.index(axis), g)
            for other, held in self.walking()
            if other != slot
            for g, (move, image) in enumerate(zip(self.group, self.images(held.product), strict=True))
            if image.factors[axis] == wanted
        )

    def entries(self) -> list[tuple[int, int]]:
        return [(slot, axis) for slot, _ in self.walking() for axis in range(3) if self.partners(slot, axis)]

    def step(self, idle: int) -> str:
        drawn = self.generator.next()
        entries = self.entries()
        if not entries or self.since >= idle:
            self.since = 0
            if self.rank() + len(self.group) <= self.limit and (made := self.add(drawn, self.generator.next())):
                return made
            if not entries:
                return "restarts"
        self.since += 1
        return self.flip(entries, drawn)

    def flip(self, entries: list[tuple[int, int]], drawn: int) -> str:
        slot, axis = entries[(drawn >> 32) * len(entries) >> 32]
        partners = self.partners(slot, axis)
        places = sorted({(other, home) for other, home, _ in partners})
        choice = (drawn & 0xFFFFFFFF) * len(places)
        chosen = places[choice >> 32]
        elements = [g for other, home, g in partners if (other, home) == chosen]
        number = (choice & 0xFFFFFFFF) * len(elements) * len(self.ring.units) >> 32
        move = self.group[elements[number // len(self.ring.units)]]
        after = (axis + 1) % 3 if drawn & 1 else (axis + 2) % 3
        last = 3 - axis - after
        row, other = self.row(slot), self.row(chosen[0])
        before = row.product, other.product
        image = self.apply(move, other.product)
        z = self.unit(row.product, image, after, last, number % len(self.ring.units))
        made = self.flipped(row.product, image, after, last, z) or self.flipped(row.product, image, after, last, -z)
        if made is None:
            return "rejected"
        row.product = made[0]
        other.product = self.apply(next(m for m in self.group if self.undoes(m, move)), made[1])
        if any(not any(f) for r in (row, other) for f in r.product.factors) or any(
            self.fixers(r.product)[0] > 1 for r in (row, other)
        ):
            if self.lost(row.product) or self.lost(other.product):
                row.product, other.product = before
                return "rejected"
            self.settle(slot)
            self.settle(chosen[0])
        elif not self.merge(slot, axis, after):
            self.merge(chosen[0], chosen[1], move.axes.index(last))
        return "flip"

    def unit(self, product: Product, image: Product, after: int, last: int, number: int) -> int:
        """Return the unit that is drawn or, where a further factor agrees, one that makes a product vanish."""
        ratio = self.ring.reduced(image.unit * self.ring.inverse(product.unit))
        if product.factors[after] == image.factors[after]:
            return -1
        return ratio if product.factors[last] == image.factors[last] else self.ring.units[number]

    def flipped(
        self, product: Product, image: Product, after: int, last: int, z: int
    ) -> tuple[Product, Product] | None:
        """Return both products after a flip; None where a sum does not exist."""
        scale = self.ring.reduced(-z * product.unit * self.ring.inverse(image.unit))
        b = self.plus_scaled(product.factors[after], image.factors[after], z)
        c = self.plus_scaled(image.factors[last], product.factors[last], scale)
        if b is None or c is None:
            return None
        return (
            self.normal(_with(product.factors, after, b), product.unit),
            self.normal(_with(image.factors, last, c), image.unit),
        )

    def merge(self, slot: int, first: int, second: int) -> bool:
        row = self.row(slot)
        third = 3 - first - second
        for other, held in self.walking():
            for image in self.images(held.product) if other != slot else []:
                before = row.product
                if any(image.factors[axis] != before.factors[axis] for axis in (first, second)):
                    continue
                ratio = self.ring.reduced(image.unit * self.ring.inverse(before.unit))
                total = self.plus_scaled(before.factors[third], image.factors[third], ratio)
                if total is None:
                    continue
                row.product = self.normal(_with(before.factors, third, total), before.unit)
                if self.lost(row.product):
                    row.product = before
                    continue
                self.slots[other] = None
                self.settle(slot)
                return True
        return False

    def fixers(self, product: Product) -> tuple[int, bool]:
        """How many elements fix a product up to a unit, and whether one of them changes the unit."""
        units = [image.unit for image in self.images(product) if image.factors == product.factors]
        return len(units), any(unit != product.unit for unit in units)

    def multiple(self, product: Product) -> int | None:
        """What the sum over the group is of the orbit of a product: an element of the ring, or none of it."""
        count, changes = self.fixers(product)
        if changes or any(not any(factor) for factor in product.factors):
            return 0
        return None if count > 1 and not self.ring.prime else self.ring.reduced(count)

    def lost(self, product: Product) -> bool:
        return self.multiple(product) is None

    def settle(self, slot: int) -> None:
        row = self.slots[slot]
        if row is None or row.frozen:
            return
        multiple, (fixers, _) = self.multiple(row.product), self.fixers(row.product)
        if not multiple:
            self.slots[slot] = None
        elif fixers > 1:
            row.frozen, row.length = True, len(self.group) // fixers
            row.product = Product(row.product.factors, self.ring.reduced(row.product.unit * multiple))
            for other, held in enumerate(self.slots):
                if other != slot and held is not None and held.frozen:
                    units = [x.unit for x in self.images(row.product) if x.factors == held.product.factors]
                    if units:
                        self.slots[slot] = None
                        total = self.ring.reduced(held.product.unit + units[0])
                        held.product = Product(held.product.factors, total)
                        self.slots[other] = held if total else None
                        return

    def add(self, drawn: int, extra: int) -> str:
        odd = [r for r in self.slots if r is not None and r.frozen and self.thaws(r)]
        if extra >> 62 == 3 and odd:
            row = odd[(drawn >> 40) * len(odd) >> 24]
            fixers = self.ring.reduced(len(self.group) // row.length)
            row.product = Product(row.product.factors, self.ring.reduced(row.product.unit * self.ring.inverse(fixers)))
            row.frozen, row.length = False, len(self.group)
            return "thawed"
        walking = self.walking()
        if None not in self.slots:
            return ""
        start = (drawn >> 40) * len(walking) >> 24
        z = self.ring.units[(extra & 0xFFFFFFFF) * len(self.ring.units) >> 32]
        for slot, row in walking[start:] + walking[:start]:
            apart = [
                (other, image)
                for other, held in walking
                if other != slot
                for image in self.images(held.product)
                if all(x != y for x, y in zip(image.factors, row.product.factors, strict=True))
            ]
            number = (drawn >> 16 & 0xFFFFFF) * len(apart) >> 24
            for other, image in apart[number:] + apart[:number]:
                if self.plus(slot, other, image, (drawn & 0xFFFF) * 3 >> 16, z):
                    return "plus"
        return ""

    def thaws(self, row: Orbit) -> bool:
        return bool(self.ring.prime and self.ring.reduced(len(self.group) // row.length))

    def plus(self, slot: int, other: int, image: Product, axis: int, z: int) -> bool:
        row, held = self.row(slot), self.row(other)
        after, last = (axis + 1) % 3, (axis + 2) % 3
        a = row.product.factors[axis]
        made = self.flipped(row.product, image, after, last, z)
        rest = self.plus_scaled(image.factors[axis], a, -1)
        if made is None or rest is None:
            return False
        extra = self.normal(_with(image.factors, axis, rest), image.unit)
        second = Product(_with(made[1].factors, axis, a), made[1].unit)
        if any(map(self.lost, (made[0], second, extra))):
            return False
        free = self.slots.index(None)
        self.slots[free] = Orbit(extra, len(self.group), False)
        row.product, held.product = made[0], second
        for place in (slot, other, free):
            self.settle(place)
        return True

    def undoes(self, move: Move, other: Move) -> bool:
        """Tell whether the one after the other is the identity."""
        for axis in range(3):
            there, back = other.maps[axis], move.maps[other.axes[axis]]
            if move.axes[other.axes[axis]] != axis:
                return False
            for number, column in enumerate(zip(*there, strict=True)):
                if self.through(back, column) != _basis(len(there), number):
                    return False
        return True

    def scheme(self) -> list[Product]:
        counts: dict[Factors, int] = {}
        for row in self.slots:
            if row is not None:
                images = self.images(row.product)
                for factors, unit in set(images) if row.frozen else images:
                    counts[factors] = counts.get(factors, 0) + unit
        found = []
        for factors, count in counts.items():
            total = self.ring.reduced(count)
            copies = 1 if self.ring.prime else abs(total)
            found += (
                [Product(factors, total if self.ring.prime else (total > 0) - (total < 0))] * copies if total else []
            )
        return sorted(found)


def _with(factors: Factors, axis: int, factor: Factor) -> Factors:
    changed = [*factors]
    changed[axis] = factor
    return changed[0], changed[1], changed[2]


def _basis(size: int, number: int) -> Factor:
    return tuple(int(place == number) for place in range(size))
