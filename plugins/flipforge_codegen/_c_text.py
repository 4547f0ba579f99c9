"""The text of a C file: a scheme for each level, every arithmetic that their rings carry, the recursion around them."""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from textwrap import fill

from flipforge.errors import RingError
from flipforge.programs import program
from flipforge.schemes import Scheme
from flipforge_codegen._c_structured import StructuredLevel, structured_helpers, structured_tables
from flipforge_codegen._c_tables import Level, level_entry, level_tables
from flipforge_codegen._numpy_text import origin, stated
from flipforge_codegen._scalars import BITS, F32, F64, I32, I64, RESIDUES, Scalar, folded, typed_sum
from flipforge_codegen._stages import Stage, Sum

__all__ = ["c_text", "levels_of", "runtime"]

_TITLE = Template("""\
/* Product of matrices$formats.
$schemes
   written by flipforge $version

   Build it as a shared library with any C compiler, e.g.
     cc -O3 -march=native -fopenmp -fno-math-errno -fno-trapping-math -shared -fPIC FILE.c -o FILE.so -lm
   or leave that to flipforge_c.py beside it: flipforge_c.load("FILE.c").multiply(a, b). */

""")

_SCHEME = Template("""
   $problem over $ring, rank $rank, id $id
   sha256 $digest
$origin
""")

_PASS = Template("""\

static void ${side}_${suffix}_$number(idx rows, idx cols, const void *const *in, const idx *ld, void *const *out,
                       const idx *ld_out, const ring *ring) {
  for (idx i = 0; i < rows; i++) {
$pointers
    LOOP for (idx j = 0; j < cols; j++) {
$body
    }
  }
  (void)rows, (void)cols, (void)in, (void)ld, (void)out, (void)ld_out, (void)ring;
}
""")


def levels_of(schemes: Sequence[Scheme]) -> list[Level]:
    """Return the programs of a file's schemes, each once, in their order."""
    levels: list[Level] = []
    for scheme in dict.fromkeys(schemes):
        first = levels[-1].first + len(levels[-1].form.out.slots) if levels else 0
        kind = Level if scheme.problem.kind == "matmul" else StructuredLevel
        levels.append(kind(len(levels), program(scheme), first))
    return levels


def scalars_of(levels: Sequence[Level], modulus: int) -> tuple[Scalar, ...]:
    """Return the arithmetics that carry all programs; in the order in which the C file numbers them.

    Over Z all but bits; with denominators that are powers of two no integers of fixed width, with others only
    residues, whose modulus must be prime to them. Over GF(p) residues modulo p, over GF(2) bits.
    """
    if modulus:
        return (BITS,) if modulus == 2 else (F64, RESIDUES)
    denominators = {d for level in levels for d in level.form.out.denominators}
    fitting: tuple[Scalar, ...]
    if denominators == {1}:
        fitting = (F32, F64, I32, I64, RESIDUES)
    elif all(d & (d - 1) == 0 for d in denominators):
        fitting = (F32, F64, RESIDUES)
    else:
        fitting = (F64, RESIDUES)  # residues stand in float64; the loader refuses floats
    largest = max(level.largest for level in levels)
    return tuple(scalar for scalar in fitting if largest <= scalar.exact)


