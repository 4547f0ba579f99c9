"""The searcher: protocols, the flip space, pools and schedule, run and replay."""

from flipforge.search._chunk import Chunk, ChunkResult, Find, run_chunk
from flipforge.search._flip_space import FlipSpace
from flipforge.search._protocols import (
    Effort,
    Entry,
    Executor,
    Failure,
    Lineage,
    Outcome,
    RunRecord,
    Seed,
    Space,
    Store,
)
from flipforge.search._replay import Replayed, replay
from flipforge.search._run import Limits, Progress, Run
from flipforge.search._schedule import PRESETS, Ladder, Schedule, preset
from flipforge.search._statistics import Statistics

__all__ = [
    "PRESETS",
    "Chunk",
    "ChunkResult",
    "Effort",
    "Entry",
    "Executor",
    "Failure",
    "Find",
    "FlipSpace",
    "Ladder",
    "Limits",
    "Lineage",
    "Outcome",
    "Progress",
    "Replayed",
    "Run",
    "RunRecord",
    "Schedule",
    "Seed",
    "Space",
    "Statistics",
    "Store",
    "preset",
    "replay",
    "run_chunk",
]
