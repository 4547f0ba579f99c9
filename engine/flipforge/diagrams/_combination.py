"""Linear combinations of diagrams: the category, with exact scalars in Q[n], or in Q where heads are."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams._calculus import Calculus, Terms, bilinear, gathered
from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._matrices import SparseMatrix
from flipforge.diagrams._polynomial import Polynomial, Scalar
from flipforge.errors import InputError

__all__ = ["Combination"]


@dataclass(frozen=True)
class Combination:
    """A sum of multiples of diagrams from k to l points.

    Attributes
    ----------
    calculus
        How the diagrams compose.
    terms
        Each diagram once, in order, with its scalar, which is not 0.

    Examples
    --------
    >>> from flipforge.diagrams import PARTITIONS, PartitionDiagram
    >>> cup_cap = Combination.of(PARTITIONS, PartitionDiagram(2, 2, (0, 0, 1, 1)))
    >>> str((cup_cap @ cup_cap).terms[0][1])
    'n'
    """

    calculus: Calculus
    k: int
    l: int
    terms: tuple[tuple[Diagram, Polynomial], ...]

    @classmethod
    def of(cls, calculus: Calculus, diagram: Diagram, scalar: Scalar = 1) -> "Combination":
        """Return a multiple of one diagram."""
        return cls._made(calculus, diagram.k, diagram.l, {diagram: Polynomial.of(scalar)})

    @classmethod
    def zero(cls, calculus: Calculus, k: int, l: int) -> "Combination":
        """Return the empty sum."""
        return cls(calculus, k, l, ())

    @classmethod
    def _made(cls, calculus: Calculus, k: int, l: int, terms: Terms) -> "Combination":
        kept = [(diagram, scalar) for diagram, scalar in terms.items() if scalar]
        return cls(calculus, k, l, tuple(sorted(kept, key=lambda term: _order(term[0]))))

    def __add__(self, other: "Combination") -> "Combination":
        if (self.k, self.l) != (other.k, other.l):
            raise InputError(f"diagrams {self.k} -> {self.l} cannot be added to {other.k} -> {other.l}")
        return self._made(self.calculus, self.k, self.l, gathered([*self.terms, *other.terms]))

    def __mul__(self, scalar: Scalar) -> "Combination":
        terms = {diagram: value * scalar for diagram, value in self.terms}
        return self._made(self.calculus, self.k, self.l, terms)

    __rmul__ = __mul__

    def __neg__(self) -> "Combination":
        return self * -1

    def __sub__(self, other: "Combination") -> "Combination":
        return self + -other

    def __matmul__(self, below: "Combination") -> "Combination":
        """Compose: this one above the other."""
        if self.k != below.l:
            raise InputError(f"{self.k} points below do not meet {below.l} points above")
        terms = bilinear(dict(self.terms), dict(below.terms), self.calculus.compose)
        return self._made(self.calculus, below.k, self.l, terms)

    def tensor(self, other: "Combination") -> "Combination":
        """Return the tensor product, the other one to the right."""
        terms = bilinear(dict(self.terms), dict(other.terms), self.calculus.tensor)
        return self._made(self.calculus, self.k + other.k, self.l + other.l, terms)

    def flip(self) -> "Combination":
        """Return the sum upside down: the transpose."""
        terms = [(d, scalar * sign) for x, scalar in self.terms for d, sign in self.calculus.flip(x).items()]
        return self._made(self.calculus, self.l, self.k, gathered(terms))

    def bend(self) -> "Combination":
        """Return the sum with its last point below moved up to the right, for Sp(n) through the form."""
        terms = [(d, scalar * sign) for x, scalar in self.terms for d, sign in self.calculus.bend(x).items()]
        return self._made(self.calculus, self.k - 1, self.l + 1, gathered(terms))

    def matrix(self, n: int, matrix_of: Callable[[Diagram], SparseMatrix]) -> npt.NDArray[Any]:
        """Return the dense matrix at an n, n^l x n^k fractions.

        Parameters
        ----------
        matrix_of
            The matrix of each diagram, as `Group.matrix`.
        """
        total = np.full((n**self.l, n**self.k), Fraction(0), dtype=object)
        for diagram, scalar in self.terms:
            total = total + scalar(n) * matrix_of(diagram).dense().astype(object)
        return total


def _order(diagram: Diagram) -> tuple[str, Diagram]:
    return type(diagram).__name__, diagram