def c_text(schemes: Sequence[Scheme], name: str) -> str:
    """Write the file: the first scheme is that of the first level, the last one that of all levels beyond the list.

    Parameters
    ----------
    name
        Begins the names of its entry points.

    Raises
    ------
    RingError
        No arithmetic carries the coefficients.
    """
    levels = levels_of(schemes)
    modulus = schemes[0].ring.characteristic
    scalars = scalars_of(levels, modulus)
    if not scalars:
        raise RingError(f"{schemes[0].problem}: coefficients are beyond 2^53, exact in no type of C; use target numpy")
    structured = [level for level in levels if isinstance(level, StructuredLevel)]
    numbers = {scheme: number for number, scheme in enumerate(dict.fromkeys(schemes))}
    order = [numbers[scheme] for scheme in schemes if scheme.problem.kind == "matmul"]
    parts = [_title(schemes), f"#define DOMAINS {len(scalars)}\n", runtime("head.c")]
    parts += [runtime("structured_head.c")] if structured else []
    parts += [*map(level_tables, levels), *(_arithmetic(scalar, levels) for scalar in scalars)]
    parts.append(_tables(levels, order, scalars, _facts(schemes, levels, scalars, name)))
    parts.append(runtime("driver.c"))
    if structured:
        parts += [structured_tables(structured, scalars), runtime("structured.c")]
    parts.append(Template(runtime("structured_entry.c" if structured else "entry.c")).substitute(name=name))
    return "".join(parts)


@cache
def runtime(name: str) -> str:
    """Return a file that all generated code of a target shares."""
    return files("flipforge_codegen").joinpath("runtime", name).read_text(encoding="utf-8")


def _title(schemes: Sequence[Scheme]) -> str:
    told = []
    for scheme in dict.fromkeys(schemes):
        made = fill(origin(scheme), 112, initial_indent="   ", subsequent_indent="   ").replace("*/", "* /")
        told.append(_SCHEME.substitute(stated(scheme) | {"origin": made}))
    general = [scheme.problem.dims for scheme in schemes if scheme.problem.kind == "matmul"]
    shapes = [f"{n} x {m} by {m} x {p}" for n, m, p in general]
    formats = ", structured" if len(general) < len(schemes) else ""
    formats += (
        f", {shapes[0]} blocks" if len(shapes) == 1 else f", blocks by level: {', '.join(shapes)}" if shapes else ""
    )
    return _TITLE.substitute(stated(schemes[0]), formats=formats, schemes="".join(told).rstrip("\n"))


def _facts(schemes: Sequence[Scheme], levels: Sequence[Level], scalars: Sequence[Scalar], name: str) -> str:
    rows: dict[str, list[dict[str, object]]] = {"levels": [], "structured": []}
    numbers = {scheme: number for number, scheme in enumerate(dict.fromkeys(schemes))}
    for scheme in schemes:
        level = levels[numbers[scheme]]
        form, growth = level.form, level.form.growth
        structured = isinstance(level, StructuredLevel)
        rows["structured" if structured else "levels"].append({
            **({"code": level.code} if isinstance(level, StructuredLevel) else {}),
            "id": scheme.id,
            "dims": list(scheme.problem.dims),
            "rank": len(form.left.sources),
            "growth": {"left": growth.left, "right": growth.right, "out": growth.out, "whole": growth.whole},
        })  # fmt: skip
    document = {
        "name": name,
        "modulus": schemes[0].ring.characteristic,
        "domains": [scalar.suffix for scalar in scalars],
        "denominators": [d for level in levels for d in level.form.out.denominators],
        **rows,
    }
    return json.dumps(document)


def _tables(levels: Sequence[Level], order: Sequence[int], scalars: Sequence[Scalar], facts: str) -> str:
    """Write the tables of arithmetics and schemes, and the facts."""
    rows = []
    for scalar in scalars:
        listed = ", ".join(f"{function}_{scalar.suffix}" for function in ("combine", "copy", "leaf"))
        rows.append(f"  {{sizeof({scalar.type}), {64 if scalar.bits else 1}, {listed}}},\n")
    text = f"\n/* ---- the schemes {'-' * 97} */\n\nstatic const domain domains[] = {{\n{''.join(rows)}}};\n"
    entries = "\n".join(level_entry(level, scalars) for level in levels)
    text += f"\nstatic const scheme schemes[] = {{\n{entries}\n}};\n"
    text += f"\n#define LEVELS {len(order)}\n#define MOST_BLOCKS {max(level.most_blocks for level in levels)}\n"
    text += f"#define MOST_PLACES {max(level.most_places for level in levels)}\n"
    text += f"\nstatic const int level_scheme[] = {{{', '.join(map(str, order or [0]))}}};\n"
    quoted = facts.replace("\\", "\\\\").replace('"', '\\"')
    return f'{text}\nstatic const char facts[] =\n    "{quoted}";\n\n'


