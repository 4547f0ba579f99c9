import subprocess
import sys
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.errors import MalformedError, RingError
from flipforge.problems import matmul, tensor_problem
from flipforge.rings import GF2, GF3, GF7, RINGS, ZT, HalfZ, Q, Z
from flipforge.schemes import Scheme, costs, standard_scheme
from oracle import oracle
from strategies import equivalents, schemes

STRASSEN = (
    ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (-1, 0, 1, 0), (0, 1, 0, -1)),
    ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, -1), (-1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)),
    ((1, 0, 0, 1), (0, 0, 1, -1), (0, 1, 0, 1), (1, 0, 1, 0), (-1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0)),
)


def strassen() -> Scheme:
    return Scheme(matmul(2, 2, 2), ZT, *STRASSEN)


def perturbed(scheme: Scheme, axis: int, q: int, entry: int, step: int) -> Scheme:
    """The scheme with one entry changed by a step, over the same ring."""
    factors = [[list(row) for row in rows] for rows in (scheme.u, scheme.v, scheme.w)]
    row = factors[axis][q % scheme.rank]
    row[entry % len(row)] = scheme.ring.reduce(row[entry % len(row)] + step)
    u, v, w = (tuple(map(tuple, rows)) for rows in factors)
    return Scheme(scheme.problem, scheme.ring, u, v, w)


def test_strassen_is_proved_and_costs_what_it_costs() -> None:
    scheme = strassen()
    assert scheme.verdict().valid
    count = costs(scheme)
    assert (count.rank, count.additions, count.nonzeros) == (7, 18, 36)
    assert count.omega == pytest.approx(np.log2(7))


@given(schemes(), st.integers(0, 2), st.integers(0, 99), st.integers(0, 99), st.integers(0, 6))
def test_brent_agrees_with_dense_reconstruction(scheme: Scheme, axis: int, q: int, entry: int, step: int) -> None:
    assert scheme.verdict().valid
    assert oracle(scheme)
    wide = scheme if scheme.ring != ZT else scheme.over(Z)
    changed = perturbed(wide, axis, q, entry, step)
    assert changed.verdict().valid == oracle(changed)


def test_every_wrong_coefficient_of_strassen_is_refuted() -> None:
    scheme = strassen().over(Z)
    for axis in range(3):
        for q in range(7):
            for entry in range(4):
                for step in (-1, 1, 2**64):
                    assert perturbed(scheme, axis, q, entry, step).verdict().decision == "REFUTED"


@pytest.mark.parametrize("name", ["GF2", "GF3"])
@pytest.mark.filterwarnings("ignore")
def test_brent_agrees_with_galois(name: str) -> None:
    galois = pytest.importorskip("galois")
    ring = RINGS[name]
    field = galois.GF(ring.characteristic)
    scheme = strassen().over(ring)

    def holds(candidate: Scheme) -> bool:
        u, v, w = (field(rows) for rows in (candidate.u, candidate.v, candidate.w))
        left = (u.reshape(7, 4, 1) * v.reshape(7, 1, 4)).reshape(7, 16)
        target = np.zeros((4, 4, 4), dtype=int)
        for index, value in candidate.problem.entries:
            target[index] = value
        return bool(np.array_equal(left.T @ w, field(target.reshape(16, 4))))

    assert holds(scheme)
    for q in range(7):
        changed = perturbed(scheme, q % 3, q, q + 1, 1)
        assert changed.verdict().valid == holds(changed)
        assert not holds(changed)


