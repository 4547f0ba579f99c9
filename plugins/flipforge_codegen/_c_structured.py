"""The parts of a C file that structured products have: their tables, and the runtime around them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from string import Template

from flipforge.problems import ProductCode, matrix_cells
from flipforge_codegen._c_tables import Level, filled, numbers
from flipforge_codegen._scalars import F32, F64, RESIDUES, Scalar
from flipforge_codegen._stages import Stages, Sum
from flipforge_codegen._stages import stages as plain_stages

__all__ = ["CODES", "StructuredLevel", "structured_helpers", "structured_tables"]

CODES = ("gt", "ut", "lt", *(x + y for x in "gul" for y in "gul" if x + y != "gg"), "sg", "kg")
"""Codes that C takes; a symmetric or skew matrix on the right is its transpose on the left."""

_KEEPS = "ul"


@dataclass(frozen=True)
class StructuredLevel(Level):
    """A scheme for a structured product; its last pass writes what no product is alone."""

    @property
    def code(self) -> str:
        """Two letters."""
        return str(ProductCode.of(self.program.problem))

    @cached_property
    def whole(self) -> Stages:
        """The form with all outputs."""
        return plain_stages(self.program)

    @cached_property
    def form(self) -> Stages:
        """The form without the outputs that a product is."""
        out = self.whole.out
        kept = [place for place in range(len(out.slots)) if place not in self.goes]
        shorter = replace(
            out,
            slots=tuple(out.slots[place] for place in kept),
            denominators=tuple(out.denominators[place] for place in kept),
            sources=tuple(-1 - number for number in range(len(kept))),
            rows=tuple(out.rows[place] for place in kept),
        )
        return replace(self.whole, out=shorter)

    @property
    def written(self) -> tuple[str, ...]:
        """Names of the blocks of the result that the last pass writes."""
        names = self.program.problem.labels[2]
        return tuple(name for place, name in enumerate(names) if place not in self.goes)

    @cached_property
    def goes(self) -> list[int]:
        """The output that each product is, where it is that and nothing else; -1 elsewhere."""
        out = self.whole.out
        uses = [register for terms in out.rows for _, register in terms]
        goes = [-1] * out.inputs
        for place, terms in enumerate(out.rows):
            if len(terms) == 1 and terms[0][0] == out.denominators[place] == 1 and uses.count(terms[0][1]) == 1:
                goes[terms[0][1]] = place
        return goes

    @cached_property
    def cells(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
        """The block of each coordinate of the operands and of the result: the first that it stands in."""
        sides = []
        for found in matrix_cells(self.program.problem):
            first: dict[int, tuple[int, int]] = {}
            for place, (coordinate, _) in sorted(found.items()):
                first.setdefault(coordinate, place)
            sides.append([first[coordinate] for coordinate in sorted(first)])
        left, right, out = sides
        return left, right, out

    @property
    def empty(self) -> list[tuple[int, int]]:
        """Blocks of the result that are zero; of a symmetric one they are not written."""
        if self.code[1] == "t":
            return []
        given = set(matrix_cells(self.program.problem)[2])
        n, _, p = self.program.problem.dims
        return [(i, j) for i in range(n) for j in range(p) if (i, j) not in given]

    @property
    def own(self) -> list[bool]:
        """Whether the factors of a product are the same, of X and its transpose."""
        pairs = zip(self.whole.left.rows, self.whole.right.rows, strict=True)
        return [self.code[1] == "t" and u == v for u, v in pairs]

    def kinds(self) -> tuple[str, str]:
        """Letters of the left and right factors of all products."""
        x, y = self.code[0], self.code[1]
        left, right, _ = self.cells
        lefts = "".join(_kind(x, terms, left) for terms in self.whole.left.rows)
        if y != "t":
            return lefts, "".join(_kind(y, terms, right) for terms in self.whole.right.rows)
        # The right factor is the transpose of a combination of the same blocks.
        rights = (_kind(x, terms, left) for terms in self.whole.right.rows)
        return lefts, "".join({"u": "l", "l": "u"}.get(kind, kind) for kind in rights)


def _kind(letter: str, terms: Sum, cells: Sequence[tuple[int, int]]) -> str:
    """Return the structure of a combination of blocks: triangular where all stand on the diagonal."""
    if letter in "sk":
        return "s"
    return letter if letter in _KEEPS and all(cells[q][0] == cells[q][1] for _, q in terms) else "g"


def structured_helpers(scalar: Scalar, runtime: str, blas: str) -> str:
    """Write what an arithmetic can do with triangles."""
    values = {"suffix": scalar.suffix, "type": scalar.type, "reduce": "REDUCE" if scalar is RESIDUES else ""}
    with_blas = Template(blas).substitute(values) if scalar in (F32, F64) else ""
    return Template(runtime).substitute(values, blas=with_blas)


def structured_tables(levels: Sequence[StructuredLevel], scalars: Sequence[Scalar]) -> str:
    """Write the tables of triangles and of structured products; they follow that of schemes."""
    text = "\nstatic const tools triangle_tools[] = {\n"
    for scalar in scalars:
        names = [f"{name}_{scalar.suffix}" for name in ("mirror", "rest", "syrk", "trmm", "symm")]
        names = names if scalar in (F32, F64) else [*names[:2], "0", "0", "0"]
        text += f"  {{{', '.join(names)}}},\n"
    text += "};\n\nstatic const tools *tools_of(const job *job) { return &triangle_tools[job->domain - domains]; }\n\n"
    rows = []
    for level in levels:
        number, (left, right, out) = level.number, level.cells
        kept = [place for place in range(len(out)) if place not in level.goes]
        for name, places in (("left", left), ("right", right), ("out", out), ("empty", level.empty)):
            listed = ", ".join(f"{{{i}, {j}}}" for i, j in places) or "{0, 0}"
            text += filled(f"static const cell {name}_cells_{number}[] = {{{listed}}};")
        text += numbers(f"static const int goes_{number}[]", level.goes)
        text += numbers(f"static const int slots_{number}[]", kept or [0])
        kinds, own = level.kinds(), "".join(str(int(x)) for x in level.own)
        counts = (len(left), len(right), len(out), len(kept), len(level.empty))
        parts = [f"'{letter}'" for letter in level.code] + [f"&schemes[{number}]", *map(str, counts)]
        parts += [f"{name}_cells_{number}" for name in ("left", "right", "out", "empty")]
        parts += [*(f'"{x}"' for x in (*kinds, own)), f"goes_{number}", f"slots_{number}"]
        rows.append(filled(f"  {{{', '.join(parts)}}},").rstrip())
    table = "\n".join(rows)
    return f"{text}\n#define STRUCTURED {len(levels)}\n\nstatic const structured structures[] = {{\n{table}\n}};\n"
