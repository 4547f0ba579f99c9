"""Published programs and schemes as programs: the counts that their files state, proven."""

import json
import re
from pathlib import Path

import pytest

from flipforge.programs import dump_reduced, program, read_program
from flipforge.schemes.formats import read_file

FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes" / "general_fmm_json"
REDUCED = sorted(FILES.glob("reduced_*.json"))


@pytest.mark.skipif(not REDUCED, reason="../shared/data/schemes is absent")
def test_reduced_files_are_there() -> None:
    assert len(REDUCED) == 4


@pytest.mark.parametrize("path", REDUCED, ids=lambda path: path.name)
def test_reduced_file_is_proven_and_costs_what_it_states(path: Path) -> None:
    found = read_program(path.read_text(encoding="utf-8"))
    stated = json.loads(path.read_text(encoding="utf-8"))["complexity"]
    assert found.operations.additions == stated["reduced"]
    assert json.loads(dump_reduced(found))["complexity"] == stated
    assert found.scheme().id == read_file(path)[0].id


@pytest.mark.parametrize("path", sorted(FILES.glob("naive_addition_reduced_*.json")), ids=lambda path: path.name)
def test_scheme_as_written_costs_what_its_name_states(path: Path) -> None:
    stated = re.search(r"_c(\d+)_", path.name)
    assert stated
    assert program(read_file(path)[0]).prove().operations.additions == int(stated[1])
