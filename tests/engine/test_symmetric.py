"""Symmetric search: groups, the walk of orbits and its twin, the space, and runs from the command line."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue_samples import strassen
from commands import Capture, answer
from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError, ReplayError, RingError, VerificationError
from flipforge.flips import Orbits, seed_words, symmetric_reference, symmetric_walk, unpack
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, GF3, ZT, Ring, Z
from flipforge.rings import ring as ring_named
from flipforge.schemes import (
    SYMMETRY_FORMAT,
    Generator,
    Scheme,
    Symmetry,
    image,
    is_invariant,
    standard_scheme,
    symmetry,
    symmetry_of,
)
from flipforge.search import Effort, Entry, Seed, SymmetricSpace

GROUPS = [
    ("matmul:2x2x2", "Z3"),
    ("matmul:3x3x3", "Z3"),
    ("matmul:3x3x3", "Z3xZ2"),
    ("matmul:3x3x3", "S3"),
    ("matmul:3x3x3", "Z2"),
    ("matmul:3x3x3", "perm:231"),
    ("matmul:3x3x3", "perm:213,132"),
    ("matmul:3x3x3", "Z3xperm:231"),
    ("matmul:2x3x2", "swapxZ2"),
    ("matmul:2x3x4", "Z2"),
    ("matmul:2x2x2", "shear"),
    ("matmul:2x3x2", "side"),
    ("poly:2x2", "swap"),
]
"""Groups of orders 2 to 9, that move axes or not, through permutations or not, of square products and others."""

CASES = [
    *((problem, group, "GF2") for problem, group in GROUPS),
    ("matmul:2x2x2", "Z3", "GF3"),
    ("matmul:2x2x2", "Z3", "ZT"),
    ("matmul:2x2x2", "tilted", "GF3"),
    ("matmul:2x2x2", "signs", "GF3"),
    ("matmul:2x2x2", "signs", "ZT"),
    ("poly:2x2", "swap", "ZT"),
    ("structured:ss:2", "transposed", "GF3"),
    ("structured:ss:2", "transposed", "ZT"),
    ("structured:kg:3", "skew", "GF3"),
    ("matmul:2x3x2", "side", "GF5"),
    ("matmul:2x2x2", "Z3", "GF7"),
    ("matmul:6x6x6", "Z3", "GF3"),
]
"""And over other rings: elements that change signs, that are no permutations, that fix products by a sign."""

SLOW = {
    ("matmul:3x3x3", "Z2", "GF2"),
    ("structured:kg:3", "skew", "GF3"),
    ("matmul:2x3x2", "side", "GF5"),
    ("matmul:2x2x2", "Z3", "GF7"),
    ("matmul:6x6x6", "Z3", "GF3"),
}
"""Those with a kernel of their own: more rows, longer factors, hashed keys."""


def _conjugation(x: Any, inverse: Any) -> dict[str, Any]:
    """A -> X A X^-1 in all three places: an operand is held as a covector, the output is not."""
    covectors, output = np.kron(inverse.T, x), np.kron(x, inverse.T)
    return {"axes": [0, 1, 2], "maps": [covectors.tolist(), covectors.tolist(), output.tolist()]}


def _skew() -> dict[str, Any]:
    """K -> P K P^T, G -> P G and C -> P C for P = [[0, 1, 0], [0, 0, 1], [1, 0, 0]] with K's entries 01, 02, 12."""
    p = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    pairs = [(0, 1), (0, 2), (1, 2)]
    k = np.zeros((3, 3), dtype=int)
    for column, (i, j) in enumerate(pairs):
        whole = np.zeros((3, 3), dtype=int)
        whole[i, j], whole[j, i] = 1, -1
        image = p @ whole @ p.T
        k[:, column] = [image[a, b] for a, b in pairs]
    rows = np.kron(p, np.eye(3, dtype=int))
    return {"axes": [0, 1, 2], "maps": [k.tolist(), rows.tolist(), rows.tolist()]}


