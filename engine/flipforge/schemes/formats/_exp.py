"""The ``.exp`` text of the flip graph repositories: one product ``(a..)*(b..)*(c..)`` a line, c for C transposed.

The same reader takes the symmetric files (J. Moosbauer), whose factors stand side by side, and their lifted ones.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from re import fullmatch

from flipforge.errors import InputError, MalformedError
from flipforge.problems import Problem
from flipforge.rings import Element
from flipforge.schemes._scheme import Scheme
from flipforge.schemes.formats._draft import Draft, dense, state_matmul
from flipforge.schemes.formats._expression import Entry, Value, parse_line

__all__ = ["dump_exp", "exp_draft", "matrix_index"]

Form = dict[tuple[int, int], Element]


def exp_draft(text: str, problem: Problem | None = None) -> Draft:
    """Read a text; sizes are the largest indices that occur unless ``problem`` decides them."""
    products = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            value = parse_line(line, number, matrix_index)
            if other := value.forms.keys() - {"a", "b", "c"}:
                raise MalformedError(f"line {number}: {min(other)!r} is none of a, b and c")
            missing = {"a", "b", "c"} - value.forms.keys()
            if missing and value.scalar:
                raise MalformedError(f"line {number}: the product has no factor in {min(missing)}")
            products.append(value)
    if not products:
        raise MalformedError("there is no product in it")
    forms = [tuple(_form(value, letter) for letter in "abc") for value in products]
    if problem is None or problem.kind != "matmul":
        problem = state_matmul(_sizes(forms))
    n, m, p = problem.dims
    inside = ((n, m), (m, p), (p, n))
    for number, product in enumerate(forms, 1):
        for letter, (rows, columns), form in zip("abc", inside, product, strict=True):
            outside = next(((i, j) for i, j in form if i > rows or j > columns), None)
            if outside:
                raise MalformedError(
                    f"product {number}: {letter}{outside} lies outside the {rows}x{columns} of {problem}"
                )
    flat = [
        (
            {(i - 1) * m + j - 1: x for (i, j), x in a.items()},
            {(j - 1) * p + k - 1: x for (j, k), x in b.items()},
            {(i - 1) * p + k - 1: x for (k, i), x in c.items()},
        )
        for a, b, c in forms
    ]
    u, v, w = dense(flat, problem.shape)
    return Draft(u, v, w, problem)


def matrix_index(text: str) -> Entry:
    """Read row and column, 1-based: two digits, or ``1_10`` and ``[1,10]`` where a size has two digits."""
    if match := fullmatch(r"([0-9]{1,6})_([0-9]{1,6})|\[\s*([0-9]{1,6})\s*,\s*([0-9]{1,6})\s*\]|([0-9])([0-9])", text):
        i, j = (int(group) for group in match.groups() if group is not None)
        if i and j:
            return i, j
    raise MalformedError("an index is row and column from 1, two digits, or like 1_10 or [1,10] beyond 9")


def dump_exp(scheme: Scheme) -> str:
    """Write one product a line; denominators stand after their bracket.

    Raises
    ------
    InputError
        The problem is not a matrix product.
    """
    if scheme.problem.kind != "matmul":
        raise InputError(f"exp files hold matrix products, not {scheme.problem}; convert to flipforge, npz, sms or txt")
    n, _, p = scheme.problem.dims
    a, b, c = scheme.problem.labels
    separator = "_" if max(n, p) > 9 else ""
    c = tuple(f"c{k}{separator}{i}" for i in range(1, n + 1) for k in range(1, p + 1))
    lines = (
        "*".join(_bracket(row, names) for row, names in zip(product, (a, b, c), strict=True))
        for product in zip(scheme.u, scheme.v, scheme.w, strict=True)
    )
    return "".join(f"{line}\n" for line in lines)


def _bracket(row: Sequence[Element], names: Sequence[str]) -> str:
    denominator = lcm(*(x.denominator for x in row))
    terms = ""
    for x, name in zip(row, names, strict=True):
        if x:
            k = int(x * denominator)
            sign = "-" if k < 0 else "+" if terms else ""
            terms += sign + ("" if abs(k) == 1 else f"{abs(k)}*") + name
    return f"({terms or 0})" + (f"/{denominator}" if denominator > 1 else "")


def _form(value: Value, letter: str) -> Form:
    """Return the form of a letter; the scalar of the whole product goes to c."""
    scale = value.scalar if letter == "c" else 1
    form: Form = {}
    for entry, x in value.forms.get(letter, {}).items():
        scaled = x * scale
        if scaled and isinstance(entry, tuple):
            form[entry] = scaled.numerator if isinstance(scaled, Fraction) and scaled.denominator == 1 else scaled
    return form


def _sizes(forms: Sequence[tuple[Form, ...]]) -> tuple[int, int, int]:
    a, b, c = ([max((entry[d] for f in forms for entry in f[axis]), default=0) for d in (0, 1)] for axis in range(3))
    n, m, p = max(a[0], c[1]), max(a[1], b[0]), max(b[1], c[0])
    if not (a == [n, m] and b == [m, p] and c == [p, n]):
        raise MalformedError(
            f"a is {a[0]}x{a[1]}, b {b[0]}x{b[1]} and c (transposed) {c[0]}x{c[1]}: "
            "these are not the sizes of one matrix product"
        )
    return n, m, p
