"""Longest increasing and decreasing subsequences."""

from bisect import bisect_left
from collections.abc import Iterable

__all__ = ["longest_decreasing", "longest_increasing"]


def longest_increasing(word: Iterable[int]) -> int:
    """Return the length of a longest increasing subsequence of distinct values.

    Examples
    --------
    >>> longest_increasing([2, 5, 0, 3, 1])
    2
    """
    ends: list[int] = []  # the least last value of an increasing subsequence of each length
    for value in word:
        place = bisect_left(ends, value)
        ends[place : place + 1] = [value]
    return len(ends)


def longest_decreasing(word: Iterable[int]) -> int:
    """Return the length of a longest decreasing subsequence of distinct values."""
    return longest_increasing(-value for value in word)
