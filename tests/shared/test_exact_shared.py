"""Ranks of the Brent matrices of published schemes, as another elimination found them."""

from pathlib import Path

import pytest

from flipforge import exact
from flipforge.rings import GF2, GF3, Ring
from flipforge.schemes.formats import read_file
from test_bench import load

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemes" / "general_flips_exp"


@pytest.mark.parametrize(
    ("name", "ring", "rank"),
    [
        ("444-47-mod2", GF2, 2117),
        ("444-49-mod0", GF2, 2155),
        ("444-49-mod0", GF3, 2155),
        ("555-97-mod0a", GF2, 6914),
        ("555-97-mod0a", GF3, 6920),
    ],
)
def test_rank_of_the_jacobian(name: str, ring: Ring, rank: int) -> None:
    (scheme,) = read_file(FOLDER / f"{name}.exp")
    assert exact.rank(load("exact").jacobian(scheme.over(ring)), ring.characteristic) == rank
