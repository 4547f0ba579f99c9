"""Writing the catalogue as text: one canonical scheme file for each object, and beside it what is proved of it."""

from pathlib import Path
from typing import Any

from flipforge.catalogue._front import front
from flipforge.catalogue._query import OWN, Query
from flipforge.catalogue._records import dump_object
from flipforge.catalogue._shipped import CERTIFICATES, file_stem, file_word
from flipforge.catalogue._store import SqliteStore
from flipforge.errors import InputError
from flipforge.schemes.formats import dump_certificate, write_atomically

__all__ = ["dump"]


def dump(
    store: SqliteStore,
    folder: Path,
    *,
    problem: str | None = None,
    ring: str | None = None,
    origin: str | None = None,
    only_best: bool = False,
    only_front: bool = False,
) -> list[dict[str, Any]]:
    """Write schemes with their lineage into a folder, each file whole; one that is there and right is left alone.

    Certificates about them, such as that of a scheme that does not lift, go to ``certificates`` inside it.

    Parameters
    ----------
    folder
        Made where there is none. Files are named like ``matmul-3x3x3_GF2_r23_0123456789ab.json``, certificates like
        ``matmul-3x3x3_GF2_r23_0123456789ab.obstruction.json``.
    problem, ring
        Only these; see `Query`.
    origin
        Origins with commas; found and derived unless given.
    only_best
        Only the smallest rank of each problem and ring, ties by additions.
    only_front
        Only what none beats in recursive calls and additions among the smallest rank of each problem and ring; see
        `front`.

    Returns
    -------
    list of dict
        Rows of the catalogue, each with its ``file``, whether it was ``written``, and the files of its
        ``certificates``.

    Raises
    ------
    InputError
        The folder or a file in it cannot be written; then none is.
    """
    if only_front:
        rows = front(store, problem, ring=ring, origin=origin, only_best=True)
    else:
        rows = store.rows(Query(problem, ring=ring, origin=origin or OWN, best=only_best))
    files, dumped = dict[Path, bytes](), list[dict[str, Any]]()
    for row in rows:
        path = folder / f"{_stem(row)}.json"
        proofs = {
            folder / CERTIFICATES / f"{_stem(row)}.{certificate.kind}.json": dump_certificate(certificate).encode()
            for certificate in store.certificates(row["id"])
        }
        files |= {path: dump_object(store.scheme(row["id"])).encode(), **proofs}
        dumped.append({**row, "file": str(path), "certificates": [str(proof) for proof in proofs]})
    try:
        for place in {folder, *(path.parent for path in files)}:
            place.mkdir(parents=True, exist_ok=True)
        changed = {path: data for path, data in files.items() if not path.is_file() or path.read_bytes() != data}
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}); name another folder"
        ) from None
    write_atomically(changed)
    return [{**row, "written": Path(row["file"]) in changed} for row in dumped]


def _stem(row: dict[str, Any]) -> str:
    return "_".join([file_stem(row["problem"]), *map(file_word, (row["ring"], f"r{row['rank']}", row["id"]))])
