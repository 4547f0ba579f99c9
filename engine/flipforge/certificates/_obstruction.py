"""Proofs that a scheme over GF(p) does not lift, exactly.

Let F be the map that takes u, v, w to the coefficients of their sum of products, T the target, x the scheme with its
residues read as integers 0..p-1, and J the Jacobian of F at x. All lifts of the scheme to Z/p^2 are x + p d, and

    F(x + p d) = F(x) + p J d  modulo p^2.

A vector y with y J = 0 and y (F(x) - T)/p != 0 modulo p shows that none of them is a scheme. So there is none over
Z/p^2, over the p-adic integers, over Z, or over Q with denominators prime to p, that reduces to this one. Factors may
be rescaled by units, so this holds for every scheme whose products reduce to these products. It says nothing of the
rank.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flipforge.certificates._brent import Element, Index, brent_defect
from flipforge.certificates._certificate import Certificate, Verdict, read_rows, read_target
from flipforge.errors import MalformedError
from flipforge.rings import parse_element, ring

__all__ = ["check_obstruction", "modular_scheme", "obstruction_defect"]

Row = Sequence[int]


def obstruction_defect(
    tensor: Mapping[Index, int],
    u: Sequence[Row],
    v: Sequence[Row],
    w: Sequence[Row],
    dual: Mapping[Index, int],
    p: int,
) -> str | None:
    """Find what is wrong with a dual vector that shall obstruct the lift of a scheme over GF(p).

    Parameters
    ----------
    tensor
        The nonzero coefficients of the target, integers.
    u, v, w
        r rows each, residues 0..p-1.
    dual
        The nonzero entries y_ijk, one for each equation that counts.
    p
        A prime.

    Returns
    -------
    str or None
        None where the scheme holds over GF(p), y J = 0 and y (F - T)/p != 0.

    Examples
    --------
    >>> # 1 * 1 * 1 lifts to 1 * 1 * 3.
    >>> obstruction_defect({(0, 0, 0): 3}, [[1]], [[1]], [[1]], {(0, 0, 0): 1}, 2)
    'y J is 1 at u[0][0], it must be 0'
    """
    defect = brent_defect(tensor, u, v, w, p)
    if defect is not None:
        index, wanted, found = defect
        return f"the scheme does not hold modulo {p}: coefficient {index} is {found}, the tensor has {wanted}"
    total = -sum(c * tensor.get(index, 0) for index, c in dual.items())
    for q, (us, vs, ws) in enumerate(zip(u, v, w, strict=True)):
        sums = ([0] * len(us), [0] * len(vs), [0] * len(ws))
        for (i, j, k), c in dual.items():
            x, y, z = us[i], vs[j], ws[k]
            if y and z:
                sums[0][i] += c * y * z
            if x:
                if z:
                    sums[1][j] += c * x * z
                if y:
                    sums[2][k] += c * x * y
                    total += c * x * y * z
        for axis, row in zip("uvw", sums, strict=True):
            place = next((i for i, value in enumerate(row) if value % p), None)
            if place is not None:
                return f"y J is {row[place] % p} at {axis}[{q}][{place}], it must be 0"
    # Every equation holds modulo p, so that the sum over them is divisible.
    return None if total // p % p else "y b is 0: this vector obstructs nothing"


def check_obstruction(certificate: Certificate) -> Verdict:
    """Statement: ring GF(p), rank, shape, tensor, the scheme u, v, w. Witness: dual as [i, j, k, value] rows."""
    tensor, u, v, w, p, shape = modular_scheme(certificate.statement)
    dual: dict[Index, int] = {}
    for i, j, k, value in certificate.witness["dual"]:
        index = (i, j, k)
        if not all(type(x) is int and 0 <= x < size for x, size in zip(index, shape, strict=True)):
            raise MalformedError(f"dual entry {str(index)[:60]} lies outside the shape {shape}")
        if type(value) is not int or not 0 < value < p or index in dual:
            raise MalformedError(f"dual entry {index} must stand once, with a value from 1 to {p - 1}")
        dual[index] = value
    defect = obstruction_defect(tensor, u, v, w, dual, p)
    if defect is not None:
        return Verdict("REFUTED", defect)
    return Verdict("PROVED", f"no scheme modulo {p * p} reduces to this one")


def modular_scheme(
    statement: Mapping[str, Any],
) -> tuple[dict[Index, int], list[list[int]], list[list[int]], list[list[int]], int, list[int]]:
    """Read a statement about a scheme over GF(p): tensor, u, v, w, p and shape.

    Raises
    ------
    MalformedError, RingError
        The ring is no GF(p), the tensor is not integral, or a coefficient is no residue.
    """
    base = ring(str(statement["ring"]))
    if not base.characteristic:
        raise MalformedError(f"the ring is {base}; a statement on lifts is about a scheme over GF(p)")
    shape, entries = read_target(statement)
    tensor = {index: _integer(value) for index, value in entries.items()}
    u, v, w = (
        [[_integer(base.coerce(parse_element(x))) for x in row] for row in rows]
        for rows in read_rows(statement, statement["rank"], shape)
    )
    return tensor, u, v, w, base.characteristic, shape


def _integer(value: Element) -> int:
    if not isinstance(value, int):
        raise MalformedError(f"the tensor has the coefficient {value}; lifts are of schemes for integral tensors")
    return value
