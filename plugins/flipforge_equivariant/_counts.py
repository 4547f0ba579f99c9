"""Counts that dimensions are made of, as exact integers of any size."""

from collections.abc import Iterator
from functools import cache
from math import comb, factorial, prod

__all__ = ["even_partitions", "hook_count", "integer_partitions", "matchings", "stirling"]


@cache
def stirling(points: int) -> tuple[int, ...]:
    """Return the numbers of set partitions of a number of points by their number of blocks.

    Examples
    --------
    >>> stirling(4)
    (0, 1, 7, 6, 1)
    """
    row = [1]
    for size in range(1, points + 1):
        row = [0, *(row[t - 1] + t * (row[t] if t < size else 0) for t in range(1, size + 1))]
    return tuple(row)


@cache
def even_partitions(points: int) -> tuple[int, ...]:
    """Return the numbers of set partitions into even blocks by their number of blocks.

    Examples
    --------
    >>> even_partitions(4)
    (0, 1, 3)
    """
    if points % 2:
        return ()
    if points == 0:
        return (1,)
    row = [0] * (points // 2 + 1)
    for size in range(2, points + 1, 2):
        for blocks, count in enumerate(even_partitions(points - size)):
            row[blocks + 1] += comb(points - 1, size - 1) * count
    return tuple(row)


def matchings(points: int) -> int:
    """Return the number of ways to join points in pairs, 0 for an odd number."""
    return 0 if points % 2 else prod(range(1, points, 2))


def integer_partitions(total: int, longest: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    """Yield the partitions of a number into at most ``longest`` parts, by rows that do not grow."""
    if total == 0:
        yield ()
    elif longest:
        for part in range(min(total, total if largest is None else largest), (total - 1) // longest, -1):
            for rest in integer_partitions(total - part, longest - 1, part):
                yield (part, *rest)


def hook_count(shape: tuple[int, ...]) -> int:
    """Return the number of standard tableaux of a shape, by hook lengths.

    Examples
    --------
    >>> hook_count((3, 2))
    5
    """
    columns = [sum(row > column for row in shape) for column in range(shape[0])] if shape else []
    hooks = prod(row - j + columns[j] - i - 1 for i, row in enumerate(shape) for j in range(row))
    return factorial(sum(shape)) // hooks
