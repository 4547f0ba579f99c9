"""Layers of A_n, SO(n), graphs and groups of permutations: diagrams with ties, their programs, proofs and code."""

import json
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import Capture, answer
from flipforge import plugins
from flipforge.certificates import Certificate, check
from flipforge.diagrams import (
    Group,
    HeadedDiagram,
    OrbitDiagram,
    PartitionDiagram,
    Tie,
    TiedDiagram,
    TiedGroup,
    Wiring,
    bilabelled,
    compose_tied,
    group,
    tied,
    tied_matrix,
    ties_of,
)
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.plugins import export_layer
from flipforge.problems import layer
from flipforge.programs import (
    Fixed,
    LayerProgram,
    Step,
    apply_layer,
    assemble,
    cores,
    layer_document,
    layer_gradients,
    read_layer_document,
    single,
)
from flipforge.search import Effort, LayerSpace, Seed, least_cost

GROUPS = ("A:2", "A:3", "A:4", "SO:2", "SO:3", "SO:4")
PERMUTED = ("perm:21", "perm:231", "Aut:path-2", "Aut:path-3", "Aut:cycle-4", "Aut:star-3")
SHAPES = list(product(range(4), repeat=2))


@cache
def named(name: str) -> Group:
    plugins.connect()
    return group(name)


@cache
def about(name: str) -> Fixed:
    made = named(name)
    return Fixed(made.n, made.generators, made.edges) if isinstance(made, TiedGroup) else Fixed(made.n)


def tensor(rng: np.random.Generator, n: int, order: int, batch: int) -> Any:
    return rng.integers(-9, 10, (batch, *([n] * order))).astype(float)


@pytest.mark.parametrize(("k", "l"), SHAPES)
@pytest.mark.parametrize("name", [*GROUPS, *PERMUTED])
def test_every_diagram_is_applied_as_its_matrix(name: str, k: int, l: int) -> None:
    """Sums of small integers are exact in floats; the matrices are those of the groups, made in another way."""
    made, fixed, rng = named(name), about(name), np.random.default_rng(k + 4 * l)
    diagrams = list(made.diagrams(k, l))
    for diagram in diagrams:
        wiring = tied(diagram)
        program = single(wiring, fixed=fixed)
        matrix = made.matrix(diagram).dense()
        assert np.array_equal(tied_matrix(wiring, made.n, fixed.generators).dense(), matrix)
        x = tensor(rng, made.n, k, 2)
        wanted = (x.reshape(2, -1) @ matrix.T).reshape(2, *([made.n] * l))
        assert np.array_equal(apply_layer(program, x, np.ones(1), n=made.n), wanted)
        assert program.diagrams == (wiring,)


@pytest.mark.parametrize(("k", "l"), SHAPES)
@pytest.mark.parametrize("name", GROUPS)
def test_a_layer_is_the_sum_of_its_matrices(name: str, k: int, l: int) -> None:
    made, fixed, rng = named(name), about(name), np.random.default_rng(k + 4 * l)
    diagrams = made.basis(k, l)
    if not diagrams:
        return
    program = assemble(list(map(tied, diagrams)), cores(k), cores(l), k=k, l=l, fixed=fixed)
    weights = rng.integers(-3, 4, len(diagrams)).astype(float)
    matrix = sum(w * made.matrix(d).dense() for w, d in zip(weights, diagrams, strict=True))
    x = tensor(rng, made.n, k, 9)
    wanted = (x.reshape(9, -1) @ np.asarray(matrix).T).reshape(9, *([made.n] * l))
    for engine in ("numpy", "numba"):
        assert np.array_equal(apply_layer(program, x, weights, n=made.n, engine=engine), wanted)
    assert np.array_equal(apply_layer(program, x.astype(int), weights.astype(int), n=made.n), wanted)
    back = program.transposed()
    assert np.array_equal(
        apply_layer(back, wanted, weights, n=made.n).reshape(9, -1), wanted.reshape(9, -1) @ np.asarray(matrix)
    )


