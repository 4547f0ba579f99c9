"""Layers: the problem of applying all maps between tensor powers that commute with a group."""

from dataclasses import dataclass, field
from re import fullmatch

from flipforge.errors import ProblemError
from flipforge.problems._problem import Problem

__all__ = ["LayerProblem", "layer", "parse_layer"]

_SIZE = r"[1-9]\d{0,5}"
_GRAPH = (
    rf"petersen|frucht|cubical|prism|cycle-{_SIZE}|path-{_SIZE}|complete-{_SIZE}|star-{_SIZE}|bipartite-{_SIZE}-{_SIZE}"
    r"|g6=[?-~]+|file=.+"
)
_FORM = rf"(?P<group>[A-Z][A-Za-z+]*:(?:{_SIZE}|{_GRAPH})):(?P<k>\d{{1,2}}):(?P<l>\d{{1,2}})"


@dataclass(frozen=True)
class LayerProblem(Problem):
    """The maps from k to l tensor powers that commute with a group, each diagram with a weight of its own.

    There is no tensor to it: its objects are programs, not schemes.

    Attributes
    ----------
    group
        Name of the group, e.g. ``S:5``.
    """

    group: str = field(default="", compare=False)

    @property
    def proof(self) -> str:
        """The kind of certificate that proves a program: layer."""
        return "layer"

    @property
    def k(self) -> int:
        """Axes of the input."""
        return self.dims[0]

    @property
    def l(self) -> int:  # noqa: E743 - the field's own letter
        """Axes of the output."""
        return self.dims[1]

    @property
    def n(self) -> int:
        """Length of the axes.

        Raises
        ------
        ProblemError
            The group's name does not tell.
        """
        size = self.group.partition(":")[2]
        if not size.isdecimal():
            raise ProblemError(f"{self.name}: the name of the group does not tell how long the axes are")
        return int(size)


def layer(group: str, k: int, l: int) -> LayerProblem:
    """Return the problem of a group's layers.

    Examples
    --------
    >>> layer("S:20", 3, 3).n
    20
    """
    return parse_layer(f"{group}:{k}:{l}")


def parse_layer(body: str) -> LayerProblem:
    """Parse the text after ``layer:``, e.g. ``S:5:2:2``."""
    match = fullmatch(_FORM, body)
    if not match:
        raise ProblemError(f"layer:{body}: not of the form of layer:S:5:2:2, GROUP:K:L with K and L below 100")
    k, l = int(match["k"]), int(match["l"])
    return LayerProblem(
        name=f"layer:{match['group']}:{k}:{l}",
        kind="layer",
        shape=(0, 0, 0),
        dims=(k, l),
        entries=(),
        labels=((), (), ()),
        group=match["group"],
    )
