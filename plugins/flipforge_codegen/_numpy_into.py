"""The part of a NumPy module that works in place: ``multiply_into``, printed from a buffer schedule."""

from collections.abc import Sequence
from fractions import Fraction
from string import Template

from flipforge.programs import LinearProgram, Program
from flipforge.rings import Element
from flipforge_codegen._expressions import unpacking
from flipforge_codegen.passes import Combine, Multiply, Place, Schedule, schedule

__all__ = ["into_text"]

_TEXT = Template('''\


def _matmul(a: Array, b: Array, out: Array) -> None:
    np.matmul(a, b, out=out)


def multiply_into(
    out: Array, a: Array, b: Array, *, depth: int = 1, base: Base = _matmul, workspace: Array | None = None
) -> Array:
    """Write a @ b into ``out`` and return it; nothing is allocated where a workspace is given.

    One product is made at a time. Rows and columns that do not come out even are cut off and multiplied by ``base``.

    Parameters
    ----------
    out, a, b
        Matrices of one dtype, N x P, N x M and M x P; ``out`` must not overlap the others.
    depth
        Levels of recursion; a level is left out where it cuts a matrix to nothing.
    base
        ``base(x, y, z)`` writes the product of the innermost blocks into z.
    workspace
        At least ``workspace_size(N, M, P, depth)`` elements of the dtype, one-dimensional.

    Raises
    ------
    TypeError
        The dtype is not one that this scheme carries.
    ValueError
        The shapes do not fit, the depth is negative, ``out`` overlaps an operand, or the workspace is too small.
    """
    if not out.ndim == a.ndim == b.ndim == 2 or (*out.shape, a.shape[1]) != (a.shape[0], b.shape[1], b.shape[0]):
        shapes = f"{out.shape}, {a.shape} and {b.shape}"
        raise ValueError(f"multiply_into: shapes {shapes} are no N x P, N x M and M x P")
    if not out.dtype == a.dtype == b.dtype or out.dtype.kind not in "$kinds":
        dtypes = f"{out.dtype} from {a.dtype} and {b.dtype}"
        raise TypeError(f"multiply_into: cannot compute {dtypes}; $mend")
$guard    if np.may_share_memory(out, a) or np.may_share_memory(out, b):
        raise ValueError("multiply_into: out overlaps an operand; give another array")
    size = workspace_size(*a.shape, b.shape[1], depth)
    space = np.empty(size, out.dtype) if workspace is None else workspace
    if space.dtype != out.dtype or space.ndim != 1 or len(space) < size:
        raise ValueError(f"multiply_into: the workspace must hold {size} elements of {out.dtype}")
    _into(out, a, b, depth, base, space)
    return out


def workspace_size(n: int, m: int, p: int, depth: int) -> int:
    """Return how many elements `multiply_into` works in."""
    if index(depth) < 0:
        raise ValueError(f"workspace_size: depth is {depth}; give 0 or more")
    if depth == 0 or n < $n or m < $m or p < $p:
        return 0
    h, i, w = n // $n, m // $m, p // $p
    own = $s * h * i + $t * i * w + $q * h * w
    return max(own + workspace_size(h, i, w, depth - 1), h * $p * w if m % $m else 0)


def _into(out: Array, a: Array, b: Array, depth: int, base: Base, space: Array) -> None:
    (n, m), p = a.shape, b.shape[1]
    if depth == 0 or n < $n or m < $m or p < $p:
        base(a, b, out)
        return
    h, i, w = n // $n, m // $m, p // $p
    _level(_cut(out, $n, $p, h, w), _cut(a, $n, $m, h, i), _cut(b, $m, $p, i, w), depth, base, space)
    rows, inner, columns = $n * h, $m * i, $p * w
    if inner < m:
        strip = space[: h * columns].reshape(h, columns)
        for first in range(0, rows, h):
            whole = out[first : first + h, :columns]
            base(a[first : first + h, inner:], b[inner:, :columns], strip)
            np.add(whole, strip, out=whole)
    if columns < p:
        base(a[:rows], b[:, columns:], out[:rows, columns:])
    if rows < n:
        base(a[rows:], b, out[rows:])


def _cut(x: Array, rows: int, columns: int, height: int, width: int) -> list[Array]:
    return [
        x[i * height : (i + 1) * height, j * width : (j + 1) * width] for i in range(rows) for j in range(columns)
    ]


def _buffers(space: Array, count: int, rows: int, columns: int) -> tuple[list[Array], Array]:
    """Cut buffers off a workspace; return them and what is left."""
    size = rows * columns
    cut = [space[i * size : (i + 1) * size].reshape(rows, columns) for i in range(count)]
    return cut, space[count * size :]


def _level(c: list[Array], a: list[Array], b: list[Array], depth: int, base: Base, space: Array) -> None:
    """Run one level in place; $buffers."""
$body''')


