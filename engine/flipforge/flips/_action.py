"""A finite group that acts on products over GF(2), laid out for the walk of orbits.

An element moves the factor on axis i to axis ``axes[i]`` through an invertible matrix ``maps[i]``. Axes that the group
moves to one another have one dimension, and one of them, the *home*, gives them its coordinates: each takes those that
the first element which moves it there carries over. Then the elements act through few different matrices, the cyclic
shift of a matrix product through the identity alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flipforge.errors import InputError

__all__ = ["MAX_SYMMETRIC_ENTRIES", "Action", "Element", "Product"]

Matrix = NDArray[np.uint8]
Product = tuple[int, int, int]

MAX_SYMMETRIC_ENTRIES = 62
"""Entries of the longest factor: of a word's 64 bits, two tell the home axis."""

_SHORT = 30
_BYTE = 8


@dataclass(frozen=True, eq=False)
class Element:
    """A group element: factor i goes to axis ``axes[i]`` through ``maps[i]`` (rows are coordinates there)."""

    axes: Product
    maps: tuple[Matrix, Matrix, Matrix]

    def after(self, other: "Element") -> "Element":
        """Return the element that does the other first, then this one."""
        axes = tuple(self.axes[axis] for axis in other.axes)
        maps = tuple(self.maps[axis] @ matrix % 2 for axis, matrix in zip(other.axes, other.maps, strict=True))
        return Element(axes, maps)  # type: ignore[arg-type]

    @property
    def key(self) -> bytes:
        """Bytes that tell elements apart."""
        return bytes(self.axes) + b"".join(matrix.astype(np.uint8).tobytes() for matrix in self.maps)


