"""The text of a Triton module: the three tiers of one scheme as kernels, and the function that launches them."""

from collections.abc import Sequence
from string import Template
from textwrap import fill, indent

from flipforge.programs import Program
from flipforge.schemes import Scheme
from flipforge_codegen._numpy_text import origin, stated
from flipforge_codegen._order import statements
from flipforge_codegen._scalars import Scalar, divided, folded, offset, typed_sum
from flipforge_codegen._stages import Stage, Stages, stages

__all__ = ["triton_text"]

# Constants are Python integers and take the type of the tensor.
_SUMS = Scalar("triton", "tensor", "")

_HEAD = Template('''\
"""Product of matrices, $n x $m by $m x $p blocks, with $rank products of blocks, in Triton.

$origin

    $problem over $ring, id $id
    sha256 $digest
    written by flipforge $version

``multiply(a, b)`` takes torch tensors of float16, float32 or float64 on a GPU, of any size and strides. With the
variable TRITON_INTERPRET=1 set before this module is imported it runs on the CPU.
"""

import torch
import triton
import triton.language as tl

__all__ = ["RANK", "TIERS", "multiply"]

RANK = $rank
TIERS = ("batched", "vendor", "fused")


@triton.jit
def at(x, i, j, rows, cols, rs, cs, inside):
    """Read entries of an operand; zero outside of it."""
    return tl.load(x + i.to(tl.int64) * rs + j.to(tl.int64) * cs, mask=inside & (i < rows) & (j < cols), other=0)


@triton.jit
def put(c, i, j, rows, cols, rs, cs, inside, value, add: tl.constexpr):
    """Write entries of the result, or add to them; nothing outside of it."""
    place, mask = c + i.to(tl.int64) * rs + j.to(tl.int64) * cs, inside & (i < rows) & (j < cols)
    if add:
        value += tl.load(place, mask=mask, other=0).to(value.dtype)
    tl.store(place, value.to(c.dtype.element_ty), mask=mask)
''')

_COMBINE = Template('''\


@triton.jit
def combine_$side(x, s, m, n, rows, cols, rs, cs, TM: tl.constexpr, TN: tl.constexpr):
    """Write all combinations of the $side operand, block q the $side factor of product q."""
    i = tl.program_id(0) * TM + tl.arange(0, TM)[:, None]
    j = tl.program_id(1) * TN + tl.arange(0, TN)[None, :]
    inside = (i < m) & (j < n)
    to = s + i.to(tl.int64) * n + j
    step = (m * n).to(tl.int64)
$body
''')

_OUT = Template('''\


@triton.jit
def combine_out(p, c, m, n, rows, cols, rs, cs, ACC: tl.constexpr, TM: tl.constexpr, TN: tl.constexpr):
    """Write the result from all products."""
    i = tl.program_id(0) * TM + tl.arange(0, TM)[:, None]
    j = tl.program_id(1) * TN + tl.arange(0, TN)[None, :]
    inside = (i < m) & (j < n)
    of = p + i.to(tl.int64) * n + j
    step = (m * n).to(tl.int64)
$body
''')

_BATCHED = '''\


@triton.jit
def batched(s, t, p, m, k, n, ACC: tl.constexpr, TM: tl.constexpr, TN: tl.constexpr, TK: tl.constexpr):
    """Multiply all pairs of combinations, one a layer of the grid."""
    layer = tl.program_id(2).to(tl.int64)
    i = tl.program_id(0) * TM + tl.arange(0, TM)[:, None]
    j = tl.program_id(1) * TN + tl.arange(0, TN)[None, :]
    s, t, p = s + layer * m * k, t + layer * k * n, p + layer * m * n
    total = tl.zeros((TM, TN), ACC)
    for first in range(0, k, TK):
        q, r = first + tl.arange(0, TK)[None, :], first + tl.arange(0, TK)[:, None]
        left = at(s, i, q, m, k, k, 1, q < k)
        right = at(t, r, j, k, n, n, 1, r < k)
        total = tl.dot(left, right, total, input_precision="ieee", out_dtype=ACC)
    put(p, i, j, m, n, n, 1, (i < m) & (j < n), total, False)
'''

