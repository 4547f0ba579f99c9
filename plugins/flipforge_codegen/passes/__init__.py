"""Passes on `flipforge.programs`: each gives a program that is proven to compute the same map, or the turned one."""

from flipforge_codegen.passes._alternative import AlternativeBasis, alternative_basis
from flipforge_codegen.passes._moves import MOVES_VERSION, fewer_additions
from flipforge_codegen.passes._schedule import MODES, Schedule, schedule
from flipforge_codegen.passes._sharing import METHODS, inlined, normalised, share, share_part
from flipforge_codegen.passes._sharing_space import SharingSpace, search_sharing
from flipforge_codegen.passes._stream import Combine, Multiply, Place
from flipforge_codegen.passes._transpose import rotated, transposed

__all__ = [
    "METHODS",
    "MODES",
    "MOVES_VERSION",
    "AlternativeBasis",
    "Combine",
    "Multiply",
    "Place",
    "Schedule",
    "SharingSpace",
    "alternative_basis",
    "fewer_additions",
    "inlined",
    "normalised",
    "rotated",
    "schedule",
    "search_sharing",
    "share",
    "share_part",
    "transposed",
]
