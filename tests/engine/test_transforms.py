"""Transforms: each gives a proven scheme of the problem it names, within its bound, in every ring; and bad input."""

import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError, RingError
from flipforge.problems import PUBLISHED, Problem, matmul, parse, structured
from flipforge.rings import GF2, GF3, GF5, GF7, ZT, HalfZ, Q, Ring, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.transforms import (
    ChangeOfRing,
    Kronecker,
    Transform,
    complete,
    embed,
    extend,
    merge,
    pad,
    peel,
    permute,
    project,
    read_transform,
    restrict,
    reverse,
    split,
    triangles,
)
from oracle import oracle
from strategies import elements, schemes, units

AXES = st.integers(0, 2)
ORDERS = list(permutations(range(3)))
# X X^T of a skew matrix and the like vanish at small sizes; 4 leaves something everywhere.
STRUCTURED = (*PUBLISHED, "lg", "gu", "lt", "tu", "tg", "gs")


def proven(move: Transform, *parents: Scheme) -> Scheme:
    """Apply a transform and hold what every transform promises; replayed from its arguments it is the same."""
    child = move.apply(*parents)
    assert child.problem == move.problem
    assert child.verdict().valid
    assert child.rank <= move.rank_bound(*(parent.rank for parent in parents))
    assert child.canonical is child and all(map(any, (*child.u, *child.v, *child.w)))
    assert child.ring.characteristic == parents[0].ring.characteristic
    again = read_transform(move.name, json.loads(json.dumps(move.arguments())), move.sources)
    assert again == move and again.apply(*parents) == child
    return child


def standards(problems: Sequence[Problem], ring: Ring) -> list[Scheme]:
    return [standard_scheme(problem, ring) for problem in problems]


@pytest.mark.parametrize("corner", ["a", "b", "c"])
@pytest.mark.parametrize("code", ["gt", "ut", "st"])
def test_complete_computes_the_corner(code: str, corner: str) -> None:
    part = structured(code, 4, 4, 4, corner)
    move = complete(part)
    assert move.problem == structured(code, 4, 4, 4)
    for ring in (GF2, ZT, Q):
        whole = proven(move, standard_scheme(part, ring))
        assert whole.rank <= standard_scheme(move.problem, ring).rank
    with pytest.raises(InputError, match="no corner"):
        complete(move.problem)


@given(schemes(), st.sampled_from((GF2, GF3, GF5, GF7)))
def test_a_change_of_ring_gives_the_residues(scheme: Scheme, ring: Ring) -> None:
    move = ChangeOfRing(scheme.problem, scheme.ring, ring)
    try:
        images = scheme.over(ring).canonical
    except RingError:
        with pytest.raises(RingError):
            move.apply(scheme)
        return
    child = move.apply(scheme)
    assert child.verdict().valid and child.ring == ring and child.canonical is child
    assert all(map(any, (*child.u, *child.v, *child.w)))
    rows = [{*zip(each.u, each.v, each.w, strict=True)} for each in (child, images)]
    assert rows[0] == {row for row in rows[1] if any(row[0])} and child.rank <= move.rank_bound(scheme.rank)
    assert read_transform(move.name, json.loads(json.dumps(move.arguments())), move.sources) == move
    with pytest.raises(InputError, match="takes a scheme of"):
        ChangeOfRing(scheme.problem, Q if scheme.ring == ZT else ZT, ring).apply(scheme)


@given(st.data())
def test_project_drops_an_index(data: st.DataObject) -> None:
    scheme = data.draw(schemes())
    axis = data.draw(AXES)
    size = scheme.problem.dims[axis]
    if size == 1:
        with pytest.raises(InputError, match="keep another"):
            project(scheme.problem, axis, 0)
        return
    child = proven(project(scheme.problem, axis, data.draw(st.integers(0, size - 1))), scheme)
    assert oracle(child)
    assert child.problem.dims == tuple(side - (number == axis) for number, side in enumerate(scheme.problem.dims))


