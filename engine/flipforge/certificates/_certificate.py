"""Certificates as values, and the table of checkers by kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flipforge.certificates._brent import brent_defect
from flipforge.errors import FormatError, MalformedError, RingError
from flipforge.rings import parse_element, ring

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
        return Verdict("MALFORMED", f"{type(error).__name__}: {error}")


def register_checker(kind: str, checker: Callable[[Certificate], Verdict]) -> None:
    """Add the checker of a new kind; a kind that is taken is refused."""
    if kind in _CHECKERS:
        raise FormatError(f"certificate kind {kind!r} already has a checker")
    _CHECKERS[kind] = checker


def _check_brent(certificate: Certificate) -> Verdict:
    """Statement: ring, rank, shape, tensor as [i, j, k, value] rows. Witness: u, v, w."""
    statement, witness = certificate.statement, certificate.witness
    shape = tuple(statement["shape"])
    tensor = {(i, j, k): parse_element(value) for i, j, k, value in statement["tensor"]}
    factors = [[[parse_element(x) for x in row] for row in witness[axis]] for axis in "uvw"]
    base = ring(statement["ring"])
    for axis, size, rows in zip("uvw", shape, factors, strict=True):
        if len(rows) != statement["rank"]:
            return Verdict("MALFORMED", f"{axis} has {len(rows)} rows, the statement says rank {statement['rank']}")
        for number, row in enumerate(rows):
            if len(row) != size:
                return Verdict("MALFORMED", f"{axis}[{number}] has {len(row)} entries, the shape says {size}")
            outside = next((x for x in row if not base.contains(x)), None)
            if outside is not None:
                return Verdict("MALFORMED", f"{axis}[{number}] holds {outside}, which is not in {base}")
    u, v, w = factors
    defect = brent_defect(tensor, u, v, w, base.characteristic)
    if defect is None:
        return Verdict("PROVED")
    index, wanted, found = defect
    return Verdict("REFUTED", f"coefficient {index} is {found}, the tensor has {wanted}")


_CHECKERS: dict[str, Callable[[Certificate], Verdict]] = {"brent": _check_brent}