class Action:
    """A group and how it acts on packed factors.

    Parameters
    ----------
    elements
        All elements of the group, the identity first.

    Attributes
    ----------
    order
        Number of elements.
    sizes
        Length of the factors on each axis.
    """

    def __init__(self, elements: Sequence[Element]) -> None:
        self.order = len(elements)
        self.sizes = tuple(matrix.shape[1] for matrix in elements[0].maps)
        if max(self.sizes) > MAX_SYMMETRIC_ENTRIES:
            raise InputError(
                f"a factor has {max(self.sizes)} entries, a symmetric walk holds up to {MAX_SYMMETRIC_ENTRIES}"
            )
        numbers = {element.key: number for number, element in enumerate(elements)}
        self.homes = tuple(min(element.axes[axis] for element in elements) for axis in range(3))
        carriers = [
            next(element for element in elements if element.axes[axis] == home) for axis, home in enumerate(self.homes)
        ]
        inverses = [_inverse(element, self.order) for element in elements]
        self._out = [carrier.maps[axis] for axis, carrier in enumerate(carriers)]
        self._back = [
            inverses[numbers[carrier.key]].maps[home] for carrier, home in zip(carriers, self.homes, strict=True)
        ]
        self._matrices: dict[bytes, int] = {}
        tables: list[NDArray[np.uint64]] = []
        self.source = np.zeros((self.order, 3), dtype=np.int64)
        self.through = np.zeros((self.order, 3), dtype=np.int64)
        self.inverse = np.array([numbers[inverse.key] for inverse in inverses], dtype=np.int64)
        identity = np.eye(max(self.sizes), dtype=np.uint8)
        self._number(identity, tables)
        for number, element in enumerate(elements):
            for axis, to in enumerate(element.axes):
                matrix = self._out[to] @ element.maps[axis] @ self._back[axis] % 2
                padded = identity.copy()
                padded[: len(matrix), : len(matrix)] = matrix
                self.source[number, to] = axis
                self.through[number, to] = self._number(padded, tables)
        self.maps = np.stack(tables)
        self.keys = self._key_maps()
        self.key_type: type[np.unsignedinteger] = np.uint32 if max(self.sizes) <= _SHORT else np.uint64
        bits = np.dtype(self.key_type).itemsize * 8
        self.tags = np.array([home << (bits - 2) for home in self.homes], dtype=np.uint64)

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        """Return what the kernel takes: byte tables of the maps, one row for each element, and the maps of the keys.

        Before the maps of an axis's keys stands what tells its home, in place of the identity.
        """
        keys = self.keys.copy()
        keys[:, 0] = self.tags.view(np.int64)
        return self.maps, np.column_stack([self.source, self.through, self.inverse]), keys

    def inward(self, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return packed factors of shape (3, rank) in the coordinates of the home axes."""
        return np.stack([_apply(matrix, factors[axis]) for axis, matrix in enumerate(self._out)])

    def outward(self, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Undo `inward`."""
        return np.stack([_apply(matrix, factors[axis]) for axis, matrix in enumerate(self._back)])

    def images(self, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return all images of products of shape (3, rank), in home coordinates, as (order, 3, rank)."""
        images = np.zeros((self.order, *factors.shape), dtype=np.uint64)
        shifts = np.arange(self.maps.shape[1], dtype=np.uint64) * np.uint64(_BYTE)
        for number in range(self.order):
            for axis in range(3):
                octets = factors[self.source[number, axis]][:, None] >> shifts & np.uint64(255)
                table = self.maps[self.through[number, axis]]
                found = table[np.arange(len(shifts)), octets.astype(np.int64)]
                images[number, axis] = np.bitwise_xor.reduce(found, axis=1)
        return images

    def orbits(self, factors: NDArray[np.uint64]) -> list[tuple[Product, int]]:
        """Split the products of shape (3, rank), in home coordinates, into orbits: least product and length of each.

        Raises
        ------
        InputError
            The image of a product is not among them.
        """
        products = _products(factors)
        odd = (
            {product for product in products if products.count(product) % 2}
            if len(set(products)) < len(products)
            else set(products)
        )
        listed = sorted(odd)
        images = self.images(np.array(listed, dtype=np.uint64).reshape(-1, 3).T)
        orbits, seen = [], set()
        for number, product in enumerate(listed):
            if product in seen:
                continue
            orbit = set(_products(images[:, :, number].T))
            if not orbit <= odd:
                raise InputError("the scheme is not invariant under the group")
            seen |= orbit
            orbits.append((product, len(orbit)))
        return orbits

    def expand(self, walked: NDArray[np.uint64], frozen: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the products, of shape (3, rank), of orbits given by one each: sums over the group, and sets."""
        odd: set[Product] = set()
        sums, sets = self.images(walked), self.images(frozen)
        for number in range(walked.shape[1]):
            for product in _products(sums[:, :, number].T):
                odd ^= {product}
        for number in range(frozen.shape[1]):
            odd ^= set(_products(sets[:, :, number].T))
        return np.array(sorted(odd), dtype=np.uint64).reshape(-1, 3).T

    def _number(self, matrix: Matrix, tables: list[NDArray[np.uint64]]) -> int:
        key = matrix.astype(np.uint8).tobytes()
        if key not in self._matrices:
            self._matrices[key] = len(tables)
            tables.append(_byte_table(matrix))
        return self._matrices[key]

    def _key_maps(self) -> NDArray[np.int64]:
        """For each axis the maps whose least value is a key, the identity first; -1 where there are fewer."""
        found = []
        for axis, home in enumerate(self.homes):
            at_home = self.source[:, home] == axis
            found.append(sorted({0, *self.through[at_home, home].tolist()}))
        width = max(len(numbers) for numbers in found)
        return np.array([numbers + [-1] * (width - len(numbers)) for numbers in found], dtype=np.int64)


def _inverse(element: Element, order: int) -> Element:
    """Return the power of an element that undoes it."""
    identity = Element((0, 1, 2), tuple(np.eye(len(m), dtype=np.uint8) for m in element.maps))  # type: ignore[arg-type]
    power = identity
    for _ in range(order):
        following = power.after(element)
        if following.key == identity.key:
            return power
        power = following
    raise InputError("an element of the group has no inverse: give invertible matrices")


def _apply(matrix: Matrix, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Apply a matrix to packed vectors."""
    places = np.arange(matrix.shape[1], dtype=np.uint64)
    bits = (words[:, None] >> places & np.uint64(1)).astype(np.uint8) @ matrix.T % 2
    images: NDArray[np.uint64] = bits.astype(np.uint64) << np.arange(len(matrix), dtype=np.uint64)
    total: NDArray[np.uint64] = np.bitwise_or.reduce(images, axis=1)
    return total


def _byte_table(matrix: Matrix) -> NDArray[np.uint64]:
    """Images of all vectors that live in one byte of a word, byte by byte; they are combined by exclusive or."""
    size = matrix.shape[1]
    table = np.zeros((-(-size // _BYTE), 256), dtype=np.uint64)
    octets = np.arange(256, dtype=np.uint64)
    for byte in range(len(table)):
        columns = matrix[:, byte * _BYTE : (byte + 1) * _BYTE]
        table[byte] = _apply(columns, octets & np.uint64((1 << columns.shape[1]) - 1))
    return table


def _products(factors: NDArray[np.uint64]) -> list[Product]:
    return [(u, v, w) for u, v, w in factors.T.tolist()]
