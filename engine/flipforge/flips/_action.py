"""A finite group that acts on products, laid out for the walk of orbits.

An element moves the factor on axis i to axis ``axes[i]`` through an invertible matrix ``maps[i]``. Axes that the group
moves to one another have one dimension, and one of them, the *home*, gives them its coordinates: each takes those that
the first element which moves it there carries over. Then the elements act through few different matrices, the cyclic
shift of a matrix product through the identity alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError
from flipforge.flips._packing import RINGS, Packed, entries_of, from_lanes, layout, pack, packed_words, to_lanes

__all__ = ["MAX_SYMMETRIC_ENTRIES", "Action", "Element", "Orbits"]

Matrix = NDArray[np.int64]
Name = tuple[int, int, int]

MAX_SYMMETRIC_ENTRIES = 62
"""Entries of the longest factor."""

_BYTE = 8
_TAG = 2
"""Bits of a key that tell the home axis."""
_VANISHES, _NONE = -1, -2


@dataclass(frozen=True, eq=False)
class Element:
    """A group element: factor i goes to axis ``axes[i]`` through ``maps[i]`` (rows are coordinates there)."""

    axes: tuple[int, int, int]
    maps: tuple[Matrix, Matrix, Matrix]

    def after(self, other: "Element", prime: int) -> "Element":
        """Return the element that does the other first, then this one; modulo a prime, or over Z for 0."""
        axes = tuple(self.axes[axis] for axis in other.axes)
        maps = tuple(
            _reduced(self.maps[axis] @ matrix, prime) for axis, matrix in zip(other.axes, other.maps, strict=True)
        )
        return Element(axes, maps)  # type: ignore[arg-type]

    @property
    def key(self) -> bytes:
        """Bytes that tell elements apart."""
        return bytes(self.axes) + b"".join(matrix.astype(np.int8).tobytes() for matrix in self.maps)


@dataclass(frozen=True)
class Orbits:
    """Orbits of products, one of each, in the coordinates of the home axes.

    Attributes
    ----------
    factors
        int64 of shape (3, count, length), the first nonzero entry of each 1.
    units
        What the products are multiplied by.
    lengths
        How many products each orbit has.
    """

    factors: Matrix
    units: Matrix
    lengths: Matrix


class Action:
    """A group and how it acts on packed factors.

    Parameters
    ----------
    elements
        All elements of the group, the identity first, with entries that are residues, or integers for ZT.
    ring
        Name of the ring.

    Raises
    ------
    InputError
        Factors are too long, an element has no inverse, or over ZT does more than permute coordinates and change signs.
    """

    def __init__(self, elements: Sequence[Element], ring: str) -> None:
        self.ring, self.order = ring, len(elements)
        self.prime: int = RINGS[ring]
        self.sizes = tuple(matrix.shape[1] for matrix in elements[0].maps)
        if max(self.sizes) > MAX_SYMMETRIC_ENTRIES:
            raise InputError(
                f"a factor has {max(self.sizes)} entries, a symmetric walk holds up to {MAX_SYMMETRIC_ENTRIES}"
            )
        if not self.prime and not all(_is_monomial(matrix) for element in elements for matrix in element.maps):
            raise InputError(
                "over ZT a group may permute coordinates and change signs, no more: search over GF2 or GF3"
            )
        # A factor that leaves a word no room for what tells its home axis is given another word.
        self.length: int = max(self.sizes)
        while layout(ring, self.length)[1] == 1 and self._bits > 64 - _TAG:
            self.length += 1
        self.width, self.words = layout(ring, self.length)
        self.key_type: type[np.unsignedinteger] = np.uint32 if self._bits <= 32 - _TAG else np.uint64
        numbers = {element.key: number for number, element in enumerate(elements)}
        self.homes = tuple(min(element.axes[axis] for element in elements) for axis in range(3))
        carriers = [
            next(element for element in elements if element.axes[axis] == home) for axis, home in enumerate(self.homes)
        ]
        inverses = [_inverse(element, self.order, self.prime) for element in elements]
        self._out = [self._padded(carrier.maps[axis]) for axis, carrier in enumerate(carriers)]
        self._back = [
            self._padded(inverses[numbers[carrier.key]].maps[home])
            for carrier, home in zip(carriers, self.homes, strict=True)
        ]
        self._maps: list[Matrix] = []
        self._numbers: dict[bytes, int] = {}
        self._number(np.eye(self.length, dtype=np.int64))
        self.source = np.zeros((self.order, 3), dtype=np.int64)
        self.through = np.zeros((self.order, 3), dtype=np.int64)
        self.inverse = np.array([numbers[inverse.key] for inverse in inverses], dtype=np.int64)
        for number, element in enumerate(elements):
            for axis, to in enumerate(element.axes):
                matrix = self._out[to] @ self._padded(element.maps[axis]) @ self._back[axis]
                self.source[number, to] = axis
                self.through[number, to] = self._number(_reduced(matrix, self.prime))

    @property
    def _bits(self) -> int:
        """How many bits of a word a factor takes."""
        if self.prime > 3:
            return 4 * self.length
        return self.length if self.prime == 2 else layout(self.ring, self.length)[0] // 2 + self.length

    def arrays(self) -> tuple[object, ...]:
        """Return what the kernel takes.

        These are byte tables of the maps; for each element the sources of the axes, the maps from there, and its
        inverse; for each axis what tells its home, and the maps whose least image is the key; and for each number the
        unit it is in the ring, or that it is zero or no element.
        """
        places = self.words * self.width // _BYTE if self.prime in (0, 3) else -(-self._bits // _BYTE)
        tables = np.stack([self._byte_table(matrix, places) for matrix in self._maps])
        group = np.column_stack([self.source, self.through, self.inverse])
        keys = self._key_maps()
        shift = np.dtype(self.key_type).itemsize * _BYTE - _TAG
        keys[:, 0] = np.array([home << shift for home in self.homes], dtype=np.uint64).view(np.int64)
        counts = np.array([self._count(number) for number in range(self.order + 1)], dtype=np.int64)
        return tables, group, keys, counts

    def lanes(self, factors: Matrix) -> NDArray[np.unsignedinteger]:
        """Return the kernel's words, of shape (..., words), of factors of shape (..., length)."""
        flat = factors.reshape(-1, self.length)
        packed = pack((flat, flat, flat), self.ring)[0]
        lanes = to_lanes(packed, self.ring, self.width, self.words).astype(f"u{self.width // _BYTE}")
        return lanes.reshape(*factors.shape[:-1], self.words)

    def entries(self, lanes: NDArray[np.unsignedinteger]) -> Matrix:
        """Undo `lanes`."""
        packed = from_lanes(lanes, self.ring, packed_words(self.ring, self.length))
        return entries_of(packed, self.length, self.ring).astype(np.int64)

    def codes(self, units: Matrix) -> NDArray[np.uint8]:
        """Return the kernel's codes of units; over GF(3) and ZT 0 is 1, and 1 is -1."""
        return (units if self.prime > 3 else units != 1).astype(np.uint8)

    def units(self, codes: NDArray[np.uint8]) -> Matrix:
        """Undo `codes`."""
        whole = codes.astype(np.int64)
        return whole if self.prime > 3 else np.where(whole == 1, self.prime - 1, 1)

    def orbits(self, packed: Packed) -> Orbits:
        """Split a packed scheme into orbits, each with its least product and as often as it stands there.

        Raises
        ------
        InputError
            The image of a product is not among them.
        """
        entries = np.stack(
            [self._wide(entries_of(packed[axis], size, self.ring)) for axis, size in enumerate(self.sizes)]
        )
        inward = np.stack([_reduced(entries[axis] @ self._out[axis].T, self.prime) for axis in range(3)])
        factors, units = self._collected(*self._normal(inward, np.ones(inward.shape[1], dtype=np.int64)))
        names = self._names(factors)
        held = dict(zip(names, units.tolist(), strict=True))
        images, scales = self._images(factors, units)
        found = [self._names(image) for image in images]
        chosen, lengths, seen = [], [], set[Name]()
        for number, name in enumerate(names):
            orbit = {each[number] for each in found}
            if any(
                held.get(each[number]) != scale for each, scale in zip(found, scales[:, number].tolist(), strict=True)
            ):
                raise InputError("the scheme is not invariant under the group")
            if name not in seen:
                seen |= orbit
                chosen += [number] * self._copies(held[name])
                lengths += [len(orbit)] * self._copies(held[name])
        kept = units[chosen] if self.prime else np.sign(units[chosen])
        return Orbits(factors[:, chosen], kept, np.array(lengths, dtype=np.int64))

    def expand(self, orbits: Orbits) -> Packed:
        """Return the scheme, packed and normalised: sums over the group, or sets where they are shorter."""
        images, scales = self._images(orbits.factors, orbits.units)
        factors, units = [], []
        names = [self._names(image) for image in images]
        for number, length in enumerate(orbits.lengths.tolist()):
            elements: Iterable[int] = range(self.order)
            if length < self.order:
                elements = {names[g][number]: g for g in range(self.order)}.values()
            for g in elements:
                factors.append(images[g, :, number])
                units.append(scales[g, number])
        listed = np.array(factors, dtype=np.int64).reshape(-1, 3, self.length).transpose(1, 0, 2)
        kept, counts = self._collected(listed, np.array(units, dtype=np.int64))
        repeated = [number for number, count in enumerate(counts.tolist()) for _ in range(self._copies(count))]
        return self.outward(kept[:, repeated], counts[repeated] if self.prime else np.sign(counts[repeated]))

    def outward(self, factors: Matrix, units: Matrix) -> Packed:
        """Return products given in the coordinates of the home axes, packed in those of the problem, units in w."""
        entries = np.stack([_reduced(factors[axis] @ self._back[axis].T, self.prime) for axis in range(3)])
        normal, scale = self._normal(entries, units)
        normal[2] = _reduced(normal[2] * scale[:, None], self.prime)
        u, v, w = (normal[axis, :, :size] for axis, size in enumerate(self.sizes))
        return pack((u, v, w), self.ring)

    def _copies(self, count: int) -> int:
        """How many products a coefficient stands for."""
        return 1 if self.prime else abs(count)

    def _collected(self, factors: Matrix, units: Matrix) -> tuple[Matrix, Matrix]:
        """Sum up equal products; return those that are left, in order, with integer coefficients over ZT."""
        names = self._names(factors)
        counts: dict[Name, int] = {}
        for name, unit in zip(names, units.tolist(), strict=True):
            counts[name] = int(_reduced(counts.get(name, 0) + unit, self.prime))
        places = dict(zip(names, range(len(names)), strict=True))
        left = sorted(name for name, count in counts.items() if count)
        return factors[:, [places[name] for name in left]], np.array([counts[name] for name in left], dtype=np.int64)

    def _names(self, factors: Matrix) -> list[Name]:
        lanes = self.lanes(factors).astype(object)
        whole = lanes[..., 0]
        for word in range(1, self.words):
            whole = whole | lanes[..., word] << word * self.width
        return [(u, v, w) for u, v, w in whole.T.tolist()]

    def _normal(self, factors: Matrix, units: Matrix) -> tuple[Matrix, Matrix]:
        """Divide factors of shape (..., 3, count, length) by their first nonzero entries, and multiply the units."""
        lead = np.take_along_axis(factors, (factors != 0).argmax(axis=-1)[..., None], axis=-1)
        inverse = lead ** (self.prime - 2) % self.prime if self.prime > 2 else lead
        return _reduced(factors * inverse, self.prime), _reduced(units * lead[..., 0].prod(axis=-2), self.prime)

    def _images(self, factors: Matrix, units: Matrix) -> tuple[Matrix, Matrix]:
        """Return the images of products under all elements, of shape (order, 3, count, length), and their units."""
        images = np.zeros((self.order, *factors.shape), dtype=np.int64)
        for number in range(self.order):
            for axis in range(3):
                matrix = self._maps[self.through[number, axis]]
                images[number, axis] = _reduced(factors[self.source[number, axis]] @ matrix.T, self.prime)
        return self._normal(images, units)

    def _wide(self, entries: NDArray[np.integer]) -> Matrix:
        wide = np.zeros((*entries.shape[:-1], self.length), dtype=np.int64)
        wide[..., : entries.shape[-1]] = entries
        return wide

    def _padded(self, matrix: Matrix) -> Matrix:
        padded = np.eye(self.length, dtype=np.int64)
        padded[: len(matrix), : len(matrix)] = matrix
        return padded

    def _number(self, matrix: Matrix) -> int:
        key = matrix.tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self._maps)
            self._maps.append(matrix)
        return self._numbers[key]

    def _key_maps(self) -> Matrix:
        """For each axis the maps whose least value is a key, the identity first; -1 where there are fewer."""
        found = []
        for axis, home in enumerate(self.homes):
            at_home = self.source[:, home] == axis
            found.append(sorted({0, *self.through[at_home, home].tolist()}))
        width = max(len(numbers) for numbers in found)
        return np.array([numbers + [-1] * (width - len(numbers)) for numbers in found], dtype=np.int64)

    def _byte_table(self, matrix: Matrix, places: int) -> NDArray[np.unsignedinteger]:
        """Images of all factors that live in one byte, byte by byte; the image of a factor is a sum of such."""
        octets = np.zeros((places, 256, self.words * self.width // _BYTE), dtype=np.uint8)
        for place in range(places):
            octets[place, :, place] = np.arange(256)
        lanes = octets.view(f"<u{self.width // _BYTE}").astype(f"u{self.width // _BYTE}")
        return self.lanes(_reduced(_reduced(self.entries(lanes), self.prime) @ matrix.T, self.prime)).reshape(
            places, -1
        )

    def _count(self, number: int) -> int:
        """Code of a number as a unit of the ring."""
        whole = int(_reduced(number, self.prime))
        if not whole:
            return _VANISHES
        return _NONE if abs(whole) > 1 and not self.prime else int(self.codes(np.array(whole)))


def _reduced(value: Any, prime: int) -> Any:
    """Residue modulo a prime, or the integer itself for 0."""
    return value % prime if prime else value


def _is_monomial(matrix: Matrix) -> bool:
    size = len(matrix)
    return bool((np.abs(matrix).sum(axis=0) == 1).all() and (np.abs(matrix).sum(axis=1) == 1).all() and size)


def _inverse(element: Element, order: int, prime: int) -> Element:
    """Return the power of an element that undoes it."""
    identity = Element((0, 1, 2), tuple(np.eye(len(m), dtype=np.int64) for m in element.maps))  # type: ignore[arg-type]
    power = identity
    for _ in range(order):
        following = power.after(element, prime)
        if following.key == identity.key:
            return power
        power = following
    raise InputError("an element of the group has no inverse: give invertible matrices")
