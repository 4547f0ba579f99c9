"""The text of the NumPy target: one module for one scheme."""

from collections.abc import Sequence
from string import Template
from textwrap import fill

from flipforge import __version__
from flipforge.problems import Problem
from flipforge.schemes import Scheme
from flipforge_codegen._expressions import assignment, call, combination, name_lines, reduced, unpacking
from flipforge_codegen._form import Form, form_of
from flipforge_codegen._numpy_basis import basis_text, level_of
from flipforge_codegen._numpy_into import into_text
from flipforge_codegen._stages import Stage

__all__ = ["module_name", "module_text", "origin", "scheme_function", "stated"]

_HEAD = Template('''\
"""$title

Problem $problem.
Ring $ring, rank $rank, scheme $id.
Written by flipforge $version for its target "numpy"; it needs NumPy and nothing else.
$origin

$arithmetic
"""

${imports}import numpy as np
import numpy.typing as npt

__all__ = ["PROBLEM", "RANK", "RING", "SCHEME", "$function"$also]

PROBLEM = "$problem"
RING = "$ring"
RANK = $rank
SCHEME = "$digest"

Array = npt.NDArray[Any]
''')

_MATRIX = Template('''\
Product = Callable[[Array, Array], Array]
$base_type

def multiply(a: npt.ArrayLike, b: npt.ArrayLike, *, depth: int = 1, base: Product = np.matmul) -> Array:
    """Return the matrix product a @ b$modulo.

    Parameters
    ----------
    a, b
        Arrays of shape (..., N, M) and (..., M, P) of any sizes; leading axes broadcast as in a @ b.
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
    left, right = _operands(a, b)
    if left.ndim < 2 or right.ndim < 2 or left.shape[-1] != right.shape[-2]:
        raise ValueError(f"multiply: shapes {left.shape} and {right.shape} are no (..., N, M) and (..., M, P)")
    if index(depth) < 0:
        raise ValueError(f"multiply: depth is {depth}; give 0 or more")
    return _recurse(left, right, depth, base)


def _recurse(a: Array, b: Array, depth: int, base: Product) -> Array:
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    if depth == 0 or rows < $n or inner < $m or columns < $p:
        return $base
    blocks = _scheme(_blocks(a, $n, $m), _blocks(b, $m, $p), lambda x, y: _recurse(x, y, depth - 1, base))
    return np.block([blocks[i : i + $p] for i in range(0, $outputs, $p)])[..., :rows, :columns]


def _blocks(x: Array, rows: int, columns: int) -> list[Array]:
    """Cut the last two axes into blocks of one size, listed row by row, after padding with zeros below and right."""
    height, width = -(-x.shape[-2] // rows), -(-x.shape[-1] // columns)
    if x.shape[-2:] != (rows * height, columns * width):
        padded = np.zeros((*x.shape[:-2], rows * height, columns * width), x.dtype)
        padded[..., : x.shape[-2], : x.shape[-1]] = x
        x = padded
    return [
        x[..., i * height : (i + 1) * height, j * width : (j + 1) * width] for i in range(rows) for j in range(columns)
    ]
''')

_VECTOR = Template('''\


def apply(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the values of the bilinear map$modulo.

    Parameters
    ----------
    a, b
        Arrays of shape (..., $left) and (..., $right); leading axes broadcast.$commuting

    Returns
    -------
    array of shape (..., $outputs)

    Raises
    ------
    TypeError
        The dtype is not one that this scheme carries.
    ValueError
        The shapes do not fit.
    """
    left, right = _operands(a, b)
    if left.shape[-1:] != ($left,) or right.shape[-1:] != ($right,):
        raise ValueError(f"apply: shapes {left.shape} and {right.shape} are no (..., $left) and (..., $right)")
    # One more axis in front keeps the coordinates arrays: sums of fixed width scalars would warn where they wrap.
    x, y = np.moveaxis(left[np.newaxis], -1, 0), np.moveaxis(right[np.newaxis], -1, 0)
    zero = np.zeros(np.broadcast_shapes(x.shape[1:], y.shape[1:]), left.dtype)
    values: Array = np.stack(_scheme(list(x), list(y), zero), axis=-1)[0]
    return values
''')

