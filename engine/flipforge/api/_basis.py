"""Bases of equivariant maps, with a certificate."""

from pathlib import Path
from typing import Any

from flipforge import plugins
from flipforge.certificates import check
from flipforge.diagrams import Group, check_shape, group
from flipforge.errors import InputError, VerificationError
from flipforge.schemes.formats import certificate_document, write_certificate

__all__ = ["basis", "parse_group"]


def parse_group(text: str) -> Group:
    """Make the group of a name, e.g. ``Sp:4`` or ``Aut:petersen``, with the groups that plugins bring.

    Raises
    ------
    InputError
        There is no such group.
    """
    plugins.connect()
    return group(text)


def basis(name: str, k: int, l: int, *, listed: bool = False, out: str | Path | None = None) -> dict[str, Any]:
    """Find a basis of the maps from k to l copies of R^n that commute with a group, and certify it.

    Parameters
    ----------
    name
        A group, e.g. ``"S:5"``.
    listed
        List the diagrams.
    out
        File for the certificate, which ``flipforge verify`` checks.

    Returns
    -------
    dict
        ``{"group", "k", "l", "dimension", "basis", "certificate", "verdict", "reason"}``, ``basis`` with ``listed``
        only. The verdict is that of the checker of the certificate's kind: PROVED, or EVIDENCE with a reason.

    Raises
    ------
    InputError
        There is no such group, or a list would be too long.
    VerificationError
        The certificate is refuted, which means a fault in the group's plugin.

    Examples
    --------
    >>> row = basis("O:2", 1, 1, listed=True)
    >>> row["dimension"], row["basis"][0]["pairs"]
    (1, [[0, 1]])
    """
    member = parse_group(name)
    check_shape(k, l)
    row: dict[str, Any] = {"group": member.name, "k": k, "l": l, "dimension": member.dimension(k, l)}
    if listed:
        row["basis"] = [member.document(diagram) for diagram in member.basis(k, l)]
    certificate = member.certificate(k, l)
    verdict = check(certificate)
    if verdict.decision == "MALFORMED":
        raise InputError(f"{member.name}, k = {k}, l = {l}: no certificate ({verdict.reason})")
    if verdict.decision == "REFUTED" or certificate.statement["dimension"] != row["dimension"]:
        raise VerificationError(f"{member.name}, k = {k}, l = {l}: the basis is not one ({verdict.reason})")
    if out is not None:
        write_certificate(certificate, out)
    told = {"verdict": verdict.decision, "reason": verdict.reason}
    return {**row, "certificate": certificate_document(certificate), **told}
