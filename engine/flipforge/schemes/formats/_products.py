"""Lines ``m1 = (...)(...)`` and ``c1 = m1 - m2``: flip-cpd's text with flat entries, ours with rows and columns."""

from collections.abc import Mapping, Sequence
from re import MULTILINE, fullmatch
from re import compile as regex
from typing import Any

from flipforge.errors import InputError, MalformedError
from flipforge.problems import Problem, kinds, parse
from flipforge.rings import Element
from flipforge.schemes._scheme import Scheme
from flipforge.schemes._show import scheme_lines
from flipforge.schemes.formats._draft import (
    Draft,
    dense,
    from_flip_cpd,
    named_problem,
    product_sizes,
    state_matmul,
    state_ring,
)
from flipforge.schemes.formats._exp import matrix_index
from flipforge.schemes.formats._expression import Entry, Value, parse_line

__all__ = ["dump_products", "products_draft"]

_LINE = regex(r"\s*([mc])([0-9]+(?:_[0-9]+)?)\s*=(.*)")
_HEADER = regex(r"^#\s*(problem|ring):[ \t]*(\S+)[ \t]*$", MULTILINE)
_OUTPUT = regex(r"^\s*c[0-9_]+\s*=", MULTILINE)
_FLAT_OUTPUT = regex(r"^\s*c[0-9]\s*=", MULTILINE)

Form = dict[Any, Element]


def dump_products(scheme: Scheme) -> str:
    """Write a header that states problem and ring, the products and the outputs; entries are flat but for matrices."""
    flat = [[f"{letter}{i}" for i in range(1, s + 1)] for letter, s in zip("abc", scheme.problem.shape, strict=True)]
    lines = scheme_lines(scheme, None if scheme.problem.kind == "matmul" else flat)
    return "\n".join([f"# problem: {scheme.problem}", f"# ring: {scheme.ring}", *lines]) + "\n"


def products_draft(text: str, name: str, problem: Problem | None = None) -> Draft:
    """Read the text.

    Entries are flat (``a7``) where an output has a single digit, else row and column (``a21``, ``a1_10``); C is not
    transposed. The problem is the header's, the file name's, or the one the indices fit, in this order. A text without
    a header numbers the entries as flip-cpd does.
    """
    header = dict(_HEADER.findall(text))
    if not _OUTPUT.search(text):
        raise MalformedError("there is no output line 'c1 = ..' or 'c11 = ..'")
    flat = bool(_FLAT_OUTPUT.search(text))
    products, outputs = _read_lines(text, flat)
    rank = len(products)
    if sorted(products) != list(range(1, rank + 1)):
        raise MalformedError(f"the {rank} products are not numbered m1 to m{rank}")
    rows: list[tuple[Form, Form, Form]] = [(*_factors(products[q], q), {}) for q in range(1, rank + 1)]
    for output, value in outputs.items():
        for number, x in _linear(value, "m", f"c{output}").items():
            if not 1 <= number <= rank:
                raise MalformedError(f"c{output}: m{number} is not one of the {rank} products")
            rows[number - 1][2][output] = x
    target = problem or _stated(header.get("problem"), name, flat) or _fitting(rows, outputs, flat)
    widths = (0, 0, 0) if flat else (target.dims[1], target.dims[2], target.dims[2])
    if not flat and target.kind != "matmul":
        raise MalformedError(f"entries have row and column, and {target} has flat ones")
    positions = []
    for forms in rows:
        axes = zip(forms, target.shape, widths, "abc", strict=True)
        a, b, c = (_positions(form, size, width, letter) for form, size, width, letter in axes)
        positions.append((a, b, c))
    _positions(dict.fromkeys(outputs, 1), target.shape[2], widths[2], "c")
    u, v, w = dense(positions, target.shape)
    if not header:
        u, v = from_flip_cpd(target, u, v)
    return Draft(u, v, w, target, state_ring(header.get("ring")))