_FUSED = Template('''\


@triton.jit
def product_$number(
    a, b, c, m, k, n, rows, inner, cols, a_rs, a_cs, b_rs, b_cs, c_rs, c_cs,
    ACC: tl.constexpr, TM: tl.constexpr, TN: tl.constexpr, TK: tl.constexpr,
):  # fmt: skip
    """Compute product $number and what it adds to the result."""
    i = tl.program_id(0) * TM + tl.arange(0, TM)[:, None]
    j = tl.program_id(1) * TN + tl.arange(0, TN)[None, :]
    total = tl.zeros((TM, TN), ACC)
    for first in range(0, k, TK):
        q, r = first + tl.arange(0, TK)[None, :], first + tl.arange(0, TK)[:, None]
        in_left, in_right = (i < m) & (q < k), (r < k) & (j < n)
$left
$right
        total = tl.dot(left, right, total, input_precision="ieee", out_dtype=ACC)
    inside = (i < m) & (j < n)
$store
''')

_LAUNCH = Template('''\


PRODUCTS = ($products)


def multiply(a, b, *, tier="fused", tile=(64, 64, 32), warps=4):
    """Return the product of two matrices.

    Parameters
    ----------
    a, b
        Tensors of shapes (N, M) and (M, P), of one dtype: float16, float32 or float64. Sums of float16 are float32.
    tier
        "fused" takes no workspace: a kernel a product, in order; "batched" and "vendor" combine, multiply and combine.
    tile
        Rows, columns and depth of what one program multiplies at a time.

    Raises
    ------
    TypeError, ValueError
        Dtypes, shapes or options that do not fit.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ValueError(f"shapes {tuple(a.shape)} and {tuple(b.shape)} are not those of two matrices with a product")
    if a.dtype != b.dtype or a.dtype not in (torch.float16, torch.float32, torch.float64):
        raise TypeError(f"{a.dtype} by {b.dtype}: give two of float16, float32, float64")
    if tier not in TIERS:
        raise ValueError(f"tier {tier!r}: give one of {', '.join(TIERS)}")
    (rows, inner), cols = a.shape, b.shape[1]
    c = torch.empty((rows, cols), dtype=a.dtype, device=a.device)
    if 0 in (rows, inner, cols):
        return c.zero_()
    m, k, n = -(-rows // $n), -(-inner // $m), -(-cols // $p)
    tm, tn, tk = tile
    acc = tl.float64 if a.dtype == torch.float64 else tl.float32
    grid = (triton.cdiv(m, tm), triton.cdiv(n, tn))
    if tier == "fused":
        for product in PRODUCTS:
            product[grid](
                a, b, c, m, k, n, rows, inner, cols, *a.stride(), *b.stride(), *c.stride(), acc, tm, tn, tk,
                num_warps=warps,
            )  # fmt: skip
        return c
    s, t, p = (torch.empty((RANK, *shape), dtype=a.dtype, device=a.device) for shape in ((m, k), (k, n), (m, n)))
    # A combination holds many values of a thread at a time: two entries a thread leave room for them.
    hm, hn = 1, 64 * warps

    def cut(x, y):
        return triton.cdiv(x, hm), triton.cdiv(y, hn)

    combine_left[cut(m, k)](a, s, m, k, rows, inner, *a.stride(), hm, hn, num_warps=warps)
    combine_right[cut(k, n)](b, t, k, n, inner, cols, *b.stride(), hm, hn, num_warps=warps)
    if tier == "vendor":
        torch.bmm(s, t, out=p)
    else:
        batched[(*grid, RANK)](s, t, p, m, k, n, acc, tm, tn, tk, num_warps=warps)
    combine_out[cut(m, n)](p, c, m, n, rows, cols, *c.stride(), acc, hm, hn, num_warps=warps)
    return c
''')


