"""Certificates as values, and the table of checkers by kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flipforge.certificates._border import border_defect
from flipforge.certificates._brent import brent_defect
from flipforge.errors import FormatError, MalformedError, RingError
from flipforge.rings import Element, brief, parse_element, ring

__all__ = ["EXACT", "Certificate", "Verdict", "check", "read_rows", "read_target", "register_checker"]

Decision = Literal["PROVED", "REFUTED", "EVIDENCE", "MALFORMED"]


EXACT = "Python's integers and fractions and the checker's text"
"""What a decision by exact arithmetic rests on."""


@dataclass(frozen=True)
class Verdict:
    """What a checker decided, why, and what the decision trusts beside the statement itself."""

    decision: Decision
    reason: str = ""
    trusts: str = EXACT

    @property
    def valid(self) -> bool:
        """True for a proof; evidence is not a proof."""
        return self.decision == "PROVED"


@dataclass(frozen=True)
class Certificate:
    """A statement with the witness that proves it.

    Attributes
    ----------
    kind
        Names the checker, e.g. ``"brent"``.
    statement, witness
        JSON values only; what they hold depends on the kind.
    checker
        Name and version of the checker the certificate was written for.
    """

    kind: str
    statement: Mapping[str, Any]
    witness: Mapping[str, Any]
    checker: str
    provenance: Mapping[str, Any] = field(default_factory=dict)


def check(certificate: Certificate) -> Verdict:
    """Decide a certificate from its own content alone.

    Raises
    ------
    FormatError
        No checker of that kind is known.
    """
    try:
        checker = _CHECKERS[certificate.kind]
    except KeyError:
        raise FormatError(f"unknown certificate kind {certificate.kind!r}: known are {', '.join(_CHECKERS)}") from None
    try:
        return checker(certificate)
    except (KeyError, TypeError, ValueError, RingError, MalformedError) as error:
        words = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        return Verdict("MALFORMED", words)


def register_checker(kind: str, checker: Callable[[Certificate], Verdict]) -> None:
    """Add the checker of a new kind; a kind that is taken is refused."""
    if kind in _CHECKERS:
        raise FormatError(f"certificate kind {kind!r} already has a checker")
    _CHECKERS[kind] = checker


def _check_brent(certificate: Certificate) -> Verdict:
    """Statement: ring, rank, shape, tensor as [i, j, k, value] rows. Witness: u, v, w."""
    statement = certificate.statement
    shape, tensor = read_target(statement)
    base = ring(str(statement["ring"]))
    commuting = certificate.kind == "commutative"
    if commuting and shape[0] != shape[1]:
        raise MalformedError(f"both factors of a commutative scheme have the same variables; the shape is {shape}")
    u, v, w = (
        [[base.coerce(parse_element(x)) for x in row] for row in rows]
        for rows in read_rows(certificate.witness, statement["rank"], shape)
    )
    defect = brent_defect(tensor, u, v, w, base.characteristic, commuting=commuting)
    if defect is None:
        return Verdict("PROVED")
    return _refuted(*defect)


def _check_border(certificate: Certificate) -> Verdict:
    """As `_check_brent`, with the order in the statement and lists of order + 1 coefficients as entries of u, v, w."""
    statement = certificate.statement
    shape, tensor = read_target(statement)
    base, order = ring(str(statement["ring"])), statement["order"]
    if type(order) is not int or order < 1:
        raise MalformedError(f"order is {str(order)[:40]}; an approximate scheme has order 1 or more")
    if not any(base.reduce(value) if base.characteristic else value for value in tensor.values()):
        raise MalformedError(f"the tensor is zero over {base}; there is nothing to approximate")
    factors = []
    for axis, rows in zip("uvw", read_rows(certificate.witness, statement["rank"], shape), strict=True):
        for number, row in enumerate(rows):
            if not all(isinstance(x, list) and len(x) == order + 1 for x in row):
                raise MalformedError(f"{axis}[{number}] must hold lists of {order + 1} coefficients, as the order says")
        factors.append([[[base.coerce(parse_element(x)) for x in entry] for entry in row] for row in rows])
    u, v, w = factors
    defect = border_defect(tensor, order, u, v, w, base.characteristic)
    if defect is None:
        return Verdict("PROVED")
    return _refuted(*defect[1:], power=f" of eps^{defect[0]}", wants="it must be")


def _refuted(
    index: tuple[int, int, int], wanted: Element, found: Element, *, power: str = "", wants: str = "the tensor has"
) -> Verdict:
    return Verdict("REFUTED", f"coefficient {index}{power} is {brief(found)}, {wants} {brief(wanted)}")


def read_rows(holder: Mapping[str, Any], rank: Any, shape: list[int]) -> list[list[list[Any]]]:
    """Return the rows of u, v and w, of the right number and length."""
    factors = []
    for axis, size in zip("uvw", shape, strict=True):
        rows = holder[axis]
        if not isinstance(rows, list) or type(rank) is not int or len(rows) != rank:
            raise MalformedError(f"{axis} must be a list of rows, as many as the rank of the statement")
        fault = next((q for q, row in enumerate(rows) if not isinstance(row, list) or len(row) != size), None)
        if fault is not None:
            raise MalformedError(f"{axis}[{fault}] must be a list of {size} entries, as the shape says")
        factors.append(rows)
    return factors


def read_target(statement: Mapping[str, Any]) -> tuple[list[int], dict[tuple[int, int, int], Element]]:
    """Return the shape of a statement and its tensor."""
    shape, entries = statement["shape"], statement["tensor"]
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(size) is int and size > 0 for size in shape):
        raise MalformedError("shape must be three sizes")
    tensor: dict[tuple[int, int, int], Element] = {}
    for i, j, k, value in entries:
        index = (i, j, k)
        if not all(type(x) is int and 0 <= x < size for x, size in zip(index, shape, strict=True)):
            raise MalformedError(f"tensor entry {str(index)[:60]} lies outside the shape {shape}")
        if index in tensor:
            raise MalformedError(f"tensor entry {index} stands twice")
        tensor[index] = parse_element(value)
    return shape, tensor


_CHECKERS: dict[str, Callable[[Certificate], Verdict]] = {
    "brent": _check_brent,
    "commutative": _check_brent,
    "border": _check_border,
}
