"""The text of the PyTorch target: one module for one scheme of a matrix product."""

from string import Template
from textwrap import fill

from flipforge.schemes import Scheme
from flipforge_codegen._form import Form, form_of
from flipforge_codegen._numpy_text import scheme_function, stated

__all__ = ["torch_text"]

_TEXT = Template('''\
"""Product of matrices of $n x $m and $m x $p blocks with $rank products of blocks, for PyTorch.

Problem $problem.
Ring $ring, rank $rank, scheme $id.
Written by flipforge $version for its target "torch"; it needs PyTorch and nothing else.
$origin

$arithmetic
"""

from collections.abc import Callable
from operator import index

import torch
from torch import nn

__all__ = ["PROBLEM", "RANK", "RING", "SCHEME", "FastMatmul", "multiply"]

PROBLEM = "$problem"
RING = "$ring"
RANK = $rank
SCHEME = "$digest"

Array = torch.Tensor
Product = Callable[[Array, Array], Array]


class FastMatmul(nn.Module):
    """The matrix product as a module: ``FastMatmul(depth=2)(a, b)``.

    Batches, gradients and `torch.compile` go through it as through the operations that it is made of.
    """

    def __init__(self, depth: int = 1) -> None:
        super().__init__()
        if index(depth) < 0:
            raise ValueError(f"FastMatmul: depth is {depth}; give 0 or more")
        self.depth = depth

    def forward(self, a: Array, b: Array) -> Array:
        return multiply(a, b, depth=self.depth)


def multiply(a: Array, b: Array, *, depth: int = 1, base: Product = torch.matmul) -> Array:
    """Return the matrix product a @ b$modulo.

    Parameters
    ----------
    a, b
        Tensors of shape (..., N, M) and (..., M, P) of any sizes and one dtype; leading axes broadcast as in a @ b.
    depth
        Levels of recursion, 0 for none. A level cuts a into $n x $m and b into $m x $p blocks, padded with zeros where
        that does not come out even. It is left out where a matrix has fewer rows or columns than that.
    base
        Multiplies the innermost blocks.

    Raises
    ------
    TypeError
        The dtype is not one that this scheme carries.
    ValueError
        The shapes do not fit, or the depth is negative.
    """
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"multiply: shapes {tuple(a.shape)} and {tuple(b.shape)} are no (..., N, M) and (..., M, P)")
    if depth < 0:
        raise ValueError(f"multiply: depth is {depth}; give 0 or more")
$guard    return _recurse(a, b, depth, base)


def _recurse(a: Array, b: Array, depth: int, base: Product) -> Array:
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    if depth == 0 or rows < $n or inner < $m or columns < $p:
        return $base
    c = _scheme(_blocks(a, $n, $m), _blocks(b, $m, $p), lambda x, y: _recurse(x, y, depth - 1, base))
    whole = torch.cat([torch.cat(c[i : i + $p], dim=-1) for i in range(0, $outputs, $p)], dim=-2)
    return whole[..., :rows, :columns]


def _blocks(x: Array, rows: int, columns: int) -> list[Array]:
    """Cut the last two axes into blocks of one size, listed row by row, after padding with zeros below and right."""
    height, width = -(-x.shape[-2] // rows), -(-x.shape[-1] // columns)
    below, right = rows * height - x.shape[-2], columns * width - x.shape[-1]
    if below or right:
        x = nn.functional.pad(x, (0, right, 0, below))
    return [
        x[..., i * height : (i + 1) * height, j * width : (j + 1) * width] for i in range(rows) for j in range(columns)
    ]
''')

_PLAIN_GUARD = """\
    if a.dtype != b.dtype or a.dtype == torch.bool:
        raise TypeError(f"multiply: cannot compute with {a.dtype} and {b.dtype}; give numbers of one dtype")
"""
_DIVIDING_GUARD = """\
    if a.dtype != b.dtype or not (a.is_floating_point() or a.is_complex()):
        raise TypeError(f"multiply: the scheme divides, so give floats of one dtype, not {a.dtype} and {b.dtype}")
"""
_RESIDUE_GUARD = Template("""\
    if a.is_floating_point() or b.is_floating_point() or a.is_complex() or b.is_complex():
        raise TypeError(f"multiply: the scheme holds modulo $p only; give integers, not {a.dtype} and {b.dtype}")
    a, b = a.long() % $p, b.long() % $p
""")

_OVER = """\


def _over(x: Array, denominator: int) -> Array:
    return x / denominator
"""


def torch_text(scheme: Scheme) -> str:
    """Write the module. Equal schemes of equal provenance give equal text."""
    form, problem = form_of(scheme), scheme.problem
    p = form.modulus
    values = {
        **dict(zip("nmp", problem.dims, strict=True)),
        **stated(scheme),
        "arithmetic": fill(_arithmetic(form), 110),
        "modulo": f" modulo {p}, entries 0 to {p - 1}" if p else "",
        "base": f"base(a, b) % {p}" if p else "base(a, b)",
        "outputs": problem.shape[2],
        "guard": _RESIDUE_GUARD.substitute(p=p) if p else _DIVIDING_GUARD if form.fractional else _PLAIN_GUARD,
    }
    parts = [_TEXT.substitute(values), scheme_function(problem, form, matrix=True)]
    return "".join([*parts, _OVER if form.fractional else ""])


def _arithmetic(form: Form) -> str:
    if form.modulus:
        return (
            f"The scheme holds modulo {form.modulus} only, so the arithmetic is modulo {form.modulus}: operands are "
            f"integers, results are int64 residues 0 to {form.modulus - 1}, floats are refused."
        )
    if form.fractional:
        return "The scheme divides by powers of two: floats round, integers are refused."
    return "Integers wrap as in PyTorch's own arithmetic. Floats round."
