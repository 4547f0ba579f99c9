"""Layer programs: what the functions on single objects and on runs do for them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from flipforge.api._library import Name, load_object
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError
from flipforge.programs import Layer
from flipforge.schemes.formats import is_there
from flipforge.search import Effort, Entry, LayerSpace, Seed

__all__ = ["first_layer", "layer_starts", "warm_layers"]


def first_layer(space: LayerSpace) -> Layer:
    """Return the program that a search begins with: one instruction for each diagram."""
    return space.scheme(space.start(Seed(0)))


def layer_starts(space: LayerSpace, start: Sequence[Name], store: SqliteStore) -> list[Entry]:
    """Return the programs to start from.

    Raises
    ------
    InputError
        One is no program of this problem, or has another form than the search makes.
    """
    if not start:
        return [Entry(first_layer(space), "derived", source="one instruction for each diagram")]
    entries = []
    for item in start:
        layer = load_object(item, db=store)
        if not isinstance(layer, Layer) or layer.problem != space.problem:
            raise InputError(f"{item}: an object of {layer.problem}, the search is for {space.problem}")
        settled = space.scheme(space.state(layer))
        imported = is_there(Path(item)) or layer.provenance.get("origin") == "imported"
        entries.append(Entry(settled, "imported" if imported else "derived", source=str(item)))
    return entries


def warm_layers(space: LayerSpace) -> Callable[[], None]:
    """Return what compiles the kernel of the walk."""
    return partial(_walk_once, space)


def _walk_once(space: LayerSpace) -> Any:
    return space.walk(space.start(Seed(0)), Effort(0, 1, 0, 1, 0), Seed(0))
