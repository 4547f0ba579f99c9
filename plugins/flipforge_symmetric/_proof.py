"""From a decomposition in floating-point numbers to a certificate: rational components if there are any, else balls."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from flipforge.certificates import MAX_FLOAT_TERRACINI, MAX_TERRACINI, Certificate
from flipforge.rings import Element
from flipforge_symmetric._decompose import Decomposition, norm
from flipforge_symmetric._tables import sum_of_powers
from flipforge_symmetric._tensor import SymmetricTensor
from flipforge_symmetric._terracini import least_singular_value

__all__ = ["proof"]

CHECKER = "flipforge.symmetric/1"

_DENOMINATORS = (12, 1000, 100_000)
"""Tried in turn: the entries of a component whose largest entry is 1 may have no larger ones."""
_AGREES = 1e-9
_MAX_EXACT = 128
"""Most components whose weights are solved for exactly."""
_BITS = 53

Exact = tuple[list[Fraction], list[list[Fraction]]]


def proof(tensor: SymmetricTensor, found: Decomposition, provenance: dict[str, Any]) -> Certificate:
    """Return the certificate of an exact decomposition where rounding gives one, else that of a near one.

    The first is only tried for an error that rounding explains, and only proposed: the checker decides it.
    """
    for denominator in _DENOMINATORS if found.error < _AGREES and found.rank <= _MAX_EXACT else ():
        powers = _rounded(tensor, found, denominator)
        if powers is not None:
            return _certificate(tensor, powers, (Fraction(0), Fraction(0)), provenance)
    powers = _dyadic(found)
    weights, vectors = (np.array(part, dtype=np.float64) for part in powers)
    length, order = tensor.length, tensor.order
    wanted = tensor.coefficients
    distance = norm(sum_of_powers(weights, vectors, order) - wanted, length, order)
    size = np.abs(weights).sum() + norm(wanted, length, order)
    rounding = 8 * np.finfo(np.float64).eps * (order + len(weights)) * size
    return _certificate(tensor, powers, (Fraction(distance), Fraction(float(rounding))), provenance)


def _rounded(tensor: SymmetricTensor, found: Decomposition, denominator: int) -> Exact | None:
    """Round the components, solve for the weights, and see whether the sum is the tensor."""
    scaled = found.vectors / np.take_along_axis(found.vectors, np.abs(found.vectors).argmax(axis=1)[:, None], axis=1)
    vectors = [[Fraction(x).limit_denominator(denominator) for x in row] for row in scaled.tolist()]
    if np.abs(np.array(vectors, dtype=np.float64) - scaled).max(initial=0.0) > _AGREES:
        return None
    order = tensor.order
    dots = [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) for b in vectors] for a in vectors]
    matrix = fmpq_mat([[_flint(dot**order) for dot in row] for row in dots])
    right = fmpq_mat([[_flint(_evaluated(tensor, row))] for row in vectors])
    try:
        solution = matrix.solve(right)
    except ZeroDivisionError:
        return None
    weights = [Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(len(vectors))]
    squared = sum((w * _evaluated(tensor, row) for w, row in zip(weights, vectors, strict=True)), Fraction(0))
    # The best approximation has |T - T'|^2 = |T|^2 - <T, T'>.
    return (weights, vectors) if all(weights) and squared == _squared_norm(tensor) else None


def _dyadic(found: Decomposition) -> Exact:
    vectors = [[Fraction(round(x * 2**_BITS), 2**_BITS) for x in row] for row in found.vectors.tolist()]
    return [Fraction(w) for w in found.weights.tolist()], vectors


def _certificate(
    tensor: SymmetricTensor, powers: Exact, distance: tuple[Fraction, Fraction], provenance: dict[str, Any]
) -> Certificate:
    weights, vectors = powers
    statement: dict[str, Any] = {
        "order": tensor.order,
        "length": tensor.length,
        "rank": len(weights),
        "entries": [[*index, _written(value)] for index, value in tensor.entries.items()],
        "distance": [_written(x) for x in distance],
        "singular": None,
    }
    witness: dict[str, Any] = {
        "weights": [_written(w) for w in weights],
        "vectors": [[_written(x) for x in row] for row in vectors],
    }
    most = MAX_FLOAT_TERRACINI if any(distance) else MAX_TERRACINI
    if len(weights) * tensor.length <= most:
        low, high, direction = least_singular_value(np.array(vectors, dtype=np.float64), tensor.order)
        middle = Fraction(low) / 2 + Fraction(high) / 2
        statement["singular"] = [_written(x) for x in (middle, middle - Fraction(low))]
        witness["direction"] = [_written(Fraction(round(x * 2**_BITS), 2**_BITS)) for x in direction.tolist()]
    return Certificate("symmetric", statement, witness, CHECKER, provenance)


def _evaluated(tensor: SymmetricTensor, vector: Sequence[Fraction]) -> Fraction:
    """Return <T, a^m>, the value of the form at a."""
    total = Fraction(0)
    for index, value in tensor.entries.items():
        term = Fraction(value) * tensor.places(index)
        for j in index:
            term *= vector[j]
        total += term
    return total


def _squared_norm(tensor: SymmetricTensor) -> Fraction:
    return sum((Fraction(value) ** 2 * tensor.places(index) for index, value in tensor.entries.items()), Fraction(0))


def _flint(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def _written(value: Element) -> int | str:
    return value.numerator if value.denominator == 1 else str(value)