@pytest.mark.filterwarnings("ignore")
def test_brent_agrees_with_sympy() -> None:
    import sympy

    a, b = sympy.symbols("a:4"), sympy.symbols("b:4")
    product = sympy.Matrix(2, 2, a) * sympy.Matrix(2, 2, b)

    def holds(scheme: Scheme) -> bool:
        products = [
            sum(sympy.Rational(str(x)) * s for x, s in zip(u, a, strict=True))
            * sum(sympy.Rational(str(x)) * s for x, s in zip(v, b, strict=True))
            for u, v in zip(scheme.u, scheme.v, strict=True)
        ]
        outputs = [
            sum(sympy.Rational(str(w[k])) * m for w, m in zip(scheme.w, products, strict=True)) for k in range(4)
        ]
        return all(sympy.expand(found - wanted) == 0 for found, wanted in zip(outputs, product, strict=True))

    thirds = strassen().over(Q)
    thirds = Scheme(
        thirds.problem,
        Q,
        tuple(tuple(Fraction(x) / 3 for x in row) for row in thirds.u),
        thirds.v,
        tuple(tuple(x * 3 for x in row) for row in thirds.w),
    )
    assert holds(thirds) and thirds.verdict().valid
    changed = perturbed(thirds, 0, 3, 2, 1)
    assert not holds(changed) and not changed.verdict().valid


def test_huge_integers_are_exact() -> None:
    # An error of 2**64 is invisible to 64-bit arithmetic; two that cancel are no error.
    big = 2**64
    problem = tensor_problem((1, 1, 1), [((0, 0, 0), 1)])
    assert not Scheme(problem, Z, ((1,), (big,)), ((1,), (1,)), ((1,), (1,))).verdict().valid
    assert Scheme(problem, Z, ((1,), (big,), (-big,)), ((1,),) * 3, ((1,),) * 3).verdict().valid
    assert Scheme(problem, Q, ((Fraction(1, 3**400),),), ((3**300,),), ((3**100,),)).verdict().valid


