"""The space of layer programs: the walk and its twin, proofs, the catalogue, and the least counts by exhaustion."""

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import Capture, answer
from flipforge import api, plugins
from flipforge.certificates import Certificate, check
from flipforge.certificates._layer import Space
from flipforge.certificates._layer import _gram as scalar_product
from flipforge.diagrams import PAIRS, PartitionDiagram, compose_symplectic, partitions
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.flips.layer_reference import Side, layer_walk
from flipforge.problems import layer, parse
from flipforge.programs import Layer, LayerProgram, Step, dump_layer, polynomial_text, read_layer_document
from flipforge.rings import Z
from flipforge.schemes import Scheme
from flipforge.search import Effort, LayerSpace, Seed, least_cost


@pytest.fixture(autouse=True)
def _groups() -> None:
    plugins.connect()


def space(name: str) -> LayerSpace:
    group, k, l = name.rsplit(":", 2)
    return LayerSpace(layer(group, int(k), int(l)))


def searched(name: str, steps: int = 400_000) -> Layer:
    """Return what one walk from the start comes to."""
    where = space(name)
    start = where.start(Seed(0))
    end = where.walk(start, Effort(steps, steps, 0, 5_000, 2), Seed(1, (1,)))
    return where.scheme(end.state)


NAMES = [
    "S:10:2:2",
    "S:20:1:3",
    "O:5:3:3",
    "Sp:4:2:2",
    "S:2:2:2",
    "S:3:2:2",
    "O:2:3:3",
    "Sp:2:3:3",
    "B:3:2:1",
    "H:2:2:2",
    "A:3:2:2",
    "SO:2:2:2",
    "Aut:path-3:2:1",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_walk_is_that_of_the_twin(name: str) -> None:
    where = space(name)
    start = where.start(Seed(0))
    on, basis = where._parted(start)
    tables = where.tables
    sides = [Side(left.tolist(), order.tolist()) for left, order in zip(tables.lefts, tables.orders, strict=True)]
    for number in range(4):
        limits = {"goal": 0, "steps": 900, "path": 500, "idle": 60, "band": number}
        seed = Seed(5, (number,))
        trace = layer_walk(
            (on | where.useful).tolist(),
            basis.tolist(),
            where.coordinates.tolist(),
            tables.cells.tolist(),
            tables.joints.tolist(),
            (sides[0], sides[1]),
            tables.powers.tolist(),
            **limits,
            seed=seed.words().tolist(),
        )
        end = where.walk(start, Effort(**{key: limits[key] for key in ("steps", "path", "goal", "idle", "band")}), seed)
        flags = [1 if flag == 1 else 0 for flag in trace.on]
        assert end.state.tolist() == where._joined(np.array(flags, np.uint8), np.array(trace.basis)).tolist()
        assert {**end.counts, "steps": end.steps} == trace.counts
        assert where.score(end.state)[0] == trace.cost
        assert trace.counts["restarts"] and trace.counts["plus"]


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_what_a_walk_counts_is_what_its_program_counts(data: st.DataObject) -> None:
    where = space(data.draw(st.sampled_from(["S:6:3:2", "O:3:3:3", "S:2:2:2"])))
    flags = data.draw(st.lists(st.booleans(), min_size=len(where.useful), max_size=len(where.useful)))
    _, basis = where._parted(where.start(Seed(0)))
    drawn = where._joined(np.array(flags, np.uint8) & (where.useful == 0), basis)
    program = where.program(drawn)
    # A walk of no steps drops what saves nothing; the rest is what `assemble` leaves.
    settled = where.walk(drawn, Effort(0, 1, 0, 1, 0), Seed(0)).state
    assert where.program(settled).cost(where.problem.n) <= program.cost(where.problem.n)
    made = where.scheme(settled)
    assert np.array_equal(where.state(made), settled)
    assert np.array_equal(where.decode(where.encode(settled)), settled)
    assert made.verdict().valid


def test_a_space_travels_without_its_plugin() -> None:
    where = space("S:3:2:2")
    copy = pickle.loads(pickle.dumps(where))
    effort, seed = Effort(20_000, 20_000, 0, 500, 1), Seed(3)
    first, second = (each.walk(each.start(seed), effort, seed) for each in (where, copy))
    assert np.array_equal(first.state, second.state)
    assert first.counts["swaps"]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("S:10:2:2", "6n^2 + 13n + 4"),
        ("S:20:3:3", "12n^3 + 84n^2 + 110n + 25"),
        ("O:20:3:3", "6n^3 + 6n^2 + 9n"),
        ("O:20:4:4", "24n^4 + 12n^3 + 72n^2 + 6n + 9"),
        ("S:3:2:2", "5n^2 + 13n + 4"),
    ],
)
def test_counts_that_a_walk_reaches(name: str, count: str) -> None:
    found = searched(name)
    assert polynomial_text(found.program.operations) == count
    assert found.verdict().valid