def _given(name: str) -> dict[str, Any]:
    """Documents of groups that have no name."""
    swap = {"axes": [1, 0, 2], "maps": [[0, 1, 2], [0, 1, 2], [0, 1, 2, 3, 4]]}
    # A -> X A, C -> X C for a product of two rows; and conjugation by a shear in all three places.
    side = {"axes": [0, 1, 2], "maps": [[3, 4, 5, 0, 1, 2], list(range(6)), [2, 3, 0, 1]]}
    shear = np.array([[1, 1], [0, 1]])
    basis, exchange, back = shear, np.array([[0, 1], [1, 0]]), np.array([[1, -1], [0, 1]])
    tilted = basis @ exchange @ back
    generators = {
        "swap": swap,
        "side": side,
        "shear": _conjugation(shear, shear),
        # X = S P S^-1 permutes the products of the standard algorithm in the basis that S gives.
        "tilted": _conjugation(tilted, tilted),
        # Of determinant -1 and order 4; its square is -1 and fixes everything.
        "signs": _conjugation(np.array([[0, 1], [-1, 0]]), np.array([[0, -1], [1, 0]])),
        "transposed": {"axes": [1, 0, 2], "maps": [[0, 1, 2], [0, 1, 2], [0, 2, 1, 3]]},
        "skew": _skew(),
    }
    return {"format": SYMMETRY_FORMAT, "name": name, "generators": [generators[name]]}


@cache
def _space(problem: str, group: str, name: str = "GF2") -> SymmetricSpace:
    target, ring = parse(problem), ring_named(name)
    if group in ("shear", "side", "swap", "tilted", "signs", "transposed", "skew"):
        return SymmetricSpace(target, Symmetry.read(_given(group), target, group), ring)
    return SymmetricSpace(target, symmetry(group, target, ring), ring)


STRASSEN = (
    ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)),
    ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)),
    ((1, 0, 0, 1), (0, 0, 1, 1), (0, 1, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0)),
)


def _start(space: SymmetricSpace, seed: int) -> Any:
    if space.symmetry.name == "shear":
        # No shear permutes the products of the standard algorithm; all of them permute those of Strassen's.
        return space.state(Scheme(space.problem, GF2, *STRASSEN))
    if space.symmetry.name == "tilted":
        basis = Symmetry.read(
            {
                "format": SYMMETRY_FORMAT,
                "generators": [_conjugation(np.array([[1, 1], [0, 1]]), np.array([[1, -1], [0, 1]]))],
            },
            space.problem,
            "basis",
        ).generators[0]
        return space.state(image(standard_scheme(space.problem, space.ring), basis))
    return space.start(Seed(seed))


def _moves(space: SymmetricSpace) -> list[symmetric_reference.Move]:
    from flipforge.search._symmetric_space import _closure

    moves = []
    for element in _closure(space.symmetry, space.problem, space.ring):
        u, v, w = (tuple(map(tuple, matrix.tolist())) for matrix in element.maps)
        moves.append(symmetric_reference.Move(element.axes, (u, v, w)))
    return moves


def _listed(space: SymmetricSpace, packed: Any) -> list[Any]:
    """Canonical products of a packed scheme."""
    form = space._flips.scheme(packed)
    return sorted(zip(form.u, form.v, form.w, strict=True))


def _cases() -> list[Any]:
    return [pytest.param(*case, marks=[pytest.mark.slow] * (case in SLOW), id="-".join(case)) for case in CASES]


@pytest.mark.parametrize(("problem", "group", "ring"), _cases())
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), idle=st.sampled_from([1, 3, 20]), band=st.integers(0, 3))
def test_a_walk_leaves_tensor_and_symmetry(
    problem: str, group: str, ring: str, seed: int, idle: int, band: int
) -> None:
    space = _space(problem, group, ring)
    state = _start(space, seed)
    outcome = space.walk(state, Effort(300, 300, 0, idle, band), Seed(seed))
    space.certify(outcome.state)
    assert space.scheme(outcome.state).rank == space.score(outcome.state)[0]


