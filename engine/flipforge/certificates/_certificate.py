"""Certificates as values, and the table of checkers by kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flipforge.certificates._brent import brent_defect
from flipforge.errors import FormatError, MalformedError, RingError
from flipforge.rings import Element, brief, parse_element, ring

__all__ = ["Certificate", "Verdict", "check", "register_checker"]

Decision = Literal["PROVED", "REFUTED", "EVIDENCE", "MALFORMED"]


@dataclass(frozen=True)
class Verdict:
    """What a checker decided, and why."""

    decision: Decision
    reason: str = ""

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
    statement, witness = certificate.statement, certificate.witness
    shape, tensor = _read_target(statement)
    base = ring(str(statement["ring"]))
    for axis, size in zip("uvw", shape, strict=True):
        rows = witness[axis]
        if not isinstance(rows, list) or type(statement["rank"]) is not int or len(rows) != statement["rank"]:
            raise MalformedError(f"{axis} must be a list of rows, as many as the rank of the statement")
        fault = next((q for q, row in enumerate(rows) if not isinstance(row, list) or len(row) != size), None)
        if fault is not None:
            raise MalformedError(f"{axis}[{fault}] must be a list of {size} entries, as the shape says")
    u, v, w = ([[base.coerce(parse_element(x)) for x in row] for row in witness[axis]] for axis in "uvw")
    defect = brent_defect(tensor, u, v, w, base.characteristic)
    if defect is None:
        return Verdict("PROVED")
    index, wanted, found = defect
    return Verdict("REFUTED", f"coefficient {index} is {brief(found)}, the tensor has {brief(wanted)}")


def _read_target(statement: Mapping[str, Any]) -> tuple[list[int], dict[tuple[int, int, int], Element]]:
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


_CHECKERS: dict[str, Callable[[Certificate], Verdict]] = {"brent": _check_brent}
