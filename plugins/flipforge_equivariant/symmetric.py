"""The symmetric group S_n, as permutation matrices."""

from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams import ANY
from flipforge_equivariant._counts import stirling
from flipforge_equivariant._family import MergingGroup
from flipforge_equivariant._sizes import read_size

__all__ = ["SymmetricGroup", "symmetric"]


class SymmetricGroup(MergingGroup):
    """S_n: all partition diagrams.

    Examples
    --------
    >>> SymmetricGroup(3).dimension(2, 2)
    14
    """

    letter = "S"
    blocks = ANY

    def sizes(self, points: int) -> tuple[int, ...]:
        """Return the Stirling numbers of the second kind; their sum is the Bell number."""
        return stirling(points)

    def element(self, rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return a random permutation matrix."""
        return np.eye(self.n, dtype=np.int64)[rng.permutation(self.n)]


def symmetric(body: str) -> SymmetricGroup:
    """Make S_n from the text after ``S:``."""
    return SymmetricGroup(read_size("S", body))
