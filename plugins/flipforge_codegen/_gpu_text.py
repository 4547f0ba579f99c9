"""The text of GPU kernels, CUDA C++ and OpenCL C from one frame: three tiers of one scheme.

Tier ``batched``: combinations, a batched product of tiles, combination of the products. Tier ``vendor``: the same with
a vendor's batched product between. Tier ``fused``: a kernel a product, which combines operands as it loads them and
adds to every block of the result that the product belongs to; run in order, so that results are the same each time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from textwrap import fill

from flipforge.programs import Program
from flipforge.schemes import Scheme
from flipforge_codegen._numpy_text import origin, stated
from flipforge_codegen._order import statements
from flipforge_codegen._scalars import Scalar, divided, folded, offset, typed_sum
from flipforge_codegen._stages import Stage, Stages, stages

__all__ = ["CUDA", "OPENCL", "Dialect", "gpu_text"]

SUMS = Scalar("sum", "SUM", "")


@dataclass(frozen=True)
class Dialect:
    """How a language writes what CUDA C++ and OpenCL C share.

    Attributes
    ----------
    head
        The beginning of a file: types that are left to the build.
    words
        What stands for ``$kernel`` and ``$stream`` (which may take more registers), ``$shared``, ``$barrier``,
        ``$long`` and the numbers of a thread.
    """

    name: str
    head: str
    words: dict[str, str]


CUDA = Dialect(
    "cuda",
    """\
/* Types are those of the build: -DVALUE=float -DSUM=float unless stated; half is -DFLIPFORGE_HALF
   -DVALUE=half_value -DSUM=float. */
#ifdef FLIPFORGE_HALF /* half precision as storage, without a header that NVRTC would have to find */
struct half_value {
  unsigned short bits;
  explicit __device__ half_value(float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x)); }
  explicit __device__ operator float() const {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
  }
};
#endif
#ifndef VALUE
#define VALUE float
#define SUM float
#endif
""",
    {
        "kernel": 'extern "C" __global__ void __launch_bounds__(256, 2)',
        "stream": 'extern "C" __global__ void __launch_bounds__(256)',
        "shared": "__shared__",
        "global_": "",
        "barrier": "__syncthreads()",
        "long": "long long",
        "gx": "(int)blockIdx.x",
        "gy": "(int)blockIdx.y",
        "gz": "(int)blockIdx.z",
        "lx": "(int)threadIdx.x",
        "ly": "(int)threadIdx.y",
    },
)

OPENCL = Dialect(
    "opencl",
    """\
/* Types are those of the build: -DVALUE=float -DSUM=float unless stated. */
#ifdef FLIPFORGE_DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
#ifndef VALUE
#define VALUE float
#define SUM float
#endif
""",
    {
        "kernel": "__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void",
        "stream": "__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void",
        "shared": "__local",
        "global_": "__global ",
        "barrier": "barrier(CLK_LOCAL_MEM_FENCE)",
        "long": "long",
        "gx": "(int)get_group_id(0)",
        "gy": "(int)get_group_id(1)",
        "gz": "(int)get_group_id(2)",
        "lx": "(int)get_local_id(0)",
        "ly": "(int)get_local_id(1)",
    },
)

_TITLE = Template("""\
/* Product of matrices, $n x $m by $m x $p blocks, with $rank products of blocks.

$origin

   $problem over $ring, id $id
   sha256 $digest
   written by flipforge $version
   facts: $facts

   Every kernel runs on groups of 16 x 16 threads. Strides count elements; sizes that do not come out even are masked:
   what lies outside an operand is read as zero, what lies outside the result is not written. */
""")

_COMMON = """\

#define SIDE 16  /* threads of a group on a side */
#define TILE 64  /* rows and columns of the result that a group computes */
#define DEPTH 16 /* terms that are summed between two barriers */
#define PER (TILE / SIDE)

#define AT(x, i, j, rows, cols, rs, cs) ((i) < (rows) && (j) < (cols) ? (SUM)(x)[(i) * (rs) + (j) * (cs)] : (SUM)0)
"""

_COMBINE = Template("""\

