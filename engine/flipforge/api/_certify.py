"""Certify the content of a file: find a certificate, have it checked, write it."""

from pathlib import Path
from typing import Any

from flipforge import plugins
from flipforge.api._library import Db, open_store, source_of
from flipforge.certificates import Verdict, check
from flipforge.errors import FlipforgeError
from flipforge.schemes.formats import read_plain, write_certificate

__all__ = ["certify"]


def certify(
    file: str | Path,
    *,
    multiplicity: int | None = None,
    every: bool = False,
    max_order: int | None = None,
    rank: int | None = None,
    degree: int | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    db: Db = None,
) -> dict[str, Any]:
    """Find a certificate for what a file holds, check it by the checker of its kind, write it, and keep it.

    Parameters
    ----------
    file
        What it may hold depends on the certifiers that are installed; `flipforge.plugins.available` lists them.
    multiplicity, rank
        Claims to be met, where the content has such a thing.
    degree
        Up to which cofactors of an identity are looked for.
    every
        Look for all roots of a system, from random starts.
    max_order
        Highest order of the dual space of a root.
    seed
        Of random choices.
    out
        The certificate's file; the input's name with ``.certificate.json``, in the present folder, unless given.

    Returns
    -------
    dict
        ``{"id", "verdict", "multiplicity", "hilbert_function", "radius", "perturbation", "certificate", "reason"}``;
        the certificate and its ID are None, and nothing is written, where the verdict is REFUTED or MALFORMED.

    Raises
    ------
    InputError
        No verdict can be formed.
    """
    path = Path(file)
    stated = {
        "multiplicity": multiplicity,
        "all": every or None,
        "max_order": max_order,
        "rank": rank,
        "degree": degree,
        "seed": seed,
    }
    options = {key: value for key, value in stated.items() if value is not None}
    try:
        content = read_plain(path)
        certified = plugins.certifier_for(content).certify(content, options=options)
    except FlipforgeError as error:
        raise type(error)(_placed(path, error)) from None
    certificate = certified.certificate
    verdict = Verdict("REFUTED", certified.reason) if certificate is None else check(certificate)
    target = identity = None
    if certificate is not None and verdict.decision in ("PROVED", "EVIDENCE"):
        target = Path(f"{path.stem}.certificate.json") if out is None else Path(out)
        write_certificate(certificate, target)
        with open_store(db) as store:
            identity = store.proofs.keep(certificate, source_of(path))
    return {
        "id": identity,
        "verdict": verdict.decision,
        "multiplicity": certified.multiplicity,
        "hilbert_function": certified.hilbert_function and list(certified.hilbert_function),
        "radius": certified.radius,
        "perturbation": certified.perturbation,
        "certificate": None if target is None else str(target),
        "reason": "; ".join(filter(None, (verdict.reason, certified.reason if certificate else ""))),
    }


def _placed(path: Path, error: FlipforgeError) -> str:
    return str(error) if str(path) in str(error) else f"{path}: {error}"
