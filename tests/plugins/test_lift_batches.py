"""Batches of lifts: spread over workers, kept with their proofs, interrupted and resumed."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogue_samples import standard, strassen
from commands import Capture, answer
from executor_checks import until
from flipforge import api
from flipforge.catalogue import SqliteStore
from flipforge.certificates import Certificate
from flipforge.errors import InputError, MalformedError, NotFoundError, RunInterrupted, VerificationError
from flipforge.problems import tensor_problem
from flipforge.rings import GF2, GF3, Q
from flipforge.schemes import Scheme
from flipforge.schemes.formats import dump_certificate
from flipforge.search import Entry
from flipforge_lifting import HenselLifter

# x0 y0 + 2 x1 y1 has rank 1 modulo 2, and rank 2 modulo 4.
OBSTRUCTED = Scheme(tensor_problem([2, 2, 1], [((0, 0, 0), 1), ((1, 1, 0), 2)]), GF2, ((1, 0),), ((1, 0),), ((1,),))
SOURCES = (strassen(GF2), strassen(GF3), standard("matmul:2x2x1"), OBSTRUCTED)


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue with the sources alone."""
    (tmp_path / "none").mkdir()
    monkeypatch.setattr("flipforge.catalogue._store.shipped_schemes", lambda: tmp_path / "none")
    with SqliteStore.open(tmp_path / "c.db") as store:
        store.commit([Entry(scheme, "derived") for scheme in SOURCES])
    return tmp_path / "c.db"


def outcomes(batch: api.LiftBatch) -> dict[str, tuple[str, str | None]]:
    return {row["source"]: (row["outcome"], row.get("ring")) for row in batch.rows}


EXPECTED = {scheme.canonical.id: ("lifted", "ZT") for scheme in SOURCES[:3]} | {OBSTRUCTED.id: ("obstructed", None)}


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_batch_lifts_everything_and_keeps_it(db: Path, executor: str) -> None:
    batch = api.lift_all("*", workers=1, executor=executor, db=db)
    assert outcomes(batch) == EXPECTED and batch.exit_code == 1
    assert api.runs(db=db)[0]["state"] == "done" and api.is_lift_run(batch.run, db=db)
    assert api.run_details(batch.run, db=db)["rows"] == [dict(row) for row in batch.rows]
    assert {row["id"] for row in api.query(ring="ZT", db=db)} == {row["id"] for row in batch.rows if row["lifted"]}
    judged = api.verify(OBSTRUCTED.id, db=db)
    assert [(row["source"].partition(":")[2], row["verdict"]) for row in judged] == [
        ("", "PROVED"),
        ("obstruction", "PROVED"),
    ]


