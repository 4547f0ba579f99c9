"""The command line in process: JSON shapes, exit codes, and one line for every bad input."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands import SEARCH_KEYS, Capture, answer
from flipforge.problems import matmul
from flipforge.rings import GF2, ZT
from flipforge.schemes import standard_scheme
from flipforge.schemes.formats import write_file

VERIFY_KEYS = ["source", "problem", "ring", "rank", "valid", "verdict", "reason"]


class Tool:
    """Runs commands on one catalogue and returns exit code, stdout and stderr."""

    def __init__(self, db: Path, capture: Capture) -> None:
        self.db, self._capture = db, capture

    def __call__(self, *words: str, db: Path | None = None) -> tuple[int, str, str]:
        stateless = words[0] == "plugins"
        return answer(self._capture, *words, *([] if stateless else ["--db", str(db or self.db)]))

    def json(self, *words: str, code: int = 0) -> Any:
        got, out, err = self(*words, "--json")
        assert (got, err) == (code, "")
        return json.loads(out)


@pytest.fixture
def tool(tmp_path: Path, capsys: Capture) -> Tool:
    return Tool(tmp_path / "catalogue.db", capsys)


@pytest.fixture
def found(tool: Tool) -> dict[str, Any]:
    result: dict[str, Any] = tool.json("search", "matmul:2x2x2", "--target-rank", "7", "--workers", "1", "--seed", "3")
    return result


@pytest.fixture
def standard_file(tmp_path: Path) -> Path:
    path = tmp_path / "standard.json"
    write_file(standard_scheme(matmul(2, 2, 2), ZT), "flipforge", path)
    return path


def test_search_finds_proves_and_stores(tool: Tool, found: dict[str, Any]) -> None:
    assert list(found) == SEARCH_KEYS
    assert (found["problem"], found["ring"], found["rank"], found["target_reached"]) == ("matmul:2x2x2", "GF2", 7, True)
    assert found["seed"] == 3 and found["workers"] == 1
    (row,) = tool.json("verify", found["scheme"])
    assert list(row) == VERIFY_KEYS
    assert (row["valid"], row["verdict"], row["rank"]) == (True, "PROVED", 7)


def test_same_seed_same_flips_twice_in_a_row(tool: Tool, tmp_path: Path) -> None:
    words = ("search", "matmul:3x3x3", "--max-flips", "300000", "--workers", "1", "--seed", "8")
    first = tool.json(*words)
    other = Tool(tmp_path / "other.db", tool._capture)
    second = other.json(*words)
    for key in ("rank", "scheme", "flips"):
        assert first[key] == second[key]
    ids = [
        [row["id"] for row in each.json("query", "matmul:3x3x3", "--run", run["run"])]
        for each, run in ((tool, first), (other, second))
    ]
    assert ids[0] == ids[1] and len(ids[0]) > 1


def test_a_budget_that_ends_first_is_code_3(tool: Tool) -> None:
    result = tool.json("search", "matmul:2x2x2", "--target-rank", "6", "--max-flips", "5000", "--workers", "1", code=3)
    assert result["target_reached"] is False and result["rank"] == 7 and result["flips"] == 5000


def test_resume_goes_on_and_runs_lists_it(tool: Tool) -> None:
    first = tool.json("search", "matmul:3x3x3", "--max-flips", "2000", "--workers", "1", "--seed", "1")
    second = tool.json("resume", first["run"], "--max-flips", "3000000", "--target-rank", "24")
    assert second["run"] == first["run"] and second["rank"] <= 24 and second["flips"] > first["flips"]
    (row,) = tool.json("runs")
    assert (row["id"], row["state"], row["rank"]) == (first["run"], "done", second["rank"])


def test_replay_rebuilds_the_find(tool: Tool, found: dict[str, Any]) -> None:
    replayed = tool.json("replay", found["scheme"])
    assert list(replayed) == SEARCH_KEYS
    assert (replayed["scheme"], replayed["run"], replayed["seed"]) == (found["scheme"], found["run"], 3)


def test_replay_of_another_walk_version_is_code_1(tool: Tool, found: dict[str, Any]) -> None:
    with sqlite3.connect(tool.db) as connection:
        connection.execute("UPDATE lineage SET walk_version = 'gf2/0'")
    connection.close()
    code, out, err = tool("replay", found["scheme"], "--json")
    assert (code, out) == (1, "") and "gf2/0" in err and err.count("\n") == 1


def test_query_in_three_formats(tool: Tool, found: dict[str, Any]) -> None:
    rows = tool.json("query", "matmul:2x2x2", "--ring", "GF2", "--max-rank", "7", "--run", found["run"])
    assert [row["id"] for row in rows] == [found["scheme"]]
    assert {"id", "problem", "ring", "rank", "additions", "additions_reduced", "omega", "origin", "run"} <= set(rows[0])
    code, out, _ = tool(
        "query", "matmul:2x2x2", "--where", "rank = 7 and n == 2", "--format", "csv", "--run", found["run"]
    )
    (line,) = csv.DictReader(io.StringIO(out))
    assert code == 0 and line["id"] == found["scheme"] and line["rank"] == "7"
    code, out, _ = tool("query", "--run", found["run"])
    assert code == 0 and found["scheme"] in out and out.startswith("id ")


def test_best_stands_beside_what_is_known(tool: Tool, found: dict[str, Any]) -> None:
    rows = {row["ring"]: row for row in tool.json("best", "matmul:2x2x2")}
    assert rows["GF2"]["rank"] == 7 == rows["GF2"]["best_known"] and rows["GF2"]["gap"] == 0 and rows["GF2"]["source"]


def test_show_prints_products_and_outputs(tool: Tool, found: dict[str, Any], standard_file: Path) -> None:
    code, out, _ = tool("show", found["scheme"])
    assert code == 0 and "m7 = " in out and "c22 = " in out
    code, out, _ = tool("show", str(standard_file), "--latex")
    assert code == 0 and "align" in out
    assert tool.json("show", found["scheme"])["rank"] == 7


def test_import_refuses_what_is_wrong_and_keeps_what_is_right(tool: Tool, standard_file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    document = json.loads(standard_file.read_text())
    document["u"][3][2] += 1
    wrong.write_text(json.dumps(document))
    rows = tool.json("import", str(wrong), str(standard_file), code=1)
    assert [row["status"] for row in rows] == ["refused", "new"]
    assert rows[1]["origin"] == "imported"
    assert tool.json("import", str(standard_file))[0]["status"] == "known"
    assert tool.json("verify", str(wrong), code=1)[0]["verdict"] in {"REFUTED", "MALFORMED"}


def test_a_batch_reports_every_item_and_exits_with_the_worst(tool: Tool, standard_file: Path, tmp_path: Path) -> None:
    rows = tool.json("verify", str(tmp_path / "missing.json"), str(standard_file), "0123456789ab", code=2)
    assert [row["valid"] for row in rows] == [False, True, False]
    assert rows[0]["verdict"] is None and "missing.json" in rows[0]["reason"]


def test_dump_writes_files_that_a_new_catalogue_replays(tool: Tool, found: dict[str, Any], tmp_path: Path) -> None:
    rows = tool.json("dump", str(tmp_path / "files"), "--problem", "matmul:2x2x2", "--best")
    assert [row["id"] for row in rows if row["run"] == found["run"]] in ([found["scheme"]], [])
    document = json.loads(Path(rows[0]["file"]).read_text())
    assert document["format"] == "flipforge-scheme/1" and document["provenance"]["lineage"]


@pytest.mark.parametrize("to", ["flipforge", "fmm", "exp", "npz", "sms", "txt"])
def test_convert_round_trips(tool: Tool, found: dict[str, Any], tmp_path: Path, to: str) -> None:
    suffix = {"flipforge": "json", "fmm": "json"}.get(to, to)
    out = tmp_path / f"converted.{suffix}"
    assert tool.json("convert", found["scheme"], "--to", to, "--out", str(out))["rank"] == 7
    (row,) = tool.json("verify", str(out), "--problem", "matmul:2x2x2", "--ring", "GF2")
    assert row["valid"] and row["ring"] == "GF2"
    comparison = tool.json("compare", found["scheme"], str(out), "--ring", "GF2")
    assert comparison["equal"] is True and set(comparison) == {"equal", "reason", "invariants"}


def test_export_runs_what_it_wrote(tool: Tool, found: dict[str, Any], standard_file: Path, tmp_path: Path) -> None:
    for name in (found["scheme"], str(standard_file)):
        report = tool.json("export", name, "--target", "numpy", "--out", str(tmp_path / "code"), "--check")
        assert report["ok"] and report["checks"] and all(Path(file).is_file() for file in report["files"])


def test_plugins_lists_the_numpy_exporter(tool: Tool) -> None:
    rows = tool.json("plugins")
    assert any(row["name"] == "numpy" and row["kind"] == "exporters" for row in rows)


def test_a_tensor_problem_is_searched_resumed_and_replayed_without_its_file(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "strassen.npy"
    np.save(path, np.array([[*index, 1] for index, _ in matmul(2, 2, 2).entries]))
    first = tool.json("search", f"tensor:{path}", "--max-flips", "20", "--workers", "1", "--seed", "1")
    path.unlink()
    assert first["problem"].startswith("tensor:sha256=")
    second = tool.json("resume", first["run"], "--max-flips", "200000", "--target-rank", "7")
    assert second["rank"] == 7 and tool.json("replay", second["scheme"])["rank"] == 7


def test_search_goes_on_from_a_scheme(tool: Tool, found: dict[str, Any], standard_file: Path) -> None:
    again = tool.json("search", "matmul:2x2x2", "--from", found["scheme"], "--max-flips", "1000", "--workers", "1")
    assert again["rank"] == 7
    other = tool.json("search", "matmul:2x2x2", "--from", str(standard_file), "--target-rank", "7", "--workers", "1")
    assert other["rank"] == 7 and tool.json("replay", other["scheme"])["scheme"] == other["scheme"]


def test_an_imported_start_stays_marked_as_imported(tool: Tool, standard_file: Path, tmp_path: Path) -> None:
    strassen = tmp_path / "strassen.exp"
    strassen.write_text(
        "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c12-c22)\na11*(b12-b22)*(c21+c22)\na22*(b21-b11)*(c11+c12)\n"
        "(a11+a12)*b22*(c21-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n"
    )
    (row,) = tool.json("import", str(strassen))
    assert (row["ring"], row["rank"]) == ("ZT", 7)
    result = tool.json("search", "matmul:2x2x2", "--from", row["id"], "--max-flips", "10", "--workers", "1")
    (start,) = tool.json("query", "matmul:2x2x2", "--where", f"id = '{result['scheme']}'")
    assert (start["ring"], start["origin"], start["rank"]) == ("GF2", "imported", 7)


def bad_inputs() -> Iterator[tuple[str, ...]]:
    yield ("search", "matmul:0x2x2")
    yield ("search", "matmul:40x40x40")
    yield ("search", "matmul:17x17x2", "--ring", "ZT")
    yield ("search", "matmul:11x11x11")
    yield ("search", "cubes:3")
    yield ("search", "layer:Sp:5:2:2")
    yield ("search", "layer:S:5:2:2", "--ring", "GF2")
    yield ("search", "layer:S:5:2:2", "--symmetry", "Z3")
    yield ("search", "layer:S:5:2:2", "--objective", "calls")
    yield ("search", "layer:O:5:2:1")
    yield ("search", "layer:S:5:5:5")
    yield ("search", "identity:x.json")
    yield ("search", "commutative:2x2")
    yield ("search", "commutative:16x17x16")
    yield ("search", "border:0:matmul:2x2x2")
    yield ("search", "border:1:commutative:2x2x2")
    yield ("search", "border:31:matmul:4x5x4")
    yield ("search", "structured:uu:2x3")
    yield ("search", "structured:kk:1")
    yield ("search", "matmul:3..2x2x2")
    yield ("search", "matmul:2..3x2x2", "--target-rank", "7")
    yield ("search", "tensor:missing.npz")
    yield ("search", "matmul:2x2x2", "--ring", "Z")
    yield ("search", "matmul:2x2x2", "--ring", "GF4")
    yield ("search", "matmul:2x2x2", "--workers", "0")
    yield ("search", "matmul:2x2x2", "--executor", "cloud")
    yield ("search", "matmul:2x2x2", "--executor", "inline", "--workers", "2")
    yield ("search", "matmul:2x2x2", "--preset", "slow")
    yield ("search", "matmul:2x2x2", "--time", "soon")
    yield ("search", "matmul:2x2x2", "--time", "0")
    yield ("search", "matmul:2x2x2", "--target-rank", "0")
    yield ("search", "matmul:2x2x2", "--seed", "-1")
    yield ("search", "matmul:2x2x2", "--seed", "one")
    yield ("search", "matmul:2x2x2", "--from", "0123456789ab")
    yield ("search", "matmul:2x2x2", "--address", "localhost:1", "--workers", "1")
    yield ("search",)
    yield ("resume", "00000000")
    yield ("runs", "00000000")
    yield ("runs", "--events")
    yield ("plot", "00000000")
    yield ("replay", "0123456789ab")
    yield ("show", "0123456789ab")
    yield ("show", "nothing/there.json")
    yield ("convert", "0123456789ab", "--to", "exp", "--out", "x.exp")
    yield ("export", "0123456789ab", "--target", "numpy", "--out", "code")
    yield ("query", "--where", "size < 3")
    yield ("query", "--where", "rank <")
    yield ("query", "--ring", "GF4")
    yield ("query", "--order", "beauty")
    yield ("query", "--format", "xml")
    yield ("best", "cubes:3")
    yield ("frobnicate",)


@pytest.mark.parametrize("words", list(bad_inputs()), ids=" ".join)
def test_bad_input_is_one_line_and_code_2(tool: Tool, words: tuple[str, ...], tmp_path: Path) -> None:
    assert tool("query")[0] == 0  # the catalogue is there
    before = contents(tool.db)
    code, out, err = tool(*words)
    assert (code, out) == (2, ""), err
    assert err.startswith("flipforge: ") and err.count("\n") == 1 and "Traceback" not in err
    assert contents(tool.db) == before
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) in (
        ["catalogue.db"],
        ["catalogue.db"] * 3,
    )


@pytest.mark.parametrize("words", [("--executor", "cloud"), ("--ring", "Z"), ("--workers", "0"), ("--time", "-1")])
def test_bad_input_makes_no_catalogue(tool: Tool, words: tuple[str, ...]) -> None:
    assert tool("search", "matmul:2x2x2", *words)[0] == 2
    assert not tool.db.exists()


def contents(db: Path) -> list[Any]:
    connection = sqlite3.connect(db)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(name, connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables]
    finally:
        connection.close()


def test_no_words_show_the_help(capsys: Capture) -> None:
    code, out, err = answer(capsys)
    assert code == 0 and "Usage: flipforge" in out and "search" in out and err == ""


def test_a_file_of_unknown_format_is_code_2_and_stays(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "poem.dat"
    path.write_bytes(b"\x00\x01 roses are red")
    for command in ("verify", "import", "show"):
        code, out, err = tool(command, str(path))
        assert code == 2 and (out + err).count("Traceback") == 0


def test_databases_that_are_not_ours_are_left_alone(tool: Tool, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    text = tmp_path / "text.db"
    text.write_text("not a database at all, but long enough to have a header " * 4)
    for path in (foreign, text):
        before = path.read_bytes()
        code, _, err = tool("search", "matmul:2x2x2", "--workers", "1", db=path)
        assert code == 2 and str(path) in err and err.count("\n") == 1
        assert path.read_bytes() == before


def test_a_newer_database_is_left_alone(tool: Tool) -> None:
    tool("query")
    with sqlite3.connect(tool.db) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    code, _, err = tool("query")
    assert code == 2 and "newer" in err and err.count("\n") == 1


def test_a_wrong_scheme_is_never_exported(tool: Tool, standard_file: Path, tmp_path: Path) -> None:
    document = json.loads(standard_file.read_text())
    document["w"][0][0] = 0
    standard_file.write_text(json.dumps(document))
    code, _, err = tool("export", str(standard_file), "--target", "numpy", "--out", str(tmp_path / "code"))
    assert code == 1 and err.count("\n") == 1 and not (tmp_path / "code").exists()


def test_gf2_file_states_its_ring(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "gf2.json"
    write_file(standard_scheme(matmul(2, 2, 2), GF2), "flipforge", path)
    assert tool.json("verify", str(path))[0]["ring"] == "GF2"
