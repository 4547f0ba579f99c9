"""Symmetric tensors as sums of powers of vectors: the subspace power method, and certificates of what it finds."""

from flipforge_symmetric._decompose import Decomposition, decompose, rank_bound
from flipforge_symmetric._tables import sorted_indices, sum_of_powers
from flipforge_symmetric._tensor import SymmetricTensor, read_tensor
from flipforge_symmetric.manifest import SYMMETRIC

__all__ = [
    "SYMMETRIC",
    "Decomposition",
    "SymmetricTensor",
    "decompose",
    "rank_bound",
    "read_tensor",
    "sorted_indices",
    "sum_of_powers",
]
