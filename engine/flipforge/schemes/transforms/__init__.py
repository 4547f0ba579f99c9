"""Transforms: schemes of one format or structure from schemes of others, exact in every ring."""

from collections.abc import Mapping, Sequence
from typing import Any

from flipforge.problems import Problem
from flipforge.schemes.transforms._kronecker import Kronecker
from flipforge.schemes.transforms._moves import extend, merge, pad, peel, permute, project, reverse
from flipforge.schemes.transforms._placement import NOWHERE, Part, Placement
from flipforge.schemes.transforms._structures import embed, restrict, split, triangles

__all__ = [
    "NOWHERE",
    "VERSION",
    "Kronecker",
    "Part",
    "Placement",
    "Transform",
    "embed",
    "extend",
    "merge",
    "pad",
    "peel",
    "permute",
    "project",
    "read_transform",
    "restrict",
    "reverse",
    "split",
    "triangles",
]

Transform = Placement | Kronecker

VERSION = "transforms/1"
"""Name of what the transforms do; bumped whenever one gives another scheme for the same arguments."""


def read_transform(name: str, arguments: Mapping[str, Any], sources: Sequence[Problem]) -> Transform:
    """Make the transform again that has this name, wrote these `arguments` and takes schemes of these problems.

    Raises
    ------
    KeyError, TypeError, ValueError, InputError
        There is none.
    """
    kind = Kronecker if name == "tensor" else Placement
    return kind.read(name, arguments, sources)