def test_what_is_known_is_not_lifted_again(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = api.lift_all("*", workers=1, db=db)
    monkeypatch.setattr("flipforge_lifting._lifter.Hensel", None)
    again = api.lift_all("*", workers=1, db=db)
    assert outcomes(again) == outcomes(before) == EXPECTED
    assert [row.get("id") for row in again.rows] == [row.get("id") for row in before.rows]


def test_an_interrupted_batch_goes_on_where_it_was(db: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(progress: api.LiftProgress) -> None:
        assert progress.total == len(SOURCES)
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(RunInterrupted) as caught:
        api.lift_all("*", workers=1, db=db, on_progress=stop)
    run = caught.value.run
    assert api.runs(db=db)[0]["state"] == "stopped" and len(api.run_details(run, db=db)["rows"]) == 2
    lifted: list[str] = []
    lift = HenselLifter.lift

    def counted(self: HenselLifter, scheme: Scheme, to: Any = Q, **terms: Any) -> Any:
        lifted.append(scheme.id)
        return lift(self, scheme, to, **terms)

    monkeypatch.setattr(HenselLifter, "lift", counted)
    code, out, _ = answer(capsys, "resume", run, "--db", str(db), "--json")
    assert code == 1 and len(lifted) == 2
    assert {row["source"]: (row["outcome"], row["ring"]) for row in json.loads(out)["rows"]} == EXPECTED
    for words, reason in (
        (("--target-rank", "5"), "--target-rank is for searches"),
        (("--time", "5s"), "--time is for searches"),
    ):
        code, _, err = answer(capsys, "resume", run, *words, "--db", str(db))
        assert code == 2 and reason in err
    with pytest.raises(InputError, match="batch of lifts"):
        api.resume(run, db=db)


SLOWLY = """
import sys, time
from pathlib import Path
from flipforge import api
from flipforge.catalogue import _store
from flipforge_lifting import HenselLifter

lift = HenselLifter.lift

def slow(self, *args, **terms):
    time.sleep(1)
    return lift(self, *args, **terms)

HenselLifter.lift = slow
_store.shipped_schemes = lambda: Path(sys.argv[2])
api.lift_all("*", workers=1, db=sys.argv[1])
"""


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_killed_batch_goes_on_where_it_was(db: Path, executor: str) -> None:
    def rows() -> list[Any]:
        return [row for run in api.runs(db=db) for row in api.run_details(run["id"], db=db)["rows"]]

    with subprocess.Popen([sys.executable, "-c", SLOWLY, str(db), str(db.parent / "none")]) as batch:
        before = until(rows)
        batch.kill()
    assert batch.returncode == -signal.SIGKILL and len(before) < len(SOURCES)
    (run,) = api.runs(db=db)
    assert run["state"] == "running"
    resumed = api.resume_lifts(run["id"], workers=1, executor=executor, db=db)
    assert outcomes(resumed) == EXPECTED and api.runs(db=db)[0]["state"] == "done"
    assert [row for row in resumed.rows if row["source"] in {old["source"] for old in before}] == before


def test_a_task_that_fails_is_a_row_and_no_more(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: HenselLifter, scheme: Scheme, to: Any, **terms: Any) -> Any:
        raise ValueError("a broken lifter")

    monkeypatch.setattr(HenselLifter, "lift", broken)
    batch = api.lift_all("matmul:*", workers=1, db=db)
    assert batch.exit_code == 2 and all("a broken lifter" in row["reason"] for row in batch.rows)


def test_the_command(db: Path, capsys: Capture) -> None:
    code, out, _ = answer(capsys, "lift", "--all", "matmul:*", "--workers", "1", "--db", str(db))
    assert code == 0 and "3 of 3 lifted" in out
    code, out, _ = answer(capsys, "runs", json.loads(json.dumps(api.runs(db=db)[0]["id"])), "--db", str(db))
    assert code == 0 and out.count("lifted") == 3
    for words, reason in (
        ((), "give either an ID or file, or --all"),
        (("x.json", "--all", "matmul:*"), "give either"),
        (("x.json", "--workers", "1"), "--workers is for --all"),
        (("--all", "matmul:*", "--out", "x"), "--out is for one scheme"),
        (
            (
                "--all",
                "matmul:7x7x7",
            ),
            "no scheme over a GF(p) to lift",
        ),
    ):
        code, out, err = answer(capsys, "lift", *words, "--db", str(db))
        assert (code, out) == (2, "") and reason in err


def test_certificates_that_do_not_hold_are_not_kept(db: Path) -> None:
    proof = HenselLifter().lift(OBSTRUCTED).obstruction
    assert proof is not None
    with SqliteStore.open(db) as store:
        store.attach(proof)
        with pytest.raises(VerificationError, match="REFUTED"):
            store.attach(replace(proof, witness={"dual": [[0, 0, 0, 1]]}))
        with pytest.raises(VerificationError, match="another tensor"):
            store.attach(replace(proof, statement={**proof.statement, "problem": "matmul:1x2x1"}))
        assert store.certificates(OBSTRUCTED.id) == [kept(proof)]
    with SqliteStore.open(db.parent / "other.db") as store, pytest.raises(NotFoundError):
        store.attach(proof)


def test_a_dump_holds_the_proofs_and_a_catalogue_made_of_it_has_them(db: Path, tmp_path: Path, capsys: Capture) -> None:
    api.lift_all("*", workers=1, db=db)
    with SqliteStore.open(db) as store:
        (proof,) = store.certificates(OBSTRUCTED.id)
    (row,) = [row for row in api.dump(tmp_path / "out", db=db) if row["certificates"]]
    (name,) = row["certificates"]
    assert row["id"] == OBSTRUCTED.id and Path(name).parent == tmp_path / "out" / "certificates"
    assert Path(name).name == f"{Path(row['file']).stem}.obstruction.json"
    code, out, _ = answer(capsys, "verify", name, "--db", str(db), "--json")
    assert code == 0 and json.loads(out)[0]["verdict"] == "PROVED"
    with SqliteStore.open(tmp_path / "other.db", shipped=tmp_path / "out") as store:
        assert store.certificates(OBSTRUCTED.id) == [proof]
    text = Path(name).read_text()
    for wrong, error in (
        (text.replace('"obstruction"', '"signs"'), VerificationError),
        (dump_certificate(replace(proof, witness={"dual": [[0, 0, 0, 1]]})), VerificationError),
        ("{", MalformedError),
    ):
        Path(name).write_text(wrong)
        with pytest.raises(error):
            SqliteStore.open(tmp_path / "none.db", shipped=tmp_path / "out")


def kept(certificate: Certificate) -> Certificate:
    """What comes back is what a file would hold: JSON values."""
    return Certificate(**json.loads(json.dumps(vars(certificate))))