@given(schemes(), AXES)
def test_extend_appends_an_index(scheme: Scheme, axis: int) -> None:
    move = extend(scheme.problem, axis)
    child = proven(move, scheme)
    added = len(child.problem.entries) - len(scheme.problem.entries)
    assert move.rank_bound(scheme.rank) == scheme.rank + added
    # The new index projected away again leaves no more products than there were.
    assert proven(project(child.problem, axis, scheme.problem.dims[axis]), child).rank <= scheme.rank


@given(st.data())
def test_merge_adds_ranks(data: st.DataObject) -> None:
    first = data.draw(schemes())
    axis, other = data.draw(AXES), data.draw(st.integers(1, 3))
    dims = [*first.problem.dims]
    dims[axis] = other
    second = data.draw(schemes(rings=[first.ring], problem=st.just(matmul(*dims))))
    child = proven(merge(first.problem, second.problem, axis), first, second)
    assert child.problem.dims[axis] == first.problem.dims[axis] + other


@given(schemes(), st.sampled_from(ORDERS))
def test_permuting_there_and_back_gives_the_scheme(scheme: Scheme, order: tuple[int, int, int]) -> None:
    here = proven(permute(scheme.problem, (0, 1, 2)), scheme)
    there = proven(permute(scheme.problem, order), scheme)
    assert there.problem.dims == tuple(scheme.problem.dims[i] for i in order)
    back = (order.index(0), order.index(1), order.index(2))
    # Nothing merges twice: what is reduced in one order need not be in another, but ranks go down only.
    assert proven(permute(there.problem, back), there).rank <= here.rank <= scheme.rank


@given(schemes(max_size=2), st.data())
def test_tensor_multiplies_formats_and_ranks(scheme: Scheme, data: st.DataObject) -> None:
    other = data.draw(schemes(rings=[scheme.ring], max_size=2))
    move = Kronecker(scheme.problem, other.problem)
    child = proven(move, scheme, other)
    assert child.problem.dims == tuple(a * b for a, b in zip(scheme.problem.dims, other.problem.dims, strict=True))
    assert move.rank_bound(scheme.rank, other.rank) == scheme.rank * other.rank


@given(schemes(rings=[GF2, GF3, ZT, Z, Q]), st.data())
def test_padding_and_peeling(scheme: Scheme, data: st.DataObject) -> None:
    smaller = [data.draw(st.integers(1, size)) for size in scheme.problem.dims]
    larger = [data.draw(st.integers(size, size + 2)) for size in scheme.problem.dims]
    assert proven(pad(scheme.problem, *smaller), scheme).problem.dims == tuple(smaller)
    assert proven(peel(scheme.problem, *larger), scheme).problem.dims == tuple(larger)


@settings(max_examples=30)
@given(schemes(problem=st.builds(matmul, *[st.just(3)] * 3)), st.sampled_from(STRUCTURED))
def test_every_structure_is_a_restriction_of_the_general_one(scheme: Scheme, code: str) -> None:
    child = proven(restrict(scheme.problem, structured(code, 3, 3, 3)), scheme)
    mirror = proven(reverse(child.problem), child)
    assert mirror.rank <= child.rank
    assert proven(reverse(mirror.problem), mirror).problem == child.problem
    if "t" not in code:
        assert proven(permute(child.problem, (2, 1, 0)), child).rank <= child.rank


@pytest.mark.parametrize("corner", ["", "a", "b", "c"])
@pytest.mark.parametrize("code", STRUCTURED)
def test_structured_formats_change(code: str, corner: str) -> None:
    # Of smaller skew matrices nothing is left without corners. Signs and zeros meet in a ring where 2 is neither.
    size = 4 if corner and "k" in code else 3
    problem = structured(code, size, size, size, corner)
    (whole,) = standards([problem], GF3)
    for cut in (1, 2):
        move = split(problem, cut, cut, cut)
        assert len(move.sources) > 1
        assert proven(move, *standards(move.sources, GF3)).rank <= whole.rank
    for change in (extend(problem, 1), project(problem, 0, 1), reverse(problem)):
        proven(change, whole)


