"""Every published scheme file in ../shared/data/schemes is proved, with the ring and rank of its name and README."""

import re
from functools import cache
from pathlib import Path

import pytest

from flipforge.schemes import compare
from flipforge.schemes.formats import Judged, judge_file, read_file

SCHEMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes"
FOLDERS = ("general_flips_exp", "general_fmm_json", "kauers_exp", "symmetric_flips", "structured_flipcpd")
SUFFIXES = (".exp", ".json", ".m", ".npy", ".txt")

# The name says 85, the file holds 86 products.
RANKS = {"366-85-mod2.exp": 86}
RATIONAL = {"257__k108391c6c35ad0c4.exp", "346__k077f44c8da3ab7d.exp"}
CHARACTERISTIC_2 = {"555m93.txt", "666m153.txt"}
# Named mod2, and the standard algorithm.
ANY_RING = {"333-27-mod2.exp"}


def files() -> list[Path]:
    return sorted(file for folder in FOLDERS for file in (SCHEMES / folder).glob("*") if file.suffix in SUFFIXES)


@cache
def judge(file: Path) -> Judged:
    (judged,) = judge_file(file)
    return judged


def is_matmul(file: Path) -> bool:
    return file.parent.name != "structured_flipcpd" or file.name.startswith("gg-")


def stated(name: str) -> tuple[str, int | None]:
    """Read sizes and rank off a file's name."""
    if match := re.search(r"(\d+)x(\d+)x(\d+)_m(\d+)", name):
        n, m, p, rank = match.groups()
        return f"matmul:{n}x{m}x{p}", int(rank)
    patterns = (r"^gg-(\d)(\d)(\d)-rank(\d+)", r"(?:^|-|__)(\d)(\d)(\d)[-r](\d+)(?:-mod|\.exp)", r"^(\d)(\d)(\d)m(\d+)")
    for pattern in patterns:
        if match := re.search(pattern, name):
            n, m, p, rank = match.groups()
            return f"matmul:{n}x{m}x{p}", int(rank)
    if match := re.search(r"-(\d)(\d)(\d)-(\d+)-mod|__[0-9a-f]+-(\d)(\d)(\d)-(\d+)", name):
        n, m, p, rank = (group for group in match.groups() if group)
        return f"matmul:{n}x{m}x{p}", int(rank)
    n, m, p = tuple(name[:3])
    return f"matmul:{n}x{m}x{p}", None


@pytest.mark.parametrize("file", [pytest.param(f, id=f.name) for f in files() if is_matmul(f)])
def test_it_is_proved_as_stated(file: Path) -> None:
    judged = judge(file)
    assert judged.verdict.decision == "PROVED", judged.verdict.reason
    problem, rank = stated(file.name)
    assert judged.problem == problem
    wanted = RANKS.get(file.name, rank)
    assert wanted is None or judged.rank == wanted
    if file.suffix == ".exp":
        assert judged.rank == sum(1 for line in file.read_text().splitlines() if line.strip())
    if file.name in ANY_RING:
        assert judged.ring == "ZT"
    elif "mod2" in file.name or file.name in CHARACTERISTIC_2:
        assert judged.ring == "GF2"
    elif file.name in RATIONAL:
        assert judged.ring == "Q"
    elif match := re.search(r"_(ZT|Z|Q)(?:_reduced)?\.json$|-([zq])\.", file.name):
        assert judged.ring in {"ZT": ("ZT",), "Z": ("Z",), "z": ("ZT", "Z"), "Q": ("Z[1/2]", "Q")}[match[1] or match[2]]
    else:
        assert judged.ring in ("ZT", "Z", "Z[1/2]", "Q")


def test_every_file_is_seen() -> None:
    seen = [file for file in files() if is_matmul(file)]
    assert len(seen) == 129
    assert sum(judge(file).ring == "GF2" for file in seen) == 21


@pytest.mark.parametrize("size", ["222-rank7", "333-rank23", "444-rank49", "555-rank97"])
def test_the_same_scheme_in_two_formats(size: str) -> None:
    stem = f"structured_flipcpd/gg-{size}-rec-0-0-0-z"
    (a,), (b,) = (read_file(SCHEMES / f"{stem}{suffix}") for suffix in (".npy", ".txt"))
    assert compare(a, b).equal


def test_the_same_scheme_as_formula_and_as_list() -> None:
    for name in ("345-47-mod0", "223-11-mod0"):
        (a,), (b,) = (read_file(SCHEMES / "general_flips_exp" / f"{name}{suffix}") for suffix in (".exp", ".m"))
        assert compare(a, b).equal


@pytest.mark.parametrize("name", ["555m93", "666m153"])
def test_lifted_schemes_reduce_to_what_they_were_lifted_from(name: str) -> None:
    (modular,), (lifted,) = (read_file(SCHEMES / "symmetric_flips" / f"{name}{end}.txt") for end in ("", "_lifted"))
    assert "reduces to the other modulo 2" in compare(modular, lifted).reason
