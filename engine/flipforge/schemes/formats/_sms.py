"""PLinOpt's triple of sparse matrices L (r x left), R (r x right) and P (output x r), each an SMS file.

An SMS file (Sparse Integer Matrix Collection) is a header ``rows columns M``, lines ``i j value`` counted from 1, and
``0 0 0``. A path ``X.sms`` names the three files ``X_L.sms``, ``X_R.sms`` and ``X_P.sms``.
"""

from collections.abc import Sequence
from pathlib import Path
from re import fullmatch

from flipforge.errors import InputError, MalformedError, RingError
from flipforge.problems import Problem
from flipforge.rings import Element, parse_element
from flipforge.schemes._scheme import Scheme
from flipforge.schemes.formats._draft import Draft, dense, product_sizes, state_matmul, state_ring

__all__ = ["dump_sms", "sms_draft", "sms_parts", "sms_paths"]

Row = dict[int, Element]
Matrix = tuple[int, int, dict[tuple[int, int], Element]]


def sms_paths(path: Path) -> tuple[Path, Path, Path]:
    """Return the files of L, R and P that a path names: the path's own stem, or any one of the three."""
    stem = path.with_suffix("") if path.suffix.lower() == ".sms" else path
    if match := fullmatch(r"(.+)_[LRP]", stem.name):
        stem = stem.with_name(match[1])
    left, right, output = (stem.with_name(f"{stem.name}_{part}.sms") for part in "LRP")
    return left, right, output


def sms_parts(path: Path) -> tuple[Path, ...]:
    """Return the files to read for a path: itself, or the triple where it names one."""
    if path.suffix.lower() != ".sms":
        return (path,)
    paths = sms_paths(path)
    return paths if path in paths or not path.is_file() else (path,)


def dump_sms(scheme: Scheme, path: Path) -> dict[Path, bytes]:
    """Return the three files; a comment in the first line states problem and ring."""
    outputs = tuple(zip(*scheme.w, strict=True)) or ((),) * scheme.problem.shape[2]
    widths = (*scheme.problem.shape[:2], scheme.rank)
    return {
        part: _matrix_text(rows, width, f"# {letter} of {scheme.problem} over {scheme.ring}").encode()
        for part, rows, width, letter in zip(sms_paths(path), (scheme.u, scheme.v, outputs), widths, "LRP", strict=True)
    }


def sms_draft(texts: Sequence[str], problem: Problem | None = None) -> Draft:
    """Read the texts of L, R and P."""
    stated = fullmatch(r"# L of \S+ over (\S+)", texts[0].partition("\n")[0].strip())
    (rank, left, us), (rank_r, right, vs), (output, rank_p, ws) = (
        _matrix(text, name) for text, name in zip(texts, "LRP", strict=True)
    )
    if not rank == rank_r == rank_p:
        raise MalformedError(f"L has {rank} rows, R {rank_r} and P {rank_p} columns: each must be the rank")
    if problem is None:
        sizes = product_sizes(left, right, output)
        if sizes is None:
            raise InputError(f"{left}, {right} and {output} coordinates are no matrix product; give --problem")
        problem = state_matmul(sizes)
    if (left, right, output) != problem.shape:
        raise MalformedError(f"{left}, {right} and {output} coordinates are not those of {problem}")
    products: list[tuple[Row, Row, Row]] = [({}, {}, {}) for _ in range(rank)]
    for axis, entries in enumerate((us, vs)):
        for (q, i), x in entries.items():
            products[q][axis][i] = x
    for (k, q), x in ws.items():
        products[q][2][k] = x
    u, v, w = dense(products, problem.shape)
    return Draft(u, v, w, problem, state_ring(stated[1] if stated else None))


def _matrix_text(rows: Sequence[Sequence[Element]], width: int, comment: str) -> str:
    lines = [comment, f"{len(rows)} {width} R"]
    lines += [f"{i} {j} {x}" for i, row in enumerate(rows, 1) for j, x in enumerate(row, 1) if x]
    return "\n".join([*lines, "0 0 0"]) + "\n"


def _matrix(text: str, name: str) -> Matrix:
    numbered = ((number, line.split()) for number, line in enumerate(text.splitlines(), 1))
    lines = ((number, fields) for number, fields in numbered if fields and fields[0][0] != "#")
    number, header = next(lines, (1, []))
    if len(header) != 3 or not all(fullmatch("[0-9]{1,7}", size) for size in header[:2]):
        raise MalformedError(f"{name}, line {number}: the header must be 'rows columns M'")
    rows, columns = int(header[0]), int(header[1])
    entries: dict[tuple[int, int], Element] = {}
    for number, fields in lines:
        if fields == ["0", "0", "0"]:
            return rows, columns, entries
        if len(fields) != 3 or not all(fullmatch("[0-9]{1,7}", index) for index in fields[:2]):
            raise MalformedError(f"{name}, line {number}: write 'i j value'")
        i, j = int(fields[0]), int(fields[1])
        if not (1 <= i <= rows and 1 <= j <= columns):
            raise MalformedError(f"{name}, line {number}: ({i}, {j}) lies outside the {rows}x{columns} matrix")
        if (i - 1, j - 1) in entries:
            raise MalformedError(f"{name}, line {number}: entry ({i}, {j}) stands twice")
        try:
            entries[i - 1, j - 1] = parse_element(fields[2])
        except RingError as error:
            raise MalformedError(f"{name}, line {number}: {error}") from None
    raise MalformedError(f"{name}: the closing line '0 0 0' is missing")
