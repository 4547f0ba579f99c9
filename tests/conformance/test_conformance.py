"""The conformance suite over flipforge's own executors, spaces and stores; its exporters are in tests/plugins."""

from pathlib import Path
from typing import Any

from conformance import ExecutorConformance, SpaceConformance, StoreConformance
from flipforge.catalogue import SqliteStore
from flipforge.executors import make_executor
from flipforge.problems import matmul, parse
from flipforge.rings import GF3
from flipforge.search import Executor, FlipSpace, Space, Store, space_for


class TestInline(ExecutorConformance):
    @classmethod
    def executor(cls, workers: int) -> Executor:
        return make_executor("inline", workers=workers)


class TestProcess(ExecutorConformance):
    @classmethod
    def executor(cls, workers: int) -> Executor:
        return make_executor("process", workers=workers)


class TestFlipSpace(SpaceConformance):
    def space(self) -> Space[Any]:
        return FlipSpace(matmul(2, 2, 3))


class TestFlipSpaceOfSeveralWords(SpaceConformance):
    def space(self) -> Space[Any]:
        return FlipSpace(matmul(2, 9, 8))


class TestCommutativeSpace(SpaceConformance):
    def space(self) -> Space[Any]:
        return space_for(parse("commutative:2x2x2"))


class TestBorderSpace(SpaceConformance):
    def space(self) -> Space[Any]:
        return space_for(parse("border:2:matmul:1x2x2"), GF3)


class TestSqlite(StoreConformance):
    def open(self, folder: Path) -> Store:
        (folder / "shipped").mkdir(exist_ok=True)
        return SqliteStore.open(folder / "catalogue.db", shipped=folder / "shipped")