def into_text(program: Program) -> str:
    """Write ``multiply_into`` and what it calls, for a program of a matrix product.

    Nothing for one over GF(p), whose residues would have to be reduced apart, and for one that divides by another
    number than a power of two: sums are scaled as they are formed, and a third is no float.
    """
    if program.ring.characteristic or not all(_is_exact(x) for part in program.parts for x in _coefficients(part)):
        return ""
    found = schedule(program)
    divides = program.ring.name in ("Z[1/2]", "Q")
    scratch = _scratch(found)
    s, t, q = (number + extra for number, extra in zip(found.buffers, scratch, strict=True))
    sizes = zip("nmp", program.problem.dims, strict=True)
    largest = max((abs(int(x)) for step in _sums(found) for x, _ in step.terms if x == int(x)), default=1)
    values = {
        **dict(sizes),
        "kinds": "fc" if divides else "iufc",
        "mend": "give floats of one dtype" if divides else "give numbers of one dtype",
        "guard": _GUARD.format(largest=largest) if largest > 127 else "",
        "s": s,
        "t": t,
        "q": q,
        "buffers": f"buffers: {s} of a block of a, {t} of b, {q} of c",
        "body": _body(found, (s, t, q)),
    }
    return _TEXT.substitute(values)


_GUARD = """\
    if out.dtype.kind in "iu" and np.iinfo(out.dtype).max < {largest}:
        raise TypeError(f"multiply_into: coefficients reach {largest}, too much for {{out.dtype}}; give a wider dtype")
"""


def _sums(found: Schedule) -> list[Combine[Place]]:
    return [step for step in found.steps if isinstance(step, Combine)]


def _scratch(found: Schedule) -> tuple[int, int, int]:
    """Tell for each kind whether a sum has a coefficient that is no sign beyond its first term."""
    needed = {_KIND[step.target[0]] for step in _sums(found) if any(abs(x) != 1 for x, _ in _ordered(step)[1:])}
    s, t, p = (int(kind in needed) for kind in "stp")
    return s, t, p


_KIND = {"a": "s", "b": "t", "c": "p", "s": "s", "t": "t", "p": "p"}


def _ordered(step: Combine[Place]) -> list[tuple[Element, Place]]:
    """Return the terms with the target's own place first: it is overwritten by what is written first."""
    return sorted(step.terms, key=lambda term: (term[1] != step.target, abs(term[0]) == 1, term[0] < 0))


def _body(found: Schedule, buffers: Sequence[int]) -> str:
    names = {"a": found.problem.labels[0], "b": found.problem.labels[1], "c": found.problem.labels[2]}
    names |= {kind: tuple(f"{kind}{i + 1}" for i in range(size)) for kind, size in zip("stp", buffers, strict=True)}
    heads = [unpacking(names[kind], kind) for kind in "cab"]
    lines: list[str] = []
    blocks = {"s": "a", "t": "b", "p": "c"}
    for kind, size in zip("stp", buffers, strict=True):
        if size:
            heads.append(f"    {kind}, space = _buffers(space, {size}, *{names[blocks[kind]][0]}.shape)")
            heads.append(unpacking(names[kind], kind))
    for step in found.steps:
        target = names[step.target[0]][step.target[1]]
        if isinstance(step, Multiply):
            left, right = (names[kind][i] for kind, i in step.read)
            lines.append(f"_into({target}, {left}, {right}, depth - 1, base, space)")
        else:
            scratch = names[_KIND[step.target[0]]][-1:]
            lines += _sum_lines(target, [(x, names[k][i]) for x, (k, i) in _ordered(step)], scratch)
    return "\n".join([*heads, *(f"    {line}" for line in lines), ""])


def _coefficients(part: LinearProgram) -> list[Element]:
    return [x for terms in (*part.steps, *part.outputs) for x, _ in terms]


def _is_exact(x: Element) -> bool:
    return x.denominator & (x.denominator - 1) == 0 and max(abs(x.numerator), x.denominator) < 2**53


def _sum_lines(target: str, terms: list[tuple[Element, str]], scratch: Sequence[str]) -> list[str]:
    """Write a sum as NumPy calls; a scaled term beyond the first goes through a buffer."""
    if not terms:
        return [f"{target}[...] = 0"]
    (x, first), *rest = terms
    if x == -1 and rest and rest[0][0] == 1:
        lines = [f"np.subtract({rest[0][1]}, {first}, out={target})"]
        rest = rest[1:]
    elif x == 1 and rest and abs(rest[0][0]) == 1:
        lines = [f"np.{'add' if rest[0][0] == 1 else 'subtract'}({first}, {rest[0][1]}, out={target})"]
        rest = rest[1:]
    elif x == 1:
        lines = [f"{target}[...] = {first}"] if first != target else []
    elif x == -1:
        lines = [f"np.negative({first}, out={target})"]
    else:
        lines = [_scaled(first, x, target)]
    for y, name in rest:
        if abs(y) == 1:
            lines.append(f"np.{'add' if y == 1 else 'subtract'}({target}, {name}, out={target})")
        else:
            verb = "add" if y > 0 else "subtract"
            lines += [_scaled(name, y if y > 0 else -y, scratch[0]), f"np.{verb}({target}, {scratch[0]}, out={target})"]
    return lines


def _scaled(name: str, by: Element, target: str) -> str:
    factor = Fraction(by)
    if factor.denominator == 1:
        return f"np.multiply({name}, {factor.numerator}, out={target})"
    return f"np.multiply({name}, {factor.numerator} / {factor.denominator}, out={target})"
