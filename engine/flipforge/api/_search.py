"""Launch, resume and replay searches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from flipforge.api._certify import certified_again
from flipforge.api._library import Db, open_store, parse_problem
from flipforge.api._spaces import AnySpace, fitted, search_space, starts_of, usual_ring, warm_layers
from flipforge.api._terms import (
    config_of,
    executor_for,
    flip_kernels,
    kernel_sizes,
    lifter,
    objective_named,
    reducer,
    schedule_of,
    terms_of,
)
from flipforge.catalogue import SqliteStore
from flipforge.errors import FlipforgeError, InputError, ReplayError
from flipforge.problems import Problem, is_family
from flipforge.rings import ZT, Q, Ring
from flipforge.rings import ring as ring_named
from flipforge.schemes import Scheme, Symmetry, first_schemes, symmetry_of
from flipforge.schemes import symmetry as symmetry_named
from flipforge.schemes.transforms import OVER
from flipforge.search import (
    LIFTED,
    Entry,
    IdentitySpace,
    LayerSpace,
    LeastSquaresSpace,
    Limits,
    Lineage,
    Progress,
    Replayed,
    Run,
    RunRecord,
    Schedule,
    Seed,
    Space,
    Stored,
    SymmetricSpace,
    SystemSpace,
    retrace,
)

__all__ = [
    "SearchResult",
    "replay_scheme",
    "resume",
    "search",
]

OnProgress = Callable[[Progress], None]

_WITHOUT_SCHEMES = {"layer": "layer programs", "identity": "identities", "solutions": "roots"}
"""Kinds of proof of what is no scheme: its ring is its own, and neither symmetry nor most objectives make sense."""


@dataclass(frozen=True)
class SearchResult:
    """What a search, a resumed one or a replay came to; `as_dict` is the JSON of the contract.

    Attributes
    ----------
    rank, scheme
        The best rank and the ID of a scheme that has it.
    target_reached
        Whether the target rank was reached; None where none was set.
    flips, seconds
        Steps walked and time taken, over all sessions of the run.
    """

    run: str | None
    problem: str
    ring: str
    rank: int | None
    target_reached: bool | None
    scheme: str | None
    flips: int
    seconds: float
    workers: int
    seed: int
    walk_version: str

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of the contract."""
        return asdict(self)