_PLAIN_OPERANDS = Template('''\


def _operands(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Array, Array]:
    """Bring both operands to the dtype of the result."""
    left, right = np.asarray(a), np.asarray(b)
    if left.dtype.kind not in "iufcO" or right.dtype.kind not in "iufcO":
        raise TypeError(f"$function: cannot compute with {left.dtype} and {right.dtype}; give numbers or objects")
    dtype = np.result_type(left, right)
$guards    return left.astype(dtype, copy=False), right.astype(dtype, copy=False)
''')

_NO_INTEGERS = Template("""\
    if dtype.kind in "iu":
        raise TypeError(f"$function: the scheme divides, {dtype} cannot; give floats, or objects (int, Fraction)")
""")

_WIDE_INTEGERS = Template("""\
    if dtype.kind in "iu" and np.iinfo(dtype).max < $largest:
        raise TypeError(f"$function: coefficients reach $largest, too much for {dtype}; give a wider dtype or objects")
""")

_OVER = """\


def _over(x: Array, denominator: int) -> Array:
    return x * Fraction(1, denominator) if x.dtype == object else x / denominator
"""

_RESIDUE_OPERANDS = Template('''\


def _operands(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[Array, Array]:
    return _residues(np.asarray(a)), _residues(np.asarray(b))


def _residues(x: Array) -> Array:
    """Reduce integers of any size to int64 residues 0 to $top."""
    if x.dtype.kind in "iu":
        return (x % $modulus).astype(np.int64)
    if x.dtype == object:
        return np.asarray(np.frompyfunc(lambda entry: index(entry) % $modulus, 1, 1)(x), dtype=np.int64)
    raise TypeError(f"$function: the scheme holds modulo $modulus only; give integers, not {x.dtype}")
''')


def module_name(scheme: Scheme) -> str:
    """Name the module of a scheme, e.g. ``matmul_2x2x2_r7_0123456789ab``."""
    sizes = "x".join(map(str, scheme.problem.dims or scheme.problem.shape))
    return f"{scheme.problem.kind}_{sizes}_r{scheme.rank}_{scheme.id}"


def module_text(scheme: Scheme) -> str:
    """Write the module. Equal schemes of equal provenance give equal text."""
    form, problem = form_of(scheme), scheme.problem
    matrix = problem.kind == "matmul"
    modulus = form.modulus
    values = {
        "title": _title(scheme),
        **stated(scheme),
        "arithmetic": fill(_arithmetic(form), 110),
        "imports": _imports(form, matrix=matrix),
        "function": "multiply" if matrix else "apply",
        "modulo": f" modulo {modulus}, entries 0 to {modulus - 1}" if modulus else "",
        "modulus": modulus,
        "top": modulus - 1,
        "largest": form.largest,
        "outputs": problem.shape[2],
        "left": problem.bilinear.shape[0],
        "right": problem.bilinear.shape[1],
        "commuting": "\n        Entries of a and b must commute: the scheme multiplies them in any order."
        if problem.commutes
        else "",
        "base": f"base(a, b) % {modulus}" if modulus else "base(a, b)",
        **(dict(zip("nmp", problem.dims, strict=True)) if matrix else {}),
    }
    guards = _NO_INTEGERS if form.fractional else _WIDE_INTEGERS if form.largest > 127 else Template("")
    values["guards"] = guards.substitute(values)
    into = into_text(form.program) if matrix else ""
    level = level_of(scheme)
    basis = basis_text(scheme, scheme_function(problem, level, matrix=True, name="_scheme_in_basis")) if level else ""
    also = [*(["multiply_in_basis"] if basis else []), *(["multiply_into", "workspace_size"] if into else [])]
    values["also"] = "".join(f', "{name}"' for name in also)
    values["base_type"] = "Base = Callable[[Array, Array, Array], None]\n" if into else ""
    parts = [
        _HEAD.substitute(values),
        (_MATRIX if matrix else _VECTOR).substitute(values),
        scheme_function(problem, form, matrix=matrix),
        (_RESIDUE_OPERANDS if modulus else _PLAIN_OPERANDS).substitute(values),
        _OVER if form.fractional else "",
        into,
        basis,
    ]
    return "".join(parts)


