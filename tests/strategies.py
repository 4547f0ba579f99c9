"""Hypothesis strategies for schemes, shared by the whole suite."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from flipforge.problems import Problem, matmul
from flipforge.rings import GF2, GF3, GF5, GF7, ZT, Element, HalfZ, Q, Ring, Z
from flipforge.schemes import Scheme, standard_scheme

ALL_RINGS = (GF2, GF3, GF5, GF7, ZT, Z, HalfZ, Q)

Rows = tuple[tuple[Element, ...], ...]


def problems(max_size: int = 3) -> st.SearchStrategy[Problem]:
    """Small matrix products."""
    size = st.integers(1, max_size)
    return st.builds(matmul, size, size, size)


def units(ring: Ring) -> st.SearchStrategy[Element]:
    """Elements by which a factor over the ring may be multiplied and its partner divided."""
    if ring.characteristic:
        return st.integers(1, ring.characteristic - 1)
    if ring in (ZT, Z):
        return st.sampled_from([1, -1])
    if ring == HalfZ:
        return st.sampled_from([1, -1, 2, -4, Fraction(1, 2), Fraction(-1, 8)])
    return st.fractions(min_value=-20, max_value=20, max_denominator=20).filter(bool)


def elements(ring: Ring) -> st.SearchStrategy[Element]:
    """Elements of the ring, zero included."""
    if ring.characteristic:
        return st.integers(0, ring.characteristic - 1)
    if ring == ZT:
        return st.integers(-1, 1)
    return st.integers(-9, 9) | (units(ring) if ring != Z else st.integers(-(10**30), 10**30))


@st.composite
def schemes(
    draw: st.DrawFn,
    rings: Sequence[Ring] = ALL_RINGS,
    max_size: int = 3,
    problem: st.SearchStrategy[Problem] | None = None,
) -> Scheme:
    """Valid schemes: the standard algorithm, split in places, sheared by changes of basis, rescaled and permuted."""
    ring = draw(st.sampled_from(list(rings)))
    target = draw(problems(max_size) if problem is None else problem)
    scheme = standard_scheme(target, ring)
    if ring != ZT:
        for _ in range(draw(st.integers(0, 2))):
            scheme = _split(scheme, draw)
        if target.kind == "matmul":
            scheme = _sheared(scheme, draw)
    return draw(equivalents(scheme))


@st.composite
def equivalents(draw: st.DrawFn, scheme: Scheme) -> Scheme:
    """The same scheme with its products permuted and its factors rescaled."""
    order = draw(st.permutations(range(scheme.rank)))
    u, v, w = [], [], []
    for q in order:
        x, y = draw(units(scheme.ring)), draw(units(scheme.ring))
        u.append(_times(scheme.ring, x, scheme.u[q]))
        v.append(_times(scheme.ring, y, scheme.v[q]))
        w.append(_times(scheme.ring, _inverse(scheme.ring, x * y), scheme.w[q]))
    return Scheme(scheme.problem, scheme.ring, tuple(u), tuple(v), tuple(w))


def _times(ring: Ring, scalar: Element, row: Sequence[Element]) -> tuple[Element, ...]:
    return tuple(ring.reduce(scalar * x) for x in row)


def _inverse(ring: Ring, x: Element) -> Element:
    return pow(int(x), -1, ring.characteristic) if ring.characteristic else Fraction(1) / x


def _split(scheme: Scheme, draw: st.DrawFn) -> Scheme:
    """Write one product as two whose left factors add up to its own."""
    q = draw(st.integers(0, scheme.rank - 1))
    part = draw(st.lists(elements(scheme.ring), min_size=len(scheme.u[q]), max_size=len(scheme.u[q])))
    rest = tuple(scheme.ring.reduce(x - y) for x, y in zip(scheme.u[q], part, strict=True))
    u = (*scheme.u[:q], tuple(part), rest, *scheme.u[q + 1 :])
    v, w = ((*rows[:q], rows[q], rows[q], *rows[q + 1 :]) for rows in (scheme.v, scheme.w))
    return Scheme(scheme.problem, scheme.ring, u, v, w)


def _sheared(scheme: Scheme, draw: st.DrawFn) -> Scheme:
    """Change the basis of the inner dimension: A gets a column operation, B the inverse row operation."""
    n, m, p = scheme.problem.dims
    if m < 2:
        return scheme
    i, j = draw(st.permutations(range(m)))[:2]
    x = draw(elements(scheme.ring))

    def on(rows: Rows, change: Callable[[list[Element]], None]) -> Rows:
        result = []
        for row in rows:
            new = list(row)
            change(new)
            result.append(tuple(map(scheme.ring.reduce, new)))
        return tuple(result)

    # The forms sum a_i* b_*k stay the same when u_j gains x u_i and v_i loses x v_j.
    def left(row: list[Element]) -> None:
        for r in range(n):
            row[r * m + j] += x * row[r * m + i]

    def right(row: list[Element]) -> None:
        for c in range(p):
            row[i * p + c] -= x * row[j * p + c]

    return Scheme(scheme.problem, scheme.ring, on(scheme.u, left), on(scheme.v, right), scheme.w)
