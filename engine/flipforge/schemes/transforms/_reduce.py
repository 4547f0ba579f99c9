"""The reduction of products that agree in two factors, in any ring."""

from collections.abc import Iterable, Sequence

from flipforge.rings import Element
from flipforge.schemes._scheme import Row, Rows, primitive

__all__ = ["reduced"]


def reduced(products: Iterable[Sequence[Row]], characteristic: int) -> tuple[Rows, Rows, Rows]:
    """Merge products that are equal in two factors up to units, and drop zero products, until none are left.

    The axes u, v, w are taken in turn: products that agree on the other two become one whose factor on the axis is the
    sum of theirs. What comes out does not depend on the order of the products.

    Parameters
    ----------
    products
        Rows (u, v, w) of integers and fractions; of integers for a characteristic other than 0.
    characteristic
        0, or a prime p.

    Returns
    -------
    tuple
        New u, v, w; over the ternary integers a sum may leave {-1, 0, 1}.

    Examples
    --------
    >>> reduced([((1, 0), (1,), (1,)), ((0, 1), (1,), (-1,))], 0)
    (((1, -1),), ((1,),), ((1,),))
    """
    terms: dict[tuple[Row, ...], Element] = {}
    for factors in products:
        _add(terms, factors, characteristic)
    before = None
    while before != len(terms):
        before = len(terms)
        for axis in range(3):
            terms = _merged(terms, axis, characteristic)
    rows = [
        (directions[0], directions[1], _times(directions[2], scalar, characteristic))
        for directions, scalar in terms.items()
    ]
    u, v, w = (tuple(row[axis] for row in rows) for axis in range(3))
    return u, v, w


def _add(terms: dict[tuple[Row, ...], Element], factors: Sequence[Row], p: int) -> None:
    """Add a product to a sum of products of normal factors."""
    rows = [_times(row, 1, p) for row in factors]
    if not all(map(any, rows)):
        return
    normal: list[Row] = []
    scalar: Element = 1
    for row in rows:
        unit, direction = _normal(row, p)
        normal.append(direction)
        scalar *= unit
    key = tuple(normal)
    total = terms.get(key, 0) + scalar
    terms[key] = total % p if p else total
    if not terms[key]:
        del terms[key]


def _merged(terms: dict[tuple[Row, ...], Element], axis: int, p: int) -> dict[tuple[Row, ...], Element]:
    groups: dict[tuple[Row, ...], list[tuple[Row, Element]]] = {}
    for factors, scalar in terms.items():
        groups.setdefault(factors[:axis] + factors[axis + 1 :], []).append((factors[axis], scalar))
    result: dict[tuple[Row, ...], Element] = {}
    for others, members in groups.items():
        if len(members) == 1:
            ((row, scalar),) = members
            result[(*others[:axis], row, *others[axis:])] = scalar
            continue
        scaled = [_times(row, scalar, p) for row, scalar in members]
        total = tuple(map(sum, zip(*scaled, strict=True)))
        _add(result, (*others[:axis], total, *others[axis:]), p)
    return result


def _normal(row: Row, p: int) -> tuple[Element, Row]:
    """Return (c, q) with row = c * q: q begins with 1 modulo p, and is primitive and begins positive otherwise."""
    if not p:
        return primitive(row)
    lead = int(next(x for x in row if x))
    return lead, _times(row, pow(lead, -1, p), p)


def _times(row: Row, scalar: Element, p: int) -> Row:
    if p:
        return tuple(int(x * scalar) % p for x in row)
    return row if scalar == 1 else tuple(x * scalar for x in row)
