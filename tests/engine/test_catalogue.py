"""The store: what is written is proved, found again, and told with its whole history."""

import json
import re
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from catalogue_samples import find, record, standard, step, strassen, variants, wrong
from flipforge.catalogue import Query, SqliteStore, default_path
from flipforge.catalogue._database import connect, locate
from flipforge.errors import CatalogueError, FlipforgeError, InputError, NotFoundError, VerificationError
from flipforge.problems import tensor_problem
from flipforge.rings import GF2, GF3, ZT, Q
from flipforge.schemes import Scheme, costs, standard_scheme
from flipforge.schemes.formats import dump_native
from flipforge.search import Entry, Store


def ids(store: SqliteStore) -> set[str]:
    return {row["id"] for row in store.rows()}


def one_line(error: pytest.ExceptionInfo[FlipforgeError]) -> str:
    text = str(error.value)
    assert text
    assert "\n" not in text
    return text


def test_it_is_a_store(store: SqliteStore) -> None:
    assert isinstance(store, Store)


def test_what_is_committed_comes_back(store: SqliteStore) -> None:
    schemes = [strassen(GF2), standard("matmul:2x3x2", ZT), standard("matmul:1x1x1", Q)]
    assert store.commit([Entry(scheme, "derived") for scheme in schemes]) == [scheme.id for scheme in schemes]
    for scheme in schemes:
        found = store.scheme(scheme.id[:6].upper())
        assert found == scheme.canonical
        row = store.row(scheme.id)
        counted = {key: row[key] for key in ("rank", "additions", "nonzeros", "omega")}
        assert counted == costs(scheme).as_dict()
        assert (row["id"], row["problem"], row["ring"]) == (scheme.id, scheme.problem.name, scheme.canonical.ring.name)
        assert row["additions_reduced"] is None
        assert row["verified"] >= row["created"]


def test_the_stored_ring_is_the_smallest(store: SqliteStore) -> None:
    store.commit([Entry(strassen(Q), "derived")])
    assert store.row(strassen(ZT).id)["ring"] == "ZT"


def test_a_tensor_is_stored_with_its_coefficients(store: SqliteStore) -> None:
    problem = tensor_problem((2, 2, 1), [((0, 0, 0), 3), ((1, 1, 0), -2)])
    scheme = standard_scheme(problem, GF3)
    store.commit([Entry(scheme, "derived")])
    assert store.scheme(scheme.id).problem.tensor == problem.tensor
    assert [row["id"] for row in store.rows(Query(problem.name))] == [scheme.id]


def test_commits_are_idempotent(store: SqliteStore) -> None:
    entries = [find(scheme, standard()) for scheme in variants(4)]
    assert len(store.commit([*entries, entries[0]], record())) == 4
    before = store.rows(), store.lineage(entries[0].scheme.id)
    assert store.commit(entries, record()) == []
    assert (store.rows(), store.lineage(entries[0].scheme.id)) == before


def test_a_wrong_scheme_is_refused_and_nothing_of_its_batch_is_kept(store: SqliteStore) -> None:
    store.commit([Entry(standard(), "derived")], record(checkpoint={"at": 1}))
    with pytest.raises(VerificationError, match=r"coefficient of a\d+\*b\d+ in c\d+ is") as error:
        store.commit([find(strassen(GF2), standard()), Entry(wrong(), "found")], record(checkpoint={"at": 2}), [{}])
    assert wrong().id in one_line(error)
    assert ids(store) == {standard().id}
    assert store.run("run-one").checkpoint == {"at": 1}
    assert store.events("run-one") == []


