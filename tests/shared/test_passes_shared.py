"""Additions after sharing, on the published schemes that the counts of the literature belong to."""

from pathlib import Path

import pytest

from flipforge.programs import program, read_program
from flipforge.schemes.formats import read_file
from flipforge_codegen.passes import share

FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes" / "general_fmm_json"

PUBLISHED = {
    "a_60_addition__3x3x3_m23_additions60_ZT.json": 60,
    "naive_addition_reduced_ZT__5x5x5_m93_c843_ZT.json": 383,
}


@pytest.mark.skipif(not FILES.is_dir(), reason="../shared/data/schemes is absent")
@pytest.mark.parametrize("name", PUBLISHED)
def test_additions_are_at_or_below_the_published_count(name: str) -> None:
    assert share(program(read_file(FILES / name)[0])).prove().operations.additions <= PUBLISHED[name]


@pytest.mark.parametrize("path", sorted(FILES.glob("reduced_*.json")), ids=lambda path: path.name)
def test_sharing_is_as_good_as_in_the_reduced_files(path: Path) -> None:
    published = read_program(path.read_text(encoding="utf-8"))
    assert share(program(published.scheme())).operations.additions <= published.operations.additions
