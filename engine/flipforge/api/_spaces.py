"""Search spaces: the one of a problem, and the objects that a search in it starts from."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from flipforge import plugins
from flipforge.api._library import Name, load, load_object, parse_problem
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError, NotFoundError, RingError
from flipforge.problems import LayerProblem, Problem
from flipforge.programs import Layer
from flipforge.rings import Q, Ring
from flipforge.schemes import Scheme, Symmetry, first_schemes
from flipforge.schemes.formats import is_there
from flipforge.schemes.transforms import ChangeOfRing
from flipforge.search import (
    Effort,
    Entry,
    FlipSpace,
    IdentitySpace,
    LayerSpace,
    LeastSquaresSpace,
    Proven,
    RunRecord,
    Schedule,
    Seed,
    Space,
    Stored,
    SymmetricSpace,
    SystemSpace,
    derived,
    of_least_squares,
    of_orbits,
    of_starts,
    space_for,
)

if TYPE_CHECKING:
    from flipforge.polynomials import IdentityProblem

__all__ = ["AnySpace", "fitted", "kept", "named", "search_space", "starts_of", "usual_ring", "warm_layers"]

_KEPT_RANKS = 6
"""Of how many of the lowest ranks what a run keeps is taken."""

AnySpace = FlipSpace | SymmetricSpace | LayerSpace | IdentitySpace | SystemSpace | LeastSquaresSpace

_SOURCES: dict[type, str] = {
    LayerSpace: "one instruction for each diagram",
    IdentitySpace: "linear algebra in the least degree",
    SystemSpace: "no root",
    LeastSquaresSpace: "standard algorithm",
}
"""What a search begins with where it is given nothing."""


def search_space(
    problem: Problem, ring: Ring, group: Symmetry | None, cubes: Sequence[str] = (), aim: int | None = None
) -> AnySpace:
    """Return the space of a search, among schemes that a group maps to themselves where one is given.

    ``aim`` is the rank wanted, where the space makes use of it.
    """
    if isinstance(problem, LayerProblem):
        plugins.connect()  # the groups are plugins
        return LayerSpace(problem, ring)
    if _is_identity(problem):
        return IdentitySpace(problem, ring)
    if problem.proof == "solutions":
        return SystemSpace(problem, ring)
    if ring == Q:
        if group is not None:
            raise RingError(f"{problem}: no search among symmetric schemes over Q; leave --symmetry out")
        return LeastSquaresSpace(problem, ring, aim)
    return space_for(problem, ring) if group is None else SymmetricSpace(problem, group, ring, tuple(cubes))


def fitted(schedule: Schedule, space: AnySpace) -> Schedule:
    """Return the schedule of a search in a space, whose steps may be other than flips."""
    if isinstance(space, SymmetricSpace):
        return of_orbits(schedule, space.order, len(space.problem.entries))
    if isinstance(space, SystemSpace):
        return of_starts(schedule)
    return of_least_squares(schedule) if isinstance(space, LeastSquaresSpace) else schedule


def usual_ring(problem: Problem) -> str:
    """Return the ring of a search that is given none; that of identities is in their file."""
    if isinstance(problem, LayerProblem):
        return "Z"
    if problem.proof == "solutions":
        return "Q"
    return str(problem.ideal.ring) if _is_identity(problem) else "GF2"


def starts_of(space: AnySpace, start: Sequence[Name], store: SqliteStore, seed: int = 0) -> list[Entry]:
    """Return the objects to start from, over the ring of the search; where none are given, the seed may draw them.

    Raises
    ------
    InputError
        One is no object of this problem, or has another form than the search makes.
    """
    if not start:
        return _usual(space, seed)
    return [_given(space, item, store) for item in named(start, store, space.problem)]


def named(start: Sequence[Name], store: SqliteStore, problem: Problem | None = None) -> list[Name]:
    """Return the names of what a search starts from: a run stands for what it keeps, of one problem or of all.

    Raises
    ------
    InputError
        A run keeps nothing to start from.
    """
    names: dict[Name, None] = {}
    for item in start:
        record = _run_of(item, store)
        if record is None:
            names[item] = None
            continue
        found = [*_archived(record, problem), *(key for shelf in kept(record).values() for key in shelf)]
        if not found:
            what = f"of {problem}" if problem and "archive" in record.checkpoint else "to start from"
            raise InputError(f"{item}: a run that keeps no schemes {what}; give another, or the ID of a scheme")
        names |= dict.fromkeys(found)
    return [*names]


def kept(record: RunRecord) -> dict[int, list[str]]:
    """Return the IDs of what a run over one problem keeps of the lowest ranks, by rank.

    What leads lowest is not always the lowest: under another group, or without one, the ways down are others.
    """
    pools = record.checkpoint["ladder"]["pools"] if "ladder" in record.checkpoint else {}
    lowest = sorted(map(int, pools))[:_KEPT_RANKS]
    return {rank: [member["state"] for member in pools[str(rank)]["members"]] for rank in lowest}


def _archived(record: RunRecord, problem: Problem | None) -> list[str]:
    """Return the IDs of what a run over a lattice of formats has in its archive."""
    shelves = record.checkpoint.get("archive", {})
    return [key for name, shelf in shelves.items() if problem in (None, parse_problem(name)) for _, key in shelf]


def warm_layers(space: LayerSpace) -> Callable[[], None]:
    """Return what compiles the kernel of the walk."""
    return partial(_walk_once, space)


def _is_identity(problem: Problem) -> "TypeGuard[IdentityProblem]":
    """Tell whether a search of the problem is one for identities, without loading the algebra."""
    return problem.proof == "identity"


def _usual(space: AnySpace, seed: int) -> list[Entry]:
    if isinstance(space, SymmetricSpace):
        source = f"start of {space.symmetry.name} by seed {seed}"
        return [Entry(space.scheme(state), "derived", source=source) for state in space.starts(seed)]
    if isinstance(space, FlipSpace):
        return [
            Entry(scheme.canonical, "derived", source=f"{scheme.provenance['method']} algorithm")
            for scheme in first_schemes(space.problem, space.ring)
        ]
    whole: Space[Any] = space
    return [Entry(whole.scheme(whole.start(Seed(0))), "derived", source=_SOURCES[type(space)])]


def _run_of(item: Name, store: SqliteStore) -> RunRecord | None:
    """Return the run of that ID, if it is one."""
    try:
        record = store.run(str(item))
    except NotFoundError:
        return None
    return record if record.id == str(item) and not is_there(Path(item)) else None


def _given(space: Space[Any], item: Name, store: SqliteStore) -> Entry:
    found = _loaded(space, item, store)
    settled = space.scheme(space.state(found))
    # What comes from a file, or was imported once, stays marked so in whatever ring the search needs it.
    is_file = is_there(Path(item))
    origin = "imported" if is_file or found.provenance.get("origin") == "imported" else "derived"
    if is_file or not isinstance(found, Scheme) or settled.id == found.id:
        return Entry(settled, origin, source=str(item))
    # The residues of a stored scheme are another one, with a step that leads to it.
    step = derived(ChangeOfRing(found.problem, found.ring, settled.ring), [found])
    return replace(step, scheme=settled, origin=origin, source=str(item))


def _loaded(space: Space[Any], item: Name, store: SqliteStore) -> Stored:
    found: Stored
    if isinstance(space, LayerSpace | IdentitySpace | SystemSpace):
        found, what = load_object(item, db=store), "an object"
        fits = isinstance(found, Layer if isinstance(space, LayerSpace) else Proven)
    else:
        found, what, fits = load(item, db=store, problem=space.problem.name), "a scheme", True
    if not fits or found.problem != space.problem:
        raise InputError(f"{item}: {what} of {found.problem}, the search is for {space.problem}")
    return found


def _walk_once(space: LayerSpace) -> Any:
    return space.walk(space.start(Seed(0)), Effort(0, 1, 0, 1, 0), Seed(0))