def test_the_text_that_is_stored_is_the_one_that_is_proved(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in (wrong(), standard()):
        text = dump_native(other.canonical)
        monkeypatch.setattr("flipforge.catalogue._records.dump_native", lambda scheme, text=text: text)
        with pytest.raises(VerificationError, match="does not read back"):
            store.commit([Entry(strassen(GF2), "derived")])
    assert store.rows() == []


@pytest.mark.parametrize("origin", ["", "Found", "stolen"])
def test_an_unknown_origin_is_refused(store: SqliteStore, origin: str) -> None:
    with pytest.raises(InputError, match="found, derived, imported") as error:
        store.commit([Entry(standard(), origin)])
    one_line(error)


def test_lineage_must_lead_to_its_scheme(store: SqliteStore) -> None:
    with pytest.raises(InputError, match=standard().id):
        store.commit([Entry(standard(), "found", step(strassen(GF2), standard()))])


def test_an_import_that_is_found_becomes_a_find(store: SqliteStore) -> None:
    scheme = strassen(GF2)
    store.commit([Entry(scheme, "imported", source="a.json")])
    assert store.commit([find(scheme, standard())], record()) == []
    row = store.row(scheme.id)
    assert (row["origin"], row["run"], row["source"]) == ("found", "run-one", "a.json")
    assert store.lineage(scheme.id) == [step(scheme, standard())]


def test_a_find_that_is_imported_stays_a_find(store: SqliteStore) -> None:
    scheme = strassen(GF2)
    store.commit([find(scheme, standard())], record())
    before = store.row(scheme.id)
    store.commit([Entry(scheme, "imported", source="a.json")])
    store.commit([Entry(scheme, "derived", step(scheme, variants(1)[0], method="reduce"))])
    assert store.row(scheme.id) == before


def test_to_start_a_run_from_an_import_does_not_make_it_ours(store: SqliteStore) -> None:
    scheme = strassen(GF2)
    store.commit([Entry(scheme, "imported", source="a.json")])
    store.commit([Entry(scheme, "derived", source="start")], record())
    assert store.row(scheme.id)["origin"] == "imported"


def test_lineage_goes_back_to_the_first_ancestor_oldest_first(store: SqliteStore) -> None:
    chain = [standard(), *variants(5)]
    entries = [find(child, parent) for parent, child in pairwise(chain)]
    store.commit([*entries[::-1], find(strassen(GF2), chain[3])], record())
    assert [step.child for step in store.lineage(chain[-1].id)] == [scheme.id for scheme in chain[1:]]
    assert [step.parent for step in store.lineage(strassen(GF2).id)] == [scheme.id for scheme in chain[:4]]
    assert store.lineage(entries[0].scheme.id) == [entries[0].lineage]


def test_the_first_lineage_stays(store: SqliteStore) -> None:
    first, second = variants(2)
    store.commit([find(strassen(GF2), first)], record())
    store.commit([find(strassen(GF2), second, "run-two")], record("run-two"))
    assert store.lineage(strassen(GF2).id) == [step(strassen(GF2), first)]


def test_no_scheme_becomes_its_own_ancestor(store: SqliteStore) -> None:
    start, middle, end = variants(3)
    store.commit([Entry(start, "imported", source="a.json"), find(middle, start), find(end, middle)], record())
    store.commit([find(start, end), find(end, end), find(middle, end)], record())
    assert store.row(start.id)["origin"] == "imported"
    assert store.lineage(start.id) == []
    assert [step.child for step in store.lineage(end.id)] == [middle.id, end.id]


def test_a_loop_in_a_damaged_file_ends(store: SqliteStore, tmp_path: Path) -> None:
    first, second = variants(2)
    store.commit([find(first, standard()), find(second, first)], record())
    with sqlite3.connect(store.path) as raw:
        raw.execute("UPDATE lineage SET parent = ? WHERE child = ?", (second.id, first.id))
    raw.close()
    assert [step.child for step in store.lineage(second.id)] == [first.id, second.id]


def test_provenance_tells_the_whole_history_and_is_json(store: SqliteStore) -> None:
    middle, end = variants(2)
    store.commit([find(middle, standard()), Entry(end, "derived", step(end, middle), source="by hand")], record())
    provenance = store.scheme(end.id).provenance
    assert (provenance["origin"], provenance["run"], provenance["source"]) == ("derived", "run-one", "by hand")
    assert json.loads(json.dumps(provenance["lineage"])) == [
        {
            "child": child.id,
            "parent": parent.id,
            "method": "walk",
            "seed": [5, 0, 2],
            "effort": {"steps": 10, "goal": 7, "idle": 3, "band": 2},
            "walk_version": "v1",
            "run": "run-one",
        }
        for parent, child in ((standard(), middle), (middle, end))
    ]


def test_the_catalogue_has_the_last_word_on_origin_and_lineage(store: SqliteStore) -> None:
    claims = {"origin": "found", "run": "theirs", "lineage": [{"child": "x"}], "source": "theirs", "note": 1}
    store.commit([Entry(replace(strassen(GF2), provenance=claims), "derived")])
    assert store.scheme(strassen(GF2).id).provenance == {"origin": "derived", "note": 1}


def test_what_an_import_claims_is_kept_apart(store: SqliteStore) -> None:
    claims = {"origin": "found", "run": "theirs", "lineage": [{"child": "x"}], "source": "theirs"}
    scheme = replace(strassen(GF2), provenance={**claims, "author": "V. Strassen", "unknown_keys": {"note": 1}})
    store.commit([Entry(scheme, "imported", source="a.json sha256=00")])
    assert store.scheme(scheme.id).provenance == {
        "origin": "imported",
        "source": "a.json sha256=00",
        "author": "V. Strassen",
        "stated": claims,
        "unknown_keys": {"note": 1},
    }
    assert store.lineage(scheme.id) == []


def test_prefixes(store: SqliteStore) -> None:
    schemes = variants(40)
    store.commit([Entry(scheme, "derived") for scheme in schemes])
    identity = schemes[0].id
    assert store.scheme(identity) == store.scheme(schemes[0].digest) == store.scheme(identity[:8])
    twin = identity[:8] + ("0000" if identity[8:] != "0000" else "1111")
    with sqlite3.connect(store.path) as raw:
        raw.execute("UPDATE objects SET id = ? WHERE id = ?", (twin, schemes[1].id))
        raw.execute("UPDATE objects SET digest = ? || substr(digest, 13) WHERE id = ?", (twin, twin))
    raw.close()
    for prefix, fragment in [
        (identity[:8], "2 schemes begin so"),
        (identity[:5], "6 to 12"),
        ("", "6 to 12"),
        ("no hex", "not an ID"),
        ("%%%%%%%", "not an ID"),
        ("0" * 12, "no scheme"),
        (schemes[2].digest[:-1] + ("0" if schemes[2].digest[-1] != "0" else "1"), "no scheme"),
    ]:
        with pytest.raises(NotFoundError, match=fragment) as error:
            store.scheme(prefix)
        one_line(error)
        with pytest.raises(NotFoundError, match=fragment):
            store.lineage(prefix)


def test_an_id_that_two_digests_share_is_refused(store: SqliteStore) -> None:
    store.commit([Entry(standard(), "derived")])
    with sqlite3.connect(store.path) as raw:
        raw.execute("UPDATE objects SET digest = id || '0000'")
    raw.close()
    with pytest.raises(CatalogueError, match="is taken by another scheme") as error:
        store.commit([Entry(strassen(GF2), "derived"), Entry(standard(), "derived")])
    one_line(error)
    assert ids(store) == {standard().id}


def test_a_stored_text_that_was_changed_is_noticed(store: SqliteStore) -> None:
    store.commit([Entry(standard(), "derived"), Entry(strassen(GF2), "derived")])
    with sqlite3.connect(store.path) as raw:
        other = raw.execute("SELECT data FROM objects WHERE id = ?", (strassen(GF2).id,)).fetchone()[0]
        raw.execute("UPDATE objects SET data = ? WHERE id = ?", (other, standard().id))
        raw.execute("UPDATE objects SET data = ? WHERE id = ?", (other[:-3] + b"abc", strassen(GF2).id))
    raw.close()
    for scheme in (standard(), strassen(GF2)):
        with pytest.raises(CatalogueError, match=scheme.id) as error:
            store.scheme(scheme.id)
        one_line(error)


def test_runs(store: SqliteStore) -> None:
    first = record("abcdef01", {"pools": {"8": ["x"]}}, rank=8, best="b" * 12, flips=10**12, seconds=0.5)
    store.commit([], first, [{"chunk": 0}])
    store.commit([], record("abcdef02"))
    kept = store.run("abcdef01")
    assert replace(kept, created="", updated="") == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", kept.created)
    later = replace(first, state="done", checkpoint={}, rank=7, flips=2 * 10**12, created="later", updated="later")
    store.commit([], later, [{"chunk": 1}, {"chunk": 2}])
    assert store.run("abcdef01") == replace(later, created=kept.created)
    assert [run.id for run in store.runs()] == ["abcdef01", "abcdef02"]
    assert store.events("abcdef01") == [{"chunk": 0}, {"chunk": 1}, {"chunk": 2}]
    assert store.events("abcdef02") == []
    for prefix, fragment in [("abcdef", "2 runs"), ("abcde", "no such run"), ("0" * 8, "no such run"), ("", "no such")]:
        with pytest.raises(NotFoundError, match=fragment) as error:
            store.run(prefix)
        one_line(error)


def test_a_run_keeps_its_configuration(store: SqliteStore) -> None:
    store.commit([], record())
    with pytest.raises(CatalogueError, match="another configuration"):
        store.commit([Entry(standard(), "derived")], record(config={"seed": 6}))
    assert store.rows() == []
    assert store.run("run-one").config == {"seed": 5}


def test_events_need_a_run(store: SqliteStore) -> None:
    with pytest.raises(InputError, match="record"):
        store.commit([], None, [{"chunk": 0}])


def test_commits_are_durable(store: SqliteStore) -> None:
    connection = store._connection
    settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert settings == {"journal_mode": "wal", "synchronous": 2}
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    assert connection.execute("PRAGMA application_id").fetchone()[0] == int.from_bytes(b"flip", "big")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("some/x.db", "{cwd}/some/x.db"),
        ("sqlite:///some/x.db", "{cwd}/some/x.db"),
        ("sqlite:////some/x.db", "/some/x.db"),
        (Path("/some/x.db"), "/some/x.db"),
        ("~/x.db", "{home}/x.db"),
        (":memory:", ":memory:"),
    ],
)
def test_where_a_catalogue_is(url: str | Path, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(locate(url)) == path.format(cwd=tmp_path, home="/home/somebody")
    monkeypatch.setenv("FLIPFORGE_DB", str(url))
    assert locate(None) == locate(url)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "sqlite://x.db", "postgresql://host/db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(CatalogueError, match="sqlite:///PATH") as error:
        locate(url)
    one_line(error)


def test_the_users_own_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIPFORGE_DB", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_path() == locate(None) == Path("/data/flipforge/catalogue.db")
    for elsewhere in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", elsewhere)
        assert default_path() == Path("/home/somebody/.local/share/flipforge/catalogue.db")


def test_a_catalogue_in_memory(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with SqliteStore.open(":memory:", shipped=empty) as store:
        store.commit([Entry(standard(), "derived")])
        assert ids(store) == {standard().id}
    assert not list(tmp_path.glob(":memory:*"))


def test_nothing_is_made_unless_asked_for(tmp_path: Path, empty: Path) -> None:
    path = tmp_path / "folder" / "x.db"
    with pytest.raises(NotFoundError, match="no such catalogue") as error:
        SqliteStore.open(path, create=False, shipped=empty)
    assert str(path) in one_line(error)
    assert not path.parent.exists()
    SqliteStore.open(path, shipped=empty).close()
    SqliteStore.open(path, create=False, shipped=empty).close()


OLD = (("CREATE TABLE things (name TEXT)", "INSERT INTO things VALUES ('kept')"),)
NEXT = ("ALTER TABLE things ADD COLUMN size INTEGER", "UPDATE things SET size = length(name)")


def version(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[60:64], "big")


def test_an_older_catalogue_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connect(path, steps=OLD).close()
    assert version(path) == 1
    connection = connect(path, steps=(*OLD, NEXT))
    assert [tuple(row) for row in connection.execute("SELECT name, size FROM things")] == [("kept", 4)]
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
    connection.close()
    with pytest.raises(CatalogueError, match="version 2 is newer than 1"):
        connect(path, steps=OLD)


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connect(path, steps=OLD).close()
    with pytest.raises(CatalogueError, match="no such table: absent") as error:
        connect(path, steps=(*OLD, NEXT, ("DELETE FROM absent",)))
    one_line(error)
    connection = connect(path, steps=OLD)
    assert [tuple(row) for row in connection.execute("SELECT * FROM things")] == [("kept",)]
    connection.close()


def test_every_version_is_reached_from_the_first(tmp_path: Path, empty: Path) -> None:
    from flipforge.catalogue._schema import MIGRATIONS

    for taken in range(1, len(MIGRATIONS) + 1):
        path = tmp_path / f"{taken}.db"
        connect(path, steps=MIGRATIONS[:taken]).close()
        with SqliteStore.open(path, shipped=empty) as store:
            store.commit([Entry(standard(), "derived")], record())
            assert ids(store) == {standard().id}


def test_zero_products_are_stored_as_they_are(store: SqliteStore) -> None:
    base = standard()
    padded = Scheme(base.problem, GF2, (*base.u, (0,) * 4), (*base.v, (1,) * 4), (*base.w, (1,) * 4))
    store.commit([Entry(padded, "derived")])
    assert store.row(padded.id)["rank"] == 9
    assert store.scheme(padded.id) == padded.canonical
