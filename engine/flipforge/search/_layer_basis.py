"""Coordinates of dependent diagrams, for the moves that swap the elements of a basis.

All points of a diagram are moved into one row: that multiplies its tensor by an orthogonal map, and for Sp(n) by a
sign, neither of which changes which sets of diagrams are independent.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import (
    HeadedCalculus,
    HeadedDiagram,
    PartitionDiagram,
    Wiring,
    compose,
    compose_symplectic,
    ties_of,
)

__all__ = ["coordinates", "rebased"]

Integers = npt.NDArray[np.int64]

Bent = PartitionDiagram | HeadedDiagram

_PRIME = 2**31 - 1


def coordinates(diagrams: Sequence[Wiring], basis: Integers, n: int, *, symplectic: bool) -> Integers:
    """Return the coordinates of all diagrams in a basis modulo 2^31 - 1, one column for each.

    They are right where the Gram determinant of the basis is not divisible by the prime, which is checked: then the
    rational ones have denominators that are not.
    """
    points = diagrams[0].k + diagrams[0].l
    heads = HeadedCalculus(n)
    rows = [_in_one_row(diagrams[place], points, 0, n) for place in basis]
    columns = [_in_one_row(diagram, 0, points, n) for diagram in diagrams]

    def product(row: Bent, column: Bent) -> int:
        if not (isinstance(row, PartitionDiagram) and isinstance(column, PartitionDiagram)):
            # A head changes its sign under some element that keeps all partitions: these are orthogonal to it.
            both = isinstance(row, HeadedDiagram) and isinstance(column, HeadedDiagram)
            terms = heads.compose(row, column) if both else {}
            return sum(int(scalar(n)) for scalar in terms.values()) % _PRIME
        if symplectic:
            _, loops, sign = compose_symplectic(row, column)
            return int(sign * n**loops) % _PRIME
        return int(n ** compose(row, column)[1]) % _PRIME

    gram = np.array([[product(row, column) for column in columns] for row in rows], np.int64)
    return rebased(gram, basis)


def _in_one_row(diagram: Wiring, k: int, l: int, n: int) -> Bent:
    ties = ties_of(diagram)
    return HeadedDiagram(k, l, n, diagram.labels, ties[0].blocks) if ties else PartitionDiagram(k, l, diagram.labels)


def rebased(matrix: Integers, basis: Integers) -> Integers:
    """Return the matrix with its rows combined modulo the prime such that the columns of the basis are the identity.

    Raises
    ------
    ValueError
        The columns are dependent.
    """
    table = matrix.copy()
    for row, column in enumerate(basis):
        found = np.flatnonzero(table[row:, column])
        if not len(found):
            raise ValueError(f"the diagrams {basis.tolist()} are dependent modulo {_PRIME}")
        table[[row, row + found[0]]] = table[[row + found[0], row]]
        table[row] = table[row] * pow(int(table[row, column]), -1, _PRIME) % _PRIME
        factors = table[:, column].copy()
        factors[row] = 0
        table = (table - factors[:, None] * table[row][None, :] % _PRIME) % _PRIME
    return table