@pytest.mark.parametrize(("problem", "group", "ring"), _cases())
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), idle=st.sampled_from([1, 4, 15]), path=st.sampled_from([7, 40, 1000]))
def test_kernel_and_twin_agree_step_for_step(
    problem: str, group: str, ring: str, seed: int, idle: int, path: int
) -> None:
    space = _space(problem, group, ring)
    state = _start(space, seed)
    action, words = space._action, seed_words(seed)
    orbits = action.orbits(state)
    u, v, w = unpack(action.outward(orbits.factors, orbits.units), space.problem.shape, ring)
    products = zip(*(map(tuple, factor.tolist()) for factor in (u, v, w)), strict=True)
    listed = list(zip(products, orbits.lengths.tolist(), strict=True))
    terms = {"goal": 0, "path": path, "idle": idle, "band": 2}
    for steps in (1, 2, 5, 60 if len(listed) < 20 else 8):
        found = symmetric_walk(state, action, steps=steps, seed=words, **terms)
        slots = 16 * next(count for count in (1, 3, 6, 16) if 16 * count >= len(listed) + 2)
        traced = symmetric_reference.symmetric_walk(
            listed, _moves(space), ring=ring, steps=steps, slots=slots, seed=words.tolist(), **terms
        )
        for name in ("steps", "plus", "thawed", "rejected", "reductions", "restarts", "partnered"):
            assert getattr(found, name) == getattr(traced, name), name
        scaled = [(u, v, tuple(unit * x for x in w)) for (u, v, w), unit in traced.products]
        rows = [tuple(tuple(space.ring.reduce(x) for x in row[axis]) for row in scaled) for axis in range(3)]
        twin = Scheme(space.problem, space.ring, rows[0], rows[1], rows[2])
        assert _listed(space, found.factors) == _listed(space, space._flips.state(twin))


def _orbits(space: SymmetricSpace, product: tuple[Any, Any, Any]) -> Orbits:
    length = space._action.length
    factors = np.zeros((3, 1, length), dtype=np.int64)
    for axis, factor in enumerate(product):
        factors[axis, 0, : len(factor)] = factor
    return Orbits(factors, np.ones(1, dtype=np.int64), np.array([space.order]))


def test_flips_of_an_orbit_with_itself_are_not_made() -> None:
    """a (x) a (x) c and its image a (x) c (x) a share a; a flip of the two breaks the symmetry, so there is none."""
    space = _space("matmul:2x2x2", "Z3")
    start = space._action.expand(_orbits(space, ((1, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0))))
    end = symmetric_walk(start, space._action, goal=0, steps=10, idle=100, band=0, seed=seed_words(1))
    assert (end.steps, end.rank, end.partnered) == (0, 3, 0)


@pytest.mark.parametrize(("ring", "left"), [("GF2", [1]), ("GF3", []), ("ZT", [1, 1, 1]), ("GF5", [3]), ("GF7", [3])])
def test_a_cube_is_three_times_itself(ring: str, left: list[int]) -> None:
    """The sum over the group of a product that k elements fix is k times its orbit, in each ring what that is."""
    space = _space("matmul:2x2x2", "Z3", ring)
    packed = space._action.expand(_orbits(space, ((1, 0, 0, 1),) * 3))
    assert unpack(packed, space.problem.shape, ring)[2][:, 0].tolist() == left


def test_an_even_orbit_vanishes_modulo_2_and_one_that_a_sign_fixes_everywhere_else() -> None:
    fixed = (0, 0, 0, 0, 1, 0, 0, 0, 0)
    space = _space("matmul:3x3x3", "Z2")
    assert space._action.expand(_orbits(space, (fixed,) * 3)).shape[1] == 0
    for ring in ("GF3", "ZT"):
        space = _space("matmul:2x2x2", "signs", ring)
        # The element takes each factor to minus itself, and so the product to minus itself.
        product = ((1, 0, 0, -1 % space._action.prime if space._action.prime else -1),) * 3
        assert space._action.expand(_orbits(space, product)).shape[1] == 0