def family_of(name: str, k: int, l: int) -> tuple[tuple[Wiring, ...], np.ndarray]:
    made = named(name)
    assert isinstance(made, TiedGroup)
    family = made.tied_family(k, l)
    return family.diagrams, family.basis


@pytest.mark.parametrize(
    ("name", "k", "l"),
    [
        *((name, k, l) for name in ("Aut:petersen", "Aut:cycle-5", "Aut:path-4") for k, l in ((1, 1), (0, 2), (2, 1))),
        ("perm:2341", 2, 2),
        ("perm:213", 2, 2),
        ("Aut:complete-4", 2, 2),
    ],
)
def test_products_of_orbits_are_a_basis_for_less(name: str, k: int, l: int) -> None:
    made, fixed, rng = named(name), about(name), np.random.default_rng(1)
    diagrams, basis = family_of(name, k, l)
    assert len(basis) == made.dimension(k, l)
    matrices = np.array([tied_matrix(d, made.n, fixed.generators).dense().ravel() for d in diagrams], float)
    assert np.linalg.matrix_rank(matrices[basis]) == len(basis) == np.linalg.matrix_rank(matrices)
    costs = [single(diagram, fixed=fixed).cost(made.n) for diagram in diagrams]
    assert costs == sorted(costs)
    chosen = [diagrams[place] for place in basis]
    program = assemble(chosen, cores(k), cores(l), k=k, l=l, fixed=fixed)
    weights = rng.integers(-3, 4, len(chosen)).astype(float)
    x = tensor(rng, made.n, k, 3)
    wanted = x.reshape(3, -1) @ np.einsum("w,wx->x", weights, matrices[basis]).reshape(made.n**l, -1).T
    for engine in ("numpy", "numba"):
        y = apply_layer(program, x, weights, n=made.n, engine=engine)
        assert np.array_equal(y.reshape(3, -1), wanted)


def moved(g: Any, x: Any, axes: int) -> Any:
    for axis in range(x.ndim - axes, x.ndim):
        x = np.moveaxis(np.tensordot(g, x, axes=(1, axis)), 0, axis)
    return x


@pytest.mark.parametrize(
    ("name", "k", "l"), [("A:4", 2, 2), ("SO:3", 2, 1), ("Aut:petersen", 2, 1), ("Aut:path-4", 1, 2)]
)
def test_programs_commute_with_random_elements_and_with_no_more(name: str, k: int, l: int) -> None:
    made, rng = named(name), np.random.default_rng(2)
    where = LayerSpace(layer(name, k, l))
    program = where.program(where.start(Seed(0)))
    weights = rng.normal(size=program.weights)
    x = rng.normal(size=(2, *([made.n] * k)))
    for _ in range(3):
        g = made.element(rng).astype(float)
        assert np.allclose(apply_layer(program, moved(g, x, k), weights), moved(g, apply_layer(program, x, weights), l))
    swap = np.eye(made.n)[[1, 0, *range(2, made.n)]]
    turned = apply_layer(program, moved(swap, x, k), weights)
    assert not np.allclose(turned, moved(swap, apply_layer(program, x, weights), l))


def test_gradients_equal_differences() -> None:
    rng = np.random.default_rng(5)
    for name, k, l in (("A:3", 2, 2), ("SO:3", 2, 1), ("Aut:path-3", 1, 2)):
        where = LayerSpace(layer(name, k, l))
        program, n = where.program(where.start(Seed(0))), where.n
        x, gy = rng.normal(size=(4, 2, *([n] * k))), rng.normal(size=(4, 3, *([n] * l)))
        weights = rng.normal(size=(3, 2, program.weights))
        gx, gw = layer_gradients(program, x, weights, gy)
        dx, dw = rng.normal(size=x.shape), rng.normal(size=weights.shape)
        assert np.isclose((gy * apply_layer(program, dx, weights)).sum(), (gx * dx).sum())
        assert np.isclose((gy * apply_layer(program, x, dw)).sum(), (gw * dw).sum())


# Composition with ties.