def triton_text(scheme: Scheme, program: Program) -> str:
    """Write the module of a scheme over a ring of characteristic 0, denominators powers of two."""
    form = stages(program)
    n, m, p = program.problem.dims
    rank = len(form.left.sources)
    head = _HEAD.substitute(stated(scheme), n=n, m=m, p=p, origin=fill(origin(scheme), 112))
    parts = [
        head,
        _combine("left", form.left, program.problem.labels[0], m),
        _combine("right", form.right, program.problem.labels[1], p),
        _BATCHED,
        _combine_out(form.out, program.problem.labels[2], p),
    ]
    written: set[int] = set()
    parts += [_fused(form, number, (n, m, p), written) for number in range(rank)]
    products = fill(", ".join(f"product_{number}" for number in range(1, rank + 1)) + ",", 110)
    listed = f"\n{indent(products, '    ')}\n"
    return "".join([*parts, _LAUNCH.substitute(products=listed, n=n, m=m, p=p)])


def _combine(side: str, stage: Stage, names: Sequence[str], columns: int) -> str:
    loads = []
    for place in range(stage.inputs):
        i, j = offset("i", place // columns, "m"), offset("j", place % columns, "n")
        loads.append(f"at(x, {i}, {j}, rows, cols, rs, cs, inside)")
    lines = []
    for target, value in statements(stage, names, loads, _SUMS):
        if isinstance(target, str):
            lines.append(folded(f"{target} = ({value})", 4))
        else:
            lines.append(folded(f"tl.store(to + {target} * step, {value}, mask=inside)", 4))
    return _COMBINE.substitute(side=side, body="\n".join(lines))


def _combine_out(stage: Stage, names: Sequence[str], columns: int) -> str:
    products = [f"m{number}" for number in range(1, stage.inputs + 1)]
    loads = [f"tl.load(of + {number} * step, mask=inside, other=0).to(ACC)" for number in range(stage.inputs)]
    lines = []
    for target, value in statements(stage, products, loads, _SUMS):
        if isinstance(target, str):
            lines.append(folded(f"{target} = ({value})", 4))
            continue
        i, j = offset("i", target // columns, "m"), offset("j", target % columns, "n")
        lines.append(folded(f"{names[target]} = ({divided(value, stage.denominators[target])})", 4))
        lines.append(f"    put(c, {i}, {j}, rows, cols, rs, cs, inside, {names[target]}, False)")
    return _OUT.substitute(body="\n".join(lines))


def _fused(form: Stages, number: int, dims: tuple[int, int, int], written: set[int]) -> str:
    """Write the kernel of one product; the first one that reaches a block of the result sets it, later ones add."""
    _, m, p = dims
    loads = []
    for side, operand, rows, columns, index, sizes, whole in (
        ("left", "a", form.left.rows, m, ("i", "q"), ("m", "k"), ("rows", "inner")),
        ("right", "b", form.right.rows, p, ("r", "j"), ("k", "n"), ("inner", "cols")),
    ):
        terms, names = rows[number], {}
        for _, place in terms:
            i, j = offset(index[0], place // columns, sizes[0]), offset(index[1], place % columns, sizes[1])
            names[place] = f"at({operand}, {i}, {j}, {whole[0]}, {whole[1]}, {operand}_rs, {operand}_cs, in_{side})"
        listed = [names.get(place, "") for place in range(max(names) + 1)]
        loads.append(folded(f"{side} = ({typed_sum(terms, listed, _SUMS)})", 8))
    stores = []
    for place, row in enumerate(form.out.rows):
        for coefficient, product in row:
            if product == number:
                value = divided(typed_sum([(coefficient, 0)], ["total"], _SUMS), form.out.denominators[place])
                i, j = offset("i", place // p, "m"), offset("j", place % p, "n")
                stores.append(f"    put(c, {i}, {j}, rows, cols, c_rs, c_cs, inside, {value}, {place in written})")
                written.add(place)
    return _FUSED.substitute(number=number + 1, left=loads[0], right=loads[1], store="\n".join(stores))
