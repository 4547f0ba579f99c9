"""How a run spends its steps: the schedule, its presets, and that of a search among symmetric schemes."""

from dataclasses import dataclass, replace
from math import ceil

from flipforge.errors import InputError

__all__ = ["PRESETS", "Schedule", "of_least_squares", "of_orbits", "of_starts", "preset"]


_NO_CEILING = 1 << 30
"""Above the rank of any scheme."""


@dataclass(frozen=True)
class Schedule:
    """Parameters of a run.

    Attributes
    ----------
    least, pool
        Members wanted per rank where a success is cheap, and where it is dear.
    path
        No path is longer than this.
    band
        How many ranks above its start a walk may climb.
    chunk
        Steps of one task of a worker, at the most.
    patience
        Steps at a level after which it is left: downwards with at least one find, upwards without.
    parents
        Pool members that a chunk starts from.
    sift
        Finds wanted per member kept, in a descent that sifts.
    dive
        Steps after which a dive is given up that finds nothing, at the least; 0 for no dives.
    alone
        So many times the patience of a dive, dives are all that a run makes.
    idle
        Steps without a find after which a dive makes a plus transition, one of these chosen for each chunk; which is
        best differs by problem and rank.
    orbit
        Where it is not 0, a dive may climb up to the rank ``ceiling``, by orbits of so many products; it has ``dive``
        steps in all, unless none came lower, and dives are all that is made.
    held
        Sizes n, m, p of a corner: what the products show of it stays as it is on a walk. There are no dives then.
    seconds
        Time budget where the user gives none.
    """

    least: int
    pool: int
    path: int
    band: int
    chunk: int
    patience: int
    parents: int
    sift: int
    dive: int
    seconds: float
    alone: int = 25
    idle: tuple[int, ...] = (10_000, 30_000)
    orbit: int = 0
    ceiling: int = _NO_CEILING
    held: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        # The record of a run, which is JSON, has lists here.
        object.__setattr__(self, "idle", tuple(self.idle))
        if self.held is not None:
            object.__setattr__(self, "held", tuple(self.held))


_STANDARD = Schedule(
    least=8,
    pool=50,
    path=4_096_000,
    band=2,
    chunk=8_192_000,
    patience=400_000_000,
    parents=8,
    sift=20,
    dive=16_384_000,
    seconds=600.0,
)
PRESETS: dict[str, Schedule] = {
    "quick": replace(
        _STANDARD, pool=16, path=1_024_000, chunk=4_096_000, patience=100_000_000, dive=8_192_000, seconds=60.0
    ),
    "standard": _STANDARD,
    "deep": replace(
        _STANDARD,
        pool=200,
        path=16_384_000,
        chunk=32_768_000,
        patience=4_000_000_000,
        parents=16,
        dive=65_536_000,
        seconds=7200.0,
    ),
}


def preset(name: str) -> Schedule:
    """Return the schedule of that name, or raise `InputError`."""
    if name not in PRESETS:
        raise InputError(f"unknown preset {name!r}: use one of {', '.join(PRESETS)}")
    return PRESETS[name]


_DIVED_PRODUCTS = 64
"""The standard rank at which a dive of orbits has as long as another; larger formats get more."""


def of_orbits(schedule: Schedule, order: int, products: int) -> Schedule:
    """Return the schedule of a search among schemes that a group of this order leaves as they are.

    ``products`` is the rank of the standard algorithm. Its dives are long single walks that may climb back to it,
    wherever they began (Moosbauer and Poole, "Flip graphs with symmetry and new matrix multiplication schemes" (2025),
    section 4).
    """
    dive = ceil(schedule.dive * products / _DIVED_PRODUCTS)
    return replace(schedule, chunk=dive, dive=dive, idle=(16_384,), orbit=order, ceiling=products)


_STARTS = 256
"""How many steps of a kernel take as long as one of Newton's method, in the middle."""


def of_starts(schedule: Schedule) -> Schedule:
    """Return the schedule of a search for roots, whose steps are longer: it dives, for a set of roots only grows."""
    chunk = schedule.chunk // _STARTS
    return replace(schedule, chunk=chunk, path=chunk, parents=1, least=1, pool=2)


_ENDLESS = 1 << 50
"""More steps than any run makes."""


def of_least_squares(schedule: Schedule) -> Schedule:
    """Return the schedule of a search by random starts, each a chunk: all at the lowest rank, for none leads to it."""
    return replace(schedule, chunk=1, path=1, parents=1, least=1, pool=2, sift=1, dive=0, patience=_ENDLESS)