@given(st.data())
def test_partitions_compose_with_ties_as_matrices(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["A:3", "SO:2", "Aut:path-3", "perm:231"]))
    fixed, n = about(name), named(name).n
    k, l, m = (data.draw(st.integers(0, 2)) for _ in range(3))
    diagrams = list(named(name).diagrams(k, l))
    if not diagrams:
        return
    below = tied(data.draw(st.sampled_from(diagrams)))
    labels = [data.draw(st.integers(0, 2)) for _ in range(l + m)]
    above = PartitionDiagram.of_blocks(l, m, [[i for i, x in enumerate(labels) if x == y] for y in sorted(set(labels))])
    for upper, lower in ((above, below), (below.flip(), above.flip())):
        product_ = tied_matrix(upper, n, fixed.generators).dense() @ tied_matrix(lower, n, fixed.generators).dense()
        try:
            made, loops, sign = compose_tied(upper, lower)
        except InputError as error:
            assert "must reach an outer point" in str(error)
            continue
        assert (sign * n**loops * tied_matrix(made, n, fixed.generators).dense() == product_).all()


def test_ties_are_canonical() -> None:
    head = HeadedDiagram(2, 1, 3, (0, 1, 2), (0, 1, 2))
    orbit = OrbitDiagram(1, 2, 5, (3, 0, 3))
    assert ties_of(tied(head)) == (Tie((0, 1, 2)),)
    assert tied(orbit) == TiedDiagram(1, 2, (0, 1, 0), (Tie((0, 1), (3, 0)),))
    assert tied(OrbitDiagram(0, 0, 5, ())) == PartitionDiagram(0, 0, ())
    with pytest.raises(InputError, match="no partition with ties"):
        tied(bilabelled(1, 1, 2, [(0, 1)], [0, 1]))
    with pytest.raises(InputError, match="one at most has ties"):
        compose_tied(tied(head).flip(), tied(head))
    for ties in ((Tie((0, 0)),), (Tie((5,), (1,)),), (Tie((0,), (1, 2)),), (Tie((0, 1), (1, 1)),)):
        with pytest.raises(MalformedError):
            TiedDiagram(1, 1, (0, 1), ties)


def test_broken_programs_are_refused() -> None:
    area = TiedDiagram(2, 0, (0, 1), (Tie((0, 1)),))
    good = LayerProgram((2, 0), (Step(1, 0, area, 0),), fixed=Fixed(2))
    assert good.operations == (2,)
    with pytest.raises(MalformedError, match="at one n"):
        LayerProgram((2, 0), (Step(1, 0, area, 0),))
    with pytest.raises(MalformedError, match="with a weight"):
        LayerProgram((2, 0), (Step(1, 0, area),), fixed=Fixed(2))
    with pytest.raises(MalformedError, match="a head has 4 legs"):
        LayerProgram((2, 0), (Step(1, 0, area, 0),), fixed=Fixed(4))
    with pytest.raises(MalformedError, match="not all below 2"):
        LayerProgram((1, 0), (Step(1, 0, TiedDiagram(1, 0, (0,), (Tie((0,), (5,)),)), 0),), fixed=Fixed(2))
    with pytest.raises(MalformedError, match=r"permutations of 0\.\.1"):
        Fixed(2, ((0, 0),))
    with pytest.raises(MalformedError, match=r"join points of 0\.\.1"):
        Fixed(2, (), ((0, 2),))
    with pytest.raises(InputError, match="are for n = 2"):
        apply_layer(good, np.ones((3, 3)), np.ones(1))
    summed = LayerProgram(
        (2, 0, 2), (Step(2, 0, PartitionDiagram(2, 2, (0, 1, 2, 3))), Step(1, 2, area, 0)), fixed=Fixed(2)
    )
    with pytest.raises(VerificationError, match="must reach an outer point"):
        _ = summed.diagrams


# Search, proof, files and code.


@cache
def found(name: str) -> Any:
    head, k, l = name.rsplit(":", 2)
    named(head)
    where = LayerSpace(layer(head, int(k), int(l)))
    end = where.walk(where.start(Seed(0)), Effort(200_000, 200_000, 0, 5_000, 2), Seed(1, (1,)))
    return where.scheme(end.state)