@pytest.mark.parametrize(("n", "cubes"), [(2, {1, 2}), (3, {2, 3}), (5, {3, 4, 5})])
def test_starts_have_chosen_cubes(n: int, cubes: set[int]) -> None:
    space = _space(f"matmul:{n}x{n}x{n}", "Z3")
    seen = set()
    for seed in range(24):
        state = space.start(Seed(seed))
        space.certify(state)
        seen.add(int((space._action.orbits(state).lengths == 1).sum()))
    assert seen == cubes


def test_every_start_is_one_that_seeds_may_draw() -> None:
    space = _space("matmul:3x3x3", "Z3")
    every = {space.key(state) for state in space.every_start()}
    drawn = {space.key(space.start(Seed(seed))) for seed in range(60)}
    assert drawn == every and len(every) == 4
    assert [space.key(each) for each in _space("matmul:2x3x2", "side").every_start()] == [
        space.key(_start(_space("matmul:2x3x2", "side"), 0))
    ]


def test_a_search_begins_with_the_most_pairs() -> None:
    space = _space("matmul:5x5x5", "Z3")
    starts = space.starts(1)
    assert len(starts) > 1
    for state in starts:
        assert space.score(state)[0] == 135 and (space._action.orbits(state).lengths == 1).sum() == 3


@pytest.mark.parametrize(
    ("problem", "group"),
    [("structured:kg:3", "perm:-213"), ("structured:ss:4", "swapxperm:2143"), ("structured:kk:4", "swap")],
)
def test_named_groups_act_on_structured_products(problem: str, group: str) -> None:
    for ring in (GF2, GF3, ZT):
        assert is_invariant(standard_scheme(parse(problem), ring), symmetry(group, parse(problem), ring))


def test_groups_that_leave_the_structure_are_refused() -> None:
    for ring in (GF2, GF3):
        with pytest.raises(InputError, match=r"does not fix structured:us:4: .* coefficient of a12\*b11 in c21"):
            symmetry("perm:2143", parse("structured:us:4"), ring)
    with pytest.raises(InputError, match="products of matrices"):
        symmetry("swap", parse("poly:2x2"), GF2)


def test_cubes_can_be_chosen() -> None:
    problem = matmul(6, 6, 6)
    cubes = ("110000", "001100", "000011")
    space = SymmetricSpace(problem, symmetry("Z3xZ2", problem, GF2), cubes=cubes)
    state = space.start(Seed(1))
    space.certify(state)
    assert space.score(state)[0] == 231 and [space.key(each) for each in space.starts(5)] == [space.key(state)]
    sums = {sum(1 << (7 * i) for i in range(6) if cube[i] == "1") for cube in cubes}
    whole = {u for u, v, w in state[:, :, 0].T.tolist() if u == v == w}
    assert sums <= whole
    # Entries that no cube names stay; three at once can be joined too.
    space = SymmetricSpace(matmul(4, 4, 4), symmetry("Z3", matmul(4, 4, 4), GF2), cubes=("1110",))
    space.certify(space.start(Seed(1)))
    assert space.arguments["cubes"] == ["1110"]


@pytest.mark.parametrize("ring", [GF2, GF3, Z])
def test_named_groups_fix_the_tensor(ring: Any) -> None:
    for problem, group in GROUPS:
        if group not in ("shear", "side", "swap"):
            assert is_invariant(standard_scheme(parse(problem), ring), symmetry(group, parse(problem), ring))


def test_strassen_is_not_invariant_under_reversal() -> None:
    """A check that cannot fail would pass here."""
    space = _space("matmul:3x3x3", "Z3")
    scheme = space.scheme(space.start(Seed(0)))
    broken = Scheme(scheme.problem, GF2, scheme.u[::-1], scheme.v, scheme.w)
    assert is_invariant(scheme, space.symmetry) and not is_invariant(broken, space.symmetry)
    with pytest.raises(InputError, match="does not permute its products"):
        space.state(broken)
    flips = space._flips
    with pytest.raises(VerificationError):
        space.certify(flips.state(broken))


