"""The kind ``symmetric``: a symmetric tensor, and a sum of powers that is equal to it or near it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb
from typing import Any

from flipforge.certificates._certificate import EXACT, Certificate, Verdict
from flipforge.certificates._symmetric import (
    MAX_FLOAT_TERRACINI,
    MAX_TERRACINI,
    Index,
    Powers,
    least_singular_value_is,
    parallel_pair,
    squared_distance,
)
from flipforge.errors import MalformedError
from flipforge.rings import Element, brief, parse_element, parse_row

__all__ = ["check_symmetric"]

_MAX_PRODUCTS = 400_000_000
"""Most coefficients times components."""


def check_symmetric(certificate: Certificate) -> Verdict:
    """Decide what is stated of a tensor and a sum of powers.

    Statement: ``order``, ``length``, ``rank``, ``entries`` as rows of a sorted 0-based index and a value, ``distance``
    as ``[midpoint, radius]``, and ``singular``, which is that or null. Witness: ``weights``, ``vectors``, and where
    ``singular`` is stated a ``direction`` along which the Terracini matrix is small.

    The sum is equal to the tensor: PROVED. It is as near as stated, and the least singular value of its Terracini
    matrix is as stated: EVIDENCE, for such a tensor need not have that rank. Evidence with more than `MAX_TERRACINI`
    columns trusts floating-point numbers with bounded errors.
    """
    statement, witness = certificate.statement, certificate.witness
    order, length, rank = (_size(statement, key) for key in ("order", "length", "rank"))
    if comb(length + order - 1, order) * rank > _MAX_PRODUCTS:
        raise MalformedError(f"{rank} components of order {order} and length {length} exceed the limit")
    entries = _entries(statement["entries"], order, length)
    powers = _powers(witness, rank, length)
    pair = parallel_pair(powers)
    if pair is not None:
        what = "vanishes" if pair[0] == pair[1] else f"is parallel to component {pair[0]}"
        return Verdict("REFUTED", f"component {pair[1]} {what}: the rank is below {rank}")
    middle, radius = _ball(statement["distance"], "distance")
    squared, first = squared_distance(entries, powers, length, order)
    if not max(Fraction(0), middle - radius) ** 2 <= squared <= (middle + radius) ** 2:
        assert first is None or len(first) == 3
        place = f"; coefficient {first[0]} is {brief(first[2])}, wanted {brief(first[1])}" if first else ""
        distance = float(squared) ** 0.5
        return Verdict("REFUTED", f"the distance is {distance:.3g}, not {float(middle):.3g}{place}"[:600])
    unique, trusts = "nothing is stated of its uniqueness", EXACT
    if statement.get("singular") is not None:
        least, error = _ball(statement["singular"], "singular")
        fault, trusts = _singular_defect(powers, order, (least, error), parse_row(witness["direction"]), not squared)
        if fault:
            return Verdict("REFUTED", f"the least singular value of the Terracini matrix: {fault}", trusts)
        unique = f"the least singular value of its Terracini matrix is within {float(error):.2g} of {float(least):.6g}"
        unique += ", so that it is locally unique" if least > error else ", so that its uniqueness is open"
    name = f"the sum of {rank} powers of order {order} and length {length}"
    if not squared:
        return Verdict("PROVED", f"{name} is the tensor, in every coefficient; {unique}")
    return Verdict("EVIDENCE", f"{name} lies within {float(middle + radius):.3g} of the tensor; {unique}", trusts)


def _singular_defect(
    powers: Powers, order: int, ball: tuple[Fraction, Fraction], direction: Sequence[Element], exact: bool
) -> tuple[str | None, str]:
    """Return what speaks against a ball for the least singular value, and what that rests on."""
    columns = len(powers[1]) * len(powers[1][0])
    low, high = max(Fraction(0), ball[0] - ball[1]), ball[0] + ball[1]
    if columns <= MAX_TERRACINI:
        return least_singular_value_is(powers, order, low, high, direction), EXACT
    from flipforge.certificates._terracini import TRUSTS_FLOATS, least_singular_value_is_by_floats

    # What is PROVED rests on integers alone.
    most = MAX_TERRACINI if exact else MAX_FLOAT_TERRACINI
    if columns > most:
        raise MalformedError(f"a Terracini matrix of {columns} columns is larger than {most}")
    return least_singular_value_is_by_floats(powers[1], order, low, high, direction), TRUSTS_FLOATS


def _size(statement: Mapping[str, Any], key: str) -> int:
    value = statement[key]
    if type(value) is not int or not 1 <= value <= 10_000 or (key == "order" and not 2 <= value <= 12):
        raise MalformedError(f"{key} is {str(value)[:40]}, which is no such size")
    return value


def _entries(rows: Any, order: int, length: int) -> dict[Index, Element]:
    entries: dict[Index, Element] = {}
    for row in rows:
        *places, value = row
        index = tuple(places)
        if len(index) != order or not all(type(j) is int and 0 <= j < length for j in index):
            raise MalformedError(f"entry {str(index)[:60]} is no index of order {order} and length {length}")
        if index in entries or list(index) != sorted(index):
            raise MalformedError(f"entry {index} is not sorted or stands twice")
        entries[index] = parse_element(value)
    return entries


def _powers(witness: Mapping[str, Any], rank: int, length: int) -> Powers:
    weights, vectors = parse_row(witness["weights"]), [parse_row(row) for row in witness["vectors"]]
    if not len(weights) == len(vectors) == rank:
        raise MalformedError(f"there must be {rank} weights and vectors, as the rank says")
    fault = next((i for i, row in enumerate(vectors) if len(row) != length), None)
    if fault is not None:
        raise MalformedError(f"vectors[{fault}] must have {length} entries, as the length says")
    return weights, vectors


def _ball(value: Any, key: str) -> tuple[Fraction, Fraction]:
    middle, radius = map(Fraction, parse_row(value))
    if middle < 0 or radius < 0:
        raise MalformedError(f"{key} must be a midpoint and a radius, neither below 0")
    return middle, radius
