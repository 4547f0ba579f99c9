"""Searches over families: members and turns, budgets, replay, interrupts, the live table, and bad input."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from commands import PATIENCE, ROW_KEYS, Capture, answer, command, on_a_terminal
from flipforge import api
from flipforge.api import FamilyProgress, Member, _rounds
from flipforge.catalogue import SqliteStore
from flipforge.cli._live import LiveTable, _Order, family_table, family_text, reached_text
from flipforge.errors import InputError, NotFoundError, ProblemError, RunInterrupted
from flipforge.executors import make_executor
from flipforge.search import Limits, _run, preset

SMALL = "matmul:2x2..3x2..3"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "catalogue.db"


def searched(db: Path, family: str = SMALL, **options: Any) -> api.FamilyResult:
    usual: dict[str, Any] = {"workers": 1, "seed": 101, "preset": "quick"}
    if "max_flips" not in options:
        usual["seconds"] = PATIENCE
    return api.search_family(family, db=db, **{**usual, **options})


def clockless(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in ("run", "seconds")} for row in rows]


def finds(db: Path, run: str) -> list[tuple[str, str]]:
    return [(row["problem"], row["id"]) for row in api.query(run=run, db=db, order="id")]


def test_every_member_gets_to_the_best_known_rank_in_one_run(db: Path) -> None:
    result = searched(db)
    assert list(result.rows[0]) == ROW_KEYS
    assert [(row["problem"], row["rank"], row["gap"], row["target_reached"]) for row in result.rows] == [
        ("matmul:2x2x2", 7, 0, True),
        ("matmul:2x2x3", 11, 0, True),
        ("matmul:2x3x2", 11, 0, True),
        ("matmul:2x3x3", 15, 0, True),
    ]
    assert result.target_reached is True and result.flips == sum(row["flips"] for row in result.rows)
    assert result.as_dict() == {"run": result.run, "rows": list(result.rows)}
    for row in result.rows:
        assert api.load(row["scheme"], db=db).verdict().valid
        replayed = api.replay_scheme(row["scheme"], db=db)
        assert (replayed.scheme, replayed.run, replayed.seed) == (row["scheme"], row["run"], row["seed"])
    assert len({row["seed"] for row in result.rows}) == len(result.rows)


def test_the_catalogue_has_one_run_and_its_members_on_demand(db: Path) -> None:
    result = searched(db)
    (row,) = api.runs(db=db)
    assert (row["id"], row["problem"], row["state"], row["flips"]) == (result.run, SMALL, "done", result.flips)
    assert (row["members"], row["reached"], row["rank"]) == (4, 4, None)
    details = api.run_details(result.run[:6], db=db)
    assert details["rows"] == list(result.rows)
    member = api.run_details(f"{result.run}.3", db=db)
    assert member["problem"] == "matmul:2x3x3" and member["rank"] == 15 and member["levels"][0]["level"] == 18
    events = api.run_events(result.run, db=db)
    assert {each["run"] for each in events} == {f"{result.run}.{number}" for number in range(4)}
    assert sum(each["steps"] for each in events) == result.flips
    assert {problem for problem, _ in finds(db, result.run)} == {each["problem"] for each in result.rows}


def test_one_worker_and_a_seed_repeat_the_whole_run(tmp_path: Path) -> None:
    family, flips = "matmul:2..3x3x3..4", 12_000_000
    runs = []
    for name, seed in (("a.db", 7), ("b.db", 7), ("c.db", 8)):
        result = searched(tmp_path / name, family, seed=seed, max_flips=flips)
        events = [
            {key: value for key, value in each.items() if key not in ("run", "seconds", "worker")}
            for each in api.run_events(result.run, db=tmp_path / name)
        ]
        runs.append((clockless(result.rows), finds(tmp_path / name, result.run), events))
    assert runs[0] == runs[1] and runs[0][1] != runs[2][1]
    first_turn = preset("quick").chunk // 2
    assert len(runs[0][1]) > 20 and runs[0][0][3]["flips"] > first_turn, "3x3x4 has had several turns"


@pytest.mark.parametrize("flips", [1, 1_000, 5_000_001])
def test_flips_are_a_hard_budget_and_are_shared(db: Path, flips: int) -> None:
    result = searched(db, "matmul:4x4..5x4..5", max_flips=flips)
    assert result.flips == flips
    if flips > 1:
        assert all(row["flips"] > 0 and row["rank"] for row in result.rows)
    else:
        assert [row["flips"] for row in result.rows] == [1, 0, 0, 0]
        assert result.rows[1]["rank"] is None and result.rows[1]["gap"] is None
        assert result.rows[1]["target_reached"] is False
    assert result.target_reached is False


def test_turns_take_the_same_number_of_flips_and_double(db: Path) -> None:
    turns: list[tuple[int, int]] = []

    def watch(progress: FamilyProgress) -> None:
        if turns and turns[-1][0] == progress.active:
            turns.pop()
        turns.append((progress.active, progress.members[progress.active].flips))

    first = preset("quick").chunk // 2
    result = searched(db, "matmul:4x4..5x5", max_flips=8 * first, on_progress=watch)
    assert turns == [(member, flips) for flips in (first, 3 * first, 4 * first) for member in (0, 1)]
    assert [row["flips"] for row in result.rows] == [4 * first, 4 * first]


def test_those_that_wait_share_what_is_left_of_the_time(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = searched(db, "matmul:4x4..5x4..5", max_flips=4).run
    monkeypatch.setattr(_rounds, "monotonic", lambda: 100.0)
    with SqliteStore.open(db) as store:
        record = store.run(run)
        rounds = _rounds.Rounds(
            store,
            make_executor("inline", workers=1),
            record,
            schedule=preset("quick"),
            limits=Limits(seconds=12.0),
            on_progress=None,
        )
        (member, *_) = _rounds.members_of(record, store)
        monkeypatch.setattr(_rounds, "monotonic", lambda: 104.0)
        assert [rounds._share(member, 0, waiting).seconds for waiting in (100, 4, 2, 1)] == [0.5, 2.0, 4.0, 8.0]
        monkeypatch.setattr(_rounds, "monotonic", lambda: 111.75)
        assert rounds._share(member, 0, 4).seconds == 0.25, "what is left is not exceeded"
        assert rounds._share(member, 3, 1).flips == 1 + 8 * (preset("quick").chunk // 2)


def test_time_ends_a_run_and_every_member_has_had_some(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A clock that goes on by being read: how long anything takes on this machine does not matter.
    ticks = count()
    for module in (_rounds, _run):
        monkeypatch.setattr(module, "monotonic", lambda: next(ticks) / 100)
    result = searched(db, "matmul:4x4..5x4..5", seconds=4.0)
    assert result.target_reached is False and all(row["flips"] > 0 for row in result.rows)


def test_a_member_without_moves_does_not_hold_the_run_up(db: Path) -> None:
    result = searched(db, "matmul:1..2x1x1", max_flips=20_000_000)
    assert [(row["problem"], row["rank"], row["target_reached"]) for row in result.rows] == [
        ("matmul:1x1x1", 1, None),
        ("matmul:2x1x1", 2, None),
    ]
    assert result.target_reached is None and [row["flips"] for row in result.rows] == [0, 20_000_000]
    tried, walked = (len(api.run_events(row["run"], db=db)) for row in result.rows)
    assert 0 < tried < 20 and walked > 5, "the one without moves had one turn, the other several"


def test_a_family_without_moves_ends(db: Path) -> None:
    assert searched(db, "matmul:1x1x1..1", max_flips=100_000).flips == 0


def test_sorted_keeps_one_of_each_order(db: Path) -> None:
    result = searched(db, "matmul:2..3x2..3x2", sorted_only=True)
    assert [row["problem"] for row in result.rows] == ["matmul:2x2x2", "matmul:2x3x2", "matmul:3x3x2"]
    result = searched(db, "matmul:2..3x2..3x2..3", sorted_only=True, max_flips=4)
    assert [row["problem"] for row in result.rows] == ["matmul:2x2x2", "matmul:2x2x3", "matmul:2x3x3", "matmul:3x3x3"]


def test_a_name_that_stands_twice_is_one_member(db: Path) -> None:
    assert [row["problem"] for row in searched(db, "matmul:2x2x2,2", max_flips=10).rows] == ["matmul:2x2x2"]


def test_resume_goes_on_in_the_same_turn(db: Path) -> None:
    first = searched(db, "matmul:3x3x3..4", max_flips=20_000)
    assert first.target_reached is False and api.is_family_run(first.run, db=db)
    known = finds(db, first.run)
    second = api.resume_family(first.run, max_flips=20_000_000, db=db)
    assert second.run == first.run and second.rows[0]["rank"] < first.rows[0]["rank"]
    assert set(known) <= set(finds(db, first.run)) and second.flips > first.flips
    for before, after in zip(first.rows, second.rows, strict=True):
        chunks = [each["chunk"] for each in api.run_events(after["run"], db=db)]
        assert len(chunks) == len(set(chunks)) and after["flips"] > before["flips"]
        assert sum(each["steps"] for each in api.run_events(after["run"], db=db)) == after["flips"]


def test_a_member_can_be_resumed_by_itself(db: Path) -> None:
    family = searched(db, "matmul:3x3x2..3", max_flips=4_000)
    alone = api.resume(family.rows[1]["run"], seconds=PATIENCE, db=db)
    assert alone.rank == 23 and alone.target_reached
    assert api.run_details(family.run, db=db)["rows"][1]["rank"] == 23


def test_resume_of_what_is_done_walks_nothing(db: Path) -> None:
    first = searched(db)
    assert clockless(api.resume_family(first.run, db=db).rows) == clockless(first.rows)


def test_two_workers_share_one_executor(db: Path) -> None:
    # Long enough for the second worker to come up before the first has found all there is.
    result = searched(db, "matmul:3..4x4x4", workers=2, max_flips=80_000_000)
    events = api.run_events(result.run, db=db)
    assert len({each["worker"] for each in events}) == 2 and result.flips <= 80_000_000
    for row, standard in zip(result.rows, (48, 64), strict=True):
        assert row["rank"] < standard and api.replay_scheme(row["scheme"], db=db).scheme == row["scheme"]


def test_ctrl_c_writes_the_checkpoints(db: Path) -> None:
    def press(progress: FamilyProgress) -> None:
        if progress.active == 1:
            raise KeyboardInterrupt

    with pytest.raises(RunInterrupted) as caught:
        searched(db, "matmul:4x4..5x4", on_progress=press)
    (row,) = api.runs(db=db)
    assert caught.value.run == row["id"] and row["state"] == "stopped"
    rows = api.run_details(row["id"], db=db)["rows"]
    assert all(each["flips"] > 0 for each in rows) and row["flips"] == sum(each["flips"] for each in rows)
    order: list[int] = []
    api.resume_family(
        row["id"], db=db, max_flips=20_000_000, on_progress=lambda progress: order.append(progress.active)
    )
    assert order[0] == 1 and 0 in order, "the turn that was interrupted goes on, then the others have theirs"


# --- the command line ---


def test_the_command_prints_the_table_or_one_json_value(db: Path, capsys: Capture) -> None:
    words = ("search", SMALL, "--workers", "1", "--seed", "101", "--preset", "quick", "--time", "10m", "--db", str(db))
    code, out, err = answer(capsys, *words)
    lines = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "") and lines[0][:4] == ["problem", "rank", "best_known", "gap"] and len(lines) == 6
    assert lines[4][:4] == ["matmul:2x3x3", "15", "15", "0"] and "4 of 4 at the best known rank" in out
    code, out, err = answer(capsys, *words, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "") and list(document) == ["run", "rows"] and list(document["rows"][0]) == ROW_KEYS
    code, out, _ = answer(capsys, "resume", document["run"], "--db", str(db), "--json")
    assert code == 0 and clockless(json.loads(out)["rows"]) == clockless(document["rows"])
    code, out, _ = answer(capsys, "runs", "--db", str(db))
    assert code == 0 and len(out.splitlines()) == 3 and "4/4" in out
    code, out, _ = answer(capsys, "runs", document["run"], "--db", str(db))
    assert code == 0 and "matmul:2x3x2" in out


def test_a_budget_that_ends_first_is_code_3(db: Path, capsys: Capture) -> None:
    words = ("search", "matmul:4x4x4..5", "--workers", "1", "--max-flips", "1000", "--db", str(db), "--json")
    code, out, _ = answer(capsys, *words)
    assert code == 3 and [row["target_reached"] for row in json.loads(out)["rows"]] == [False, False]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("matmul:5..2x2x2",), "empty"),
        (("matmul:2..30x2..30x2..30",), "24389 problems are more than 10000.*--yes"),
        (("matmul:2x2x255..258",), "matmul:2x2x257.*the largest member that can be searched is matmul:2x2x256"),
        (("matmul:2..3x30x30",), "matmul:2x30x30.*no member can be searched"),
        (("matmul:2..3x2x2", "--target-rank", "7"), "--target-rank is for one problem"),
        (("matmul:2..3x2x2", "--from", "0123456789ab"), "--from is for one problem"),
        (("matmul:2..3x2x2", "--ring", "GF4"), "GF4"),
        (("matmul:2..3x2x2", "--workers", "0"), "workers"),
        (("matmul:2..3x2x2", "--max-flips", "0"), "--max-flips"),
        (("matmul:2..3x2x2", "--time", "0"), "--time"),
        (("matmul:2..3x2x2", "--seed", "-1"), "seed"),
        (("matmul:2..3x2x2", "--preset", "slow"), "preset"),
        (("matmul:0..3x2x2",), "matmul:0x2x2"),
        (("cubes:2..3",), "cubes"),
        (("matmul:2x2x2", "--sorted"), "--sorted is for families"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(db: Path, capsys: Capture, words: Sequence[str], says: str) -> None:
    code, out, err = answer(capsys, "search", *words, "--db", str(db))
    assert (code, out) == (2, "") and err.startswith("flipforge: ") and err.count("\n") == 1
    assert re.search(says, err), err
    assert not db.exists()


def test_the_wrong_kind_of_run_is_refused(db: Path, capsys: Capture) -> None:
    family = searched(db, max_flips=10).run
    single = api.search("matmul:2x2x2", workers=1, max_flips=10, db=db).run
    assert single is not None
    for call in (
        lambda: api.search(SMALL, db=db),
        lambda: api.resume(family, db=db),
        lambda: api.resume_family(single, db=db),
    ):
        with pytest.raises(InputError, match=r"family|one problem"):
            call()
    with pytest.raises(NotFoundError):
        api.resume_family("00000000", db=db)
    code, _, err = answer(capsys, "resume", family, "--target-rank", "7", "--db", str(db))
    assert code == 2 and "--target-rank is for one problem" in err


def test_more_than_ten_thousand_problems_need_a_yes(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flipforge.api import _family

    monkeypatch.setattr(_family, "MAX_FAMILY", 3)
    with pytest.raises(ProblemError, match="--yes"):
        searched(db, max_flips=4)
    assert len(searched(db, max_flips=4, yes=True).rows) == 4


# --- the live table ---


def members(number: int, **active: Any) -> list[Member]:
    waiting = [Member(f"r.{k}", f"matmul:2x2x{k + 2}", k + 7) for k in range(number)]
    return [replace(waiting[0], **active), *waiting[1:]] if active else waiting


def progress(everyone: list[Member], active: int = 0) -> FamilyProgress:
    return FamilyProgress(everyone, active, 21.3e6, 41.0, 559.0)


def test_the_table_says_what_is_asked_of_it() -> None:
    from rich.console import Console

    state = progress(members(3, rank=9, level=10, flips=12_345_678, seconds=65.0))
    console = Console(width=100, file=io.StringIO())
    console.print(family_table(state, [0, 1, 2]))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].split() == ["problem", "rank", "best", "known", "gap", "at", "flips", "time"]
    assert lines[1].split() == ["matmul:2x2x2", "9", "7", "2", "10", "12.3", "M", "1:05"]
    assert lines[2].split() == ["matmul:2x2x3", "-", "8", "-", "-", "-", "-"]
    assert lines[4].strip() == "0 of 3 at the best known rank | 21.3 Mflips/s | 0:41 gone, 9:19 left"


def test_what_does_not_fit_gives_way_to_what_changed_last() -> None:
    order = _Order()
    everyone = members(10)
    for number, rank in ((4, 12), (7, 15), (2, 9), (4, 12)):
        everyone[number] = replace(everyone[number], rank=rank)
        order.see(progress(everyone, number))
    assert order.lines(progress(everyone, 4), 10) == list(range(10))
    assert order.lines(progress(everyone, 4), 3) == [4, 2, 7]
    assert "7 not shown" in family_text(progress(everyone, 4), 3)


def test_members_without_a_known_rank_are_counted_apart() -> None:
    assert reached_text([True, False, True]) == "2 of 3 at the best known rank"
    assert reached_text([True, None, False, None]) == "1 of 2 at the best known rank, 2 without one"


def test_no_terminal_no_table(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with LiveTable() as table:
        table(progress(members(3)))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("lines", [40, 6])
def test_a_terminal_sees_the_table_fill_and_stdout_stays_json(db: Path, lines: int) -> None:
    words = command(
        db, "search", "matmul:2x2..3x2..4", "--workers", "1", "--seed", "101", "--preset", "quick", "--json"
    )
    code, out, shown = on_a_terminal(words, lines)
    assert code == 0 and len(json.loads(out)["rows"]) == 6
    for word in (b"best known", b"matmul:2x2x2", b"of 6 at the best known rank", b"Mflips/s"):
        assert word in shown
    frames = re.split(rb"problem +", shown)[1:]
    most = max(frame.count(b"matmul:") for frame in frames)
    assert most == (6 if lines == 40 else lines - 3)
    assert (b"not shown" in shown) is (lines == 6)