def least(where: LayerSpace) -> int:
    """Return the least count over all bases and all sets of intermediates."""
    free = np.flatnonzero(where.useful == 0)
    table = where.coordinates
    rows, size = table.shape
    best: int | None = None
    for chosen in combinations(range(size), rows) if size > rows else [tuple(range(rows))]:
        if size > rows and not _independent(table[:, list(chosen)]):
            continue
        basis = np.array(chosen)
        for switches in product((0, 1), repeat=len(free)):
            on = np.zeros(len(where.useful), np.uint8)
            on[free] = switches
            cost = where.program(where._joined(on, basis)).cost(where.problem.n)
            best = cost if best is None else min(best, cost)
    assert best is not None
    return best


def _independent(matrix: np.ndarray[Any, np.dtype[np.int64]]) -> bool:
    rows = [[int(x) for x in row] for row in matrix]
    prime = 2**31 - 1
    for column in range(len(rows)):
        pivot = next((i for i in range(column, len(rows)) if rows[i][column]), None)
        if pivot is None:
            return False
        rows[column], rows[pivot] = rows[pivot], rows[column]
        inverse = pow(rows[column][column], -1, prime)
        for i in range(column + 1, len(rows)):
            factor = rows[i][column] * inverse
            rows[i] = [(x - factor * y) % prime for x, y in zip(rows[i], rows[column], strict=True)]
    return True


@pytest.mark.parametrize(
    "name", ["S:2:1:2", "S:2:2:1", "S:1:1:1", "Sp:2:2:2", "O:1:2:2", "H:1:2:2", "B:2:1:1", "S:3:2:2"]
)
def test_exhaustion_confirms_what_a_walk_finds(name: str) -> None:
    wanted = least_cost(space(name))
    assert searched(name, 100_000).rank == wanted
    if name != "S:3:2:2":  # 256 sets times 15 bases, program by program: too long
        assert least(space(name)) == wanted


@pytest.mark.parametrize(("name", "count"), [("S:2:2:2", 28), ("S:3:2:2", 88), ("O:2:3:3", 50), ("Sp:2:3:3", 32)])
def test_least_counts_over_all_bases(name: str, count: int) -> None:
    assert least_cost(space(name)) == count == searched(name, 1_000_000).rank


def test_too_many_sets_are_refused() -> None:
    with pytest.raises(InputError, match="search instead"):
        least_cost(space("S:5:3:3"))


# Proofs.


def proof(name: str) -> Certificate:
    return searched(name, 50_000).certify()


def _altered(certificate: Certificate, **witness: Any) -> Certificate:
    return replace(certificate, witness={**certificate.witness, **witness})


def faults(certificate: Certificate) -> Iterator[tuple[Certificate, str]]:
    """Yield certificates that are wrong, and a word of what must be said."""
    steps = [list(step) for step in certificate.witness["steps"]]
    weighted = next(i for i, step in enumerate(steps) if step[3] is not None)
    statement = dict(certificate.statement)
    yield replace(certificate, statement={**statement, "rank": statement["rank"] - 1}), "touches"
    yield replace(certificate, statement={**statement, "operations": [1, 2]}), "counts"
    counted = list(statement["operations"])
    size = len(set(steps[weighted][2]))
    counted[size] -= 1
    short = {**statement, "operations": counted, "rank": statement["rank"] - statement["n"] ** size}
    yield (
        replace(_altered(certificate, steps=steps[:weighted] + steps[weighted + 1 :]), statement=short),
        "does not stand for one diagram",
    )
    double = [step if i != weighted else [*step[:3], steps[-1][3] or 1] for i, step in enumerate(steps)]
    yield _altered(certificate, steps=double), "does not stand for one diagram"
    bare = [step if i != weighted else [*step[:3], None] for i, step in enumerate(steps)]
    yield _altered(certificate, steps=bare), "without a weight"


