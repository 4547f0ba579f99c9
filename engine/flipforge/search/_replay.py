"""Replay: walk a stored find's chain again and compare the IDs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flipforge.errors import ReplayError
from flipforge.search._chunk import take
from flipforge.search._protocols import Effort, Lineage, Seed, Space

__all__ = ["Replayed", "replay"]


@dataclass(frozen=True)
class Replayed:
    """A chain that was walked again: the scheme at its end and the steps it took."""

    scheme: Any
    links: int
    flips: int


def replay(space: Space[Any], root: Any, chain: Sequence[Lineage]) -> Replayed:
    """Walk every link of ``chain`` from ``root`` and compare each child's ID.

    Raises
    ------
    ReplayError
        A link was made under another walk version or by moves that the space does not make, does not start where the
        last one ended, or gives another scheme.
    """
    scheme, flips = root.canonical, 0
    for number, link in enumerate(chain, 1):
        place = f"step {number} of {len(chain)}"
        if link.walk_version != space.walk_version:
            raise ReplayError(f"{place}: walked under {link.walk_version}, this version walks {space.walk_version}")
        if link.parent != scheme.id:
            raise ReplayError(f"{place}: starts from {link.parent}, the chain stands at {scheme.id}")
        root_word, *key = link.seed
        # A chain from before paths were a part of the effort was walked without restarts.
        effort = Effort(**{"path": link.effort["steps"], **link.effort})
        try:
            outcome = take(space, space.state(scheme), link.method, effort, Seed(root_word, tuple(key)))
        except ValueError:
            raise ReplayError(f"{place}: made by {link.method!r}, which {space.problem} does not offer") from None
        scheme = space.scheme(outcome.state)
        flips += outcome.steps
        if scheme.id != link.child:
            raise ReplayError(f"{place}: gives {scheme.id}, stored is {link.child}")
    return Replayed(scheme, len(chain), flips)