def test_a_free_axis_of_a_structured_product_is_like_one_of_a_general_product() -> None:
    problem = structured("ug", 3, 3, 4)
    (scheme,) = standards([problem], GF3)
    assert proven(project(problem, 2, 1), scheme).problem.name == "structured:ug:3"
    assert proven(project(problem, 1, 1), scheme).problem.name == "structured:ug:2x4"
    wider = proven(merge(problem, structured("ug", 3, 3, 2), 2), scheme, *standards([structured("ug", 3, 3, 2)], GF3))
    assert (wider.problem.name, wider.rank) == ("structured:ug:3x6", 36)
    assert proven(split(problem, 3, 3, 1), *standards(split(problem, 3, 3, 1).sources, GF3)).rank == scheme.rank


@pytest.mark.parametrize("ring", [GF2, GF3, Q], ids=str)
def test_general_products_inside_structured_ones_and_as_sums(ring: Ring) -> None:
    for code in ("uu", "ug", "kg", "ss", "ul", "kk"):
        (scheme,) = standards([structured(code, 4, 4, 4)], ring)
        assert proven(embed(scheme.problem, matmul(1, 2, 1)), scheme).rank == 2
    move = triangles(3, 2)
    assert proven(move, *standards(move.sources, ring)).rank == 18
    with pytest.raises(InputError, match="take larger sizes"):
        embed(structured("ug", 2, 2, 2), matmul(2, 2, 2))
    for code in ("ug", "us"):
        blocks = Kronecker(structured(code, 2, 2, 2), matmul(2, 2, 2))
        assert proven(blocks, *standards(blocks.sources, ring)).rank == 8 * len(blocks.outer.entries)


def test_x_times_its_transpose_has_two_names() -> None:
    (scheme,) = standards([structured("gt", 4, 3, 4)], GF2)
    assert proven(restrict(scheme.problem, structured("tg", 4, 3, 4)), scheme).rank == scheme.rank


def test_equality_of_structures_is_that_of_the_ring() -> None:
    move = restrict(structured("sg", 3, 3, 3), structured("wg", 3, 3, 3))
    (even, odd) = (standard_scheme(structured("sg", 3, 3, 3), ring) for ring in (GF2, GF3))
    assert proven(move, even).rank == 27
    with pytest.raises(
        InputError, match=r"structured:sg:3 does not give structured:wg:3: the coefficient of a12\*b11 in c21"
    ):
        move.apply(odd)


@given(schemes(rings=[GF2, GF3, GF5, GF7, Z, HalfZ, Q], max_size=2), st.data())
def test_products_that_agree_in_two_factors_up_to_units_merge(scheme: Scheme, data: st.DataObject) -> None:
    """The standard algorithm with one product cut in two, their factors rescaled, is put together again."""
    whole, ring = standard_scheme(scheme.problem, scheme.ring), scheme.ring
    axis = data.draw(AXES)
    unit = data.draw(units(ring))
    inverse = pow(int(unit), -1, ring.characteristic) if ring.characteristic else 1 / Fraction(unit)
    place = data.draw(st.integers(0, whole.rank - 1))
    factors = [list(rows) for rows in (whole.u, whole.v, whole.w)]
    row = factors[axis][place]
    part = data.draw(st.lists(elements(ring), min_size=len(row), max_size=len(row)))
    rest = [x - y for x, y in zip(row, part, strict=True)]
    factors[axis][place] = tuple(map(ring.reduce, rest))
    for number, rows in enumerate(factors):
        scale = {0: unit, 1: inverse, 2: 1}[(number - axis) % 3]
        rows.append(tuple(ring.reduce(x * scale) for x in (part if number == axis else rows[place])))
    cut = Scheme(scheme.problem, ring, tuple(factors[0]), tuple(factors[1]), tuple(factors[2]))
    assert cut.rank == whole.rank + 1 and cut.verdict().valid
    assert proven(permute(scheme.problem, (0, 1, 2)), cut).rank <= whole.rank


