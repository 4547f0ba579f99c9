"""Layers with fixed weights: the program or the dense matrix, whichever takes less time."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.programs._layer import LayerProgram
from flipforge.programs._layer_run import apply_layer

__all__ = ["FixedLayer", "dense_is_faster"]

Array = npt.NDArray[Any]

# Nanoseconds on a two-core x86 machine, one thread, float64: a call, an element touched with a batch and alone, an
# instruction, and for the matrix its entries, read once, and products. bench/equivariant.py shows how far off they are.
_CALL, _ELEMENT, _ELEMENT_ALONE, _INSTRUCTION = 12_000.0, 0.45, 0.9, 15.0
_DENSE_CALL, _ENTRY, _PRODUCT = 1_500.0, 0.3, 0.045
_LANES = 8
_MOST_ENTRIES = 50_000_000


def dense_is_faster(program: LayerProgram, n: int, batch: int) -> bool:
    """Tell whether a product with the dense matrix is estimated to take less time than the program.

    Examples
    --------
    >>> from flipforge.diagrams import partitions
    >>> from flipforge.programs import assemble, cores
    >>> program = assemble(list(partitions(2, 2)), cores(2), cores(2), k=2, l=2)
    >>> [dense_is_faster(program, n, 64) for n in (6, 12, 50)]
    [True, False, False]
    """
    entries = n ** (program.k + program.l)
    if entries > _MOST_ENTRIES:
        return False
    together = batch >= _LANES
    element, shared = (_ELEMENT, _LANES) if together else (_ELEMENT_ALONE, 1)
    sparse = _CALL + batch * (program.cost(n) * element + len(program.steps) * _INSTRUCTION / shared)
    return bool(_DENSE_CALL + entries * (_ENTRY + batch * _PRODUCT) < sparse)


class FixedLayer:
    """A layer whose weights do not change, for many calls.

    Parameters
    ----------
    program
        What applies the diagrams.
    weights
        Shape (W,), floats.
    n
        Length of the axes.

    Examples
    --------
    >>> from flipforge.diagrams import partitions
    >>> from flipforge.programs import assemble, cores
    >>> program = assemble(list(partitions(1, 1)), cores(1), cores(1), k=1, l=1)
    >>> FixedLayer(program, np.array([1.0, 2.0]), 3)(np.arange(3.0))
    array([6., 7., 8.])
    """

    def __init__(self, program: LayerProgram, weights: Array, n: int) -> None:
        if weights.shape != (program.weights,) or weights.dtype.kind != "f":
            raise InputError(f"weights are {weights.dtype} of shape {weights.shape}; give {program.weights} floats")
        self.program, self.weights, self.n = program, weights.copy(), n

    @cached_property
    def matrix(self) -> Array:
        """The dense matrix, n^l x n^k: the program applied to the unit tensors."""
        k = self.program.k
        units = np.eye(self.n**k, dtype=self.weights.dtype).reshape(-1, *([self.n] * k))
        return apply_layer(self.program, units, self.weights, n=self.n).reshape(self.n**k, -1).T

    def __call__(self, x: Array) -> Array:
        """Apply the layer to a tensor of shape (..., n, ..., n)."""
        k, l = self.program.k, self.program.l
        batch = max(1, x.size // self.n**k)
        shape = x.shape[: x.ndim - k]
        fits = x.ndim >= k and x.shape == (*shape, *([self.n] * k)) and x.dtype == self.weights.dtype
        if not fits or not dense_is_faster(self.program, self.n, batch):
            return apply_layer(self.program, x, self.weights, n=self.n)
        product: Array = x.reshape(-1, self.n**k) @ self.matrix.T
        return product.reshape(*shape, *([self.n] * l))
