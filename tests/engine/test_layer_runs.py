"""Runs over layers: worker processes, Ray, resumed runs, families; single graphs as tensor networks."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from commands import Capture, answer
from flipforge import api
from flipforge.diagrams import apply_graph, bilabelled, graph_matrix
from flipforge.errors import InputError
from lonely import run_isolated

LONG = 300.0


@pytest.mark.parametrize(
    ("name", "rank"), [("layer:S:8:2:2", 492), ("layer:A:4:2:1", 76), ("layer:Aut:cycle-5:1:1", 25)]
)
def test_worker_processes_find_what_replays(name: str, rank: int, tmp_path: Path) -> None:
    db = str(tmp_path / "layers.db")
    found = api.search(name, workers=2, executor="process", seed=1, max_flips=60_000, db=db)
    assert (found.rank, found.workers, found.ring) == (rank, 2, "Z")
    again = api.replay_scheme(str(found.scheme), db=db)
    assert (again.scheme, again.rank) == (found.scheme, rank)


def test_ray_finds_what_replays(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "layers.db")
    words = ("search", "layer:SO:3:2:1", "--executor", "ray", "--workers", "2", "--max-flips", "20000", "--seed", "1")
    done = run_isolated("-m", "flipforge.cli", *words, "--db", db, "--json", seconds=LONG)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rank"], found["workers"]) == (6, 2)
    code, out, _ = answer(capsys, "replay", found["scheme"], "--db", db, "--json")
    assert (code, json.loads(out)["scheme"]) == (0, found["scheme"])


def test_a_resumed_run_comes_to_the_same(tmp_path: Path) -> None:
    whole, parts = str(tmp_path / "whole.db"), str(tmp_path / "parts.db")
    name, terms = "layer:Sp:4:3:3", {"workers": 1, "seed": 4}
    straight = api.search(name, max_flips=120_000, db=whole, **terms)  # type: ignore[arg-type]
    first = api.search(name, max_flips=30_000, db=parts, **terms)  # type: ignore[arg-type]
    second = api.resume(str(first.run), max_flips=120_000, db=parts)
    assert (second.rank, second.scheme, second.flips) == (straight.rank, straight.scheme, straight.flips)
    assert first.flips < second.flips


def test_a_family_of_layers(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "layers.db")
    words = (
        "search",
        "layer:S:4..5:2:2",
        "--max-flips",
        "60000",
        "--workers",
        "1",
        "--seed",
        "2",
        "--db",
        db,
        "--json",
    )
    code, out, _ = answer(capsys, *words)
    result = json.loads(out)
    assert code == 0
    assert [(row["problem"], row["ring"], row["rank"]) for row in result["rows"]] == [
        ("layer:S:4:2:2", "Z", 152),
        ("layer:S:5:2:2", "Z", 219),
    ]
    code, out, _ = answer(capsys, "best", "layer:*", "--db", db, "--json")
    best = {row["problem"]: row["rank"] for row in json.loads(out)}
    assert (best["layer:S:4:2:2"], best["layer:S:5:2:2"]) == (152, 219)
    resumed = api.resume_family(result["run"], max_flips=90_000, db=db)
    assert [row["rank"] for row in resumed.rows] == [152, 219]
    code, _, error = answer(capsys, "search", "layer:S:4..5:2:2", "--objective", "calls", "--db", db)
    assert (code, error.count("\n")) == (2, 1)
    code, _, error = answer(capsys, "search", "layer:Sp:2..3:1:1", "--db", db)
    assert (code, "even dimension" in error, error.count("\n")) == (2, True, 1)


# Single graphs.

TARGET = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize(("k", "l"), list(product(range(4), repeat=2)))
def test_networks_are_the_matrices_of_their_graphs(k: int, l: int) -> None:
    rng = np.random.default_rng(k + 4 * l)
    for vertices in range(1 if k + l else 0, 5):
        for _ in range(12):
            pairs = [(u, v) for u in range(vertices) for v in range(u, vertices) if rng.random() < 0.4]
            labels = rng.integers(0, max(vertices, 1), k + l).tolist()
            diagram = bilabelled(k, l, vertices, pairs, labels)
            matrix = graph_matrix(diagram, TARGET).dense()
            x = rng.integers(-9, 10, (2, *([3] * k)))
            before = x.copy()
            y = apply_graph(diagram, TARGET, x)
            assert np.array_equal(y, (x.reshape(2, -1) @ matrix.T).reshape(2, *([3] * l)))
            assert np.array_equal(x, before)
            turned = np.asfortranarray(x[::-1].astype(float))
            assert np.array_equal(apply_graph(diagram, TARGET, turned), y[::-1])


def test_networks_need_no_matrix() -> None:
    """Walks of two steps on a cycle: four from each vertex, where a matrix of the whole would have 60^4 entries."""
    n = 3000
    ring = np.roll(np.eye(n, dtype=int), 1, axis=0)
    path = bilabelled(2, 2, 6, [(0, 2), (2, 3), (1, 4), (4, 5)], [0, 1, 3, 5])
    x = np.zeros((60, 60), int)
    small = (ring + ring.T)[:60, :60]
    small[0, 59] = small[59, 0] = 1
    x[3, 4] = 1
    assert int(apply_graph(path, small, x).sum()) == 16
    walk = bilabelled(1, 1, 3, [(0, 1), (1, 2)], [0, 2])
    assert int(apply_graph(walk, ring + ring.T, np.eye(1, n, 5, dtype=int)[0]).sum()) == 4
    with pytest.raises(InputError, match="must have length n = 3"):
        apply_graph(path, TARGET, np.ones((3, 4)))
    with pytest.raises(InputError, match="up to 50"):
        apply_graph(bilabelled(1, 1, 60, [(i, i + 1) for i in range(59)], [0, 59]), TARGET, np.ones(3))