def search(
    problem: str,
    ring: str | None = None,
    *,
    target_rank: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    seed: int | None = None,
    seconds: float | None = None,
    max_flips: int | None = None,
    preset: str = "standard",
    objective: str = "additions",
    start: Sequence[str | Path] = (),
    symmetry: str | None = None,
    cubes: Sequence[str] = (),
    deterministic: bool | None = None,
    db: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> SearchResult:
    """Search for schemes of low rank, prove each find and keep it in the catalogue.

    Parameters
    ----------
    problem, ring
        A problem string, e.g. ``matmul:3x3x3``, and the ring to search over; GF2 unless given. A layer, e.g.
        ``layer:S:20:3:3``, has the ring Z, and its rank is the number of elements that a program touches; an identity
        has the field that its file states, and its rank is the number of terms; a system is over Q, and its rank is how
        many roots may be missing, with 0 as the target unless another is given. Schemes over Q are found by least
        squares in floating-point numbers and made exact; a step is a random start then.
    target_rank
        Stop as soon as a scheme of this rank or lower is found.
    workers
        Walks at a time; all processors unless given.
    executor
        ``inline``, ``process`` or ``ray``; inline for one worker and process for more unless given.
    address
        Of a running Ray cluster.
    seed
        Root of all random choices; drawn and recorded unless given.
    seconds, max_flips
        Budget. Seconds end a run early, flips end it reproducibly. With neither, the preset's seconds.
    preset
        ``quick``, ``standard`` or ``deep``.
    objective
        What is better at equal rank: ``additions`` (fewer), ``flips`` (more), ``calls`` or ``few-calls`` (recursive
        calls of structured products), or ``liftable``. With the last the rank that counts is that of schemes that an
        installed lifter lifts to characteristic 0; ``liftable:Z`` wants a lift over Z, and so for ZT, Z[1/2] and Q.
    start
        IDs or files of schemes to start from, in place of the standard algorithm.
    symmetry
        Search only among schemes that this group leaves as they are: a name such as ``Z3``, or a file
        (`flipforge.schemes.symmetry`). Over GF(2); without ``start`` the seed draws the products it begins with.
    cubes
        With ``symmetry``, for square matrix products: the fixed cubes to begin with (`SymmetricSpace`), for one
        ``["1100", "0011"]``.
    deterministic
        Merge results in the order of their chunks; the default for inline.
    db
        Catalogue: a path or ``sqlite:///...``.

    Raises
    ------
    InputError
        Any argument that cannot be met; nothing is written.

    Examples
    --------
    >>> import flipforge
    >>> flipforge.search("matmul:2x2x2", target_rank=7, workers=1, db=":memory:").rank
    7
    """
    if is_family(problem):
        raise InputError(f"{problem}: a family; search_family searches over its members")
    parsed = parse_problem(problem)
    over = ring_named(ring or usual_ring(parsed))
    if parsed.proof in _WITHOUT_SCHEMES and (symmetry is not None or objective != "additions"):
        what = _WITHOUT_SCHEMES[parsed.proof]
        raise InputError(f"{parsed}: a search for {what} takes no --symmetry, and no --objective but additions")
    group = None if symmetry is None else symmetry_named(symmetry, parsed, over)
    if cubes and (group is None or start):
        raise InputError("cubes are what a search with a symmetry begins with: give --symmetry, and no --from")
    space = search_space(parsed, over, group, cubes, target_rank)
    config = config_of(
        # No set of roots is better than one that lacks none, which is the target without being asked for.
        target=target_rank or None if isinstance(space, SystemSpace) else target_rank,
        workers=workers,
        executor=executor,
        seed=seed,
        seconds=seconds,
        max_flips=max_flips,
        preset=preset,
        objective=objective,
        deterministic=deterministic,
    )
    config |= {"start": [str(item) for item in start]} | ({} if group is None else {"symmetry": group.as_dict()})
    config |= {"cubes": list(cubes)} if cubes else {}
    config["schedule"] = asdict(fitted(Schedule(**config["schedule"]), space))
    if isinstance(space, SystemSpace):
        config["limits"]["target"] = target_rank or 0
    record = Run.new(space, space.ring.name, config)
    with open_store(db, None if start else parsed.name) as store:
        entries = starts_of(space, start, store, config["seed"])
        return _drive(space, store, record, entries, *terms_of(record), address, on_progress)


def resume(
    run: str,
    *,
    target_rank: int | None = None,
    seconds: float | None = None,
    max_flips: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    db: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> SearchResult:
    """Go on with a run from its last checkpoint.

    Limits not given are the run's own: its seconds anew, its flips in total. A run whose target is reached already is
    not walked again.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    """
    with open_store(db) as store:
        record = store.run(run)
        if "members" in record.config:
            raise InputError(f"run {record.id} is over a family; resume_family goes on with it")
        if "lift" in record.config:
            raise InputError(f"run {record.id} is a batch of lifts; resume_lifts goes on with it")
        terms = terms_of(
            record, target=target_rank, seconds=seconds, max_flips=max_flips, workers=workers, executor=executor
        )
        if record.best is None:
            raise InputError(f"run {record.id} was stopped before it stored a scheme; start it again")
        parsed = store.scheme(record.best).problem
        group = _group_in(record.config, parsed, f"run {record.id}")
        cubes = record.config.get("cubes", ())
        space = search_space(parsed, ring_named(record.ring), group, cubes, terms[0].target)
        return _drive(space, store, record, None, *terms, address, on_progress)


def replay_scheme(name: str, *, db: Db = None) -> SearchResult:
    """Make the history of a stored object again, walks and derivations, from its roots, and compare every ID.

    Raises
    ------
    ReplayError
        The scheme has no lineage, a root is gone, a step was made under another version, or gives another scheme.
    """
    began = process_time()
    with open_store(db) as store:
        scheme = store.scheme(name)
        chain = store.lineage(name)
        rings = _rings(scheme.ring, chain)
        over = scheme.ring if scheme.ring.characteristic or not isinstance(scheme, Scheme) else ZT

        def space_of(problem: Problem, step: Lineage) -> AnySpace:
            if step.walk_version == LeastSquaresSpace.walk_version:
                return LeastSquaresSpace(problem, Q, step.arguments.get("aim"))
            # Walks are over the ternary integers where a derivation led to a larger ring.
            ring = rings[step.child]
            ring = ring if ring.characteristic or problem.proof in _WITHOUT_SCHEMES else ZT
            group = _group_in(step.arguments, problem, f"the step to {step.child}")
            return search_space(problem, ring, group, step.arguments.get("cubes", ()))

        def root_of(identity: str, problem: Problem, step: Lineage) -> Stored:
            firsts: list[Stored] = [first.canonical for first in _firsts(problem, rings[step.parents[0]])]
            space = None if step.sources else space_of(problem, step)
            if isinstance(space, SymmetricSpace):
                firsts += [space.scheme(state) for state in space.every_start()]
            return next((first for first in firsts if first.id == identity), None) or store.scheme(identity)

        if chain:
            replayed = retrace(scheme.problem, chain, space_of, root_of, lifter, certified_again, reducer)
        elif scheme.id in {first.id for first in (*_firsts(scheme.problem, scheme.ring), *_symmetric_firsts(scheme))}:
            replayed = Replayed(scheme, 0, 0)
        else:
            origin = scheme.provenance.get("origin", "unknown")
            raise ReplayError(f"{scheme.id}: has no lineage to replay (origin {origin})")
    return SearchResult(
        run=chain[-1].run or None if chain else None,
        problem=scheme.problem.name,
        ring=scheme.ring.name,
        rank=scheme.rank,
        target_reached=True,
        scheme=scheme.id,
        flips=replayed.flips,
        seconds=process_time() - began,
        workers=1,
        seed=next((step.seed[0] for step in reversed(chain) if step.seed), 0),
        walk_version=chain[-1].walk_version if chain else search_space(scheme.problem, over, None).walk_version,
    )


def _rings(ring: Ring, chain: Sequence[Lineage]) -> dict[str, Ring]:
    """Return the ring of every scheme of a history: lifts and changes of ring say what they come from."""
    rings = {chain[-1].child: ring} if chain else {}
    for step in reversed(chain):
        # A step that leads nowhere is refused when it is taken again.
        changed = step.method in (LIFTED, OVER)
        before = ring_named(str(step.arguments.get("ring"))) if changed else rings.get(step.child, ring)
        rings.setdefault(step.child, ring)
        rings.update(dict.fromkeys(step.parents, before))
    return rings


def _firsts(problem: Problem, ring: Ring) -> Sequence[Stored]:
    """Return what searches of a problem begin with."""
    if problem.proof in _WITHOUT_SCHEMES:
        space: Space[Any] = search_space(problem, ring, None)
        return [space.scheme(space.start(Seed(0)))]
    return first_schemes(problem, ring)


def _symmetric_firsts(scheme: Stored) -> Sequence[Scheme]:
    """Return what searches begin with among schemes of the group that a scheme records, if it does."""
    group = symmetry_of(scheme) if isinstance(scheme, Scheme) else None
    if group is None:
        return ()
    try:
        space = SymmetricSpace(scheme.problem, group, scheme.ring)
        return [space.scheme(state) for state in space.every_start()]
    except FlipforgeError:
        return ()  # no search looks there, or only from a scheme that it is given


def _group_in(config: Mapping[str, Any], problem: Problem, source: str) -> Symmetry | None:
    document = config.get("symmetry")
    return None if document is None else Symmetry.read(document, problem, source)


def _drive(
    space: AnySpace,
    store: SqliteStore,
    record: RunRecord,
    starts: Sequence[Entry] | None,
    limits: Limits,
    staff: tuple[int, str],
    address: str | None,
    on_progress: OnProgress | None,
) -> SearchResult:
    schedule = schedule_of(record)
    warm: Callable[[], None]
    if isinstance(space, LayerSpace):
        warm = warm_layers(space)
    elif isinstance(space, IdentitySpace | SystemSpace | LeastSquaresSpace):
        warm = space.warm
    elif isinstance(space, SymmetricSpace):
        first = [store.scheme(record.best or "")] if starts is None else [entry.scheme for entry in starts]
        warm = partial(space.warm, [space.state(scheme) for scheme in first], schedule.band)
    else:
        warm = flip_kernels(record, kernel_sizes(space.problem, space.ring))
    executor = executor_for(staff, address, warm)
    try:
        run = Run(
            space,
            executor,
            store,
            record,
            schedule=schedule,
            limits=limits,
            deterministic=record.config["deterministic"],
            objective=objective_named(record.config["objective"]),
            on_progress=on_progress,
        )
        if starts is None:
            run.resume()
        else:
            run.begin(starts)
        ended = run.go()
    finally:
        executor.close()
    return SearchResult(
        run=ended.id,
        problem=ended.problem,
        ring=ended.ring,
        rank=ended.rank,
        target_reached=None if limits.target is None else ended.state == "done",
        scheme=ended.best,
        flips=ended.flips,
        seconds=round(ended.seconds, 3),
        workers=staff[0],
        seed=record.config["seed"],
        walk_version=space.walk_version,
    )
