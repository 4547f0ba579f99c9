"""The searcher: protocols, spaces, pools and schedule, run and replay."""

from flipforge.search._archive import HOLDS, Archive, Lattice, linked, unchanged
from flipforge.search._bandit import Bandit
from flipforge.search._border_space import BorderSpace
from flipforge.search._chunk import HOLD_CALLS, Chunk, ChunkResult, Find, run_chunk, take
from flipforge.search._closure import Closure, ClosureProgress
from flipforge.search._commutative_space import CommutativeSpace
from flipforge.search._controller import Course, Paths
from flipforge.search._derivation import CERTIFIED, LIFTED, MOVED, derived, lifted, moved, retrace
from flipforge.search._dives import Dives
from flipforge.search._flip_space import FlipSpace
from flipforge.search._identity_space import IdentitySpace
from flipforge.search._interrupts import interrupts_held
from flipforge.search._ladder import Ladder
from flipforge.search._layer_least import least_cost
from flipforge.search._layer_space import LayerSpace
from flipforge.search._least_squares_space import LeastSquaresSpace
from flipforge.search._objectives import LIFTABLE, OBJECTIVES, Objective, objective
from flipforge.search._pool import Member, Pool
from flipforge.search._protocols import (
    Breadth,
    Effort,
    Entry,
    Executor,
    Failure,
    Growing,
    Invariant,
    Lift,
    Lifter,
    Lineage,
    Mover,
    Outcome,
    Reducing,
    RunRecord,
    Sandwiching,
    Seed,
    Space,
    Store,
    Stored,
)
from flipforge.search._proven import Proven
from flipforge.search._replay import Replayed, replay
from flipforge.search._run import Limits, Progress, Run
from flipforge.search._schedule import PRESETS, Schedule, of_least_squares, of_orbits, of_starts, preset
from flipforge.search._spaces import space_for
from flipforge.search._statistics import Statistics
from flipforge.search._symmetric_space import SymmetricSpace
from flipforge.search._system_space import SystemSpace

__all__ = [
    "CERTIFIED",
    "HOLDS",
    "HOLD_CALLS",
    "LIFTABLE",
    "LIFTED",
    "MOVED",
    "OBJECTIVES",
    "PRESETS",
    "Archive",
    "Bandit",
    "BorderSpace",
    "Breadth",
    "Chunk",
    "ChunkResult",
    "Closure",
    "ClosureProgress",
    "CommutativeSpace",
    "Course",
    "Dives",
    "Effort",
    "Entry",
    "Executor",
    "Failure",
    "Find",
    "FlipSpace",
    "Growing",
    "IdentitySpace",
    "Invariant",
    "Ladder",
    "Lattice",
    "LayerSpace",
    "LeastSquaresSpace",
    "Lift",
    "Lifter",
    "Limits",
    "Lineage",
    "Member",
    "Mover",
    "Objective",
    "Outcome",
    "Paths",
    "Pool",
    "Progress",
    "Proven",
    "Reducing",
    "Replayed",
    "Run",
    "RunRecord",
    "Sandwiching",
    "Schedule",
    "Seed",
    "Space",
    "Statistics",
    "Store",
    "Stored",
    "SymmetricSpace",
    "SystemSpace",
    "derived",
    "interrupts_held",
    "least_cost",
    "lifted",
    "linked",
    "moved",
    "objective",
    "of_least_squares",
    "of_orbits",
    "of_starts",
    "preset",
    "replay",
    "retrace",
    "run_chunk",
    "space_for",
    "take",
    "unchanged",
]