@given(st.data())
def test_identity_is_invariant_under_permutation_and_rescaling(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    other = data.draw(equivalents(scheme))
    assert other.id == scheme.id
    assert other.canonical == scheme.canonical
    assert other.canonical.canonical == other.canonical
    assert scheme.canonical.verdict().valid
    assert scheme.digest.startswith(scheme.id) and len(scheme.id) == 12


@given(schemes(rings=[GF7, Q]))
def test_canonical_factors_are_normalised(scheme: Scheme) -> None:
    form = scheme.canonical
    for row in (*form.u, *form.v):
        lead = next((x for x in row if x), 1)
        assert lead == 1 if form.ring == GF7 else (lead > 0 and all(isinstance(x, int) for x in row))
        if form.ring != GF7:
            assert np.gcd.reduce([int(x) for x in row], dtype=object) in (0, 1)


@given(schemes(), st.integers(0, 2), st.integers(0, 99), st.integers(0, 99))
def test_identity_tells_different_schemes_apart(scheme: Scheme, axis: int, q: int, entry: int) -> None:
    wide = scheme if scheme.ring != ZT else scheme.over(Z)
    changed = perturbed(wide, axis, q, entry, 1)
    tensor_of = {s: sorted(map(str, zip(s.u, s.v, s.w, strict=True))) for s in (wide.canonical, changed.canonical)}
    assert (changed.id == wide.id) == (len(tensor_of) == 1)


def test_identity_depends_on_problem_and_ring_and_is_pinned() -> None:
    scheme = strassen()
    assert scheme.over(Q).id == scheme.id
    assert scheme.over(GF2).id != scheme.over(GF3).id != scheme.id
    assert standard_scheme(matmul(2, 3, 4), Z).id != standard_scheme(matmul(2, 4, 3), Z).id
    # IDs stand in files and catalogues: a change of this one breaks them all.
    assert scheme.id == "dd081f0f64c3"
    text = "matmul:1x1x1\nZT\n1|1|1\n"
    assert standard_scheme(matmul(1, 1, 1), Q).digest == sha256(text.encode()).hexdigest()


def test_identity_is_the_same_in_another_process() -> None:
    code = """
from flipforge.problems import matmul
from flipforge.rings import Z
from flipforge.schemes import standard_scheme
print(standard_scheme(matmul(2, 3, 2), Z).id)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == standard_scheme(matmul(2, 3, 2), Z).id


def test_the_smallest_ring_carries_the_canonical_form() -> None:
    scheme = strassen().over(Q)
    halves = Scheme(
        scheme.problem,
        Q,
        tuple(tuple(Fraction(x, 2) for x in row) for row in STRASSEN[0]),
        scheme.v,
        tuple(tuple(2 * x for x in row) for row in scheme.w),
    )
    assert halves.canonical.ring == ZT
    assert halves.id == strassen().id
    doubled = tensor_problem((1, 1, 1), [((0, 0, 0), 2)])
    assert Scheme(doubled, Q, ((2,),), ((1,),), ((1,),)).canonical.ring == Z
    assert Scheme(doubled, Q, ((Fraction(1, 2),),), ((1,),), ((1,),)).canonical.ring == HalfZ


def test_zero_products_are_kept() -> None:
    scheme = strassen()
    zero = (0, 0, 0, 0)
    padded = [
        Scheme(scheme.problem, ZT, (*scheme.u, a), (*scheme.v, b), (*scheme.w, zero))
        for a, b in ((zero, zero), (scheme.u[0], zero))
    ]
    assert padded[0].verdict().valid
    assert padded[0].id == padded[1].id != scheme.id
    assert padded[0].canonical.rank == 8


@pytest.mark.parametrize(
    ("u", "ring", "words"),
    [
        (STRASSEN[0][:6], ZT, "v has 7 rows and u has 6"),
        ((*STRASSEN[0][:6], (1, 0, 0)), ZT, r"u\[6\] has 3 entries; matmul:2x2x2 needs 4"),
        ((*STRASSEN[0][:6], (2, 0, 0, 0)), ZT, "u: 2 is not an element of ZT"),
        (STRASSEN[0], GF2, "u: -1 is not an element of GF2"),
        ((*STRASSEN[0][:6], (Fraction(1, 2), 0, 0, 0)), Z, "u: 1/2 is not an element of Z"),
    ],
)
def test_what_is_no_scheme(u: tuple[tuple[int, ...], ...], ring: object, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        Scheme(matmul(2, 2, 2), RINGS[str(ring)], u, STRASSEN[1], STRASSEN[2])


def test_change_of_ring() -> None:
    assert strassen().over(GF2).verdict().valid
    assert strassen().over(Q).ring == Q
    with pytest.raises(RingError, match="lift it instead"):
        strassen().over(GF2).over(Z)
    with pytest.raises(RingError, match="not an element of ZT"):
        Scheme(matmul(1, 1, 1), Z, ((2,),), ((1,),), ((1,),)).over(ZT)


def test_a_canonical_form_beyond_the_limit_is_refused_not_crashed() -> None:
    scheme = Scheme(matmul(1, 1, 1), Q, ((Fraction(1, 10**1500),),), ((1,),), ((10**1500,),))
    assert scheme.verdict().valid
    assert scheme.canonical.ring == ZT
    wide = Scheme(
        matmul(1, 2, 1),
        Q,
        ((Fraction(1, 10**900), 0), (0, 10**900)),
        ((10**900, 0), (0, Fraction(1, 10**900))),
        ((1,), (1,)),
    )
    assert wide.canonical.ring == ZT
    with pytest.raises(MalformedError, match="more than 1000 digits"):
        _ = Scheme(matmul(1, 1, 1), Z, ((10**600,),), ((10**600,),), ((1,),)).id


@pytest.mark.parametrize("ring", [GF2, GF3, ZT, Z, HalfZ, Q])
def test_the_standard_scheme(ring: object) -> None:
    scheme = standard_scheme(matmul(2, 3, 4), RINGS[str(ring)])
    assert scheme.rank == 24
    assert scheme.verdict().valid
    even = tensor_problem((2, 1, 1), [((0, 0, 0), 2), ((1, 0, 0), 1)])
    assert standard_scheme(even, GF2).rank == 1
    assert standard_scheme(even, Z).rank == 2
