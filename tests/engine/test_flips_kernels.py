"""What the kernel is built on: bit sets, vector compares, the cache folder, machines without fast instructions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import types

import walks
from flipforge import jit
from flipforge.flips import _kernel, _lanes

FLIPS = Path(_kernel.__file__).parent

SHAPES = [(np.uint32, 1), (np.uint64, 1), (np.uint64, 2), (np.uint64, 16)]


def _width(block: Any) -> int:
    return int(np.dtype(block).itemsize) * 8


def _pack(members: set[int], block: Any, count: int) -> tuple[Any, ...]:
    whole = sum(1 << member for member in members)
    width = _width(block)
    return tuple(block(whole >> width * b & (1 << width) - 1) for b in range(count))


def _unpack(blocks: tuple[int, ...], block: Any) -> set[int]:
    width = _width(block)
    return {width * b + bit for b, word in enumerate(blocks) for bit in range(width) if int(word) >> bit & 1}


@jit.intrinsic
def _by_counting(typing: Any, word: Any, index: Any) -> Any:
    """The select that hosts without pdep get."""
    return types.uint64(types.uint64, types.uint64), lambda context, builder, sig, args: _lanes._nth_by_counting(
        builder, *args
    )


@numba.njit
def _nth(rows: Any, index: Any) -> Any:
    return _lanes.nth(rows, index)


@numba.njit
def _nth_portable(word: Any, index: Any) -> Any:
    return _by_counting(word, index)


@numba.njit
def _algebra(left: Any, right: Any, keep: Any) -> Any:
    return (
        _lanes.meet(left, right),
        _lanes.join(left, right),
        _lanes.minus(left, right),
        _lanes.when(keep, left),
        _lanes.members(left),
    )


@numba.njit
def _single(row: Any, like: Any) -> Any:
    return _lanes.single(row, like)


@numba.njit
def _equal(lanes: Any, offset: Any, value: Any, like: Any) -> Any:
    return _lanes.equal(lanes, offset, value, like)


@given(st.sets(st.integers(0, 63), min_size=1), st.data())
def test_both_selects_find_the_kth_bit(chosen: set[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(chosen) - 1))
    word = _pack(chosen, np.uint64, 1)[0]
    assert _nth_portable(word, np.uint64(index)) == _nth((word,), np.uint64(index)) == sorted(chosen)[index]


@pytest.mark.parametrize(("block", "count"), SHAPES)
@given(st.data())
def test_sets_are_sets(block: Any, count: int, data: st.DataObject) -> None:
    size = _width(block) * count
    left, right = (data.draw(st.sets(st.integers(0, size - 1))) for _ in range(2))
    keep = data.draw(st.booleans())
    *made, members = _algebra(_pack(left, block, count), _pack(right, block, count), keep)
    assert [_unpack(rows, block) for rows in made] == [
        left & right,
        left | right,
        left - right,
        left if keep else set(),
    ]
    assert members == len(left)
    for index, member in enumerate(sorted(left)):
        assert _nth(_pack(left, block, count), np.uint64(index)) == member
        assert _unpack(_single(np.uint64(member), _pack(set(), block, count)), block) == {member}


@pytest.mark.parametrize(
    ("lane", "block", "count"),
    [(np.uint16, np.uint32, 1), (np.uint16, np.uint64, 2), (np.uint32, np.uint64, 3), (np.uint32, np.uint64, 16)],
)
@settings(max_examples=15)
@given(st.data())
def test_equal_finds_the_rows_that_hold_a_value(lane: Any, block: Any, count: int, data: st.DataObject) -> None:
    size = _width(block) * count
    raw = np.zeros(3 * size * np.dtype(lane).itemsize + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    lanes = raw[start : start + 3 * size * np.dtype(lane).itemsize].view(lane)
    values = [0, 1, 2, int(np.iinfo(lane).max)]
    lanes[:] = np.random.default_rng(data.draw(st.integers(0, 2**32))).choice(np.array(values, dtype=lane), 3 * size)
    for axis, value in enumerate(values[1:]):
        found = _equal(lanes, np.uint64(axis * size), lane(value), _pack(set(), block, count))
        assert _unpack(found, block) == set(np.flatnonzero(lanes[axis * size :][:size] == value).tolist())


PROBE = """
import sys
from flipforge.flips import _lanes
from walks import same_as_twin, standard
same_as_twin(standard("matmul:3x3x3", "GF3"), "GF3", 8, steps=300, idle=20, path=130, band=3)
from numba.core.registry import cpu_target
class Context:
    codegen = staticmethod(lambda: cpu_target.target_context.codegen())
print("pdep" if _lanes._has_fast_pdep(Context) else "counting")
"""


def _run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_machine_without_the_fast_instructions_walks_alike() -> None:
    # numba's own switches: code for a plain x86-64 (or plain whatever this machine is), so no pdep and no wide vectors.
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "PYTHONPATH": str(Path(walks.__file__).parent)}
    assert _run(PROBE, **plain) == "counting"


def test_numba_is_loaded_by_the_first_walk_only() -> None:
    code = "import sys, flipforge.flips; print('numba' in sys.modules, 'llvmlite' in sys.modules)"
    assert _run(code) == "False False"


def _folder_seen_by(package: Path, **environment: str) -> Path:
    sources = package / "flipforge" / "flips"
    code = f"import pathlib, flipforge.jit; print(flipforge.jit.cache_folder(pathlib.Path({str(sources)!r})))"
    return Path(_run(code, PYTHONPATH=str(package), **environment))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The package, somewhere it may be changed."""
    home = tmp_path / "source" / "flipforge"
    shutil.copytree(FLIPS.parent, home, ignore=shutil.ignore_patterns("__pycache__"))
    return home.parent


def test_kernels_are_cached_by_the_content_of_their_sources(copied: Path, tmp_path: Path) -> None:
    place = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "NUMBA_CACHE_DIR": ""}
    before = _folder_seen_by(copied, **place)
    assert before.parent == tmp_path / "xdg" / "flipforge"
    assert _folder_seen_by(copied, **place) == before
    for changed in ("flips/_kinds.py", "jit.py"):
        source = copied / "flipforge" / changed
        source.write_text(source.read_text() + "\n# changed\n")
        after = _folder_seen_by(copied, **place)
        assert after != before
        before = after


def test_a_cache_folder_of_the_users_own_is_kept(copied: Path, tmp_path: Path) -> None:
    assert _folder_seen_by(copied, NUMBA_CACHE_DIR=str(tmp_path / "own")).parent == tmp_path / "own"


def test_a_cache_that_cannot_be_written_moves_to_the_temporary_folder(copied: Path, tmp_path: Path) -> None:
    blocked, spare = tmp_path / "file", tmp_path / "spare"
    blocked.touch()
    spare.mkdir()
    place = {"XDG_CACHE_HOME": str(blocked), "NUMBA_CACHE_DIR": "", "TMPDIR": str(spare)}
    assert _folder_seen_by(copied, **place).parent.parent == spare


def test_kernels_land_in_that_folder_and_other_users_of_numba_keep_theirs() -> None:
    folder = jit.cache_folder(FLIPS)
    assert folder is not None
    dispatcher: Any = _kernel.run
    assert Path(dispatcher._cache.cache_path).is_relative_to(folder)
    settings: Any = numba.config
    assert "kernels-" not in str(settings.CACHE_DIR)