COUNTS = {
    "A:3:1:1": 15,
    "A:3:2:2": 166,
    "A:4:2:1": 76,
    "SO:2:1:1": 4,
    "SO:2:2:2": 21,
    "SO:3:2:1": 6,
    "Aut:petersen:1:1": 60,
    "Aut:path-4:1:1": 16,
    "Aut:cycle-5:1:1": 25,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_searched_programs_are_proved_stored_and_exported(name: str, count: int, tmp_path: Path) -> None:
    made = found(name)
    assert made.rank == count
    verdict = check(made.certify())
    assert verdict.valid
    assert ("the stated edges" in verdict.trusts) == name.startswith("Aut")
    assert read_layer_document(json.loads(json.dumps(layer_document(made))), "file") == made
    report = export_layer(made, "numpy", tmp_path, check=True)
    assert report.ok and len(report.checks) == 2
    assert "in the orbit of" in made.describe() or "sign(" in made.describe()
    head, k, l = name.rsplit(":", 2)
    assert least_cost(LayerSpace(layer(head, int(k), int(l)))) <= count


def changed(certificate: Certificate, **witness: Any) -> Certificate:
    return replace(certificate, witness={**certificate.witness, **witness})


@pytest.mark.parametrize(
    ("name", "ties", "words"),
    [
        ("A:3:2:1", [[[1, 0, 2], None]], "does not stand for one diagram"),
        ("A:3:2:1", [[[0], None]], "a head has 3 legs"),
        ("A:3:2:1", [[[0, 1, 9], None]], "names blocks by their numbers"),
        ("A:3:2:1", [[[0, 1, 2], [0, 1, 2]]], "for Aut alone"),
        ("A:3:2:1", [], "must be a list of"),
        ("A:3:2:1", [[[0, 1, 2], None], [[0, 1], None]], "one head"),
        ("Aut:path-3:1:1", [[[0, 1], None]], "for A and SO alone"),
        ("Aut:path-3:1:1", [[[0, 1], [0, 0]]], "a different value below 3"),
        ("Aut:path-3:1:1", [[[0, 1], [0, 7]]], "a different value below 3"),
    ],
)
def test_wrong_ties_are_seen(name: str, ties: Any, words: str) -> None:
    certificate = found(name).certify()
    steps = [list(step) for step in certificate.witness["steps"]]
    size = 3 if name.startswith("A:") else 2
    place = next(i for i, step in enumerate(steps) if len(step) == 5 and len(set(step[2])) == size)
    steps[place] = [*steps[place][:4], ties]
    verdict = check(changed(certificate, steps=steps))
    assert verdict.decision in ("REFUTED", "MALFORMED")
    assert words in verdict.reason


def test_wrong_groups_are_seen() -> None:
    certificate = found("Aut:path-4:1:1").certify()
    edges = certificate.statement["edges"]
    other = replace(certificate, statement={**certificate.statement, "edges": edges[2:]})
    assert check(other).decision in ("REFUTED", "MALFORMED")
    assert "no automorphism" in check(changed(certificate, generators=[[1, 0, 2, 3]])).reason
    assert check(changed(certificate, generators="x")).decision == "MALFORMED"
    # Of the trivial group the orbits are smaller: the program would touch less than it states.
    fewer = read_layer_document(
        {**layer_document(found("Aut:path-4:1:1")), "fixed": {"n": 4, "edges": edges}, "rank": 8, "operations": [8]},
        "file",
    )
    assert fewer.verdict().decision == "REFUTED"
    whole = found("A:3:2:1").certify()
    assert check(replace(whole, statement={**whole.statement, "group": "S"})).decision == "MALFORMED"
    assert check(replace(whole, statement={**whole.statement, "group": "SO"})).decision == "REFUTED"


def test_dependent_diagrams_are_no_basis() -> None:
    for name in ("SO:2:2:2", "Aut:path-3:1:1"):
        head, k, l = name.rsplit(":", 2)
        where = LayerSpace(layer(head, int(k), int(l)))
        start = where.start(Seed(0))
        on, basis = where._parted(start)
        verdicts = []
        for other in range(len(where.diagrams)):
            if other not in basis:
                for place in range(len(basis)):
                    swapped = np.array([*basis[:place], other, *basis[place + 1 :]])
                    verdicts.append(where.scheme(where._joined(on, swapped)).verdict())
        assert {verdict.decision for verdict in verdicts} == {"PROVED", "REFUTED"}
        assert all("dependent" in v.reason for v in verdicts if not v.valid)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fixed": {"n": 9}}, "a head has 9 legs"),
        ({"fixed": {"n": "3"}}, "integer n"),
        ({"fixed": {"n": 10**12}}, "from 1 to 1000"),
        ({"fixed": {}}, "'n'"),
        ({"fixed": {"n": 3, "generators": [[0, 0, 0]]}}, "permutations of 0..2"),
        ({"steps": [[1, 0, [0, 1, 2], 0, [[[0, 1, "x"], None]]]]}, "of integers"),
        ({"steps": [[1, 0, [0, 1, 2], 0, 7]]}, "not iterable"),
    ],
)
def test_malformed_files(change: dict[str, Any], words: str) -> None:
    document = {**layer_document(found("A:3:2:1")), **change}
    with pytest.raises(MalformedError, match=words) as caught:
        read_layer_document(document, "file.json")
    assert "\n" not in str(caught.value) and "file.json" in str(caught.value)


