"""What generated modules compute, and exact references in Python integers that share no code with them."""

from itertools import product
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.problems import Problem

__all__ = ["MatrixMap", "Shapes", "VectorMap"]

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape]


class MatrixMap:
    """Modules with ``multiply``."""

    recursive = True

    def __init__(self, problem: Problem, module: ModuleType) -> None:
        self.n, self.m, self.p = problem.dims
        self.split = self.m
        self.unit_shapes = (self.n, self.m), (self.m, self.p), (self.n, self.p)
        self.module = module

    def call(self, a: Array, b: Array, depth: int) -> Array:
        """Run ``multiply``."""
        return np.asarray(self.module.multiply(a, b, depth=depth))

    @property
    def into(self) -> Any:
        """Return ``multiply_into``, None where the module has none."""
        return getattr(self.module, "multiply_into", None)

    @property
    def in_basis(self) -> Any:
        """Return ``multiply_in_basis``, None where the module has none."""
        return getattr(self.module, "multiply_in_basis", None)

    def fill(self, a: Array, b: Array, depth: int) -> tuple[Array, int]:
        """Run ``multiply_into`` with a strided result and a workspace full of NaN; return the result and the size."""
        size = self.module.workspace_size(*a.shape, b.shape[1], depth)
        out = np.full((a.shape[0], 2 * b.shape[1] + 1), np.nan)[:, 1::2]
        workspace = np.full(size, np.nan)
        returned = self.into(out, a, b, depth=depth, workspace=workspace)
        return np.asarray(returned if returned is out else out * np.nan), size

    def leaves(self, depth: int, dtype: type[np.generic]) -> int:
        """Count the innermost products of a call on operands that could be cut once more than ``depth`` times."""
        count = 0

        def base(x: Array, y: Array) -> Array:
            nonlocal count
            count += 1
            return np.asarray(x @ y)

        shapes = ((rows ** (depth + 1), columns ** (depth + 1)) for rows, columns in self.unit_shapes[:2])
        self.module.multiply(*(np.ones(shape, dtype) for shape in shapes), depth=depth, base=base)
        return count

    def basis_leaves(self, depth: int) -> int:
        """Count the innermost products of ``multiply_in_basis``."""
        count = 0

        def base(x: Array, y: Array) -> Array:
            nonlocal count
            count += 1
            return np.asarray(x @ y)

        shapes = ((rows**depth, columns**depth) for rows, columns in self.unit_shapes[:2])
        self.in_basis(*(np.ones(shape) for shape in shapes), depth=depth, base=base)
        return count

    def exact(self, a: Array, b: Array) -> Array:
        """Multiply row by column."""
        rows, columns = a.tolist(), list(zip(*b.tolist(), strict=True))
        result = np.empty((len(rows), len(columns)), dtype=object)
        for i, j in product(range(len(rows)), range(len(columns))):
            result[i, j] = sum(x * y for x, y in zip(rows[i], columns[j], strict=True))
        return result

    def shapes(self, depth: int) -> list[Shapes]:
        """Return multiples with blocks that are not square, and sizes that do not come out even (all of depth 3)."""
        n, m, p = self.n**depth, self.m**depth, self.p**depth
        sizes = [(n + 1, m + 1, p + 1)]
        if depth < 3:
            sizes += [(2 * n, m, 3 * p), (2 * n - 1, 2 * m - 1, 2 * p - 1)]
        if depth == 1:
            sizes += [(n, m, p), (2 * n, 3 * m, 5 * p), (3 * n + 1, 1, 2 * p + 1), (1, 6 * m + 1, 1)]
        return [((i, j), (j, k)) for i, j, k in sizes]

    def inner(self, shapes: Shapes) -> int:
        """Return the length of a row of the left operand."""
        return shapes[0][1]


class VectorMap:
    """Modules with ``apply``."""

    recursive = False
    split = 1

    def __init__(self, problem: Problem, module: ModuleType) -> None:
        problem = problem.bilinear
        self.unit_shapes = (problem.shape[0],), (problem.shape[1],), (problem.shape[2],)
        self.entries = problem.entries
        self.module = module

    def call(self, a: Array, b: Array, depth: int) -> Array:
        """Run ``apply``; there is no recursion."""
        return np.asarray(self.module.apply(a, b))

    def exact(self, a: Array, b: Array) -> Array:
        """Sum the tensor's entries, over leading axes that the operands share."""
        result = np.zeros((*a.shape[:-1], *self.unit_shapes[2]), dtype=object)
        for (i, j, k), value in self.entries:
            result[..., k] += value * a[..., i] * b[..., j]
        return result

    def shapes(self, depth: int) -> list[Shapes]:
        """Return a single pair of vectors and a stack of pairs."""
        a, b, _ = self.unit_shapes
        return [(a, b), ((4, *a), (4, *b))]

    def inner(self, shapes: Shapes) -> int:
        """Products of two numbers stand in place of products of blocks."""
        return 1
