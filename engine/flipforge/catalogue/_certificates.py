"""Certificates about schemes as the values SQLite keeps, and back."""

import json
import zlib
from typing import Any

from flipforge.certificates import Certificate, check
from flipforge.errors import MalformedError, VerificationError
from flipforge.schemes import Scheme
from flipforge.schemes.formats import FORMAT, certificate_document, parse_certificate, read_native_document

__all__ = ["proven_row", "read_certificate"]


def proven_row(certificate: Certificate) -> dict[str, Any]:
    """Return the row of a certificate that holds.

    Raises
    ------
    VerificationError
        It does not hold.
    MalformedError
        It is not about a scheme.
    """
    verdict = check(certificate)
    if not verdict.valid:
        raise VerificationError(f"{certificate.kind}: {verdict.decision}: {verdict.reason}")
    text = json.dumps(certificate_document(certificate))
    return {"object": _subject(certificate).id, "kind": certificate.kind, "data": zlib.compress(text.encode())}


def read_certificate(data: bytes, source: str) -> Certificate:
    """Read the certificate a row holds.

    Raises
    ------
    MalformedError
        Its text is damaged.
    """
    try:
        return parse_certificate(json.loads(zlib.decompress(data)))
    except (zlib.error, ValueError) as error:
        raise MalformedError(f"{source}: the text of its certificate is damaged ({error})") from None


def _subject(certificate: Certificate) -> Scheme:
    """Return the scheme that a certificate is about."""
    statement = certificate.statement
    embedded = {"shape": statement.get("shape"), "coords": statement.get("tensor")}
    keys = ("problem", "ring", "rank", "u", "v", "w")
    document = {"format": FORMAT, "tensor": embedded, **{key: statement[key] for key in keys if key in statement}}
    scheme = read_native_document(document, f"{certificate.kind} certificate")
    entries = [[*index, value] for index, value in scheme.problem.entries]
    if sorted(statement["tensor"]) != entries:
        raise MalformedError(
            f"{certificate.kind} certificate: it is about another tensor than that of {scheme.problem}"
        )
    return scheme