@pytest.mark.parametrize("name", ["S:5:2:2", "O:4:3:3", "Sp:6:2:2"])
def test_wrong_programs_are_refuted(name: str) -> None:
    certificate = proof(name)
    assert check(certificate).decision == "PROVED"
    for wrong, words in faults(certificate):
        verdict = check(wrong)
        assert verdict.decision == "REFUTED"
        assert words in verdict.reason


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([[1, 0, [0, 1, 1, 2], 0]], "dimension"),
        ([[1, 99, [0, 1, 0, 1], 0]], "read a register"),
        ([[1, 0, [1, 0, 0, 1], 0]], "first appearance"),
        ([[1, 0, [0, 1, 0], 0]], "does not fit"),
        ([[1, 0, [0, 1, 0, 1], -1]], "number from 0 on"),
        (["x"], "must be"),
        ([[0, 0, [0, 1, 0, 1], 0]], "write one but the input"),
        ("x", "must be lists"),
    ],
)
def test_malformed_programs_are_told_apart(steps: Any, words: str) -> None:
    certificate = proof("S:5:2:2")
    labels = [len(set(step[2])) for step in steps if isinstance(step, list)] if isinstance(steps, list) else []
    operations = [labels.count(size) for size in range(max(labels, default=0) + 1)]
    rank = sum(x * 5**power for power, x in enumerate(operations))
    statement = {**certificate.statement, "operations": operations, "rank": rank}
    verdict = check(replace(_altered(certificate, steps=steps), statement=statement))
    assert verdict.decision in ("MALFORMED", "REFUTED")
    assert words in verdict.reason


def test_a_dependent_set_of_diagrams_is_no_basis() -> None:
    where = space("O:2:3:3")
    table = where.coordinates
    for chosen in combinations(range(table.shape[1]), len(table)):
        if not _independent(table[:, list(chosen)]):
            break
    on = np.zeros(len(where.useful), np.uint8)
    verdict = where.scheme(where._joined(on, np.array(chosen))).verdict()
    assert verdict.decision == "REFUTED"
    assert "dependent" in verdict.reason


def test_a_sign_of_the_symplectic_group_matters() -> None:
    """An arc that is closed against itself counts -n, so a program with it is not the one of the plain category."""
    cup, cap = PartitionDiagram(0, 2, (0, 0)), PartitionDiagram(2, 0, (0, 0))
    ends = PartitionDiagram(2, 2, (0, 0, 1, 1))
    turn = PartitionDiagram(2, 2, (0, 1, 1, 0))
    others = [d for d in partitions(2, 2, PAIRS) if d != ends]
    steps = [Step(2, 0, cap), Step(3, 2, cup), Step(4, 3, turn), Step(1, 4, PartitionDiagram(2, 2, (0, 1, 0, 1)), 0)]
    steps += [Step(1, 0, diagram, number) for number, diagram in enumerate(others, 1)]
    problem = layer("Sp:4", 2, 2)
    program = LayerProgram((2, 2, 0, 2, 2), tuple(steps), symplectic=True)
    assert compose_symplectic(turn, cup)[2] == -1
    assert "factor 1" in Layer(problem, program).verdict().reason
    plain = LayerProgram(program.orders, program.steps)
    assert Layer(layer("O:4", 2, 2), plain).verdict().valid


@pytest.mark.parametrize(
    "name",
    ["S:2:2:2", "S:3:3:1", "O:1:2:2", "O:2:3:3", "O:3:4:4", "Sp:2:3:3", "Sp:4:3:3", "H:2:2:2", "B:3:3:1"],
)
def test_the_dimension_is_that_of_the_matrices(name: str) -> None:
    """Of all diagrams of a group, as matrices: their rank is the number of weights that a proof asks for."""
    from flipforge.diagrams import group

    where = space(name)
    made = group(where.problem.group)
    rows = [made.matrix(diagram).dense().ravel() for diagram in made.diagrams(where.problem.k, where.problem.l)]
    rank = np.linalg.matrix_rank(np.array(rows, dtype=float))
    found = where.scheme(where.start(Seed(0)))
    assert found.program.weights == rank
    assert found.verdict().valid
    kind, n = where.problem.group.split(":")
    stated = Space(kind, int(n), where.problem.k, where.problem.l)
    labels = [diagram.labels for diagram in where.diagrams]
    products = [[scalar_product(stated, a, b) for b in labels] for a in labels]
    assert products == (np.array(rows) @ np.array(rows).T).tolist()


# The catalogue and the command line.


