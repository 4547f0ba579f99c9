"""Passes on `flipforge.programs`: each gives a program that is proven to compute the same map, or the turned one."""

from flipforge_codegen.passes._moves import fewer_additions
from flipforge_codegen.passes._sharing import METHODS, normalised, share, share_part
from flipforge_codegen.passes._sharing_space import SharingSpace, search_sharing
from flipforge_codegen.passes._transpose import rotated, transposed

__all__ = [
    "METHODS",
    "SharingSpace",
    "fewer_additions",
    "normalised",
    "rotated",
    "search_sharing",
    "share",
    "share_part",
    "transposed",
]
