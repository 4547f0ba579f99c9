"""Steps of a lineage that a transform or a lifter makes, and replay of histories that hold them and walks."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from flipforge.errors import FlipforgeError, InputError, ReplayError
from flipforge.problems import Problem, parse
from flipforge.schemes import Scheme
from flipforge.schemes.transforms import VERSION, ChangeOfRing, Transform, read_transform
from flipforge.search._protocols import Entry, Lift, Lifter, Lineage, Mover, Space
from flipforge.search._replay import Replayed, replay

__all__ = ["CERTIFIED", "LIFTED", "MOVED", "derived", "lifted", "moved", "retrace"]

CERTIFIED = "certify"
"""The method of a step that leads from the content of a file, which is in its arguments, to what certifies it."""

LIFTED = "lift"
"""The method of a step that leads from a scheme over GF(p) to characteristic 0."""

MOVED = "moves"
"""The method of a step that leads to a scheme with fewer additions."""


def derived(transform: Transform | ChangeOfRing, parents: Sequence[Scheme], run: str = "", source: str = "") -> Entry:
    """Apply a transform and return what it gives, with the step that tells how.

    Raises
    ------
    InputError
        The transform does not take these schemes.
    """
    child = transform.apply(*parents)
    sources = tuple((parent.id, parent.problem.name) for parent in parents)
    step = Lineage(
        child=child.id,
        parent=sources[0][0],
        method=transform.name,
        seed=(),
        effort={},
        walk_version=VERSION,
        run=run,
        arguments=transform.arguments(),
        sources=sources,
    )
    return Entry(child, "derived", step, source)


def lifted(parent: Scheme, lift: Lift, lifter: Lifter, origin: str = "derived") -> Entry:
    """Return a lift with the step that tells how it was made.

    Raises
    ------
    InputError
        There is no lift.
    """
    if lift.scheme is None:
        raise InputError(f"{parent.id} is {lift.outcome}, not lifted")
    step = Lineage(
        child=lift.scheme.id,
        parent=parent.id,
        method=LIFTED,
        seed=(),
        effort={},
        walk_version=lifter.version,
        run="",
        arguments={"ring": parent.ring.name, **lift.arguments},
        sources=((parent.id, parent.problem.name),),
    )
    return Entry(lift.scheme, origin, step)


def moved(parent: Scheme, mover: Mover, *, moves: int, seed: int) -> Entry:
    """Return the scheme that moves lead to, with the step that tells how, or the parent where none is better."""
    child = mover.moved(parent, moves=moves, seed=seed)
    if child.id == parent.id:
        return Entry(parent, "derived")
    step = Lineage(
        child=child.id,
        parent=parent.id,
        method=MOVED,
        seed=(),
        effort={},
        walk_version=mover.version,
        run="",
        arguments={"moves": moves, "seed": seed},
        sources=((parent.id, parent.problem.name),),
    )
    return Entry(child, "derived", step)


def retrace(
    problem: Problem,
    chain: Sequence[Lineage],
    space_of: Callable[[Problem, Lineage], Space[Any]],
    root_of: Callable[[str, Problem, Lineage], Any],
    lifter_of: Callable[[], Lifter] | None = None,
    certified: Callable[[Lineage], Any] | None = None,
    mover_of: Callable[[], Mover] | None = None,
) -> Replayed:
    """Make every step of a history again and compare each child's ID.

    Parameters
    ----------
    problem
        Of the scheme that the last step leads to.
    chain
        Steps, each after those of its parents.
    space_of
        Gives the space in which schemes of a problem were walked in a step.
    root_of
        Gives the scheme of an ID and a problem to which no step leads, and from which a step goes on.
    lifter_of
        Gives the lifter that makes lifts again.
    certified
        Certifies the content of a file again.
    mover_of
        Gives what makes moves for fewer additions again.

    Raises
    ------
    ReplayError
        A step was made under another version or by moves that are not known, or gives another scheme.
    """
    problems = _problems(problem, chain)
    made: dict[str, Any] = {}
    flips = 0
    for segment in _segments(chain):
        first = segment[0]
        if first.method == CERTIFIED and certified:
            made[first.child] = scheme = certified(first)
            continue
        parents = [made[name] if name in made else root_of(name, problems[name], first) for name in first.parents]
        if first.method == LIFTED and lifter_of:
            scheme = _lifted_again(first, parents[0], lifter_of())
        elif first.method == MOVED and mover_of:
            scheme = _moved_again(first, parents[0], mover_of())
        elif first.sources:
            scheme = _derived_again(first, parents)
        else:
            walked = replay(space_of(problems[first.child], first), parents[0], segment)
            scheme, flips = walked.scheme, flips + walked.flips
        made[segment[-1].child] = scheme
    return Replayed(scheme, len(chain), flips)


def _problems(problem: Problem, chain: Sequence[Lineage]) -> dict[str, Problem]:
    """Return the problem of every scheme of a history: a walk keeps it, a derivation names those it takes."""
    problems = {chain[-1].child: problem}
    for step in reversed(chain):
        if step.sources:
            problems.update((identity, parse(name)) for identity, name in step.sources)
        elif step.child in problems:
            problems[step.parent] = problems[step.child]
        else:
            raise ReplayError(f"the step to {step.child} leads to nothing that a later step takes")
    return problems


def _segments(chain: Sequence[Lineage]) -> list[list[Lineage]]:
    """Part a history into derivations and walks without a branch, each as long as can be."""
    used = Counter(name for step in chain for name in step.parents)
    segments: list[list[Lineage]] = []
    for step in chain:
        last = segments[-1][-1] if segments else None
        if last and _goes_on(last, step) and used[last.child] == 1:
            segments[-1].append(step)
        else:
            segments.append([step])
    return segments


def _goes_on(last: Lineage, step: Lineage) -> bool:
    """Tell whether one walk leads to both, in the same space."""
    walks = not last.sources and not step.sources and step.parent == last.child
    return walks and (last.arguments, last.walk_version) == (step.arguments, step.walk_version)


def _lifted_again(step: Lineage, parent: Scheme, lifter: Lifter) -> Scheme:
    place = f"the lift to {step.child}"
    if step.walk_version != lifter.version:
        raise ReplayError(f"{place}: made by {step.walk_version}, the lifter here is {lifter.version}")
    try:
        scheme = lifter.again(parent, step.arguments)
    except (KeyError, TypeError, ValueError, FlipforgeError) as error:
        raise ReplayError(f"{place}: cannot be made again ({error})") from None
    if scheme.id != step.child:
        raise ReplayError(f"{place}: gives {scheme.id}, stored is {step.child}")
    return scheme


def _moved_again(step: Lineage, parent: Scheme, mover: Mover) -> Scheme:
    place = f"the moves to {step.child}"
    if step.walk_version != mover.version:
        raise ReplayError(f"{place}: made by {step.walk_version}, this version makes {mover.version}")
    try:
        moves, seed = (int(step.arguments[name]) for name in ("moves", "seed"))
        scheme = mover.moved(parent, moves=moves, seed=seed)
    except (KeyError, TypeError, ValueError, FlipforgeError) as error:
        raise ReplayError(f"{place}: cannot be made again ({error})") from None
    if scheme.id != step.child:
        raise ReplayError(f"{place}: gives {scheme.id}, stored is {step.child}")
    return scheme


def _derived_again(step: Lineage, parents: Sequence[Scheme]) -> Scheme:
    place = f"the derivation of {step.child}"
    if step.walk_version != VERSION:
        raise ReplayError(f"{place}: made under {step.walk_version}, this version makes {VERSION}")
    try:
        transform = read_transform(step.method, step.arguments, [parse(name) for _, name in step.sources])
        scheme = transform.apply(*parents)
    except (KeyError, TypeError, ValueError, FlipforgeError) as error:
        raise ReplayError(f"{place}: {step.method!r} cannot be made again ({error})") from None
    if scheme.id != step.child:
        raise ReplayError(f"{place}: {step.method} gives {scheme.id}, stored is {step.child}")
    return scheme