def test_provenance_records_the_group() -> None:
    space = _space("matmul:3x3x3", "S3")
    scheme = space.scheme(space.start(Seed(1)))
    group = symmetry_of(scheme)
    assert group == space.symmetry and is_invariant(scheme, group)
    assert symmetry_of(standard_scheme(space.problem, GF2)) is None


def test_a_generator_that_breaks_the_tensor_is_named(tmp_path: Path) -> None:
    target = matmul(2, 2, 2)
    path = tmp_path / "group.json"
    bad = {"axes": [1, 2, 0], "maps": [[0, 1, 2, 3]] * 3}
    path.write_text(json.dumps({"format": SYMMETRY_FORMAT, "generators": [bad]}))
    with pytest.raises(InputError, match=r"generator 1 does not fix matmul:2x2x2: .* a\d\d\*b\d\d in c\d\d"):
        symmetry(str(path), target, GF2)
    singular = Symmetry("zero", (Generator((0, 1, 2), (((0,) * 4,) * 4,) * 3),))
    with pytest.raises(InputError, match="does not fix"):
        SymmetricSpace(target, singular)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "not a symmetry"),
        ({"format": "flipforge-symmetry/2"}, "not a symmetry"),
        ({"format": SYMMETRY_FORMAT, "generators": []}, "at least one"),
        ({"format": SYMMETRY_FORMAT, "generators": [{}]}, '"axes" and "maps"'),
        ({"format": SYMMETRY_FORMAT, "generators": [{"axes": [0, 0, 1], "maps": [1, 2, 3]}]}, "in some order"),
        ({"format": SYMMETRY_FORMAT, "generators": [{"axes": [0, 1, 2], "maps": [[0], ["x"], [0]]}]}, "map 1"),
        ({"format": SYMMETRY_FORMAT, "generators": [{"axes": [0, 1, 2], "maps": [[0], [0], [0]]}]}, "4 rows of 4"),
    ],
)
def test_a_broken_file_is_named(document: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "group.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        symmetry(str(path), matmul(2, 2, 2), GF2)


@pytest.mark.parametrize("name", ["Z4", "perm:221", "Z3x", "Z3xperm:12", "", "S3xZ3"])
def test_unknown_groups_are_refused(name: str) -> None:
    with pytest.raises(InputError):
        symmetry(name, matmul(3, 3, 3), GF2)


@pytest.mark.parametrize(
    ("problem", "name", "message"),
    [
        ("matmul:2x3x2", "Z3", "square matrices, not on matmul:2x3x2"),
        ("matmul:2x3x2", "S3xZ2", "square matrices"),
        ("matmul:2x3x2", "swapxperm:21", "square matrices"),
        ("matmul:2x2x3", "swap", "n x m by m x n, not on matmul:2x2x3"),
        ("structured:gg:3", "Z3", "square matrices"),
        ("complex", "Z2", "products of matrices, not on complex"),
    ],
)
def test_formats_that_a_named_group_does_not_act_on_are_refused(problem: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        symmetry(name, parse(problem), GF2)


def test_other_rings_are_refused() -> None:
    with pytest.raises(RingError):
        SymmetricSpace(matmul(2, 2, 2), symmetry("Z3", matmul(2, 2, 2), GF2), Z)
    shear = Symmetry.read(_given("tilted"), matmul(2, 2, 2), "tilted")
    with pytest.raises(InputError, match="permute coordinates and change signs, no more"):
        SymmetricSpace(matmul(2, 2, 2), shear, ZT)


@pytest.mark.parametrize("ring", [GF2, Z])
def test_what_only_records_a_group_replays_where_a_search_begins_with_it(ring: Ring, tmp_path: Path) -> None:
    space = SymmetricSpace(matmul(2, 2, 2), symmetry("Z3", matmul(2, 2, 2), GF2))
    start, other = space.scheme(space.start(Seed(0))), strassen(ring).canonical
    other = replace(other, provenance={"symmetry": space.symmetry.as_dict()})
    with SqliteStore.open(tmp_path / "c.db") as store:
        store.commit([Entry(scheme, "derived", source="a test") for scheme in (start, other)])
        assert api.replay_scheme(start.id, db=store).flips == 0
        with pytest.raises(ReplayError, match="has no lineage to replay"):
            api.replay_scheme(other.id, db=store)


@pytest.mark.parametrize("chosen", [(), ("--cubes", "110")])
def test_search_resume_and_replay(chosen: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    """From the command line to the catalogue and back: found, invariant under what it records, resumed, replayed."""
    db = tmp_path / "catalogue.sqlite"
    terms = ("--max-flips", "3000", "--target-rank", "23", "--workers", "1", "--db", str(db), "--json")
    group = ("--symmetry", "Z3", *chosen)
    code, out, _ = answer(capsys, "search", "matmul:3x3x3", *group, "--seed", "2", *terms)
    assert code == 3
    code, out, _ = answer(
        capsys, "resume", json.loads(out)["run"], "--max-flips", "60000000", "--db", str(db), "--json"
    )
    found = json.loads(out)
    assert code == 0 and found["rank"] == 23 and found["walk_version"] == "gf2-sym/1"
    scheme = api.load(found["scheme"], db=db)
    recorded = symmetry_of(scheme)
    assert recorded is not None and recorded.name == "Z3" and is_invariant(scheme, recorded)
    code, out, _ = answer(capsys, "replay", found["scheme"], "--db", str(db), "--json")
    assert code == 0 and json.loads(out)["scheme"] == found["scheme"]


def test_a_search_without_the_symmetry_starts_from_what_one_with_it_keeps(tmp_path: Path, capsys: Capture) -> None:
    db = tmp_path / "c.db"
    usual: dict[str, Any] = {"workers": 1, "seed": 1, "db": db}
    first = api.search("matmul:3x3x3", symmetry="Z3", max_flips=300_000, **usual)
    assert first.run is not None
    second = api.search("matmul:3x3x3", start=[first.run], max_flips=300_000, **usual)
    assert second.run is not None
    with SqliteStore.open(db) as store:
        pools = store.run(first.run).checkpoint["ladder"]["pools"]
        lowest = sorted(map(int, pools))[:6]
        kept = {(rank, each["state"]) for rank in lowest for each in pools[str(rank)]["members"]}
        assert {(rank, each["state"]) for rank, each in store.run(second.run).checkpoint["ladder"]["starts"]} == kept
        assert len({rank for rank, _ in kept}) > 1, "more than the best is taken"
    assert second.scheme is not None and api.replay_scheme(second.scheme, db=db).scheme == second.scheme
    words = ("matmul:3x3x3", "--symmetry", "S3", "--from", first.run, "--workers", "1", "--db", str(db))
    code, out, err = answer(capsys, "search", *words)
    assert (code, out) == (2, "") and "S3 does not permute its products" in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("matmul:3x3x3", "--symmetry", "Z9"), "no symmetry 'Z9'"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--ring", "Z"), "no search kernel walks over Z"),
        (("matmul:2..3x3x3", "--symmetry", "Z3"), "--symmetry is for one problem"),
        (("matmul:2..3x3x3", "--cubes", "110"), "--cubes is for one problem"),
        (("matmul:3x3x3", "--cubes", "110"), "give --symmetry"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--cubes", "110,011"), "no place a one in two of them"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--cubes", "11"), "give 3 zeros and ones"),
        (("matmul:3x3x3", "--symmetry", "Z3xZ2", "--cubes", "110"), "does not leave them as they are"),
    ],
)
def test_what_cannot_be_searched_writes_nothing(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: Capture
) -> None:
    db = tmp_path / "catalogue.sqlite"
    code, out, err = answer(capsys, "search", *words, "--db", str(db))
    assert code == 2 and not out and message in err and err.count("\n") == 1
    assert not db.exists()
