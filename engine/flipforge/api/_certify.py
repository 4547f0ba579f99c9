"""Certify the content of a file: find a certificate, have it checked, write it, keep it with its lineage."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from flipforge import plugins
from flipforge.api._library import Db, objects_of, open_store, source_of
from flipforge.certificates import Certificate, Verdict, check
from flipforge.errors import FlipforgeError, ReplayError
from flipforge.schemes import ID_LENGTH
from flipforge.schemes.formats import dump_certificate, parse_certificate, read_plain, write_certificate
from flipforge.search import CERTIFIED, Entry, Lineage, Proven, Stored

__all__ = ["certified_again", "certify"]

VERSION = "certify/1"
"""Of what certifiers do with the same content: raised whenever one of them may give another certificate."""

_MAX_CONTENT = 2_000_000
"""Most characters of a file's content that a lineage holds."""


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

    What is proved goes into the catalogue with its lineage, the content of the file, from which `replay_scheme` makes
    it again. Evidence is no object of the catalogue; it is kept beside them, with the name and hash of its file.

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
            if verdict.valid:
                entry = _entry(certificate, content, options, source_of(path))
                store.commit([entry])
                identity = entry.scheme.id
            else:
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


def certified_again(step: Lineage) -> Stored:
    """Certify the content that a step of a lineage holds, and return what is proved.

    Raises
    ------
    ReplayError
        The step was made under another version, its content was too large to be kept, or it gives something else.
    """
    place = f"the certification of {step.child}"
    if step.walk_version != VERSION:
        raise ReplayError(f"{place}: made under {step.walk_version}, this version certifies under {VERSION}")
    if "content" not in step.arguments:
        raise ReplayError(f"{place}: its input was too large to be kept; certify the file again")
    try:
        content = _read(step.arguments["content"])
        found = plugins.certifier_for(content).certify(content, options=step.arguments["options"]).certificate
        if found is None:
            raise ReplayError(f"{place}: gives no certificate")
        stored = _stored(found)
    except (KeyError, TypeError, ValueError, FlipforgeError) as error:
        raise ReplayError(f"{place}: cannot be made again ({error})") from None
    if stored.id != step.child:
        raise ReplayError(f"{place}: gives {stored.id}, stored is {step.child}")
    return stored


def _entry(certificate: Certificate, content: plugins.Content, options: Mapping[str, Any], source: str) -> Entry:
    """Return the object of a proved certificate with the step that made it from the content of a file."""
    stored, written = _stored(certificate), _written(content)
    text = json.dumps(written)
    arguments = {"content": written, "options": dict(options)} if len(text) <= _MAX_CONTENT else {}
    parent = sha256(text.encode()).hexdigest()[:ID_LENGTH]
    step = Lineage(stored.id, parent, CERTIFIED, (), {}, VERSION, "", arguments)
    return Entry(stored, "derived", step, source)


def _stored(certificate: Certificate) -> Stored:
    """Return what the catalogue keeps: the scheme that a certificate proves, else the certificate, as from its file."""
    if certificate.kind != "brent":
        return Proven.of(parse_certificate(json.loads(dump_certificate(certificate))))
    with TemporaryDirectory() as folder:
        target = Path(folder) / "certificate.json"
        write_certificate(certificate, target)
        (stored,) = objects_of(target, {})
    return stored


def _written(content: plugins.Content) -> Any:
    """Return what a file holds as JSON values."""
    if isinstance(content, np.ndarray):
        return {"dtype": content.dtype.str, "array": content.tolist()}
    return {key: _written(value) if isinstance(value, np.ndarray) else value for key, value in content.items()}


def _read(written: Any) -> plugins.Content:
    """Read what `_written` returned."""
    if isinstance(written, dict) and written.keys() == {"dtype", "array"}:
        return np.array(written["array"], dtype=written["dtype"])
    return {key: _read(value) if isinstance(value, dict) else value for key, value in written.items()}


def _placed(path: Path, error: FlipforgeError) -> str:
    return str(error) if str(path) in str(error) else f"{path}: {error}"
