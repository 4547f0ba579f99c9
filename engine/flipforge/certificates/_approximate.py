"""The kind ``approximate``: a sum of products near a tensor, and how near exactly."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.errors import MalformedError
from flipforge.rings import Element, parse_element, parse_row

__all__ = ["check_approximate"]

_MAX_PRODUCTS = 20_000_000
"""Most coefficients times products."""


def check_approximate(certificate: Certificate) -> Verdict:
    """Decide how far a sum of products is from a tensor.

    Statement: ``shape``, ``tensor`` as ``[i, j, k, value]`` rows, ``rank``, ``distance`` as ``[midpoint, radius]``.
    Witness: ``u``, ``v``, ``w``. A sum that is not the tensor is EVIDENCE: it says nothing of the rank of the tensor.
    """
    statement = certificate.statement
    shape, rank = statement["shape"], statement["rank"]
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(n) is int and n > 0 for n in [*shape, rank]):
        raise MalformedError("shape must be three sizes, and rank a number of products")
    if shape[0] * shape[1] * shape[2] * rank > _MAX_PRODUCTS:
        raise MalformedError("there are more coefficients and products than the limit")
    factors = [_rows(certificate.witness[axis], axis, rank, size) for axis, size in zip("uvw", shape, strict=True)]
    rest: dict[tuple[int, int, int], Fraction] = {}
    for i, j, k, value in statement["tensor"]:
        index = (i, j, k)
        if index in rest or not all(type(x) is int and 0 <= x < n for x, n in zip(index, shape, strict=True)):
            raise MalformedError(f"tensor entry {str(index)[:60]} stands twice or lies outside the shape {shape}")
        rest[index] = -Fraction(parse_element(value))
    for u, v, w in zip(*factors, strict=True):
        for i, x in enumerate(u):
            for j, y in enumerate(v):
                xy = Fraction(x) * y
                if xy:
                    for k, z in enumerate(w):
                        if z:
                            rest[i, j, k] = rest.get((i, j, k), Fraction(0)) + xy * z
    squared = sum((value**2 for value in rest.values()), Fraction(0))
    middle, radius = map(Fraction, parse_row(statement["distance"]))
    if middle < 0 or radius < 0:
        raise MalformedError("distance must be a midpoint and a radius, neither below 0")
    if not max(Fraction(0), middle - radius) ** 2 <= squared <= (middle + radius) ** 2:
        return Verdict("REFUTED", f"the distance is {float(squared) ** 0.5:.3g}, not {float(middle):.3g}")
    if not squared:
        return Verdict("PROVED", f"the {rank} products sum up to the tensor")
    bound = f"the {rank} products sum up to a tensor within {float(middle + radius):.3g} of the one stated"
    return Verdict("EVIDENCE", f"{bound}; that proves nothing of its rank")


def _rows(rows: Any, axis: str, rank: int, size: int) -> list[Sequence[Element]]:
    if not isinstance(rows, list) or len(rows) != rank:
        raise MalformedError(f"{axis} must be {rank} rows, as the rank says")
    parsed = [parse_row(row) for row in rows]
    if any(len(row) != size for row in parsed):
        raise MalformedError(f"the rows of {axis} must have {size} entries, as the shape says")
    return list(parsed)