def test_a_search_from_the_command_line_to_its_replay(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "layers.db")
    words = ("search", "layer:S:8:2:2", "--max-flips", "60000", "--workers", "1", "--seed", "3", "--db", db, "--json")
    code, out, _ = answer(capsys, *words)
    result = json.loads(out)
    assert (code, result["ring"], result["rank"], result["walk_version"]) == (0, "Z", 492, "layer/1")
    name = result["scheme"]
    code, out, _ = answer(capsys, "replay", name, "--db", db, "--json")
    assert (code, json.loads(out)["scheme"]) == (0, name)
    code, out, _ = answer(capsys, "query", "layer:S:8:2:2", "--where", "kind = 'layer'", "--db", db, "--json")
    best = min(json.loads(out), key=lambda row: int(row["rank"]))
    assert (code, best["rank"], best["nonzeros"], best["additions"]) == (0, 492, 15, 23)
    code, out, _ = answer(capsys, "verify", name, "--db", db, "--json")
    assert (code, json.loads(out)[0]["verdict"]) == (0, "PROVED")
    code, out, _ = answer(capsys, "show", name, "--db", db)
    assert (code, "6n^2 + 13n + 4 = 492 at n = 8" in out) == (0, True)
    assert answer(capsys, "dump", str(tmp_path / "out"), "--problem", "layer:S:8:2:2", "--db", db)[0] == 0
    files = sorted(map(str, (tmp_path / "out").glob(f"*{name}*.json")))
    assert answer(capsys, "verify", *files, "--json")[0] == 0
    code, out, _ = answer(capsys, "import", *files, "--db", str(tmp_path / "other.db"), "--json")
    assert (code, [row["id"] for row in json.loads(out)]) == (0, [name])
    code, out, _ = answer(
        capsys, "search", "layer:S:8:2:2", "--from", files[0], "--max-flips", "1", "--db", db, "--json"
    )
    assert (code, json.loads(out)["rank"]) == (0, 492)
    for command in (("lift", name), ("reduce", name), ("convert", name, "--to", "exp", "--out", str(tmp_path / "x"))):
        code, _, error = answer(capsys, *command, "--db", db)
        assert (code, error.count("\n")) == (2, 1)
        assert "a layer program of" in error


def test_a_run_goes_on_where_it_was_left(tmp_path: Path) -> None:
    db = tmp_path / "layers.db"
    begun = api.search("layer:S:3:2:2", max_flips=3_000, workers=1, seed=1, db=db)
    assert begun.run is not None
    went = api.resume(begun.run, max_flips=60_000, db=db)
    assert (went.rank, went.scheme is not None) == (88, True)
    assert api.search("layer:S:3:2:2", target_rank=88, workers=1, seed=2, db=db).target_reached


def test_files_are_not_trusted(tmp_path: Path, capsys: Capture) -> None:
    document = json.loads(dump_layer(searched("S:5:2:2", 50_000)))
    path = tmp_path / "x.json"

    def verdict(**change: Any) -> tuple[int, Any]:
        path.write_text(json.dumps({**document, **change}))
        code, out, _ = answer(capsys, "verify", str(path), "--json")
        return code, json.loads(out)[0]["verdict"]

    assert verdict() == (0, "PROVED")
    assert verdict(rank=1) == (1, "MALFORMED")
    assert verdict(registers=[2, 1]) == (1, "MALFORMED")
    assert verdict(steps=[[1, 0, "x", 0]]) == (1, "MALFORMED")
    assert verdict(problem="matmul:2x2x2") == (1, "MALFORMED")
    assert verdict(problem="layer:S:5:2:3") == (1, "MALFORMED")
    assert verdict(ring="GF2") == (1, "MALFORMED")
    # The same program is one of no other group.
    assert verdict(problem="layer:O:5:2:2") == (1, "REFUTED")
    assert verdict(format="flipforge-layer/9") == (2, None)
    with pytest.raises(MalformedError, match="key 'steps' is missing"):
        read_layer_document({key: value for key, value in document.items() if key != "steps"}, "x")


def test_a_store_refuses_what_is_not_proved(tmp_path: Path) -> None:
    from flipforge.catalogue import SqliteStore
    from flipforge.search import Entry

    good = searched("S:5:2:2", 50_000)
    program = good.program
    bad = Layer(good.problem, LayerProgram(program.orders, program.steps[:-1]))
    with SqliteStore.open(tmp_path / "x.db") as store:
        with pytest.raises(VerificationError):
            store.commit([Entry(bad, "derived")])
        assert store.rows() == store.rows()
        assert [row for row in store.rows() if row["problem"] == "layer:S:5:2:2"] == []
        assert store.commit([Entry(good, "derived")]) == [good.id]
        assert store.scheme(good.id) == good


def test_a_layer_has_no_schemes() -> None:
    with pytest.raises(MalformedError, match="layer programs, no schemes"):
        Scheme(parse("layer:S:5:2:2"), Z, (), (), ())


def test_a_program_of_another_form_is_no_start() -> None:
    where = space("S:5:1:1")
    made = where.scheme(where.start(Seed(0)))
    identity = PartitionDiagram(1, 1, (0, 0))
    detour = [Step(2, 0, identity), *(step._replace(source=2) for step in made.program.steps)]
    odd = Layer(made.problem, LayerProgram((1, 1, 1), tuple(detour)))
    assert odd.verdict().valid
    with pytest.raises(InputError, match="no search starts from it"):
        where.state(odd)
