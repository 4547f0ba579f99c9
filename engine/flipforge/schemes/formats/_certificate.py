"""Certificate files ``flipforge-certificate/1``, and those that prove schemes read as schemes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flipforge.certificates import Certificate, check
from flipforge.errors import FormatError, MalformedError, VerificationError
from flipforge.problems import Problem
from flipforge.rings import ring
from flipforge.schemes.formats._atomic import write_atomically
from flipforge.schemes.formats._draft import Draft
from flipforge.schemes.formats._native import json_factor, problem_of_document

__all__ = ["CERTIFICATE_FORMAT", "certificate_draft", "parse_certificate", "write_certificate"]

CERTIFICATE_FORMAT = "flipforge-certificate/1"

_SCHEMES = ("brent", "commutative", "border")
"""Kinds of certificates whose witness is a scheme."""


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


def write_certificate(certificate: Certificate, path: str | Path) -> None:
    """Write a certificate file, whole or not at all."""
    document = {
        "format": CERTIFICATE_FORMAT,
        "kind": certificate.kind,
        "statement": certificate.statement,
        "witness": certificate.witness,
        "checker": certificate.checker,
        "provenance": certificate.provenance,
    }
    lines = (f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.items())
    write_atomically({Path(path): ("{\n" + ",\n".join(lines) + "\n}\n").encode()})


def certificate_draft(document: Mapping[str, Any]) -> Draft:
    """Check the certificate of a scheme and return it; the tensor it proves must be that of the problem it names.

    Raises
    ------
    FormatError
        The certificate is of a kind that is no scheme.
    MalformedError, VerificationError
        The checker says no, or the certificate is about another tensor than its problem's.
    """
    certificate = parse_certificate(document)
    if certificate.kind not in _SCHEMES:
        raise FormatError(f"a certificate of kind {certificate.kind[:40]!r} holds no scheme")
    verdict = check(certificate)
    if not verdict.valid:
        raise (MalformedError if verdict.decision == "MALFORMED" else VerificationError)(verdict.reason)
    problem = _stated_problem(certificate.statement)
    if certificate.kind != problem.proof or certificate.statement.get("order", 0) != problem.order:
        raise VerificationError(f"a {certificate.kind} certificate of another order or kind than {problem} calls for")
    entries = {(i, j, k): value for i, j, k, value in certificate.statement["tensor"]}
    if tuple(certificate.statement["shape"]) != problem.shape or entries != problem.tensor:
        raise VerificationError(f"the certificate proves another tensor than that of {problem}")
    u, v, w = (json_factor(certificate.witness, axis, problem.order) for axis in "uvw")
    return Draft(u, v, w, problem, ring(certificate.statement["ring"]), provenance=certificate.provenance)


def _stated_problem(statement: Mapping[str, Any]) -> Problem:
    embedded = {"shape": statement["shape"], "coords": statement["tensor"]}
    return problem_of_document({"problem": statement.get("problem"), "tensor": embedded})