def test_what_leaves_the_ternary_integers_lands_in_the_integers() -> None:
    rows = [
        # Without a2 these two are a1 (x) b11 (x) 2 c1, and the others keep clear of b11 and c1.
        ((1, 1), (1, 0, 0, 0, 0, 0), (1, 1, 1)),
        ((1, 0), (1, 0, 0, 0, 0, 0), (1, -1, -1)),
        ((1, 0), (1, 1, 0, 0, 0, 0), (0, 1, -1)),
        ((1, 0), (0, 1, 1, 0, 0, 0), (1, 1, 0)),
        ((1, 0), (1, 1, 1, 0, 0, 0), (-1, -1, 1)),
        ((0, 1), (1, 0, 0, 0, 0, 0), (-1, -1, -1)),
    ]
    rows += [((0, 1), (0, 0, 0, *unit), unit) for unit in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    u, v, w = zip(*rows, strict=True)
    scheme = Scheme(matmul(1, 2, 3), ZT, u, v, w)
    assert scheme.verdict().valid
    child = proven(project(scheme.problem, 1, 1), scheme)
    assert (child.rank, child.ring) == (4, Z)
    assert proven(project(scheme.problem, 2, 0), scheme).ring == ZT


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: merge(matmul(2, 3, 4), matmul(2, 2, 4), 0), "matmul:2x3x4 and matmul:2x2x4 do not merge along n"),
        (lambda: merge(matmul(2, 2, 2), parse("structured:gg:2"), 0), "matmul:2x2x2 and structured:gg:2"),
        (lambda: merge(parse("structured:sg:2"), parse("structured:sg:3"), 0), "ties n to another size"),
        (lambda: merge(matmul(2, 2, 2), matmul(2, 2, 2), 3), "there is no axis 3"),
        (lambda: project(matmul(2, 3, 4), 1, 3), "no index 3"),
        (lambda: project(matmul(2, 3, 4), 1, -1), "no index -1"),
        (lambda: project(parse("poly:2x2"), 0, 0), "matmul"),
        (lambda: pad(matmul(2, 2, 2), 2, 2, 3), "see peel"),
        (lambda: peel(matmul(2, 2, 2), 2, 2, 1), "see pad"),
        (lambda: permute(matmul(2, 2, 2), (0, 1, 1)), "not an order"),
        (lambda: permute(parse("structured:ug:3"), (1, 2, 0)), "is transposed"),
        (lambda: permute(parse("structured:gt:3"), (2, 1, 0)), "is transposed"),
        (lambda: restrict(matmul(2, 2, 2), parse("structured:ug:3")), "must be equal"),
        (lambda: split(parse("structured:ug:4"), 1, 2, 2), "equal cuts"),
        (lambda: split(parse("structured:og:4"), 2, 2, 2), "only operands of"),
        (lambda: split(matmul(2, 2, 2), 0, 1, 1), "from 1 to the sizes"),
        (lambda: triangles(1, 2), "no strictly lower triangle"),
        (lambda: Kronecker(matmul(2, 2, 2), parse("structured:ug:2")), "the second must be a matmul problem"),
        (lambda: Kronecker(parse("structured:gt:2"), matmul(2, 2, 2)), "own transpose"),
        (lambda: Kronecker(parse("structured:ug:2"), matmul(2, 2, 3)), "are square"),
    ],
)
def test_what_cannot_be_transformed_is_told(make: object, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        make()  # type: ignore[operator]
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)


def test_schemes_must_fit_the_transform() -> None:
    move = merge(matmul(2, 2, 2), matmul(2, 2, 2), 0)
    even, odd = (standard_scheme(matmul(2, 2, 2), ring) for ring in (GF2, GF3))
    with pytest.raises(InputError, match="over GF2 and GF3 do not go together"):
        move.apply(even, odd)
    with pytest.raises(InputError, match=r"takes schemes of matmul:2x2x2, matmul:2x2x2, not of matmul:2x2x2$"):
        move.apply(even)
    with pytest.raises(InputError, match="does not give structured:og:2"):
        project(parse("structured:og:3"), 0, 1).apply(standard_scheme(parse("structured:og:3"), GF2))
    with pytest.raises(InputError, match="give 2 different places for n"):
        read_transform("merge", {**move.arguments(), "problem": "matmul:3x2x2"}, move.sources)
