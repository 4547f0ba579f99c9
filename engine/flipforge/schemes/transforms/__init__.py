"""Transforms: schemes of one format or structure from schemes of others, exact in every ring."""

from collections.abc import Mapping, Sequence
from typing import Any

from flipforge.problems import Problem
from flipforge.schemes.transforms._kronecker import Kronecker
from flipforge.schemes.transforms._moves import (
    complete,
    extend,
    merge,
    pad,
    peel,
    permute,
    project,
    resized,
    reverse,
    tied,
)
from flipforge.schemes.transforms._placement import AS_GIVEN, NOWHERE, Order, Part, Placement, Places
from flipforge.schemes.transforms._ring import OVER, ChangeOfRing
from flipforge.schemes.transforms._structures import embed, restrict, split, triangles

__all__ = [
    "AS_GIVEN",
    "NOWHERE",
    "OVER",
    "VERSION",
    "ChangeOfRing",
    "Kronecker",
    "Order",
    "Part",
    "Placement",
    "Places",
    "Transform",
    "complete",
    "embed",
    "extend",
    "merge",
    "pad",
    "peel",
    "permute",
    "project",
    "read_transform",
    "resized",
    "restrict",
    "reverse",
    "split",
    "tied",
    "triangles",
]

Transform = Placement | Kronecker
"""What leads from formats or structures to others."""

_KINDS: dict[str, type[Transform | ChangeOfRing]] = {"tensor": Kronecker, OVER: ChangeOfRing}

VERSION = "transforms/1"
"""Name of what the transforms do; bumped whenever one gives another scheme for the same arguments."""


def read_transform(name: str, arguments: Mapping[str, Any], sources: Sequence[Problem]) -> Transform | ChangeOfRing:
    """Make the transform again that has this name, wrote these `arguments` and takes schemes of these problems.

    Raises
    ------
    KeyError, TypeError, ValueError, InputError
        There is none.
    """
    kind = _KINDS.get(name, Placement)
    return kind.read(name, arguments, sources)
