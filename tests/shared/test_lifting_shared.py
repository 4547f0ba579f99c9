"""The published schemes modulo 2 in ../shared/data/schemes: lifted, or obstructed at step 1 with a proof."""

from pathlib import Path

import pytest

from flipforge.certificates import check
from flipforge.rings import GF2, GF3, ZT, HalfZ, Q, Ring, Z
from flipforge.schemes import Scheme, magnitudes
from flipforge.schemes.formats import read_file
from flipforge_lifting import HenselLifter

SCHEMES = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes"
GENERAL = SCHEMES / "general_flips_exp"
OBSTRUCTED = {"444-47-mod2", "445-60-mod2", "555-95-mod2"}
LARGE = 4_500
"""Unknowns beyond which a lift takes more than a moment."""
LARGE_LIFTED = {"555-97-mod0", "555-97-mod0a"}


def residues(path: Path, ring: Ring = GF2) -> Scheme:
    (scheme,) = read_file(path)
    return (scheme if scheme.ring.characteristic else scheme.over(ring)).canonical


def files() -> list[Path]:
    return sorted(GENERAL.glob("*.exp"))


def unknowns(name: str) -> int:
    n, m, p = map(int, name[:3])
    return int(name.split("-")[1]) * (n * m + m * p + n * p)


@pytest.mark.parametrize("path", [pytest.param(f, id=f.stem) for f in files() if unknowns(f.stem) <= LARGE])
def test_it_lifts_or_is_obstructed(path: Path) -> None:
    scheme = residues(path)
    lift = HenselLifter().lift(scheme, Z, attempts=12)
    if path.stem in OBSTRUCTED:
        assert lift.outcome == "obstructed" and lift.obstruction is not None
        assert check(lift.obstruction).decision == "PROVED"
        return
    assert lift.scheme is not None and lift.scheme.verdict().valid
    assert magnitudes(lift.scheme)[0] <= 8 and lift.scheme.over(GF2).canonical == scheme


@pytest.mark.slow
@pytest.mark.parametrize("name", [*sorted(LARGE_LIFTED), "555-95-mod2"])
def test_large_ones(name: str) -> None:
    scheme = residues(GENERAL / f"{name}.exp")
    lift = HenselLifter().lift(scheme, Q, attempts=12)
    assert lift.outcome == ("obstructed" if name in OBSTRUCTED else "lifted")
    assert lift.scheme is None or lift.scheme.over(GF2).canonical == scheme


@pytest.mark.parametrize(
    ("name", "ring", "rings"),
    [
        ("sg-222-rank6-*-z", GF3, (ZT, Z, HalfZ)),
        ("gt-333-rank17-*-z*", GF3, (ZT, Z, HalfZ)),
        ("kg-333-rank14-*-q*", GF3, (HalfZ,)),
        ("ss-222-rank5-*-q*", GF3, (HalfZ,)),
    ],
)
def test_structured_schemes_modulo_3(name: str, ring: Ring, rings: tuple[Ring, ...]) -> None:
    path = sorted((SCHEMES / "structured_flipcpd").glob(f"{name}.npy"))[0]
    scheme = residues(path, ring)
    lift = HenselLifter().lift(scheme, Q, attempts=24, best=True)
    assert lift.scheme is not None and lift.scheme.ring in rings
    assert lift.scheme.over(GF3).canonical == scheme


def test_the_fourth_product_of_strassen_has_signs() -> None:
    lift = HenselLifter().lift(residues(GENERAL / "444-49-mod0.exp"), ZT)
    assert lift.scheme is not None and lift.scheme.ring == ZT
    none = HenselLifter().lift(residues(GENERAL / "226-21-mod2.exp"), ZT)
    assert none.outcome == "obstructed" and none.obstruction is not None and none.obstruction.kind == "signs"