/* All combinations of the $side operand, one behind the other: block q of s is the $side factor of product q. */
$stream
combine_$side(${global_}const VALUE *x, ${global_}VALUE *s, int m, int n, int rows, int cols, $long rs, $long cs) {
  const int i = $gy * SIDE + $ly, j = $gx * SIDE + $lx;
  if (i >= m || j >= n) return;
$body
}
""")

_OUT = Template("""\

/* The result from all products. */
$stream
combine_out(${global_}const VALUE *p, ${global_}VALUE *c, int m, int n, int rows, int cols, $long rs, $long cs) {
  const int i = $gy * SIDE + $ly, j = $gx * SIDE + $lx;
  if (i >= m || j >= n) return;
$body
}
""")

_PRODUCT = Template("""\

$comment
$kernel $name($params) {
  $shared SUM left[DEPTH][TILE + 1], right[DEPTH][TILE + 1]; /* one more: no conflicts of banks */
  const int tx = $lx, ty = $ly;
  const int top = $gy * TILE, side = $gx * TILE;
  SUM total[PER][PER];
  for (int u = 0; u < PER; u++)
    for (int v = 0; v < PER; v++) total[u][v] = 0;
  for (int first = 0; first < k; first += DEPTH) {
    for (int e = ty * SIDE + tx; e < TILE * DEPTH; e += SIDE * SIDE) {
      const int i = top + e / DEPTH, j = first + e % DEPTH;
$left
    }
    for (int e = ty * SIDE + tx; e < TILE * DEPTH; e += SIDE * SIDE) {
      const int i = first + e / TILE, j = side + e % TILE;
$right
    }
    $barrier;
    for (int q = 0; q < DEPTH; q++)
      for (int u = 0; u < PER; u++)
        for (int v = 0; v < PER; v++) total[u][v] += left[q][ty + SIDE * u] * right[q][tx + SIDE * v];
    $barrier;
  }
  for (int u = 0; u < PER; u++)
    for (int v = 0; v < PER; v++) {
      const int i = top + ty + SIDE * u, j = side + tx + SIDE * v;
      if (i < m && j < n) {
$store
      }
    }
}
""")

_BATCHED = (
    "${global_}const VALUE *s, ${global_}const VALUE *t, ${global_}VALUE *p, int m, int k,\n"
    "                             int n"
)
_FUSED = (
    "${global_}const VALUE *a, ${global_}const VALUE *b, ${global_}VALUE *c, int m, int k, int n,\n"
    "    int rows, int inner, int cols, $long a_rs, $long a_cs, $long b_rs, $long b_cs, $long c_rs, $long c_cs"
)


def gpu_text(scheme: Scheme, program: Program, name: str, dialect: Dialect) -> str:
    """Write all kernels of a scheme over a ring of characteristic 0, denominators powers of two."""
    form = stages(program)
    n, m, p = program.problem.dims
    parts = [_title(scheme, form, name), dialect.head, _COMMON]
    parts.append(_combine("left", form.left, program.problem.labels[0], m))
    parts.append(_combine("right", form.right, program.problem.labels[1], p))
    parts.append(_batched())
    parts.append(_combine_out(form.out, program.problem.labels[2], p))
    written: set[int] = set()
    for number in range(len(form.left.sources)):
        parts.append(_fused(form, number, (n, m, p), written))
    # What stands in braces or after a dollar sign is left alone by the first two substitutions.
    text = "".join(parts)
    for key, word in dialect.words.items():
        text = text.replace("${" + key + "}", word).replace(f"${key}", word)
    return text


def _title(scheme: Scheme, form: Stages, name: str) -> str:
    n, m, p = scheme.problem.dims
    facts = {
        "name": name,
        "dims": [n, m, p],
        "rank": len(form.left.sources),
        "fractional": any(d > 1 for d in form.out.denominators),
        "largest": form.largest,
    }
    told = fill(origin(scheme), 112, initial_indent="   ", subsequent_indent="   ").replace("*/", "* /")
    return _TITLE.substitute(stated(scheme), n=n, m=m, p=p, origin=told.replace("$", "?"), facts=json.dumps(facts))


def _at(operand: str, place: int, columns: int, sizes: tuple[str, str], whole: tuple[str, str], steps: str) -> str:
    row, column = divmod(place, columns)
    i, j = offset("i", row, sizes[0]), offset("j", column, sizes[1])
    return f"AT({operand}, {i}, {j}, {whole[0]}, {whole[1]}, {steps}rs, {steps}cs)"


def _block(number: int) -> str:
    """Write the place of entry (i, j) of a block in a row of blocks."""
    return f"(($long){number} * m + i) * n + j" if number else "($long)i * n + j"


def _combine(side: str, stage: Stage, names: Sequence[str], columns: int) -> str:
    loads = [_at("x", place, columns, ("m", "n"), ("rows", "cols"), "") for place in range(stage.inputs)]
    lines = []
    for target, value in statements(stage, names, loads, SUMS):
        if isinstance(target, str):
            lines.append(folded(f"const SUM {target} = {value};", 2))
        else:
            lines.append(folded(f"s[{_block(target)}] = (VALUE)({value});", 2))
    return _COMBINE.safe_substitute(side=side, body="\n".join(lines))


def _combine_out(stage: Stage, names: Sequence[str], columns: int) -> str:
    products = [f"m{number}" for number in range(1, stage.inputs + 1)]
    loads = [f"(SUM)p[{_block(number)}]" for number in range(stage.inputs)]
    lines = []
    for target, value in statements(stage, products, loads, SUMS):
        if isinstance(target, str):
            lines.append(folded(f"const SUM {target} = {value};", 2))
            continue
        name, i, j = names[target], offset("i", target // columns, "m"), offset("j", target % columns, "n")
        lines.append(folded(f"const SUM {name} = {divided(value, stage.denominators[target])};", 2))
        lines.append(f"  if ({i} < rows && {j} < cols) c[({i}) * rs + ({j}) * cs] = (VALUE){name};")
    return _OUT.safe_substitute(body="\n".join(lines))


def _batched() -> str:
    return _PRODUCT.safe_substitute(
        comment="/* Products of all pairs of combinations, one a layer of the grid. */",
        name="batched",
        params=_BATCHED,
        left="      left[e % DEPTH][e / DEPTH] = i < m && j < k ? (SUM)s[(($long)$gz * m + i) * k + j] : (SUM)0;",
        right="      right[e / TILE][e % TILE] = i < k && j < n ? (SUM)t[(($long)$gz * k + i) * n + j] : (SUM)0;",
        store="        p[(($long)$gz * m + i) * n + j] = (VALUE)total[u][v];",
    )


def _fused(form: Stages, number: int, dims: tuple[int, int, int], written: set[int]) -> str:
    """Write the kernel of one product; the first one that reaches a block of the result sets it, later ones add."""
    _, m, p = dims
    left = [_at("a", place, m, ("m", "k"), ("rows", "inner"), "a_") for place in range(form.left.inputs)]
    right = [_at("b", place, p, ("k", "n"), ("inner", "cols"), "b_") for place in range(form.right.inputs)]
    stores = []
    for place, row in enumerate(form.out.rows):
        for coefficient, product in row:
            if product == number:
                i, j = offset("i", place // p, "m"), offset("j", place % p, "n")
                value = divided(typed_sum([(coefficient, 0)], ["total[u][v]"], SUMS), form.out.denominators[place])
                cell = f"c[({i}) * c_rs + ({j}) * c_cs]"
                value = f"(SUM){cell} + ({value})" if place in written else value
                stores.append(folded(f"if ({i} < rows && {j} < cols) {cell} = (VALUE)({value});", 8))
                written.add(place)
    return _PRODUCT.safe_substitute(
        comment=f"/* Product {number + 1}, and what it adds to the result. */",
        name=f"product_{number + 1}",
        params=_FUSED,
        left=folded(f"left[e % DEPTH][e / DEPTH] = j < k ? {_sum(form.left.rows[number], left)} : (SUM)0;", 6),
        right=folded(f"right[e / TILE][e % TILE] = i < k ? {_sum(form.right.rows[number], right)} : (SUM)0;", 6),
        store="\n".join(stores),
    )


def _sum(terms: Sequence[tuple[int, int]], names: Sequence[str]) -> str:
    return typed_sum(terms, names, SUMS)
