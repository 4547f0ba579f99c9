"""`flipforge reduce`: fewer additions, proven, written or kept in the catalogue; and moves on the scheme."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands import Capture, answer
from conformance import divided_strassen, strassen
from flipforge import api
from flipforge.catalogue import SqliteStore, shipped_schemes
from flipforge.errors import InputError, NotFoundError, PluginError, ReplayError, VerificationError
from flipforge.plugins import Manifest, register
from flipforge.problems import border, matmul
from flipforge.programs import program, read_program, read_slp
from flipforge.rings import GF2, ZT
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import read_file, write_file
from flipforge.search import Entry, Seed, moved
from flipforge_codegen.passes import fewer_additions, moves_reference, share
from flipforge_codegen.passes._moves import Annealed
from flipforge_codegen.sharing_reducer import SharingReducer
from strategies import schemes


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path, empty = tmp_path / "catalogue.db", tmp_path / "none"
    empty.mkdir()
    with SqliteStore.open(path, shipped=empty) as store:
        store.commit([Entry(strassen().over(GF2), "imported"), Entry(divided_strassen(), "imported")])
        store.commit([Entry(standard_scheme(border(1, matmul(1, 1, 1)), GF2), "imported")])
    return path


@pytest.fixture(autouse=True)
def _nothing_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flipforge.catalogue._store.shipped_schemes", lambda: tmp_path / "none")


def count(db: Path, identity: str) -> int | None:
    with SqliteStore.open(db) as store:
        found: int | None = store.row(identity)["additions_reduced"]
        return found


def written(capsys: Capture, db: Path, *words: str) -> Any:
    code, out, err = answer(capsys, "reduce", *words, "--db", str(db), "--json")
    assert (code, err) == (0, ""), err
    return json.loads(out)


def test_an_id_gets_its_count(db: Path, capsys: Capture) -> None:
    identity = strassen().over(GF2).id
    assert count(db, identity) is None
    row = written(capsys, db, identity[:8], "--steps", "100")
    assert (row["additions_before"], row["additions_after"], row["id"]) == (18, 18, identity)
    assert count(db, identity) == 18


def test_what_moves_lead_to_is_kept_and_replayed(db: Path, capsys: Capture) -> None:
    with SqliteStore.open(db) as store:
        store.commit([Entry(strassen(), "found")])
    for parent in (strassen(), strassen().over(GF2)):
        row = written(capsys, db, parent.id, "--moves", "300", "--steps", "100", "--seed", "1")
        assert (row["additions_before"], row["additions_after"]) == (18, 15)
        assert row["id"] != parent.id and count(db, row["id"]) == 15
        with SqliteStore.open(db) as store:
            assert store.row(row["id"])["origin"] == "derived"
            (step,) = store.lineage(row["id"])
        assert (step.parent, step.method, step.arguments) == (parent.id, "moves", {"moves": 300, "seed": 1})
        assert api.replay_scheme(row["id"], db=db).scheme == row["id"]
    again = written(capsys, db, row["id"], "--moves", "3", "--steps", "100")
    assert again["id"] == row["id"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"walk_version": "moves/0"}, "made by moves/0, this version makes moves/1"),
        ({"arguments": {"moves": 300, "seed": 2}}, "stored is"),
        ({"arguments": {"moves": 300}}, "cannot be made again"),
    ],
)
def test_moves_that_lead_elsewhere_are_no_replay(db: Path, change: dict[str, Any], said: str) -> None:
    entry = moved(strassen(), SharingReducer(), moves=300, seed=1)
    assert entry.lineage
    with SqliteStore.open(db) as store:
        store.commit([Entry(strassen(), "found"), replace(entry, lineage=replace(entry.lineage, **change))])
    with pytest.raises(ReplayError, match=said):
        api.replay_scheme(entry.scheme.id, db=db)


def test_a_file_is_written_and_the_scheme_may_change(db: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "fast.json"
    row = written(capsys, db, strassen().over(GF2).id, "--out", str(out), "--moves", "200", "--steps", "100")
    assert (row["additions_before"], row["additions_after"], row["file"]) == (18, 15, str(out))
    assert read_program(out.read_text()).operations.additions == 15
    assert count(db, strassen().over(GF2).id) is None


def test_other_formats(db: Path, tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "strassen.json"
    write_file(strassen(), "flipforge", source)
    few = ("--moves", "0", "--steps", "0")
    row = written(capsys, db, str(source), "--out", str(tmp_path / "r.json"), "--to", "reduced", *few)
    assert read_program(Path(row["file"]).read_text()).scheme() == program(strassen()).scheme()
    (judged,) = api.verify(row["file"], db=":memory:")
    assert judged["verdict"] == "PROVED"
    row = written(capsys, db, str(source), "--out", str(tmp_path / "s.slp"), "--to", "slp", *few)
    assert [Path(path).name for path in row["files"]] == ["s_L.slp", "s_R.slp", "s_P.slp"]
    assert read_slp([Path(path).read_text() for path in row["files"]]).operations.additions == 18


def test_all_of_a_problem(db: Path, capsys: Capture) -> None:
    code, out, err = answer(capsys, "reduce", "--all", "*", "--steps", "0", "--db", str(db))
    assert (code, err) == (0, "")
    assert {strassen().over(GF2).id, divided_strassen().id} == {line.split()[0] for line in out.splitlines()[1:]}
    assert written(capsys, db, "--all", "matmul:2x2x2") == []


def test_a_count_only_falls_and_is_proven(db: Path) -> None:
    scheme = strassen().over(GF2)
    with SqliteStore.open(db) as store:
        store.note_reduced(share(program(scheme), steps=0))
        assert store.row(scheme.id)["additions_reduced"] == 18
        wasteful = program(divided_strassen())
        store.note_reduced(wasteful)
        store.note_reduced(share(wasteful, steps=0))
        fewer = store.row(divided_strassen().id)["additions_reduced"]
        store.note_reduced(wasteful)
        assert store.row(divided_strassen().id)["additions_reduced"] == fewer < wasteful.operations.additions
        with pytest.raises(NotFoundError):
            store.note_reduced(program(strassen()))
        broken = program(scheme).with_parts(*program(scheme).parts)
        object.__setattr__(broken, "left", broken.right)
        with pytest.raises(VerificationError):
            store.note_reduced(broken)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "reduce takes an ID or a file, or --all PROBLEM"),
        (("--all", "*", "--out", "x"), "leave ID, --out and --moves out"),
        (("ID", "--to", "exp", "--out", "x"), "--to exp: use one of program, reduced, slp"),
        (("ID", "--steps", "-1"), "steps is too small"),
        (("ID", "--workers", "0"), "workers is too small"),
        (("ID", "--out", "no/such/folder/x.json", "--moves", "0"), "cannot be written"),
        (("FILE",), "no scheme with this ID"),
    ],
)
def test_bad_input(words: tuple[str, ...], said: str, db: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "strassen.json"
    write_file(strassen(), "flipforge", path)
    named = [{"ID": strassen().over(GF2).id, "FILE": str(path)}.get(word, word) for word in words]
    code, out, err = answer(capsys, "reduce", *named, "--db", str(db))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert count(db, strassen().over(GF2).id) is None


def test_a_plugin_that_keeps_no_protocol_is_named() -> None:
    class Wrong:
        def moved(self, scheme: Scheme, *, moves: int, seed: int) -> Scheme:
            return scheme

        def reduce(self, scheme: Scheme) -> Scheme:
            return scheme

    with pytest.raises(PluginError, match=r"reduce\(\) cannot be called as its protocol says"):
        register(Manifest("wrong-reducer", "reducers", ""), Wrong())


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("matmul-3x3x3_ZT_r23_e2c0744c0b78", 58),
        ("matmul-4x4x4_ZT_r49_0e13bae54b79", 159),
        ("matmul-5x5x5_ZT_r93_2368e274ad98", 383),
    ],
)
def test_our_own_schemes_come_to_the_published_counts(name: str, published: int) -> None:
    (scheme,) = read_file(shipped_schemes() / f"{name}.json")
    assert scheme.provenance["origin"] == "derived"
    assert share(program(scheme), steps=20_000).prove().operations.additions <= published


@pytest.mark.parametrize("ring", [ZT, GF2])
def test_moves_find_winograds_additions_in_strassens_orbit(ring: Any) -> None:
    found = fewer_additions(strassen() if ring == ZT else strassen().over(ring), moves=300, seed=1)
    assert found.certify().kind == "brent"
    assert (found.rank, found.ring) == (7, ring)
    assert share(program(found), "pair").operations.additions == 15
    assert found == fewer_additions(strassen() if ring == ZT else strassen().over(ring), moves=300, seed=1)


@given(schemes(max_size=2), st.integers(0, 2**32), st.integers(0, 40))
@settings(max_examples=60)
def test_moves_are_those_of_the_plain_twin(scheme: Scheme, seed: int, moves: int) -> None:
    given = scheme if scheme.ring.characteristic else scheme.canonical
    if given.problem.order or (not given.ring.characteristic and given.ring != ZT):
        assert fewer_additions(scheme, moves=moves) == scheme
        return
    start = Annealed(given)
    found, cost = start.anneal(moves, Seed(seed))
    assert found.certify().kind == "brent"
    bounds = zip(start.starts, start.starts[1:], strict=False)
    shears = [[tuple(term) for term in start.shears[first:last].tolist()] for first, last in bounds]
    word = int(Seed(seed).words()[0])
    twin, lowest = moves_reference.anneal([rows.tolist() for rows in start.factors], start.p, shears, moves, word)
    assert cost == lowest + start.constant
    for factor, rows, width in zip((found.u, found.v, found.w), twin, start.widths, strict=True):
        assert factor == tuple(tuple(row[:width]) for row in rows)


def test_the_cost_is_that_of_a_program(capsys: Capture) -> None:
    for scheme in (strassen(), strassen().over(GF2), fewer_additions(strassen(), moves=300, seed=1)):
        _, cost = Annealed(scheme).anneal(0, Seed(0))
        assert cost == share(program(scheme), "pair").operations.additions


def test_moves_leave_alone_what_they_cannot_walk_on() -> None:
    for scheme in (divided_strassen(), standard_scheme(border(1, matmul(1, 1, 1)), GF2)):
        assert fewer_additions(scheme, moves=5) == scheme


def test_program_files_are_verified_and_loaded(db: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "fast.json"
    written(capsys, db, strassen().over(GF2).id, "--out", str(out), "--moves", "0", "--steps", "0")
    text = out.read_text(encoding="utf-8")
    (row,) = api.verify(out, db=":memory:")
    assert (row["verdict"], row["problem"], row["ring"], row["rank"]) == ("PROVED", "matmul:2x2x2", "GF2", 7)
    assert api.load(out).id == strassen().over(GF2).id
    for old, new, verdict in (
        ("[1, 0]", "[1, 1]", "REFUTED"),
        ('"rank": 7', '"rank": 8', "MALFORMED"),
        ("program/1", "program/7", None),
    ):
        assert old in text
        out.write_text(text.replace(old, new, 1), encoding="utf-8")
        (row,) = api.verify(out, db=":memory:")
        assert row["verdict"] == verdict
        assert "\n" not in row["reason"]
    out.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="holds a program for matmul:2x2x2 over GF2"):
        api.load(out, ring="ZT")