def scheme_function(problem: Problem, form: Form, *, matrix: bool, name: str = "_scheme") -> str:
    """Write the straight-line code: a line for each shared sum, each product and each output."""
    if matrix:
        a, b, c = problem.labels
        third, product = "product: Product", "product"
        what = "the blocks of a and b to the blocks of the result, all row by row"
    else:
        sizes = zip("abc", problem.bilinear.shape, strict=True)
        a, b, c = (tuple(f"{letter}{i}" for i in range(1, size + 1)) for letter, size in sizes)
        third, product = "zero: Array", ""
        what = "the coordinates of a and b to those of the result"
    m = [f"m{number}" for number in range(1, form.rank + 1)]
    lines = ["", "", f"def {name}(a: list[Array], b: list[Array], {third}) -> list[Array]:", f'    """Map {what}."""']
    for names, operand in ((a, "a"), (b, "b")):
        lines.append(unpacking(names, operand))
    left_names, right_names = (a + b, a + b) if problem.commutes else (a, b)
    left, right, out = form.stages.left, form.stages.right, form.stages.out
    x = _shared(lines, left, left_names, "s", form.modulus)
    y = _shared(lines, right, right_names, "t", form.modulus)
    for made, factors in zip(m, form.factors(), strict=True):
        one, two = (reduced(combination(z, known), form.modulus) for z, known in zip(factors, (x, y), strict=True))
        if matrix:
            lines.append(call(made, product, [one, two]))
        else:
            lines.append(assignment(made, reduced(f"{_factor(one)} * {_factor(two)}", form.modulus)))
    z = _shared(lines, out, m, "u", form.modulus)
    for made, terms, denominator in zip(c, out.slots, out.denominators, strict=True):
        value = reduced(combination(terms, z), form.modulus) if terms else "zero"
        if denominator > 1:
            value = f"_over({value}, {denominator})"
        lines.append(assignment(made, value))
    return "\n".join([*lines, _returning(c), ""])


def _shared(lines: list[str], stage: Stage, names: Sequence[str], letter: str, modulus: int) -> list[str]:
    """Write a line for each shared sum of a part; return the names of its registers."""
    known = list(names)
    for number, terms in enumerate(stage.steps, 1):
        lines.append(assignment(f"{letter}{number}", reduced(combination(terms, known), modulus)))
        known.append(f"{letter}{number}")
    return known


def _returning(names: tuple[str, ...]) -> str:
    """Write the line that returns a list of names."""
    line = f"    return [{', '.join(names)}]"
    return line if len(line) <= 110 else "    return [\n" + name_lines(names) + "\n    ]"


def _factor(expression: str) -> str:
    return expression if expression.isidentifier() else f"({expression})"


def _imports(form: Form, *, matrix: bool) -> str:
    lines = ["from collections.abc import Callable"] if matrix else []
    lines += ["from fractions import Fraction"] if form.fractional else []
    lines += ["from operator import index"] if matrix or form.modulus else []
    return "\n".join([*lines, "from typing import Any", "", ""])


def _title(scheme: Scheme) -> str:
    if scheme.problem.kind == "matmul":
        n, m, p = scheme.problem.dims
        return f"Product of matrices of {n} x {m} and {m} x {p} blocks with {scheme.rank} products of blocks."
    left, right, _ = scheme.problem.bilinear.shape
    return f"A bilinear map of {left} and {right} coordinates with {scheme.rank} products."


def _arithmetic(form: Form) -> str:
    if form.modulus:
        return (
            f"The scheme holds modulo {form.modulus} only, so the arithmetic is modulo {form.modulus}: operands are "
            f"integers of any size, results are int64 residues 0 to {form.modulus - 1}, floats are refused."
        )
    if form.fractional:
        return (
            "The scheme divides. Object arrays of int or Fraction are exact and give Fraction; floats round; integers "
            "of fixed width are refused."
        )
    return (
        "Integers are exact: those of fixed width wrap as in NumPy's own arithmetic, object arrays (int, Fraction, "
        "elements of any ring) have no limit. Floats round."
    )


def stated(scheme: Scheme) -> dict[str, object]:
    """Return what every text states of its scheme."""
    return {
        "problem": scheme.problem.name,
        "ring": scheme.canonical.ring.name,
        "rank": scheme.rank,
        "id": scheme.id,
        "digest": scheme.digest,
        "version": __version__,
        "origin": origin(scheme),
    }


def origin(scheme: Scheme) -> str:
    """Tell in plain ASCII how the scheme was made; provenance is foreign text, nothing in it may end the docstring."""
    facts = [
        f"{key}={value}" for key, value in sorted(scheme.provenance.items()) if isinstance(value, str | int | float)
    ]
    text = ", ".join(facts) or "not stated"
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in text)
    return fill(f"How the scheme was made: {plain[:400]}.", 110)
