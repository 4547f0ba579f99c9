"""Symmetric tensors as users give them: exact coefficients, or an array of all places."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import comb, factorial, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError, MalformedError, RingError
from flipforge.rings import Element, parse_element
from flipforge_symmetric._decompose import MAX_LENGTH, ORDERS
from flipforge_symmetric._tables import Floats, sorted_indices

__all__ = ["SymmetricTensor", "is_symmetric_tensor", "read_tensor"]

_ROUNDING = 1e-12
_EXAMPLE = '{"order": 4, "length": 3, "entries": [[0, 0, 1, 2, "1/2"], ...]}'


@dataclass(frozen=True)
class SymmetricTensor:
    """A symmetric tensor by its nonzero coefficients at sorted 0-based indices; floating-point ones are dyadic numbers.

    Attributes
    ----------
    asymmetry
        Largest difference, by their size, of places of the input that stand for one coefficient.
    """

    order: int
    length: int
    entries: Mapping[tuple[int, ...], Element]
    asymmetry: float = 0.0

    @property
    def coefficients(self) -> Floats:
        """All coefficients as floating-point numbers, in the order of the sorted indices."""
        indices = sorted_indices(self.length, self.order)
        try:
            return np.array([float(self.entries.get(tuple(index), 0)) for index in indices.tolist()])
        except OverflowError:
            raise InputError("a coefficient is too large for a floating-point number; scale the tensor") from None

    @staticmethod
    def places(index: tuple[int, ...]) -> int:
        """Return how many places of the full tensor a sorted index stands for.

        Examples
        --------
        >>> SymmetricTensor.places((0, 0, 1, 2))
        12
        """
        return factorial(len(index)) // prod(factorial(index.count(j)) for j in set(index))


def is_symmetric_tensor(content: Mapping[str, Any] | npt.NDArray[Any]) -> bool:
    """Tell whether the content of a file is meant to be one."""
    if isinstance(content, np.ndarray):
        return content.ndim in ORDERS and len(set(content.shape)) == 1
    return {"order", "length", "entries"} <= content.keys()


def read_tensor(content: Mapping[str, Any] | npt.NDArray[Any]) -> SymmetricTensor:
    """Read JSON of the form ``{"order", "length", "entries"}``, or an array with all places.

    Raises
    ------
    InputError
        The order or length is none that can be treated, or the array is not symmetric or no array of numbers.
    MalformedError
        An entry is no index with an exact value.
    """
    order, length = (
        (content.ndim, content.shape[0])
        if isinstance(content, np.ndarray)
        else (content.get("order"), content.get("length"))
    )
    if type(order) is not int or order not in ORDERS or type(length) is not int or not 2 <= length <= MAX_LENGTH:
        raise InputError(
            f"order {str(order)[:20]}, length {str(length)[:20]}: use order 4 or 6 and length 2 to {MAX_LENGTH}"
        )
    if comb(length + order - 1, order) > 2**22:
        raise InputError(f"length {length} is too large for order {order}: there are more than 4194304 coefficients")
    if isinstance(content, np.ndarray):
        return _of_array(content)
    return SymmetricTensor(order, length, _entries(content["entries"], order, length))


def _entries(rows: Any, order: int, length: int) -> dict[tuple[int, ...], Element]:
    if not isinstance(rows, list):
        raise MalformedError(f"entries must be a list, as in {_EXAMPLE}")
    entries: dict[tuple[int, ...], Element] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != order + 1:
            raise MalformedError(f"entries[{number}] must be {order} indices and a value, as in {_EXAMPLE}")
        if not all(type(j) is int and 0 <= j < length for j in row[:-1]):
            raise MalformedError(f"entries[{number}]: indices are integers from 0 to {length - 1}")
        index = tuple(sorted(row[:-1]))
        if index in entries:
            raise MalformedError(f"entries[{number}]: {list(index)} stands twice; each coefficient is given once")
        try:
            entries[index] = parse_element(row[-1])
        except RingError as error:
            raise MalformedError(f"entries[{number}]: {error}") from None
    return {index: value for index, value in entries.items() if value}


def _of_array(array: npt.NDArray[Any]) -> SymmetricTensor:
    if array.dtype.kind not in "iuf":
        raise InputError(f"an array of type {array.dtype}; give integers or floating-point numbers")
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"place {place} is not a finite number")
    order, length = array.ndim, array.shape[0]
    indices = sorted_indices(length, order)
    values = array[tuple(indices.T)]
    asymmetry, largest = 0.0, float(np.abs(array).max(initial=0)) or 1.0
    for permutation in permutations(range(order)):
        difference = np.abs(array[tuple(indices[:, permutation].T)].astype(np.float64) - values)
        worst = int(np.argmax(difference))
        asymmetry = max(asymmetry, float(difference[worst]) / largest)
        if asymmetry > _ROUNDING:
            index = tuple(int(i) for i in indices[worst])
            other = tuple(int(i) for i in indices[worst, list(permutation)])
            raise InputError(f"places {index} and {other} differ: the tensor is not symmetric")
    exact = (int(x) if array.dtype.kind != "f" else _plain(Fraction(float(x))) for x in values)
    entries = {tuple(index): x for index, x in zip(indices.tolist(), exact, strict=True) if x}
    return SymmetricTensor(order, length, entries, asymmetry)


def _plain(value: Fraction) -> Element:
    return value.numerator if value.denominator == 1 else value
