"""The part of a NumPy module for deep recursion: ``multiply_in_basis``, levels of fewer additions in other bases."""

from functools import lru_cache
from string import Template

from flipforge.programs import LinearProgram, Program
from flipforge.schemes import Scheme
from flipforge_codegen._expressions import assignment, combination, unpacking
from flipforge_codegen._form import Form, form_of
from flipforge_codegen.passes import AlternativeBasis, alternative_basis

__all__ = ["basis_of", "basis_text", "level_of"]

_TEXT = Template('''\


def multiply_in_basis(a: npt.ArrayLike, b: npt.ArrayLike, *, depth: int = 3, base: Product = np.matmul) -> Array:
    """Return the matrix product a @ b by a recursion in other bases: $inside additions a level instead of $outside.

    Operands change basis once, before all levels, and the result after them, with $left, $right and $out additions
    for each level (Karstadt and Schwartz, "Matrix multiplication, a little faster", 2017). This pays from about three
    levels on. Parameters and errors are those of `multiply`; there are no more levels than rows and columns allow.
    """
    left, right = _operands(a, b)
    if left.ndim < 2 or right.ndim < 2 or left.shape[-1] != right.shape[-2]:
        raise ValueError(f"multiply_in_basis: shapes {left.shape} and {right.shape} are no (..., N, M) and (..., M, P)")
    if index(depth) < 0:
        raise ValueError(f"multiply_in_basis: depth is {depth}; give 0 or more")
    rows, inner, columns = left.shape[-2], left.shape[-1], right.shape[-1]
    while depth and (rows < $n**depth or inner < $m**depth or columns < $p**depth):
        depth -= 1
    x = _changed(_even(left, $n**depth, $m**depth), $n, $m, depth, _basis_of_a)
    y = _changed(_even(right, $m**depth, $p**depth), $m, $p, depth, _basis_of_b)
    return _changed(_recurse_in_basis(x, y, depth, base), $n, $p, depth, _basis_of_c)[..., :rows, :columns]


def _recurse_in_basis(a: Array, b: Array, depth: int, base: Product) -> Array:
    if depth == 0:
        return base(a, b)
    blocks = _scheme_in_basis(
        _blocks(a, $n, $m), _blocks(b, $m, $p), lambda x, y: _recurse_in_basis(x, y, depth - 1, base)
    )
    return np.block([blocks[i : i + $p] for i in range(0, $outputs, $p)])


def _changed(x: Array, rows: int, columns: int, depth: int, change: Callable[[list[Array]], list[Array]]) -> Array:
    """Change the basis of the blocks of all levels."""
    if depth == 0:
        return x
    blocks = [_changed(block, rows, columns, depth - 1, change) for block in change(_blocks(x, rows, columns))]
    return np.block([blocks[i : i + columns] for i in range(0, rows * columns, columns)])


def _even(x: Array, rows: int, columns: int) -> Array:
    """Pad with zeros below and right to multiples of rows and columns."""
    height, width = -(-x.shape[-2] // rows) * rows, -(-x.shape[-1] // columns) * columns
    padded = np.zeros((*x.shape[:-2], height, width), x.dtype)
    padded[..., : x.shape[-2], : x.shape[-1]] = x
    return padded
''')


@lru_cache(maxsize=16)
def basis_of(scheme: Scheme) -> AlternativeBasis | None:
    """Return bases in which a level has fewer additions than the shared program; None where none were found.

    Bases are searched for integer matrix products alone.
    """
    shared = form_of(scheme).program
    if scheme.problem.kind != "matmul" or shared.ring.name not in ("ZT", "Z"):
        return None
    found = alternative_basis(shared)
    return found if found.operations.additions < shared.operations.additions else None


def basis_text(scheme: Scheme, scheme_text: str) -> str:
    """Write ``multiply_in_basis`` and what it calls; ``scheme_text`` is the level in these bases, from `level_of`."""
    found = basis_of(scheme)
    if found is None:
        return ""
    n, m, p = scheme.problem.dims
    a, b, c = scheme.problem.labels
    before_a, before_b = found.before
    values = {
        "n": n, "m": m, "p": p, "outputs": n * p, "inside": found.operations.additions,
        "outside": found.program.operations.additions,
        "left": before_a.operations.additions, "right": before_b.operations.additions,
        "out": found.after.operations.additions,
    }  # fmt: skip
    changes = ((before_a, a, "a"), (before_b, b, "b"), (found.after, c, "c"))
    return _TEXT.substitute(values) + scheme_text + "".join(_change(*change) for change in changes)


def level_of(scheme: Scheme) -> Form | None:
    """Return what a level runs in the new bases, None where there are none."""
    found = basis_of(scheme)
    return None if found is None else Form(Program(scheme.problem, found.left, found.right, found.out))


def _change(part: LinearProgram, names: tuple[str, ...], operand: str) -> str:
    lines = ["", "", f"def _basis_of_{operand}(x: list[Array]) -> list[Array]:"]
    lines.append(f'    """Change the basis of the blocks of {operand}."""')
    lines.append(unpacking(names, "x"))
    known = list(names)
    for number, terms in enumerate(part.steps, 1):
        lines.append(assignment(f"s{number}", combination([(int(x), r) for x, r in terms], known)))
        known.append(f"s{number}")
    values = [combination([(int(x), r) for x, r in terms], known) for terms in part.outputs]
    lines += ["    return [", *(f"        {value}," for value in values), "    ]"]
    return "\n".join([*lines, ""])
