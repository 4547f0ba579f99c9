"""The walk of orbits in plain Python: slow, obvious, and the oracle of its kernel.

It shares no code with it but the generator's twin. A product is three integers whose bits are the factors' entries, in
the coordinates of the problem; all images are made anew at each step. The rules are those of `flipforge.flips`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flipforge.flips.reference import Generator

__all__ = ["Move", "SymmetricTrace", "symmetric_walk"]

Product = tuple[int, int, int]


@dataclass(frozen=True)
class Move:
    """A group element: bit b of factor i becomes ``columns[i][b]`` on axis ``axes[i]``."""

    axes: Product
    columns: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    def apply(self, product: Product) -> Product:
        """Return the image of a product."""
        moved = [0, 0, 0]
        for factor, axis, columns in zip(product, self.axes, self.columns, strict=True):
            for bit, column in enumerate(columns):
                moved[axis] ^= column if factor >> bit & 1 else 0
        return moved[0], moved[1], moved[2]


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
    reductions: int
    restarts: int
    partnered: int


def symmetric_walk(
    orbits: Sequence[tuple[Product, int]],
    group: Sequence[Move],
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    slots: int,
    seed: Sequence[int],
) -> SymmetricTrace:
    """Walk from orbits, given by a product and a length each, as `flipforge.flips.symmetric_walk` does."""
    state = _State(group, Generator(seed), slots)
    state.begin(orbits)
    state.limit = state.rank() + band * len(group)
    taken = walked = 0
    counts = dict.fromkeys(("plus", "thawed", "reductions", "restarts"), 0)
    while state.rank() > goal and taken < steps:
        event = "restarts" if walked >= path else state.step(idle)
        if event == "restarts":
            if not walked:
                break
            state.begin(orbits)
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
        counts["reductions"],
        counts["restarts"],
        len(state.entries()),
    )


class _State:
    def __init__(self, group: Sequence[Move], generator: Generator, slots: int) -> None:
        self.group, self.generator = group, generator
        self.slots: list[Orbit | None] = [None] * slots
        self.limit = self.since = self.before = self.record = 0

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

    def images(self, row: Orbit) -> list[Product]:
        return [move.apply(row.product) for move in self.group]

    def walking(self) -> list[tuple[int, Orbit]]:
        return [(slot, row) for slot, row in enumerate(self.slots) if row is not None and not row.frozen]

    def partners(self, slot: int, axis: int) -> list[tuple[int, int, int]]:
        """All (slot, axis, element) that move the factor of another orbit onto this one, in that order."""
        row = self.slots[slot]
        assert row is not None
        return sorted(
            (other, move.axes.index(axis), g)
            for other, held in self.walking()
            if other != slot
            for g, move in enumerate(self.group)
            if move.apply(held.product)[axis] == row.product[axis]
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
        self.flip(entries, drawn)
        return "flip"

    def flip(self, entries: list[tuple[int, int]], drawn: int) -> None:
        slot, axis = entries[(drawn >> 32) * len(entries) >> 32]
        partners = self.partners(slot, axis)
        places = sorted({(other, home) for other, home, _ in partners})
        choice = (drawn & 0xFFFFFFFF) * len(places)
        chosen = places[choice >> 32]
        elements = [g for other, home, g in partners if (other, home) == chosen]
        move = self.group[elements[(choice & 0xFFFFFFFF) * len(elements) >> 32]]
        after = (axis + 1) % 3 if drawn & 1 else (axis + 2) % 3
        last = 3 - axis - after
        row, other = self.slots[slot], self.slots[chosen[0]]
        assert row is not None and other is not None
        image = move.apply(other.product)
        changed = _with(image, last, image[last] ^ row.product[last])
        row.product = _with(row.product, after, row.product[after] ^ image[after])
        other.product = next(m for m in self.group if _undoes(m, move)).apply(changed)
        if any(0 in r.product or self.fixers(r) > 1 for r in (row, other)):
            self.settle(slot)
            self.settle(chosen[0])
        elif not self.merge(slot, axis, after):
            self.merge(chosen[0], chosen[1], move.axes.index(last))

    def merge(self, slot: int, first: int, second: int) -> bool:
        row = self.slots[slot]
        assert row is not None
        third = 3 - first - second
        for other, held in self.walking():
            for image in self.images(held) if other != slot else []:
                if image[first] == row.product[first] and image[second] == row.product[second]:
                    row.product = _with(row.product, third, row.product[third] ^ image[third])
                    self.slots[other] = None
                    self.settle(slot)
                    return True
        return False

    def fixers(self, row: Orbit) -> int:
        return self.images(row).count(row.product)

    def settle(self, slot: int) -> None:
        row = self.slots[slot]
        if row is None or row.frozen:
            return
        fixers = self.fixers(row)
        if 0 in row.product or fixers % 2 == 0:
            self.slots[slot] = None
        elif fixers > 1:
            row.frozen, row.length = True, len(self.group) // fixers
            for other, held in enumerate(self.slots):
                if other != slot and held is not None and held.frozen and held.product in self.images(row):
                    self.slots[slot] = self.slots[other] = None
                    return

    def add(self, drawn: int, extra: int) -> str:
        odd = [r for r in self.slots if r is not None and r.frozen and len(self.group) // r.length % 2]
        if extra >> 62 == 3 and odd:
            row = odd[(drawn >> 40) * len(odd) >> 24]
            row.frozen, row.length = False, len(self.group)
            return "thawed"
        walking = self.walking()
        if None not in self.slots:
            return ""
        start = (drawn >> 40) * len(walking) >> 24
        for slot, row in walking[start:] + walking[:start]:
            apart = [
                (other, image)
                for other, held in walking
                if other != slot
                for image in self.images(held)
                if all(x != y for x, y in zip(image, row.product, strict=True))
            ]
            if apart:
                other, image = apart[(drawn >> 16 & 0xFFFFFF) * len(apart) >> 24]
                self.plus(slot, other, image, (drawn & 0xFFFF) * 3 >> 16)
                return "plus"
        return ""

    def plus(self, slot: int, other: int, image: Product, axis: int) -> None:
        row, held = self.slots[slot], self.slots[other]
        assert row is not None and held is not None
        after, last = (axis + 1) % 3, (axis + 2) % 3
        a, c = row.product[axis], row.product[last]
        free = self.slots.index(None)
        self.slots[free] = Orbit(_with(image, axis, image[axis] ^ a), len(self.group), False)
        held.product = _with(_with(image, axis, a), last, image[last] ^ c)
        row.product = _with(row.product, after, row.product[after] ^ image[after])
        for place in (slot, other, free):
            self.settle(place)

    def scheme(self) -> list[Product]:
        odd: set[Product] = set()
        for row in self.slots:
            if row is not None:
                images = self.images(row)
                for image in set(images) if row.frozen else images:
                    odd ^= {image}
        return sorted(odd)


def _with(product: Product, axis: int, factor: int) -> Product:
    factors = [*product]
    factors[axis] = factor
    return factors[0], factors[1], factors[2]


def _undoes(move: Move, other: Move) -> bool:
    """Tell whether the one after the other is the identity, on a basis of each axis."""
    for axis, columns in enumerate(other.columns):
        for bit in range(len(columns)):
            basis = _with((0, 0, 0), axis, 1 << bit)
            if move.apply(other.apply(basis)) != basis:
                return False
    return True
