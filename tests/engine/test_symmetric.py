"""Symmetric search: groups, the walk of orbits and its twin, the space, and runs from the command line."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge import api
from flipforge.cli import main
from flipforge.errors import InputError, RingError, VerificationError
from flipforge.flips import seed_words, symmetric_reference, symmetric_walk
from flipforge.problems import matmul, parse
from flipforge.rings import GF2, GF3, Z
from flipforge.schemes import (
    SYMMETRY_FORMAT,
    Generator,
    Scheme,
    Symmetry,
    is_invariant,
    standard_scheme,
    symmetry,
    symmetry_of,
)
from flipforge.search import Effort, Seed, SymmetricSpace

GROUPS = [
    ("matmul:2x2x2", "Z3"),
    ("matmul:3x3x3", "Z3"),
    ("matmul:3x3x3", "Z3xZ2"),
    ("matmul:3x3x3", "S3"),
    ("matmul:3x3x3", "Z2"),
    ("matmul:3x3x3", "perm:231"),
    ("matmul:3x3x3", "perm:213,132"),
    ("matmul:3x3x3", "Z3xperm:231"),
    ("matmul:2x2x2", "shear"),
    ("matmul:2x3x2", "side"),
    ("poly:2x2", "swap"),
]
"""Groups of orders 2 to 9, that move axes or not, through permutations or not, of square products and others."""


def _given(name: str) -> dict[str, Any]:
    """Documents of groups that have no name."""
    swap = {"axes": [1, 0, 2], "maps": [[0, 1, 2], [0, 1, 2], [0, 1, 2, 3, 4]]}
    # A -> X A, C -> X C for a product of two rows; and conjugation by a shear in all three places.
    side = {"axes": [0, 1, 2], "maps": [[3, 4, 5, 0, 1, 2], list(range(6)), [2, 3, 0, 1]]}
    # Conjugation by x = x^-1: covectors U go to x^-T U x^T, the output W to x W x^-1.
    x = np.array([[1, 1], [0, 1]])
    covectors, output = np.kron(x.T, x), np.kron(x, x.T)
    shear = {"axes": [0, 1, 2], "maps": [covectors.tolist(), covectors.tolist(), output.tolist()]}
    return {"format": SYMMETRY_FORMAT, "name": name, "generators": [{"swap": swap, "side": side, "shear": shear}[name]]}


@cache
def _space(problem: str, group: str) -> SymmetricSpace:
    target = parse(problem)
    if group in ("shear", "side", "swap"):
        return SymmetricSpace(target, Symmetry.read(_given(group), target, group))
    return SymmetricSpace(target, symmetry(group, target, GF2))


STRASSEN = (
    ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)),
    ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, 1), (1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)),
    ((1, 0, 0, 1), (0, 0, 1, 1), (0, 1, 0, 1), (1, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0)),
)


def _start(space: SymmetricSpace, seed: int) -> Any:
    if space.symmetry.name == "shear":
        # No shear permutes the products of the standard algorithm; all of them permute those of Strassen's.
        return space.state(Scheme(space.problem, GF2, *STRASSEN))
    return space.start(Seed(seed))


def _moves(space: SymmetricSpace) -> list[symmetric_reference.Move]:
    from flipforge.search._symmetric_space import _closure

    moves = []
    for element in _closure(space.symmetry, space.problem):
        u, v, w = (
            tuple(sum(int(x) << row for row, x in enumerate(column)) for column in matrix.T) for matrix in element.maps
        )
        moves.append(symmetric_reference.Move(element.axes, (u, v, w)))
    return moves


@pytest.mark.parametrize(("problem", "group"), GROUPS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), idle=st.sampled_from([1, 3, 20]), band=st.integers(0, 3))
def test_a_walk_leaves_tensor_and_symmetry(problem: str, group: str, seed: int, idle: int, band: int) -> None:
    space = _space(problem, group)
    state = _start(space, seed)
    outcome = space.walk(state, Effort(300, 300, 0, idle, band), Seed(seed))
    space.certify(outcome.state)
    assert space.scheme(outcome.state).rank == space.score(outcome.state)[0]


@pytest.mark.parametrize(("problem", "group"), GROUPS)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), idle=st.sampled_from([1, 4, 15]), path=st.sampled_from([7, 40, 1000]))
def test_kernel_and_twin_agree_step_for_step(problem: str, group: str, seed: int, idle: int, path: int) -> None:
    space = _space(problem, group)
    state = _start(space, seed)
    action, words = space._action, seed_words(seed)
    orbits = action.orbits(action.inward(state[:, :, 0]))
    places = np.array([product for product, _ in orbits], dtype=np.uint64).T
    listed = [
        ((u, v, w), length) for (u, v, w), (_, length) in zip(action.outward(places).T.tolist(), orbits, strict=True)
    ]
    terms = {"goal": 0, "path": path, "idle": idle, "band": 2}
    for steps in (1, 2, 5, 60):
        found = symmetric_walk(state, action, steps=steps, seed=words, **terms)
        slots = 16 * next(count for count in (1, 3, 6, 16) if 16 * count >= len(orbits) + 2)
        traced = symmetric_reference.symmetric_walk(
            listed, _moves(space), steps=steps, slots=slots, seed=words.tolist(), **terms
        )
        assert found.factors[:, :, 0].T.tolist() == [list(product) for product in traced.products]
        for name in ("steps", "plus", "thawed", "reductions", "restarts", "partnered"):
            assert getattr(found, name) == getattr(traced, name), name


def test_flips_of_an_orbit_with_itself_are_not_made() -> None:
    """a (x) a (x) c and its image a (x) c (x) a share a; a flip of the two breaks the symmetry, so there is none."""
    space = _space("matmul:2x2x2", "Z3")
    action = space._action
    product = np.array([[1], [1], [2]], dtype=np.uint64)
    end = symmetric_walk(
        action.outward(action.expand(product, product[:, :0]))[:, :, None],
        action,
        goal=0,
        steps=10,
        idle=100,
        band=0,
        seed=seed_words(1),
    )
    assert (end.steps, end.rank, end.partnered) == (0, 3, 0)


def test_a_cube_is_three_times_itself_and_an_even_orbit_vanishes() -> None:
    """The sum over the group of a product that k elements fix is k times its orbit: over GF(2) that or nothing."""
    cube = np.array([[9], [9], [9]], dtype=np.uint64)
    none = cube[:, :0]
    assert _space("matmul:2x2x2", "Z3")._action.expand(cube, none).tolist() == cube.tolist()
    assert _space("matmul:3x3x3", "Z2")._action.expand(np.array([[16]] * 3, dtype=np.uint64), none).shape == (3, 0)


@pytest.mark.parametrize(("n", "cubes"), [(2, {1, 2}), (3, {2, 3}), (5, {3, 4, 5})])
def test_starts_have_chosen_cubes(n: int, cubes: set[int]) -> None:
    space = _space(f"matmul:{n}x{n}x{n}", "Z3")
    seen = set()
    for seed in range(24):
        state = space.start(Seed(seed))
        space.certify(state)
        seen.add(sum(length == 1 for _, length in space._action.orbits(space._action.inward(state[:, :, 0]))))
    assert seen == cubes


def test_every_start_is_one_that_seeds_may_draw() -> None:
    space = _space("matmul:3x3x3", "Z3")
    every = {space.key(state) for state in space.every_start()}
    drawn = {space.key(space.start(Seed(seed))) for seed in range(60)}
    assert drawn == every and len(every) == 4
    assert [space.key(each) for each in _space("matmul:2x3x2", "side").every_start()] == [
        space.key(_start(_space("matmul:2x3x2", "side"), 0))
    ]


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


def test_other_rings_and_formats_are_refused() -> None:
    with pytest.raises(InputError, match="square"):
        symmetry("Z3", matmul(2, 3, 2), GF2)
    with pytest.raises(RingError):
        SymmetricSpace(matmul(2, 2, 2), symmetry("Z3", matmul(2, 2, 2), GF2), GF3)


def _run(capture: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    out, err = capture.readouterr()
    return int(caught.value.code or 0), out, err


@pytest.mark.parametrize("chosen", [(), ("--cubes", "110")])
def test_search_resume_and_replay(chosen: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to the catalogue and back: found, invariant under what it records, resumed, replayed."""
    db = tmp_path / "catalogue.sqlite"
    terms = ("--max-flips", 3000, "--target-rank", 23, "--workers", 1, "--db", db, "--json")
    group = ("--symmetry", "Z3", *chosen)
    code, out, _ = _run(capsys, "search", "matmul:3x3x3", *group, "--seed", 2, *terms)
    assert code == 3
    code, out, _ = _run(capsys, "resume", json.loads(out)["run"], "--max-flips", 60_000_000, "--db", db, "--json")
    found = json.loads(out)
    assert code == 0 and found["rank"] == 23 and found["walk_version"] == "gf2-sym/1"
    scheme = api.load(found["scheme"], db=db)
    recorded = symmetry_of(scheme)
    assert recorded is not None and recorded.name == "Z3" and is_invariant(scheme, recorded)
    code, out, _ = _run(capsys, "replay", found["scheme"], "--db", db, "--json")
    assert code == 0 and json.loads(out)["scheme"] == found["scheme"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("matmul:3x3x3", "--symmetry", "Z9"), "no symmetry 'Z9'"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--ring", "GF3"), "no symmetric search over GF3"),
        (("matmul:2..3x3x3", "--symmetry", "Z3"), "--symmetry is for one problem"),
        (("matmul:2..3x3x3", "--cubes", "110"), "--cubes is for one problem"),
        (("matmul:3x3x3", "--cubes", "110"), "give --symmetry"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--cubes", "110,011"), "no place a one in two of them"),
        (("matmul:3x3x3", "--symmetry", "Z3", "--cubes", "11"), "give 3 zeros and ones"),
        (("matmul:3x3x3", "--symmetry", "Z3xZ2", "--cubes", "110"), "does not leave them as they are"),
    ],
)
def test_what_cannot_be_searched_writes_nothing(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "catalogue.sqlite"
    code, out, err = _run(capsys, "search", *words, "--db", db)
    assert code == 2 and not out and message in err and err.count("\n") == 1
    assert not db.exists()
