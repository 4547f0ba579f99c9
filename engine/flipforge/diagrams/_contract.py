"""Bilabelled graphs applied to tensors, as contractions of tensor networks: nothing of size n^(k+l) is made."""

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.diagrams._graph import GraphDiagram
from flipforge.errors import InputError

__all__ = ["apply_graph"]

_MOST_VERTICES = 50

Array = npt.NDArray[Any]


def apply_graph(diagram: GraphDiagram, adjacency: npt.ArrayLike, x: Array) -> Array:
    """Apply the matrix of homomorphism counts into a graph to a batch of tensors.

    The vertices are the indices of a tensor network of x, of an adjacency matrix for each edge, and of ones for what
    nothing else touches. Diagonals of x are views; what has no label above is summed over in the order that
    `numpy.einsum_path` finds; vertices with several labels above are diagonals of the result (Mancinska, Roberson,
    2019; the order decides the cost, which is n to the treewidth and one at best).

    Parameters
    ----------
    adjacency
        n x n matrix of zeros and ones.
    x
        Shape (..., n, ..., n), k axes of length n, any dtype; it is not modified.

    Returns
    -------
    array
        Shape (..., n, ..., n), l axes.

    Raises
    ------
    InputError
        The last k axes are not of length n, or there are more than fifty vertices.

    Examples
    --------
    >>> from flipforge.diagrams import bilabelled
    >>> two_steps = bilabelled(1, 1, 3, [(0, 1), (1, 2)], [0, 2])
    >>> apply_graph(two_steps, [[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.array([1, 10, 100]))
    array([101,  20, 101])
    """
    target = np.asarray(adjacency)
    n, k = len(target), diagram.k
    if x.ndim < k or x.shape[x.ndim - k :] != (n,) * k:
        raise InputError(f"x has shape {x.shape}; its last {k} axes must have length n = {n}")
    if diagram.vertices > _MOST_VERTICES:
        raise InputError(f"a graph of {diagram.vertices} vertices; networks of up to {_MOST_VERTICES} are contracted")
    target = target.astype(x.dtype)
    above, below = diagram.labels[: diagram.l], diagram.labels[diagram.l :]
    lead = x.shape[: x.ndim - k]
    batch = diagram.vertices  # the index of the batch; the others are the vertices
    operands: list[Any] = [x.reshape(prod(lead), *([n] * k)), [batch, *below]]
    for u, v in diagram.edges:
        operands += [target, [u, v]] if u != v else [np.diagonal(target), [u]]
    touched = {*below, *(v for edge in diagram.edges for v in edge)}
    for vertex in range(diagram.vertices):
        if vertex not in touched:
            operands += [np.ones(n, x.dtype), [vertex]]
    free = list(dict.fromkeys(above))
    path, _ = np.einsum_path(*operands, [batch, *free], optimize="greedy")
    values = np.einsum(*operands, [batch, *free], optimize=path)
    y = np.zeros((len(operands[0]), *([n] * diagram.l)), values.dtype)
    np.einsum(y, [batch, *above], [batch, *free])[...] = values
    return y.reshape(*lead, *([n] * diagram.l))
