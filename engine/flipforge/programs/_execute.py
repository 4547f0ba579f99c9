"""Running programs on NumPy arrays: the reference that every back end is compared with."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError, RingError
from flipforge.programs._linear import Combination, LinearProgram
from flipforge.programs._program import Program
from flipforge.rings import Ring

__all__ = ["evaluate", "execute", "multiply"]

Array = npt.NDArray[Any]
Product = Callable[[Array, Array], Array]


def execute(program: Program, a: Sequence[Array], b: Sequence[Array], product: Product = np.matmul) -> list[Array]:
    """Run a program on blocks.

    Integers of fixed width wrap as in NumPy; object arrays are exact. Over GF(p) entries are integers, and combinations
    and products are reduced to residues 0 to p - 1.

    Parameters
    ----------
    a, b
        The coordinates of the operands, each of one shape.
    product
        Multiplies two blocks.

    Raises
    ------
    InputError
        The number of blocks is not that of the problem.
    RingError
        The dtype cannot carry the coefficients: integers where the program divides, floats modulo p.
    """
    for blocks, part, name in ((a, program.left, "left"), (b, program.right, "right")):
        if len(blocks) != part.inputs:
            raise InputError(f"{program.problem}: {len(blocks)} blocks of the {name} operand, {part.inputs} are needed")
        for dtype in {x.dtype for x in blocks}:
            _carried(program, dtype)
    p = program.ring.characteristic
    left, right = run_linear(program.left, a), run_linear(program.right, b)
    products = [_residue(product(x, y), p) for x, y in zip(left, right, strict=True)]
    if not products:
        zero = product(a[0], b[0]) * 0
        return [zero] * len(program.out.outputs)
    return run_linear(program.out, products)


def multiply(levels: Sequence[Program], a: Array, b: Array, base: Product = np.matmul) -> Array:
    """Multiply matrices of any sizes by recursion, one program a level; sizes that do not come out even get zeros.

    Parameters
    ----------
    levels
        Programs of matrix products, the outermost first; without any, ``base`` multiplies the operands.
    a, b
        Arrays of shape (..., N, M) and (..., M, P).

    Raises
    ------
    InputError
        A program is not for a matrix product, or the shapes do not fit.
    RingError
        The dtype cannot carry the coefficients.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> level = program(standard_scheme(matmul(2, 2, 2), ZT))
    >>> a = np.arange(15).reshape(3, 5)
    >>> bool((multiply([level, level], a, a.T) == a @ a.T).all())
    True
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise InputError(f"shapes {a.shape} and {b.shape} are no (..., N, M) and (..., M, P)")
    if not levels:
        return base(a, b)
    first = levels[0]
    if first.problem.kind != "matmul":
        raise InputError(f"{first.problem} is not a matrix product; run it on coordinates")
    n, m, p = first.problem.dims

    def inner(x: Array, y: Array) -> Array:
        return multiply(levels[1:], x, y, base)

    blocks = execute(first, _blocks(a, n, m), _blocks(b, m, p), inner)
    rows = [np.concatenate(blocks[i : i + p], axis=-1) for i in range(0, n * p, p)]
    return np.concatenate(rows, axis=-2)[..., : a.shape[-2], : b.shape[-1]]


def evaluate(program: Program, a: Array, b: Array) -> Array:
    """Run a program on numbers: operands (..., left) and (..., right) give a result (..., out) of its problem's shape.

    Raises
    ------
    InputError
        The shapes do not fit.
    RingError
        The dtype cannot carry the coefficients.
    """
    left, right, _ = program.problem.shape
    if a.shape[-1:] != (left,) or b.shape[-1:] != (right,):
        raise InputError(f"{program.problem}: shapes {a.shape} and {b.shape} are no (..., {left}) and (..., {right})")
    # One more axis keeps coordinates arrays: sums of fixed width scalars would warn where they wrap.
    x, y = (np.moveaxis(operand[np.newaxis], -1, 0) for operand in (a, b))
    return np.asarray(np.stack(execute(program, list(x), list(y), np.multiply), axis=-1)[0])


def run_linear(part: LinearProgram, inputs: Sequence[Array]) -> list[Array]:
    """Run a linear program; outputs of one term with coefficient 1 are the registers themselves."""
    p = part.ring.characteristic
    registers = [_residue(x, p) for x in inputs]
    for step in part.steps:
        registers.append(_combined(step, registers, part.ring))
    return [_combined(output, registers, part.ring) for output in part.outputs]


def _blocks(x: Array, rows: int, columns: int) -> list[Array]:
    """Cut the last two axes into blocks of one size, listed row by row, after padding with zeros below and right."""
    height, width = (max(1, -(-size // count)) for size, count in zip(x.shape[-2:], (rows, columns), strict=True))
    padding = [(0, 0)] * (x.ndim - 2) + [(0, rows * height - x.shape[-2]), (0, columns * width - x.shape[-1])]
    x = np.pad(x, padding) if any(after for _, after in padding) else x
    return [
        x[..., i : i + height, j : j + width]
        for i in range(0, rows * height, height)
        for j in range(0, columns * width, width)
    ]


def _combined(terms: Combination, registers: Sequence[Array], ring: Ring) -> Array:
    if not terms:
        return np.zeros_like(registers[0])
    if len(terms) == 1 and terms[0][0] == 1:
        return registers[terms[0][1]]
    denominator = lcm(*(Fraction(coefficient).denominator for coefficient, _ in terms))
    total = None
    for coefficient, register in sorted(terms, key=lambda term: term[0] < 0):
        factor, x = int(coefficient * denominator), registers[register]
        size = x if abs(factor) == 1 else abs(factor) * x
        total = (size if factor > 0 else -size) if total is None else total + size if factor > 0 else total - size
    assert total is not None
    if denominator > 1:
        total = total * Fraction(1, denominator) if total.dtype == object else total / denominator
    return _residue(total, ring.characteristic)


def _residue(x: Array, p: int) -> Array:
    return x % p if p else x


def _carried(program: Program, dtype: np.dtype[Any]) -> None:
    if program.ring.characteristic:
        if dtype.kind not in "iuO":
            raise RingError(f"{program.problem}: a program over {program.ring} takes integers, not {dtype}")
    elif dtype.kind in "iub" and program.ring.name in ("Z[1/2]", "Q"):
        raise RingError(f"{program.problem}: the program divides, {dtype} cannot; give floats or objects")
