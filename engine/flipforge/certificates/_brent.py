"""The Brent equations, exactly.

A scheme (u, v, w) of rank r proves ``T = sum_q u_q (x) v_q (x) w_q`` when every coefficient agrees (Brent,
"Algorithms for matrix multiplication", 1970). Sums are taken over Python integers after clearing denominators, so no
size overflows and nothing is rounded.

Where the entries of the operands commute, both factors of a product are linear forms in the same variables, and what
must agree are the coefficients of the monomials x_i x_j with i <= j. They are sums of coefficients, so nothing is
divided, and the same is right in characteristic 2, where the squares x_i x_i count and x_i x_j + x_j x_i vanishes.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm

__all__ = ["brent_defect"]

Element = int | Fraction
Row = Sequence[Element]
Index = tuple[int, int, int]


def brent_defect(
    tensor: Mapping[Index, Element],
    u: Sequence[Row],
    v: Sequence[Row],
    w: Sequence[Row],
    characteristic: int = 0,
    *,
    commuting: bool = False,
) -> tuple[Index, Element, Element] | None:
    """Find a Brent equation that fails.

    Parameters
    ----------
    tensor
        The nonzero coefficients of the target.
    u, v, w
        r rows each.
    characteristic
        0, or a prime p: then equality is taken modulo p.
    commuting
        Compare quadratic forms: u and v are linear forms in the same variables, and (i, j, k) means x_i x_j, i <= j.

    Returns
    -------
    tuple or None
        ``((i, j, k), wanted, found)`` for the smallest failing index, None when all equations hold.

    Raises
    ------
    ValueError
        Row counts disagree, or a denominator is divisible by the characteristic.

    Examples
    --------
    >>> brent_defect({(0, 0, 0): 1}, [[1]], [[1]], [[3]], characteristic=2) is None
    True
    >>> brent_defect({(0, 1, 0): 1}, [[0, 1]], [[1, 0]], [[1]], commuting=True) is None
    True
    """
    if not len(u) == len(v) == len(w):
        raise ValueError("u, v and w must have as many rows as each other")
    terms = [tuple(_sparse(row) for row in product) for product in zip(u, v, w, strict=True)]
    common = lcm(*(du * dv * dw for (du, _), (dv, _), (dw, _) in terms), *(t.denominator for t in tensor.values()))
    if characteristic and common % characteristic == 0:
        raise ValueError(f"a denominator is divisible by {characteristic}; there is no such residue")
    sums: dict[tuple[int, int], dict[int, int]] = {}
    for (du, us), (dv, vs), (dw, ws) in terms:
        scale = common // (du * dv * dw)
        for i, x in us:
            for j, y in vs:
                xy = scale * x * y
                row = sums.setdefault((j, i) if commuting and j < i else (i, j), {})
                for k, z in ws:
                    row[k] = row.get(k, 0) + xy * z
    found = {(i, j, k): value for (i, j), row in sums.items() for k, value in row.items() if value}
    target = _folded(tensor) if commuting else tensor
    wrong = [
        index
        for index in found.keys() | target.keys()
        if _differs(found.get(index, 0), common * target.get(index, 0), characteristic)
    ]
    if not wrong:
        return None
    index = min(wrong)
    values = Fraction(target.get(index, 0)), Fraction(found.get(index, 0), common)
    return index, _residue(values[0], characteristic), _residue(values[1], characteristic)


def _folded(tensor: Mapping[Index, Element]) -> dict[Index, Element]:
    """Return the coefficients of the monomials x_i x_j, i <= j."""
    forms: dict[Index, Element] = {}
    for (i, j, k), value in tensor.items():
        index = (min(i, j), max(i, j), k)
        forms[index] = forms.get(index, 0) + value
    return forms


def _sparse(row: Row) -> tuple[int, list[tuple[int, int]]]:
    """Return (d, entries) with row = entries / d and integer entries."""
    d = lcm(*(value.denominator for value in row))
    return d, [(i, value.numerator * (d // value.denominator)) for i, value in enumerate(row) if value]


def _differs(found: int, wanted: Element, characteristic: int) -> bool:
    difference = found - wanted
    return bool(difference % characteristic if characteristic else difference)


def _residue(value: Fraction, characteristic: int) -> Element:
    if characteristic:
        return value.numerator * pow(value.denominator, -1, characteristic) % characteristic
    return value.numerator if value.denominator == 1 else value