def test_a_file_of_a_graph_needs_its_group() -> None:
    document = layer_document(found("Aut:path-4:1:1"))
    del document["fixed"]
    document["steps"] = [step[:4] for step in document["steps"]]
    with pytest.raises(MalformedError, match="'fixed' is missing"):
        read_layer_document(document, "file.json")


def test_large_groups_and_families_are_refused(tmp_path: Path) -> None:
    named("A:3")
    with pytest.raises(InputError, match="50000"):
        LayerSpace(layer("Aut:complete-20", 1, 1))
    with pytest.raises(InputError, match="programs are searched for"):
        LayerSpace(layer("S+:4", 1, 1))
    with pytest.raises(InputError, match="heads of 9 legs"):
        LayerSpace(layer("SO:9", 5, 4))
    edges = tmp_path / "edges.txt"
    edges.write_text("1 2\n2 3\n")
    assert LayerSpace(layer(f"Aut:file={edges}", 1, 1)).problem.name.startswith("layer:Aut:g6=")


@pytest.mark.parametrize("name", ["layer:A:4:2:1", "layer:Aut:cycle-5:1:1"])
def test_from_the_command_line(name: str, tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "layers.db")
    words = ("search", name, "--max-flips", "40000", "--workers", "1", "--seed", "3", "--db", db, "--json")
    code, out, _ = answer(capsys, *words)
    result = json.loads(out)
    assert (code, result["problem"], result["rank"]) == (0, name, found(name.removeprefix("layer:")).rank)
    identity = result["scheme"]
    code, out, _ = answer(capsys, "replay", identity, "--db", db, "--json")
    assert (code, json.loads(out)["scheme"]) == (0, identity)
    code, out, _ = answer(capsys, "verify", identity, "--db", db, "--json")
    assert (code, json.loads(out)[0]["verdict"]) == (0, "PROVED")
    code, out, _ = answer(
        capsys, "export", identity, "--target", "numpy", "--out", str(tmp_path), "--check", "--db", db
    )
    assert code == 0
    assert answer(capsys, "dump", str(tmp_path / "out"), "--problem", "layer:*", "--db", db)[0] == 0
    files = sorted(map(str, (tmp_path / "out").glob(f"*{identity}*.json")))
    assert answer(capsys, "verify", *files)[0] == 0
    code, out, _ = answer(capsys, "import", *files, "--db", str(tmp_path / "other.db"), "--json")
    assert (code, [row["id"] for row in json.loads(out)]) == (0, [identity])
