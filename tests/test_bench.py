"""The measuring scripts: what they ask for, what they write, and what they make of figures; no clock decides a test."""

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from flipforge import api

BENCH = Path(__file__).resolve().parent.parent / "bench"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


flips = load("flips")
ranks = load("time_to_rank")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!{sys.executable}\nimport sys\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "flips",
        "symmetric",
        "time_to_rank",
        "ranks",
        "scaling",
        "additions",
        "kernel",
        "lifting",
        "bases",
        "roots",
        "numerical",
        "recursive_calls",
    ],
)
def test_help(name: str) -> None:
    done = subprocess.run([sys.executable, BENCH / f"{name}.py", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (flips, ["--formats", "3x3"]),
        (flips, ["--formats", "0x3x3"]),
        (flips, ["--rings", "Z2"]),
        (flips, ["--repeats", "0"]),
        (flips, ["--markdown", "--json"]),
        (ranks, []),
        (ranks, ["--log", "x", "matmul:4x4x4:48"]),
        (ranks, ["--log", "x", "--rings", "GF5"]),
    ],
)
def test_bad_arguments(module: ModuleType, words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        module.arguments(words)
    assert caught.value.code == 2


def test_schemes_with_many_calls_are_kept_and_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["structured:ug:3", "--rank", "17", "--tries", "20", "--last", "20", "--keep", "2", "--db"]
    monkeypatch.setattr(sys, "argv", ["recursive_calls.py", *words, str(tmp_path / "c.db")])
    load("recursive_calls").main()
    rows = api.query("structured:ug:3", origin="found", where="rank = 17 and run is null", db=tmp_path / "c.db")
    assert rows and all(api.replay_scheme(row["id"], db=tmp_path / "c.db").flips for row in rows)


def test_chosen_rows() -> None:
    both = ranks.arguments(["--log", "x", "matmul:4x4x4:49"]).chosen
    assert [(row.ring, row.cap) for row in both] == [("GF2", 120), ("ZT", 120)]
    (one,) = ranks.arguments(["--log", "x", "matmul:4x4x4:49", "--rings", "ZT"]).chosen
    assert one.programs() == ("flipforge", "ternary_flip_graph")
    (deep,) = ranks.arguments(["--log", "x", "matmul:4x4x4:47"]).chosen
    assert deep.cap == 600
    structured = ranks.arguments(["--log", "x", "structured:kg:3:14"]).chosen
    assert [(row.ring, row.programs()) for row in structured] == [
        ("GF3", ("flipforge", "flip-cpd")),
        ("Q", ("flipforge",)),
    ]


class TestFlips:
    def rows(self) -> list[object]:
        def row(ring: str, name: str, **rates: list[float]) -> object:
            found = {key.replace("cpd", "flip-cpd"): value for key, value in rates.items()}
            return flips.Row(ring, name, 23, 8, found, {})

        return [
            row("GF2", "3x3x3", flipforge=[9e6, 8e6, 20e6], cpd=[3e6], ternary_flip_graph=[4e6, 6e6]),
            row("GF2", "5x5x5", flipforge=[6e6], cpd=[12e6]),
            row("GF5", "5x5x5", flipforge=[6e6]),
        ]

    def test_ratio_is_to_the_faster_peer_by_medians(self) -> None:
        assert [row.ratio() for row in self.rows()] == [9 / 5, 0.5, None]  # type: ignore[attr-defined]

    def test_fall(self) -> None:
        assert flips.falls(self.rows()) == [
            "rate at 5x5x5 over rate at 3x3x3, GF2, flipforge: 0.67",
            "rate at 5x5x5 over rate at 3x3x3, GF2, flip-cpd: 4.00",
        ]

    def test_cells(self) -> None:
        texts = flips.cells(self.rows()[0])
        assert texts[:5] == ["GF2", "3x3x3", "23", "8", "9.00 (8.00 to 20.00)"]
        assert texts[-1] == "1.80"

    @pytest.mark.parametrize("ring", ["GF2", "GF3", "ZT", "GF5"])
    def test_scheme_file_is_right_and_read_back(self, tmp_path: Path, ring: str) -> None:
        n, m, p = sizes = 2, 3, 4
        factors = flips.settle(flips.standard(sizes, ring), ring, 500)
        flips.write_scheme(tmp_path / "s.txt", factors, sizes, ring)
        assert np.array_equal(flips.read_scheme(tmp_path / "s.txt", sizes, ring), factors)
        numbers = [int(word) for word in (tmp_path / "s.txt").read_text(encoding="utf-8").split()]
        assert numbers[:4] == [n, m, p, len(factors[0])]
        u, v, w, rest = np.split(np.array(numbers[4:]), np.cumsum([len(factors[0]) * a for a in (n * m, m * p, p * n)]))
        assert not rest.size
        axes = (axis.reshape(len(factors[0]), *ends) for axis, ends in ((u, (n, m)), (v, (m, p)), (w, (p, n))))
        tensor = np.einsum("rij,rkl,rab->ijklab", *axes)
        one = [np.eye(size, dtype=int) for size in (n, m, p)]
        expected = np.einsum("ib,jk,la->ijklab", one[0], one[1], one[2])
        prime = {"GF2": 2, "GF3": 3, "GF5": 5, "ZT": 0}[ring]
        assert not ((tensor - expected) % prime if prime else tensor - expected).any()

    @pytest.mark.parametrize("ring", ["GF2", "ZT"])
    def test_wrong_scheme_is_refused(self, ring: str) -> None:
        good = flips.standard((2, 3, 2), ring)
        flips.check(good, (2, 3, 2), ring)
        with pytest.raises(SystemExit, match="changed the tensor"):
            flips.check(good[:, 1:], (2, 3, 2), ring)

    def test_descent_ends_at_the_goal(self) -> None:
        assert flips.descend(flips.standard((2, 2, 2), "GF2"), "GF2", 7, 60.0).shape[1] == 7

    def test_other_program(self, tmp_path: Path) -> None:
        good = script(tmp_path / "good", "print(int(sys.argv[3]) // 2, 0.5)")
        assert flips.theirs(good, "GF2", tmp_path / "s.txt", 100, 1) == 100
        idle = script(tmp_path / "idle", "print(0, 0.0)")
        assert flips.theirs(idle, "GF2", tmp_path / "s.txt", 100, 1) == "no flips made"
        bad = script(tmp_path / "bad", "sys.exit('the tensor changed')")
        assert flips.theirs(bad, "GF2", tmp_path / "s.txt", 100, 1) == "the tensor changed"


def a_try(program: str, seed: int, cpu: float, hit: bool = True, kind: str = "try", rank: int = 49) -> object:
    return ranks.Try(
        kind, program, "matmul:4x4x4", "GF2", 49, seed, hit, rank, cpu, cpu, 120, "settings" * (program == "flip-cpd")
    )


class TestTimeToRank:
    (row,) = ranks.arguments(["--log", "x", "matmul:4x4x4:49", "--rings", "GF2"]).chosen

    def test_misses_are_infinitely_long(self) -> None:
        tries = [a_try("flipforge", 1, 10), a_try("flipforge", 2, 20), a_try("flipforge", 3, 1, hit=False)]
        assert ranks.median(tries) == 20
        assert ranks.median([*tries, a_try("flipforge", 4, 121, hit=False)]) == math.inf
        assert ranks.median(tries, less=12) == 8
        assert ranks.median([]) is None

    def test_summary(self) -> None:
        log = [
            *(a_try("flipforge", seed, cpu) for seed, cpu in ((1, 10.0), (2, 30.0), (3, 20.0))),
            *(a_try("flipforge", seed, 2.0, hit=False, kind="startup") for seed in (1, 2, 3)),
            a_try("flip-cpd", 1, 50.0),
            a_try("flip-cpd", 2, 121.0, hit=False, rank=51),
            a_try("flip-cpd", 3, 60.0),
            a_try("ternary_flip_graph", 1, 121.0, hit=False, rank=50),
        ]
        (summary,) = ranks.summarise([self.row], log)
        assert ranks.cells(summary) == (
            ["matmul:4x4x4:49", "GF2", "20.00", "18.00", "3/3", "60.00", "2/3 (51)", "> 120", "0/1 (50)", "3.00"]
        )
        text = ranks.report([self.row], log, markdown=True)
        assert "| matmul:4x4x4:49 | GF2 | 20.00 |" in text
        assert "flip-cpd, matmul:4x4x4:49 GF2: settings" in text

    def test_ratio_where_one_side_has_no_median(self) -> None:
        def ratio(ours: bool, theirs: bool) -> float | None:
            log = [a_try("flipforge", 1, 5.0, hit=ours), a_try("flip-cpd", 1, 5.0, hit=theirs)]
            value: float | None = ranks.summarise([self.row], log)[0].ratio()
            return value

        assert (ratio(True, True), ratio(True, False), ratio(False, True), ratio(False, False)) == (
            1,
            math.inf,
            0,
            None,
        )

    def test_progress(self) -> None:
        assert ranks.progress("settings a b\nrank 7 cpu 1\nnoise\nrank 6\n") == (6, "a b")
        assert ranks.progress("") == (None, "")

    def test_log_is_resumed_and_half_a_line_dropped(self, tmp_path: Path) -> None:
        calls = tmp_path / "calls"
        program = script(
            tmp_path / "peer", f"open({str(calls)!r}, 'a').write(sys.argv[4] + '\\n')\nprint('rank 49', flush=True)"
        )
        log = tmp_path / "log.jsonl"
        words = ["--log", str(log), "matmul:4x4x4:49", "--rings", "GF2", "--seeds", "0", "--flip-cpd", str(program)]
        options = ranks.arguments([*words, "--peer-seeds", "1"])
        ranks.measure(options.chosen, options)
        with log.open("a", encoding="utf-8") as stream:
            stream.write('{"kind": "try", "prog')
        options = ranks.arguments([*words, "--peer-seeds", "2"])
        ranks.measure(options.chosen, options)
        assert calls.read_text(encoding="utf-8").split() == ["1", "2"]
        assert [(one.seed, one.hit) for one in ranks.read_log(log)] == [(1, True), (2, True)]
        assert all(json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())

    def test_cap_ends_the_process_tree_and_is_a_miss(self, tmp_path: Path) -> None:
        busy = "import time\nwhile time.process_time() < 20: pass"
        text = "import subprocess\nprint('rank 50', flush=True)\n"
        text += f"subprocess.run([sys.executable, '-c', {busy!r}])\nprint('rank 49')"
        program = script(tmp_path / "peer", text)
        row = ranks.Row("matmul:4x4x4", "GF2", 49, cap=0.5)
        one = ranks.peer_try("flip-cpd", program, row, 1)
        assert (one.hit, one.rank) == (False, 50)
        assert one.cpu >= 0.5

    def test_target_not_reached_is_a_fault(self, tmp_path: Path) -> None:
        program = script(tmp_path / "peer", "sys.exit('no tensor')")
        with pytest.raises(SystemExit, match="no tensor"):
            ranks.peer_try("flip-cpd", program, self.row, 1)


def test_export_measures_every_part_and_checks_what_it_times(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--sizes", "16", "--levels", "1", "--repeat", "1", "--parts", "float,threads,residues,integers,syrk"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["export.py", *arguments])
        load("export").main()
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    assert {row["part"] for row in rows} == {"float", "threads", "residues", "integers", "syrk"}
    assert all(row.get("equal", True) for row in rows)
    assert all(row["error_ratio"] > 0 for row in rows if row["part"] == "float")