def _read_lines(text: str, flat: bool) -> tuple[dict[int, Value], dict[Entry, Value]]:
    read_entry = _flat_index if flat else matrix_index
    products: dict[int, Value] = {}
    outputs: dict[Entry, Value] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise MalformedError(f"line {number}: neither 'm1 = (..)(..)' nor 'c1 = m1 ..'")
        letter, index, body = match.groups()
        padded = " " * match.start(3) + body
        is_product = letter == "m"
        try:
            key = _flat_index(index) if is_product else read_entry(index)
        except MalformedError as error:
            raise MalformedError(f"line {number}: {letter}{index[:20]}: {error}") from None
        known: dict[Any, Value] = products if is_product else outputs
        if key in known:
            raise MalformedError(f"line {number}: {letter}{index} stands twice")
        known[key] = parse_line(padded, number, read_entry if is_product else _flat_index)
    return products, outputs


def _factors(value: Value, number: int) -> tuple[Form, Form]:
    if other := value.forms.keys() - {"a", "b"}:
        raise MalformedError(f"m{number}: {min(other)!r} is neither a nor b")
    if len(value.forms) < 2 and value.scalar:
        raise MalformedError(f"m{number}: the product has no factor in {'a' if 'a' not in value.forms else 'b'}")
    scaled = {entry: x * value.scalar for entry, x in value.forms.get("a", {}).items()}
    return scaled, dict(value.forms.get("b", {}))


def _linear(value: Value, letter: str, place: str) -> Form:
    if value.forms.keys() - {letter} or (not value.forms and value.scalar):
        raise MalformedError(f"{place}: the output is not a sum of products m1, m2, ..")
    return {entry: x * value.scalar for entry, x in value.forms.get(letter, {}).items()}


def _flat_index(text: str) -> Entry:
    if not fullmatch(r"[0-9]{1,6}", text) or not int(text):
        raise MalformedError("an index is a number from 1")
    return int(text)


def _stated(header: str | None, name: str, flat: bool) -> Problem | None:
    if header is None:
        return named_problem(name) if flat else None
    if header.startswith("tensor:"):
        raise InputError(f"the text names {header[:80]} but does not hold it; give it with --problem tensor:FILE")
    if header.partition(":")[0] not in kinds():
        return parse(header)
    try:
        return parse(header)
    except InputError as error:
        raise MalformedError(str(error)) from None


def _fitting(rows: Sequence[tuple[Form, ...]], outputs: Mapping[Entry, Value], flat: bool) -> Problem:
    entries = [[entry for row in rows for entry in row[axis]] for axis in (0, 1)] + [list(outputs)]
    if flat:
        left, right, output = (max((int(e) for e in axis), default=0) for axis in entries)
        sizes = product_sizes(left, right, output)
        if sizes is None:
            raise InputError(f"{left}, {right} and {output} entries are no matrix product; give --problem")
        return state_matmul(sizes)
    a, b, c = ([max((e[d] for e in axis if isinstance(e, tuple)), default=0) for d in (0, 1)] for axis in entries)
    if not (a[0] == c[0] and a[1] == b[0] and b[1] == c[1]):
        sizes_read = f"a is {a[0]}x{a[1]}, b {b[0]}x{b[1]} and c {c[0]}x{c[1]}"
        raise MalformedError(f"{sizes_read}: these are not the sizes of one matrix product")
    return state_matmul((a[0], a[1], b[1]))


def _positions(form: Mapping[Entry, Element], size: int, width: int, letter: str) -> dict[int, Element]:
    result = {}
    for entry, x in form.items():
        inside = not isinstance(entry, tuple) or entry[1] <= width
        position = entry - 1 if not isinstance(entry, tuple) else (entry[0] - 1) * width + entry[1] - 1
        if not inside or position >= size:
            raise MalformedError(f"{letter}{entry} lies outside the {size} coordinates of the problem")
        result[position] = x
    return result
