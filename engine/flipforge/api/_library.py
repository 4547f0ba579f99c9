"""Schemes by ID or file: load, show, verify, import, convert, compare, export."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from flipforge import plugins
from flipforge.catalogue import Query, SqliteStore, own_factor
from flipforge.certificates import Verdict, check
from flipforge.errors import FlipforgeError, InputError, MalformedError, VerificationError
from flipforge.problems import Problem, parse
from flipforge.programs import Layer, is_layer_file, is_program_file, layer_document, read_layer_file, read_program
from flipforge.rings import Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, compare, costs, describe, describe_latex, recursive_calls
from flipforge.schemes.formats import (
    Judged,
    certificate_document,
    is_there,
    judge_certificate,
    judge_file,
    native_document,
    read_file,
    write_file,
)
from flipforge.search import Entry, Proven, Stored

__all__ = [
    "Batch",
    "compare_schemes",
    "convert",
    "document",
    "export_scheme",
    "import_files",
    "load",
    "load_object",
    "objects_of",
    "open_store",
    "parse_problem",
    "show",
    "source_of",
    "verify",
]

Name = str | Path
Db = str | Path | SqliteStore | None


class Batch(list[dict[str, Any]]):
    """Rows of a batch, one an item; ``exit_code`` is the worst of theirs: 0, 1 for a no, 2 for no verdict."""

    exit_code: int = 0

    def add(self, row: dict[str, Any], exit_code: int) -> None:
        """Append a row."""
        self.append(row)
        self.exit_code = max(self.exit_code, exit_code)


@contextmanager
def open_store(db: Db, problem: str | None = None) -> Iterator[SqliteStore]:
    """Yield the catalogue of a path or URL and close it; an open store is passed through.

    With ``problem`` the use concerns no other, and what was shipped of others need not be loaded.
    """
    if isinstance(db, SqliteStore):
        yield db
        return
    with SqliteStore.open(db, problem=problem) as store:
        yield store


def parse_problem(text: str) -> Problem:
    """Parse a problem string, with the kinds that plugins bring."""
    plugins.connect()
    return parse(text)


def load(name: Name, *, problem: str | None = None, ring: str | None = None, db: Db = None) -> Scheme:
    """Return the proven scheme of a file, or of an ID or unique prefix in the catalogue; an existing path wins.

    Parameters
    ----------
    problem, ring
        Settle what a file does not state.
    db
        Catalogue: a path or ``sqlite:///...``.

    Raises
    ------
    InputError
        There is no such file or ID, or the file holds several schemes.
    VerificationError
        The scheme does not verify.
    """
    path = Path(name)
    if not is_there(path):
        with open_store(db) as store:
            found = store.scheme(str(name))
        if not isinstance(found, Scheme):
            what = "a layer program" if isinstance(found, Layer) else f"a {found.certificate.kind} certificate"
            raise InputError(f"{name}: {what} of {found.problem}; this takes schemes")
        return found
    if is_program_file(path):
        return _program_of(path, problem, ring)
    schemes = read_file(path, **_stated(problem, ring))
    if len(schemes) != 1:
        raise InputError(f"{path}: holds {len(schemes)} schemes; import it and name one by its ID")
    return schemes[0]


def load_object(name: Name, *, problem: str | None = None, ring: str | None = None, db: Db = None) -> Stored:
    """Return the proven scheme, layer program or certificate of a file, ID or unique prefix; as `load` otherwise.

    A certificate that is kept as evidence is found by its ID as well.
    """
    path = Path(name)
    if is_layer_file(path):
        layer = _layer_of(path, problem, ring)
        layer.certify()
        return layer
    if is_there(path):
        found_here = objects_of(path, _stated(problem, ring))
        if len(found_here) != 1:
            raise InputError(f"{path}: holds {len(found_here)} schemes; import it and name one by its ID")
        return found_here[0]
    with open_store(db) as store:
        evidence = store.proofs.find(str(name))
        found: Stored = store.scheme(str(name)) if evidence is None else Proven.of(evidence)
    return found


def document(name: Name, *, problem: str | None = None, ring: str | None = None, db: Db = None) -> dict[str, Any]:
    """Return the JSON object of the file of a scheme or layer program, with its ID and costs."""
    scheme = load_object(name, problem=problem, ring=ring, db=db)
    if isinstance(scheme, Layer):
        return {"id": scheme.id, **layer_document(scheme)}
    if isinstance(scheme, Proven):
        return {"id": scheme.id, **certificate_document(scheme.certificate)}
    return {"id": scheme.id, **costs(scheme).as_dict(), **native_document(scheme)}


def show(name: Name, *, latex: bool = False, problem: str | None = None, ring: str | None = None, db: Db = None) -> str:
    """Return an object as text: products and outputs, instructions, or the witness of a certificate.

    A scheme can be written in LaTeX.

    Raises
    ------
    InputError
        A layer program or certificate is asked for as LaTeX.
    """
    scheme = load_object(name, problem=problem, ring=ring, db=db)
    if not isinstance(scheme, Scheme):
        if latex:
            raise InputError(f"{scheme.id}: only a scheme has LaTeX; leave --latex out")
        return scheme.describe()
    if latex:
        return describe_latex(scheme)
    head, rest = describe(scheme).split("\n", 1)
    return "\n".join([head, *_calls_line(scheme), rest])


def _calls_line(scheme: Scheme) -> list[str]:
    """Return what is said of the recursive calls of a structured scheme; nothing of others."""
    calls, factor = recursive_calls(scheme), own_factor(scheme)
    if calls is None:
        return []
    gamma = "" if factor is None else f", gamma {factor} by those of the same kind alone"
    return [f"recursive calls {calls}{gamma}"]


def verify(*names: Name, problem: str | None = None, ring: str | None = None, db: Db = None) -> Batch:
    """Check schemes and certificates exactly; an item without a verdict does not stop the others.

    Returns
    -------
    Batch
        Rows ``{"source", "problem", "ring", "rank", "valid", "verdict", "reason"}``.

    Examples
    --------
    >>> verify("no/such/file.json", db=":memory:").exit_code
    2
    """
    stated = _stated(problem, ring)
    batch = Batch()
    for name in names:
        try:
            if is_layer_file(Path(name)):
                judged = [_judge_layer(Path(name), problem, ring)]
            elif is_program_file(Path(name)):
                judged = [_judge_program(Path(name), problem, ring)]
            else:
                judged = judge_file(Path(name), **stated) if is_there(Path(name)) else _judge_stored(str(name), db)
        except FlipforgeError as error:
            batch.add(_row(str(name), None, None, None, False, None, str(error)), error.exit_code)
            continue
        for item in judged:
            verdict = item.verdict
            row = _row(item.source, item.problem, item.ring, item.rank, verdict.valid, verdict.decision, verdict.reason)
            batch.add(row, 0 if verdict.valid else 1)
    return batch


def import_files(*files: Path, problem: str | None = None, ring: str | None = None, db: Db = None) -> Batch:
    """Prove the schemes of files and keep them, marked as imported; a file that fails does not stop the others.

    Returns
    -------
    Batch
        Rows like those of `query` with ``source``, ``status`` (new, known, refused) and ``reason``.
    """
    stated = _stated(problem, ring)
    batch = Batch()
    with open_store(db) as store:
        for file in files:
            try:
                schemes: Sequence[Stored] = (
                    [_layer_of(Path(file), problem, ring)]
                    if is_layer_file(Path(file))
                    else objects_of(Path(file), stated)
                )
                new = store.commit([Entry(scheme, "imported", source=source_of(Path(file))) for scheme in schemes])
            except FlipforgeError as error:
                refused = {"source": str(file), "id": None, "status": "refused", "reason": str(error)}
                batch.add(refused, error.exit_code)
                continue
            for scheme in schemes:
                status = "new" if scheme.id in new else "known"
                (row,) = store.rows(Query(where=f"id = '{scheme.id}'"))
                batch.add({**row, "source": str(file), "status": status, "reason": ""}, 0)
    return batch


def convert(
    name: Name, to: str, out: Path, *, problem: str | None = None, ring: str | None = None, db: Db = None
) -> dict[str, Any]:
    """Write a proven scheme in another format and return what was written where."""
    scheme = load(name, problem=problem, ring=ring, db=db)
    files = write_file(scheme, to, Path(out))
    return {
        "id": scheme.id,
        "problem": scheme.problem.name,
        "ring": scheme.ring.name,
        "rank": scheme.rank,
        "format": to,
        "files": [str(path) for path in files],
    }


def compare_schemes(
    first: Name, second: Name, *, problem: str | None = None, ring: str | None = None, db: Db = None
) -> dict[str, Any]:
    """Decide equality up to permutation and rescaling; return ``{"equal", "reason", "invariants"}``."""
    a, b = (load(name, problem=problem, ring=ring, db=db) for name in (first, second))
    comparison = compare(a, b)
    return {"equal": comparison.equal, "reason": comparison.reason, "invariants": dict(comparison.invariants)}


def export_scheme(
    name: Name | Sequence[Name],
    target: str,
    out: Path,
    *,
    check: bool = False,
    composed: bool = False,
    problem: str | None = None,
    ring: str | None = None,
    db: Db = None,
) -> plugins.ExportReport:
    """Ship a proven scheme or layer program as code, and run that code when ``check`` is set.

    Parameters
    ----------
    name
        Several are a scheme for each level of recursion, the first one's outermost.
    composed
        Make one scheme of several by Kronecker composition, also where the target recurses.
    """
    names = [name] if isinstance(name, str | Path) else list(name)
    if len(names) > 1 and problem:
        raise InputError("--problem states one problem; levels state their own, so leave it out")
    schemes = []
    for each in names:
        found = load_object(each, problem=problem, ring=ring, db=db)
        if isinstance(found, Layer) and len(names) == 1:
            return plugins.export_layer(found, target, out, check=check)
        if not isinstance(found, Scheme):
            what = "layer program" if isinstance(found, Layer) else f"{found.certificate.kind} certificate"
            raise InputError(f"{each}: a {what} is no level of recursion; give schemes, or one layer program alone")
        schemes.append(found)
    if not schemes:
        raise InputError("nothing to export; give an ID or a file")
    return plugins.export(schemes[0], target, out, inner=schemes[1:], composed=composed, check=check)


def objects_of(path: Path, stated: dict[str, Any]) -> Sequence[Stored]:
    """Return the schemes of a file, or its certificate, all proved."""
    judged = judge_file(path, **stated)
    if len(judged) != 1 or judged[0].certificate is None:
        return read_file(path, **stated)
    verdict = judged[0].verdict
    if not verdict.valid:
        raise VerificationError(f"{path}: {verdict.decision}: {verdict.reason}")
    return [Proven.of(judged[0].certificate)]


def _stated(problem: str | None, ring: str | None) -> dict[str, Any]:
    stated_problem: Problem | None = None if problem is None else parse_problem(problem)
    stated_ring: Ring | None = None if ring is None else ring_named(ring)
    return {"problem": stated_problem, "ring": stated_ring}


def source_of(path: Path) -> str:
    """Name a file by its path and content; the three files of an SMS triple by their stem."""
    return f"{path} sha256={sha256(path.read_bytes()).hexdigest()}" if path.is_file() else str(path)


def _layer_of(path: Path, problem: str | None, ring: str | None) -> Layer:
    """Read a layer file, whose statement must be what is asked for, if anything is."""
    plugins.connect()
    layer = read_layer_file(path)
    if (problem or layer.problem.name) != layer.problem.name or ring_named(ring or layer.ring.name) != layer.ring:
        raise InputError(f"{path}: a program of {layer.problem} over {layer.ring}; it has no other reading")
    return layer


def _judge_layer(path: Path, problem: str | None, ring: str | None) -> Judged:
    try:
        layer = _layer_of(path, problem, ring)
    except MalformedError as error:
        return Judged(str(path), None, problem, ring, None, Verdict("MALFORMED", str(error).removeprefix(f"{path}: ")))
    return Judged(str(path), None, layer.problem.name, layer.ring.name, layer.rank, layer.verdict())


def _judge_program(path: Path, problem: str | None, ring: str | None) -> Judged:
    try:
        scheme = _program_of(path, problem, ring)
    except VerificationError as error:
        decision: Literal["MALFORMED", "REFUTED"] = "MALFORMED" if isinstance(error, MalformedError) else "REFUTED"
        return Judged(str(path), None, problem, ring, None, Verdict(decision, str(error).removeprefix(f"{path}: ")))
    return Judged(str(path), scheme, scheme.problem.name, scheme.ring.name, scheme.rank, scheme.verdict())


def _program_of(path: Path, problem: str | None, ring: str | None) -> Scheme:
    """Return the scheme that a program file computes, proven; what the caller states must agree with the file."""
    try:
        scheme = read_program(path.read_text(encoding="utf-8")).scheme()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    except FlipforgeError as error:
        raise type(error)(f"{path}: {error}") from None
    stated = _stated(problem, ring)
    if stated["problem"] not in (None, scheme.problem) or stated["ring"] not in (None, scheme.ring):
        raise InputError(
            f"{path}: holds a program for {scheme.problem} over {scheme.ring}; leave --problem and --ring out"
        )
    return scheme


def _judge_stored(name: str, db: Db) -> list[Judged]:
    """Decide a stored scheme and then the certificates kept with it, or a certificate that is about no scheme."""
    with open_store(db) as store:
        proof = store.proofs.find(name)
        if proof is not None:
            return [Judged(name, None, None, None, None, check(proof), proof)]
        stored, kept = store.scheme(name), store.certificates(name)
    if isinstance(stored, Proven):
        return [judge_certificate(stored.certificate, stored.id)]
    labels = stored.problem.name, stored.ring.name, stored.rank
    return [
        Judged(stored.id, None, *labels, stored.verdict()),
        *(Judged(f"{stored.id}:{each.kind}", None, *labels, check(each), each) for each in kept),
    ]


def _row(source: str, *values: Any) -> dict[str, Any]:
    keys: Sequence[str] = ("problem", "ring", "rank", "valid", "verdict", "reason")
    return {"source": source, **dict(zip(keys, values, strict=True))}
