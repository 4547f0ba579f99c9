"""Catalogues for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flipforge.catalogue import SqliteStore


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Return a folder of shipped schemes that holds none."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path, empty: Path) -> Iterator[SqliteStore]:
    """Yield a catalogue with nothing in it."""
    with SqliteStore.open(tmp_path / "catalogue.db", shipped=empty) as opened:
        yield opened
