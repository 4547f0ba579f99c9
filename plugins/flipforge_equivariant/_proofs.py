"""Certificates that a selected basis is one.

Bases given by a rule are triangular: each diagram has an index at which its matrix is not 0 and those of all later ones
are. Up to five hundred diagrams these indices are the witness, beyond that the rule itself.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flipforge.certificates import Certificate
from flipforge.diagrams import Diagram

__all__ = ["CHECKER", "MOST_LISTED", "Functional", "levels", "rule_certificate", "statement", "triangular_certificate"]

MOST_LISTED = 500
"""Up to how many diagrams a certificate lists them with their indices."""

CHECKER = "equivariant-basis/1"

Functional = list[tuple[int, list[int]]]
"""A combination of entries: coefficients with an index for each point."""


def statement(group: str, k: int, l: int, dimension: int) -> dict[str, Any]:
    """Return what every certificate of a basis states."""
    return {"problem": f"layer:{group}:{k}:{l}", "group": group, "k": k, "l": l, "dimension": dimension}


def rule_certificate(group: str, k: int, l: int, dimension: int) -> Certificate:
    """Return the certificate that rests on the rule, without a list."""
    return Certificate("equivariant-basis", statement(group, k, l, dimension), {"method": "rule"}, CHECKER)


def triangular_certificate(
    group: str,
    k: int,
    l: int,
    basis: Iterable[Diagram],
    document: Callable[[Diagram], dict[str, Any]],
    functional: Callable[[Diagram], Functional],
) -> Certificate:
    """Return the certificate with a functional for each diagram, in the order in which they are triangular."""
    rows = [(document(diagram), [[scale, index] for scale, index in functional(diagram)]) for diagram in basis]
    stated = {**statement(group, k, l, len(rows)), "basis": [row for row, _ in rows]}
    witness = {"method": "triangular", "functionals": [terms for _, terms in rows]}
    return Certificate("equivariant-basis", stated, witness, CHECKER)


def levels(word: Iterable[int], *, step: int = 1) -> list[int]:
    """Return for each value one less than the length of a longest increasing subsequence that ends there.

    Parameters
    ----------
    step
        -1 for decreasing ones.

    Examples
    --------
    >>> levels([2, 5, 0, 3, 1])
    [0, 1, 0, 1, 1]
    """
    values = [step * value for value in word]
    found: list[int] = []
    for place, value in enumerate(values):
        found.append(max((found[i] + 1 for i in range(place) if values[i] < value), default=0))
    return found