def _arithmetic(scalar: Scalar, levels: Sequence[Level]) -> str:
    """Write the passes and the helpers of one arithmetic."""
    text = f"\n/* ---- {scalar.suffix}: the passes {'-' * 90} */\n"
    for level in levels:
        form = level.form
        a, b, _ = level.program.problem.labels
        products = [f"m{number}" for number in range(1, len(form.left.sources) + 1)]
        text += _pass("left", level, form.left, a, [f"s{i}" for i in range(1, len(form.left.slots) + 1)], scalar)
        text += _pass("right", level, form.right, b, [f"t{i}" for i in range(1, len(form.right.slots) + 1)], scalar)
        text += _pass("out", level, form.out, products, level.written, scalar)
    quotient = f"({scalar.type})terms[s].numerator / ({scalar.type})terms[s].denominator"
    values = {
        "suffix": scalar.suffix,
        "type": scalar.type,
        "scaled": "(f & x[j])" if scalar.bits else "f * x[j]",
        "plus": "^" if scalar.bits else "+",
        "factor": {"mod": "residue(terms[s], ring)", "gf2": "-(uint64_t)(terms[s].numerator & 1)"}.get(
            scalar.suffix, quotient
        ),
        "one": "~(uint64_t)0" if scalar.bits else "1",
        "reduce": "REDUCE" if scalar is RESIDUES else "",
    }
    text += Template(runtime("scalar.c")).substitute(values)
    leaf = {"mod": "residue_leaf.c", "gf2": "bit_leaf.c"}.get(scalar.suffix, "plain_leaf.c")
    values["blas"] = Template(runtime("blas.c")).substitute(values) if scalar in (F32, F64) else ""
    text += Template(runtime(leaf)).substitute(values)
    if any(isinstance(level, StructuredLevel) for level in levels):
        text += structured_helpers(scalar, runtime("structured_scalar.c"), runtime("structured_blas.c"))
    return text


def _pass(side: str, level: Level, stage: Stage, names: Sequence[str], slots: Sequence[str], scalar: Scalar) -> str:
    used = {register for terms in (*stage.steps, *stage.slots) for _, register in terms}
    pointers = [
        f"    const {scalar.type} *restrict {name} = (const {scalar.type} *)in[{place}] + i * ld[{place}];"
        for place, name in enumerate(names)
        if place in used
    ]
    pointers += [
        f"    {scalar.type} *restrict {slot} = ({scalar.type} *)out[{place}] + i * ld_out[{place}];"
        for place, slot in enumerate(slots)
    ]
    registers = [f"{name}[j]" for name in names] + [f"x{i}" for i in range(1, len(stage.steps) + 1)]
    body = [
        folded(f"const {scalar.type} {registers[stage.inputs + i]} = {typed_sum(step, registers, scalar)};", 6)
        for i, step in enumerate(stage.steps)
    ]
    for place, (slot, terms) in enumerate(zip(slots, stage.slots, strict=True)):
        value = _written(terms, registers, scalar, stage.denominators[place], level.first + place)
        body.append(folded(f"{slot}[j] = {value};", 6))
    return _PASS.substitute(
        side=side, suffix=scalar.suffix, number=level.number, pointers="\n".join(pointers), body="\n".join(body)
    )


def _written(terms: Sum, registers: Sequence[str], scalar: Scalar, denominator: int, place: int) -> str:
    value = typed_sum(terms, registers, scalar)
    if scalar is RESIDUES:
        value = f"REDUCE({value})"
        return value if denominator == 1 else f"REDUCE({value} * ring->denominators[{place}])"
    if denominator == 1:
        return value
    return f"({value}) / {scalar.literal(denominator)}"
