"""Dimensions of spaces of equivariant maps, by characters and by walks.

The dimension for m tensor factors is the number of invariants of the m-th power of V. For finite groups it is the mean
of the m-th power of the character (Burnside). For O(n), SO(n) and Sp(n) it is the number of walks of m steps through
the irreducible representations, from the trivial one, where a step is a summand of the product with V: a box more or a
box less of a Young diagram that the group allows (Weyl, "The classical groups", 1939; King, 1971). For the free quantum
groups the steps go along a line (Banica, 1996 and 1999).
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import permutations
from math import comb, factorial

__all__ = ["dimension_by_characters", "dimension_of_permutations", "free_from", "most_steps"]

Shape = tuple[int, ...]


def dimension_by_characters(family: str, n: int, m: int) -> int:
    """Return the dimension for a group by its letters, e.g. ``"SO"``, on R^n, and m tensor factors.

    Raises
    ------
    ValueError
        The family is not known.

    Examples
    --------
    >>> [dimension_by_characters("SO", 3, m) for m in range(7)]
    [1, 0, 1, 1, 3, 6, 15]
    """
    match family:
        case "S":
            # A tuple of m indices has m values at most: orbits are those of m points, if not fewer.
            return _mean(min(n, max(m, 1)), lambda fixed: fixed**m)
        case "A":
            return _mean(min(n, m + 2), lambda fixed: fixed**m, even=True)
        case "H":
            return _mean(min(n, max(m, 1)), lambda fixed: _signed_power(fixed, m))
        case "O" | "SO" | "B":
            size = n - 1 if family == "B" else n
            ends = [(), (1,) * n] if family == "SO" and n <= m else [()]
            return _walks(m, ends, lambda shape: _orthogonal_steps(shape, size), stay=family == "B")
        case "Sp":
            return _walks(m, [()], lambda shape: _steps(shape, n // 2))
        case "SxZ2" | "BxZ2":
            return 0 if m % 2 else dimension_by_characters(family[0], n, m)
        case "S+" | "O+" | "B+" | "H+" | "SxZ2+" | "BxZ2+":
            return _dimension_of_free(family[:-1], n, m)
        case _:
            raise ValueError(f"no dimension is known for the group {family}:{n}")


def _dimension_of_free(family: str, n: int, m: int) -> int:
    """Return the dimension for a free quantum group, which is the classical group where n is small, but for H+."""
    if n < free_from(family):
        return _signed_free(n, m) if family == "H" else dimension_by_characters(family, n, m)
    if family in ("SxZ2", "BxZ2"):
        return 0 if m % 2 else _dimension_of_free(family[0], n, m)
    if family == "H":
        # Planar partitions into even blocks, by the first block: F = 1 + x F^3 with x for two points.
        series = [1]
        for size in range(m // 2):
            square = [sum(series[i] * series[j - i] for i in range(j + 1)) for j in range(size + 1)]
            series.append(sum(square[j] * series[size - j] for j in range(size + 1)))
        return 0 if m % 2 else series[m // 2]
    # Representations are numbered 0, 1, 2, ...; V is 1 for O+, and 0 + 1 for S+ and B+.
    counts = [1] + [0] * (m + 1)
    for _ in range(m):
        counts = [
            (counts[j - 1] if j else 0)
            + counts[j + 1]
            + {"O": 0, "B": counts[j], "S": counts[j] * (2 if j else 1)}[family]
            for j in range(m + 1)
        ] + [0]
    return counts[0]


def _signed_free(n: int, m: int) -> int:
    """Return the m-th moment of the character of H_n^+, n <= 3: the sum of the a_i p_ii.

    The p_ij are the indicators, on the permutations of n points, that j goes to i; each a_i is of square 1 and commutes
    with those of its row i. Over the functions of the row, to which E_i averages, these algebras are free (Bichon,
    "Free wreath product by the quantum permutation group", 2004): words a_i f a_j g ... have the mean 0 where
    E_i f = 0 between equal letters. So letters open and close like brackets, and a pair multiplies by a function.
    """
    points = list(permutations(range(n)))
    diagonal = [[Fraction(images[i] == i) for images in points] for i in range(n)]

    def mean(row: int, f: Sequence[Fraction]) -> list[Fraction]:
        sums = [Fraction(0)] * n
        for images, value in zip(points, f, strict=True):
            sums[images.index(row)] += value / factorial(n - 1)
        return [sums[images.index(row)] for images in points]

    def spread(inside: int | None, size: int) -> list[list[Fraction]]:
        """Return what 0, ..., size letters between two brackets of a row come to: the function after them."""
        start = [Fraction(1)] * len(points) if inside is None else diagonal[inside]
        sums = [start]
        for letters in range(1, size + 1):
            total = [Fraction(0)] * len(points)
            for row in range(n):
                for inner in range(letters - 1):
                    before = sums[letters - inner - 2]
                    if row == inside:
                        before = [x - y for x, y in zip(before, mean(row, before), strict=True)]
                    total = [x + y * z for x, y, z in zip(total, before, closed[row][inner], strict=True)]
            sums.append(total)
        return sums

    closed: list[list[list[Fraction]]] = [[] for _ in range(n)]
    for size in range(m - 1):
        last = [mean(row, spread(row, size)[size]) for row in range(n)]
        for row in range(n):
            closed[row].append([x * y for x, y in zip(last[row], diagonal[row], strict=True)])
    mean_of_power = sum(spread(None, m)[m], Fraction(0)) / factorial(n)
    if mean_of_power.denominator != 1:
        raise ValueError(f"the mean of characters {mean_of_power} is no integer")
    return mean_of_power.numerator


def free_from(family: str) -> int:
    """Return from which n on planar diagrams of a family are independent."""
    return {"O": 2, "B": 3, "BxZ2": 3}.get(family, 4)


def dimension_of_permutations(elements: list[tuple[int, ...]], m: int) -> int:
    """Return the number of orbits on m-tuples of a group of permutations, all of them given."""
    total = sum(int(sum(x == y for x, y in enumerate(images)) ** m) for images in elements)
    return total // len(elements)


def most_steps(family: str) -> int:
    """Return up to how many tensor factors walks are followed."""
    return 40 if family in ("O", "SO", "Sp", "B", "BxZ2", "H+") else 1000


def _mean(n: int, power: Callable[[int], int | Fraction], *, even: bool = False) -> int:
    """Return the mean over the permutations of n points, or over the even ones, of a function of the fixed points."""
    total: int | Fraction = 0
    for fixed in range(n + 1):
        moved = n - fixed
        count = sum((-1) ** i * comb(moved, i) * factorial(moved - i) for i in range(moved + 1))
        if even:
            count = (count + (-1) ** (moved - 1) * (moved - 1)) // 2 if moved else 1
        total += comb(n, fixed) * count * power(fixed)
    mean = Fraction(total) / (factorial(n) // (2 if even and n > 1 else 1))
    if mean.denominator != 1:
        raise ValueError(f"the mean of characters {mean} is no integer")
    return mean.numerator


def _signed_power(points: int, m: int) -> Fraction:
    """Return the mean of the m-th power of a sum of signs."""
    return Fraction(sum(comb(points, j) * (points - 2 * j) ** m for j in range(points + 1)), 2**points)


def _walks(m: int, ends: Sequence[Shape], steps: Callable[[Shape], Iterator[Shape]], *, stay: bool = False) -> int:
    """Count the walks of m steps from the trivial representation to one of some ends."""
    counts: dict[Shape, int] = {(): 1}
    largest = max(map(sum, ends))
    for left in range(m - 1, -1, -1):
        reached: dict[Shape, int] = dict(counts) if stay else {}
        for shape, count in counts.items():
            for following in steps(shape):
                if sum(following) <= left + largest:  # otherwise it is too far to come back
                    reached[following] = reached.get(following, 0) + count
        counts = reached
    return sum(counts.get(end, 0) for end in ends)


def _steps(shape: Shape, rows: int) -> Iterator[Shape]:
    """Yield the Young diagrams with a box more or less and at most some rows."""
    for i in range(min(len(shape) + 1, rows)):
        row = shape[i] if i < len(shape) else 0
        if i == 0 or shape[i - 1] > row:
            yield (*shape[:i], row + 1, *shape[i + 1 :])
    for i, row in enumerate(shape):
        if i + 1 == len(shape) or shape[i + 1] < row:
            yield (*shape[:i], row - 1, *shape[i + 1 :]) if row > 1 else shape[:i]


def _orthogonal_steps(shape: Shape, n: int) -> Iterator[Shape]:
    """Yield those of them whose first two columns have at most n boxes."""
    for following in _steps(shape, n):
        if len(following) + sum(row > 1 for row in following) <= n:
            yield following
