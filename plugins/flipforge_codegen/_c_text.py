"""The text of a C file: one scheme, every arithmetic that its ring carries, and the recursion around it."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from textwrap import fill

from flipforge.programs import Program
from flipforge.schemes import Scheme
from flipforge_codegen._numpy_text import origin, stated
from flipforge_codegen._scalars import BITS, F32, F64, I32, I64, RESIDUES, Scalar, folded, typed_sum
from flipforge_codegen._stages import Stage, Stages, Sum, stages

__all__ = ["c_text", "scalars_of"]

_TITLE = Template("""\
/* Product of matrices, $n x $m by $m x $p blocks, with $rank products of blocks.

$origin

   $problem over $ring, id $id
   sha256 $digest
   written by flipforge $version

   Build it as a shared library with any C compiler, e.g.
     cc -O3 -march=native -fopenmp -fno-math-errno -fno-trapping-math -shared -fPIC FILE.c -o FILE.so -lm
   or leave that to flipforge_c.py beside it: flipforge_c.load("FILE.c").multiply(a, b). */

""")

_PASS = Template("""\

static void ${side}_$suffix(idx rows, idx cols, const void *const *in, idx ld, void *const *out, idx ld_out,
                       const ring *ring) {
  for (idx i = 0; i < rows; i++) {
$pointers
    LOOP for (idx j = 0; j < cols; j++) {
$body
    }
  }
  (void)rows, (void)cols, (void)in, (void)ld, (void)out, (void)ld_out, (void)ring;
}
""")


def scalars_of(stage: Stages, modulus: int) -> tuple[Scalar, ...]:
    """Return the arithmetics that carry a program; in the order in which the C file numbers them.

    Over Z all but bits; with denominators that are powers of two no integers of fixed width, with others only
    residues, whose modulus must be prime to them. Over GF(p) residues modulo p, over GF(2) bits.
    """
    if modulus:
        return (BITS,) if modulus == 2 else (F64, RESIDUES)
    denominators = set(stage.out.denominators)
    fitting: tuple[Scalar, ...]
    if denominators == {1}:
        fitting = (F32, F64, I32, I64, RESIDUES)
    elif all(d & (d - 1) == 0 for d in denominators):
        fitting = (F32, F64, RESIDUES)
    else:
        fitting = (F64, RESIDUES)  # residues stand in float64; the loader refuses floats
    return tuple(scalar for scalar in fitting if stage.largest <= scalar.exact)


def c_text(scheme: Scheme, program: Program, name: str) -> str:
    """Write the file; ``name`` begins the names of its entry points."""
    form = stages(program)
    modulus = program.ring.characteristic
    scalars = scalars_of(form, modulus)
    parts = [_title(scheme), runtime("head.c"), _tables(program, form, _facts(scheme, form, scalars, name))]
    for scalar in scalars:
        parts.append(_arithmetic(scalar, form, program))
    parts.append(_domains(scalars))
    parts.append(Template(runtime("driver.c")).substitute(name=name))
    return "".join(parts)


@cache
def runtime(name: str) -> str:
    """Return a file that all generated code of a target shares."""
    return files("flipforge_codegen").joinpath("runtime", name).read_text(encoding="utf-8")


def _title(scheme: Scheme) -> str:
    n, m, p = scheme.problem.dims
    told = fill(origin(scheme), 112, initial_indent="   ", subsequent_indent="   ").replace("*/", "* /")
    return _TITLE.substitute(stated(scheme), n=n, m=m, p=p, origin=told)


def _facts(scheme: Scheme, form: Stages, scalars: Sequence[Scalar], name: str) -> str:
    growth = form.growth
    document = {
        "name": name,
        "id": scheme.id,
        "dims": list(scheme.problem.dims),
        "rank": len(form.left.sources),
        "modulus": scheme.ring.characteristic,
        "domains": [scalar.suffix for scalar in scalars],
        "denominators": list(form.out.denominators),
        "growth": {"left": growth.left, "right": growth.right, "out": growth.out, "whole": growth.whole},
    }
    return json.dumps(document)


def _tables(program: Program, form: Stages, facts: str) -> str:
    n, m, p = program.problem.dims
    left, right, out = form.left, form.right, form.out
    products = len(left.sources)
    counts = {
        "ROWS": n, "INNER": m, "COLS": p, "PRODUCTS": products, "LEFT_INPUTS": left.inputs,
        "RIGHT_INPUTS": right.inputs, "OUTPUTS": len(out.slots), "LEFT_SLOTS": len(left.slots),
        "RIGHT_SLOTS": len(right.slots),
        "MOST_BLOCKS": max(left.inputs, right.inputs, products, len(out.slots), len(left.slots), len(right.slots)),
    }  # fmt: skip
    by_product: list[list[tuple[int, int]]] = [[] for _ in range(products)]
    for place, row in enumerate(out.rows):
        for coefficient, product in row:
            by_product[product].append((coefficient, place))
    text = "\n/* ---- the scheme " + "-" * 98 + " */\n\n"
    text += "".join(f"#define {key} {value}\n" for key, value in counts.items())
    text += "\ntypedef struct {\n  long long coefficient;\n  int place;\n} term;\n"
    text += _row_table("left", left.rows) + _row_table("right", right.rows) + _row_table("out", by_product)
    text += "\n/* Operands of the products: a block as it is, or combination s, written -1 - s. */\n"
    text += _numbers("static const int left_source[]", left.sources)
    text += _numbers("static const int right_source[]", right.sources)
    text += "\n" + _numbers("static const long long denominators[]", out.denominators)
    quoted = facts.replace("\\", "\\\\").replace('"', '\\"')
    return f'{text}\nstatic const char facts[] =\n    "{quoted}";\n'


def _row_table(side: str, rows: Sequence[Sequence[tuple[int, int]]]) -> str:
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    terms = ", ".join(f"{{{coefficient}, {place}}}" for row in rows for coefficient, place in row)
    return (
        f"\n{_filled(f'static const term {side}_terms[] = {{{terms}}};')}"
        f"{_numbers(f'static const int {side}_start[]', starts)}"
    )


def _numbers(what: str, values: Sequence[int]) -> str:
    return _filled(f"{what} = {{{', '.join(map(str, values))}}};")


def _filled(line: str) -> str:
    return fill(line, 118, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False) + "\n"


def _arithmetic(scalar: Scalar, form: Stages, program: Program) -> str:
    """Write the passes and the helpers of one arithmetic."""
    residue = scalar is RESIDUES
    a, b, c = program.problem.labels
    products = [f"m{number}" for number in range(1, len(form.left.sources) + 1)]
    text = f"\n/* ---- {scalar.suffix}: the passes {'-' * 90} */\n"
    text += _pass("left", form.left, a, [f"s{i}" for i in range(1, len(form.left.slots) + 1)], scalar)
    text += _pass("right", form.right, b, [f"t{i}" for i in range(1, len(form.right.slots) + 1)], scalar)
    text += _pass("out", form.out, products, c, scalar)
    values = {
        "suffix": scalar.suffix,
        "type": scalar.type,
        "scaled": "x[j]" if scalar.bits else "f * x[j]",
        "plus": "^" if scalar.bits else "+",
        "reduce": "REDUCE" if residue else "",
        "strip_end": "LOOP for (idx j = 0; j < width; j++) t[j] = REDUCE(t[j]);" if residue else "",
        "divide": _divide(scalar),
    }
    text += Template(runtime("scalar.c")).substitute(values)
    leaf = {"mod": "residue_leaf.c", "gf2": "bit_leaf.c"}.get(scalar.suffix, "plain_leaf.c")
    values["blas"] = Template(runtime("blas.c")).substitute(values) if scalar in (F32, F64) else ""
    return text + Template(runtime(leaf)).substitute(values)


def _pass(side: str, stage: Stage, names: Sequence[str], slots: Sequence[str], scalar: Scalar) -> str:
    used = {register for terms in (*stage.steps, *stage.slots) for _, register in terms}
    pointers = [
        f"    const {scalar.type} *restrict {name} = (const {scalar.type} *)in[{place}] + i * ld;"
        for place, name in enumerate(names)
        if place in used
    ]
    pointers += [
        f"    {scalar.type} *restrict {slot} = ({scalar.type} *)out[{place}] + i * ld_out;"
        for place, slot in enumerate(slots)
    ]
    registers = [f"{name}[j]" for name in names] + [f"x{i}" for i in range(1, len(stage.steps) + 1)]
    body = [
        folded(f"const {scalar.type} {registers[stage.inputs + i]} = {typed_sum(step, registers, scalar)};", 6)
        for i, step in enumerate(stage.steps)
    ]
    for place, (slot, terms) in enumerate(zip(slots, stage.slots, strict=True)):
        body.append(folded(f"{slot}[j] = {_written(terms, registers, scalar, stage.denominators[place], place)};", 6))
    return Template(_PASS.template).substitute(
        side=side, suffix=scalar.suffix, pointers="\n".join(pointers), body="\n".join(body)
    )


def _written(terms: Sum, registers: Sequence[str], scalar: Scalar, denominator: int, place: int) -> str:
    value = typed_sum(terms, registers, scalar)
    if scalar is RESIDUES:
        value = f"REDUCE({value})"
        return value if denominator == 1 else f"REDUCE({value} * ring->denominators[{place}])"
    if denominator == 1:
        return value
    return f"({value}) / {scalar.literal(denominator)}"


def _divide(scalar: Scalar) -> str:
    if scalar.bits or scalar in (I32, I64):
        return ""
    if scalar is RESIDUES:
        value = "REDUCE(t[j] * ring->denominators[place])"
    else:
        value = f"t[j] / ({scalar.type})denominators[place]"
    return (
        "  for (idx i = 0; i < rows; i++) {\n"
        f"    {scalar.type} *restrict t = ({scalar.type} *)target + i * ld;\n"
        f"    LOOP for (idx j = 0; j < cols; j++) t[j] = {value};\n"
        "  }"
    )


def _domains(scalars: Sequence[Scalar]) -> str:
    rows = []
    for scalar in scalars:
        functions = ("left", "right", "out", "combine", "update", "divide", "copy", "leaf")
        listed = ", ".join(f"{function}_{scalar.suffix}" for function in functions)
        rows.append(_filled(f"  {{sizeof({scalar.type}), {64 if scalar.bits else 1}, {listed}}},").rstrip())
    return "\n\nstatic const domain domains[] = {\n" + "\n".join(rows) + "\n};\n"
