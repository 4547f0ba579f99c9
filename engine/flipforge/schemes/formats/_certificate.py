"""Certificate files ``flipforge-certificate/1``, and those that prove schemes read as schemes.

A file ends with the hash of its content, so that a change of what no checker looks at is seen too. Certificates of
schemes are of an older date: theirs may lack it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from flipforge.certificates import Certificate, Verdict, check
from flipforge.errors import FormatError, MalformedError, VerificationError
from flipforge.problems import Problem
from flipforge.rings import ring
from flipforge.schemes.formats._atomic import write_atomically
from flipforge.schemes.formats._draft import Draft
from flipforge.schemes.formats._native import json_factor, problem_of_document

__all__ = [
    "CERTIFICATE_FORMAT",
    "Decided",
    "certificate_content",
    "certificate_document",
    "dump_certificate",
    "parse_certificate",
    "write_certificate",
]

CERTIFICATE_FORMAT = "flipforge-certificate/1"

_SCHEMES = ("brent", "commutative", "border")
"""Kinds of certificates whose witness is a scheme."""
_ABOUT_SCHEMES = ("obstruction", "signs")
"""Kinds that state something else of a scheme for the problem they name."""


@dataclass(frozen=True)
class Decided:
    """A certificate that is not one of a scheme, with the verdict on it."""

    certificate: Certificate
    verdict: Verdict


def parse_certificate(document: Mapping[str, Any]) -> Certificate:
    """Build the certificate of a parsed file.

    Raises
    ------
    FormatError
        The format version is not known.
    MalformedError
        A key is missing or of the wrong type.
    """
    if document.get("format") != CERTIFICATE_FORMAT:
        stated = str(document.get("format"))[:60]
        raise FormatError(f"format {stated!r} is not known; this version reads {CERTIFICATE_FORMAT}")
    for key, kind in (("kind", str), ("statement", dict), ("witness", dict), ("checker", str)):
        if not isinstance(document.get(key), kind):
            raise MalformedError(f"key {key!r} is missing or no {'object' if kind is dict else 'string'}")
    provenance = document.get("provenance", {})
    if not isinstance(provenance, dict):
        raise MalformedError("provenance is no object")
    return Certificate(document["kind"], document["statement"], document["witness"], document["checker"], provenance)


def certificate_document(certificate: Certificate) -> dict[str, Any]:
    """Return the JSON object of a certificate file."""
    document = {
        "format": CERTIFICATE_FORMAT,
        "kind": certificate.kind,
        "statement": certificate.statement,
        "witness": certificate.witness,
        "checker": certificate.checker,
        "provenance": certificate.provenance,
    }
    return {**document, "sha256": _content_hash(document)}


def dump_certificate(certificate: Certificate) -> str:
    """Write a certificate as the text of its file, one key a line."""
    document = certificate_document(certificate)
    lines = (f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_certificate(certificate: Certificate, path: str | Path) -> None:
    """Write a certificate file, whole or not at all."""
    write_atomically({Path(path): dump_certificate(certificate).encode()})


def _check_hash(document: Mapping[str, Any]) -> None:
    """Raise `MalformedError` where the content is not that of the hash, or where there must be one and is none."""
    stated = document.get("sha256")
    if stated is None and document.get("kind") in _SCHEMES:
        return
    if stated != _content_hash(document):
        fault = "has none" if stated is None else "states another"
        raise MalformedError(f"the file was changed after it was written: its content has a hash, and it {fault}")


def _content_hash(document: Mapping[str, Any]) -> str:
    content = {key: value for key, value in document.items() if key != "sha256"}
    return sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def certificate_content(document: Mapping[str, Any]) -> Draft | Decided:
    """Check a certificate: return the scheme of one that proves a scheme, any other with the verdict on it.

    Raises
    ------
    FormatError
        The format version or the kind is not known.
    MalformedError, VerificationError
        A certificate of a scheme does not hold, or the content of the file was changed.
    """
    certificate = parse_certificate(document)
    if certificate.kind in _SCHEMES:
        draft = _certificate_draft(certificate)
        _check_hash(document)
        return draft
    verdict = check(certificate)
    if verdict.decision in ("PROVED", "EVIDENCE"):
        if certificate.kind in _ABOUT_SCHEMES:
            _stated_problem(certificate.statement)
        _check_hash(document)
    return Decided(certificate, verdict)


def _certificate_draft(certificate: Certificate) -> Draft:
    """Return the scheme of a certificate that holds; the tensor it proves must be that of the problem it names."""
    verdict = check(certificate)
    if not verdict.valid:
        raise (MalformedError if verdict.decision == "MALFORMED" else VerificationError)(verdict.reason)
    problem = _stated_problem(certificate.statement)
    if certificate.kind != problem.proof or certificate.statement.get("order", 0) != problem.order:
        raise VerificationError(f"a {certificate.kind} certificate of another order or kind than {problem} calls for")
    u, v, w = (json_factor(certificate.witness, axis, problem.order) for axis in "uvw")
    return Draft(u, v, w, problem, ring(certificate.statement["ring"]), provenance=certificate.provenance)


def _stated_problem(statement: Mapping[str, Any]) -> Problem:
    """Return the problem that a statement names, whose tensor must be the one it states."""
    embedded = {"shape": statement["shape"], "coords": statement["tensor"]}
    problem = problem_of_document({"problem": statement.get("problem"), "tensor": embedded})
    entries = {(i, j, k): value for i, j, k, value in statement["tensor"]}
    if tuple(statement["shape"]) != problem.shape or entries != problem.tensor:
        raise VerificationError(f"the certificate is about another tensor than that of {problem}")
    return problem
