"""Floor 5: walks in the flip graph of a scheme over GF(2), as pure functions of arrays."""

from flipforge.flips._walk import MAX_BITS, WALK_VERSION, Walk, seed_words, walk, warm

__all__ = ["MAX_BITS", "WALK_VERSION", "Walk", "seed_words", "walk", "warm"]
