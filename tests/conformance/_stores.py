"""Conformance of stores."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance._examples import strassen, wrong_strassen
from flipforge.errors import NotFoundError, VerificationError
from flipforge.problems import matmul
from flipforge.rings import GF2
from flipforge.schemes import standard_scheme
from flipforge.search import Entry, Lineage, RunRecord, Store

__all__ = ["StoreConformance"]


class StoreConformance:
    """Tests of a `Store`; a subclass gives `open`."""

    def open(self, folder: Path) -> Store:
        """Open the store that lives in a folder, which is empty at first; a second call opens the same."""
        raise NotImplementedError("a subclass opens its store")

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store."""
        store = self.open(tmp_path)
        yield store
        store.close()

    def found(self, run: str) -> tuple[Entry, Entry]:
        """A start and a find with its lineage."""
        start, find = standard_scheme(matmul(2, 2, 2), GF2).canonical, strassen().over(GF2).canonical
        effort = {"steps": 1000, "goal": 7, "idle": 100, "band": 1}
        step = Lineage(find.id, start.id, "walk", (5, 0, 3), effort, "test/1", run)
        return Entry(start, "derived"), Entry(find, "found", step)

    def record(self) -> RunRecord:
        return RunRecord(
            id="0123456789ab",
            problem="matmul:2x2x2",
            ring="GF2",
            state="running",
            config={"seed": 5, "preset": {"name": "quick", "path": [1, 2]}},
            checkpoint={"next": 3},
            created="2026-01-01T00:00:00Z",
            updated="2026-01-01T00:00:01Z",
        )

    def test_scheme_comes_back_with_its_provenance(self, store: Store) -> None:
        scheme = strassen()
        assert store.commit([Entry(scheme, "imported", source="a file")]) == [scheme.id]
        for prefix in (scheme.id, scheme.id[:6]):
            again = store.scheme(prefix)
            assert again.canonical == scheme.canonical
            assert again.provenance["method"] == scheme.provenance["method"]

    def test_commit_is_idempotent(self, store: Store) -> None:
        scheme = strassen()
        shuffled = replace(scheme, u=scheme.u[::-1], v=scheme.v[::-1], w=scheme.w[::-1])
        store.commit([Entry(scheme, "imported")])
        assert store.commit([Entry(scheme, "imported"), Entry(shuffled, "imported")]) == []

    def test_wrong_scheme_is_refused_and_nothing_is_written(self, store: Store) -> None:
        right, wrong = standard_scheme(matmul(2, 2, 2), GF2), wrong_strassen()
        with pytest.raises(VerificationError):
            store.commit([Entry(right, "imported"), Entry(wrong, "imported")], self.record())
        for scheme in (right, wrong):
            with pytest.raises(NotFoundError):
                store.scheme(scheme.id)
        assert store.runs() == []

    def test_unknown_ids_are_not_found(self, store: Store) -> None:
        for ask in (store.scheme, store.lineage, store.run):
            with pytest.raises(NotFoundError):
                ask("fedcba987654")

    def test_lineage_is_the_chain_oldest_first(self, store: Store) -> None:
        record = self.record()
        start, find = self.found(record.id)
        store.commit([start, find], record)
        assert store.lineage(find.scheme.id) == [find.lineage]
        assert store.lineage(start.scheme.id) == []

    def test_run_comes_back_and_is_brought_up_to_date(self, store: Store) -> None:
        record = self.record()
        start, find = self.found(record.id)
        store.commit([], record)
        assert store.run(record.id) == record
        later = replace(
            record, state="done", checkpoint={"next": 9}, rank=7, best=find.scheme.id, flips=1000, seconds=1.5
        )
        store.commit([start, find], later)
        assert store.run(record.id[:6]) == later
        assert store.runs() == [later]

    def test_runs_are_listed_oldest_first(self, store: Store) -> None:
        second = replace(self.record(), created="2026-01-02T00:00:00Z")
        first = replace(self.record(), id="ffff23456789")
        store.commit([], first)
        store.commit([], second)
        assert [run.id for run in store.runs()] == [first.id, second.id]

    def test_events_keep_their_order(self, store: Store) -> None:
        record = self.record()
        store.commit([], record, [{"chunk": 1}, {"chunk": 0}])
        store.commit([], record, [{"chunk": 2}])
        assert [event["chunk"] for event in store.events(record.id)] == [1, 0, 2]

    def test_events_delivered_twice_stand_once(self, store: Store) -> None:
        record = self.record()
        store.commit([], record, [{"chunk": 0}])
        store.commit([], record, [{"chunk": 0}, {"chunk": 1}])
        assert [event["chunk"] for event in store.events(record.id)] == [0, 1]

    def test_everything_is_there_after_opening_again(self, tmp_path: Path) -> None:
        record = self.record()
        start, find = self.found(record.id)
        store = self.open(tmp_path)
        store.commit([start, find], record, [{"chunk": 0}])
        store.close()
        again = self.open(tmp_path)
        try:
            assert again.scheme(find.scheme.id).canonical == find.scheme
            assert again.lineage(find.scheme.id) == [find.lineage]
            assert again.runs() == [record]
            assert len(again.events(record.id)) == 1
            assert again.commit([start, find], record) == []
        finally:
            again.close()
