"""Searches over families: one run over many problems, which share its time and its workers."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from re import fullmatch

from flipforge.api._library import Db, open_store, parse_problem
from flipforge.api._meta import MetaRounds, begin_meta, check_lattice
from flipforge.api._rounds import FamilyResult, OnFamilyProgress, Rounds
from flipforge.api._spaces import fitted, search_space, usual_ring
from flipforge.api._terms import config_of, executor_for, flip_kernels, kernel_sizes, schedule_of, terms_of
from flipforge.catalogue import SqliteStore
from flipforge.errors import InputError, ProblemError
from flipforge.problems import MAX_FAMILY, expand
from flipforge.rings import Ring
from flipforge.rings import ring as ring_named
from flipforge.search import Limits, Run, RunRecord, Schedule

__all__ = ["is_family_run", "resume_family", "search_family"]


def search_family(
    family: str,
    ring: str | None = None,
    *,
    sorted_only: bool = False,
    yes: bool = False,
    meta: bool = False,
    start: Sequence[str | Path] = (),
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    seed: int | None = None,
    seconds: float | None = None,
    max_flips: int | None = None,
    preset: str = "standard",
    objective: str = "additions",
    deterministic: bool | None = None,
    db: Db = None,
    on_progress: OnFamilyProgress | None = None,
) -> FamilyResult:
    """Search for schemes of low rank for every problem of a family, in one run.

    The members take turns; each turn of a member is as long as those of the others in its round, and twice as long as
    the one before. A member aims at the best known rank over the ring and is left alone once it is there; one for which
    no rank is known is searched until the budget ends. With one worker, a seed and ``max_flips`` the whole run can be
    repeated.

    Parameters
    ----------
    family
        A problem string with ranges or lists, e.g. ``matmul:2..5x2..5x2..5``: every member that it names, reorderings
        of the sizes of a matrix product as well.
    sorted_only
        Of matrix products that differ in the order of their sizes only, take the first one with ascending sizes.
    yes
        Take families of more than ten thousand problems.
    meta
        Let what is found for one problem seed the others: schemes are cut, merged, multiplied and projected into starts
        for other formats, and a bandit gives the turns. Of matrix products one order of sizes is taken.
    start
        With ``meta``: IDs or files of schemes to begin with; the schemes of the catalogue unless given, and none but
        the standard algorithms where it is ``["standard"]``.
    seconds, max_flips
        Budget of the whole family; with neither, the preset's seconds.

    Other parameters are those of `search`.

    Raises
    ------
    InputError
        Any argument that cannot be met, a member that cannot be searched included; nothing is written.

    Examples
    --------
    >>> result = search_family("matmul:2x2x2..3", workers=1, seed=1, db=":memory:")
    >>> [(row["problem"], row["rank"]) for row in result.rows]
    [('matmul:2x2x2', 7), ('matmul:2x2x3', 11)]
    """
    if objective != "additions" and family.startswith("layer:"):
        raise InputError(f"{family}: a search for layer programs takes no --objective but additions")
    over = ring_named(ring or _usual_ring(family, yes=yes))
    names, sizes = _members(family, over, sorted_only=sorted_only or meta, yes=yes)
    if start and not meta:
        raise InputError(
            f"--from is for one problem, or with --meta; the members of {family} begin at the standard algorithms"
        )
    if meta:
        check_lattice(family, names)
    config = config_of(
        target=None,
        workers=workers,
        executor=executor,
        seed=seed,
        seconds=seconds,
        max_flips=max_flips,
        preset=preset,
        objective=objective,
        deterministic=deterministic,
    )
    first = search_space(parse_problem(names[0]), over, None)
    config |= {"sizes": sizes, "members": names, "schedule": asdict(fitted(Schedule(**config["schedule"]), first))}
    with open_store(db) as store:
        record = replace(Run.new(first, over.name, config), problem=family)
        if meta:
            record = begin_meta(store, record, over, start)
        return _drive(store, record, *terms_of(record), address, on_progress)


def resume_family(
    run: str,
    *,
    seconds: float | None = None,
    max_flips: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
    address: str | None = None,
    db: str | Path | None = None,
    on_progress: OnFamilyProgress | None = None,
) -> FamilyResult:
    """Go on with a run over a family, in the turn that it was in.

    Limits not given are the run's own: its seconds anew, its flips in total.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    InputError
        The run is of one problem.
    """
    with open_store(db) as store:
        record = store.run(run)
        if "members" not in record.config:
            raise InputError(f"run {record.id} is of one problem; resume goes on with it")
        terms = terms_of(record, seconds=seconds, max_flips=max_flips, workers=workers, executor=executor)
        return _drive(store, record, *terms, address, on_progress)


def is_family_run(run: str, *, db: str | Path | None = None) -> bool:
    """Tell whether a run is over a family.

    Raises
    ------
    NotFoundError
        The catalogue has no such run.
    """
    with open_store(db) as store:
        return "members" in store.run(run).config


def _drive(
    store: SqliteStore,
    record: RunRecord,
    limits: Limits,
    staff: tuple[int, str],
    address: str | None,
    on_progress: OnFamilyProgress | None,
) -> FamilyResult:
    executor = executor_for(staff, address, flip_kernels(record, record.config["sizes"]))
    try:
        kind = MetaRounds if "meta" in record.config else Rounds
        rounds = kind(store, executor, record, schedule=schedule_of(record), limits=limits, on_progress=on_progress)
        return rounds.go()
    finally:
        executor.close()


def _members(family: str, ring: Ring, *, sorted_only: bool, yes: bool) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the problems of a family and the sizes of kernels they need, each problem tried before anything runs."""
    names = list(dict.fromkeys(expand(family, limit=None if yes else MAX_FAMILY)))
    if sorted_only:
        names = _one_of_each_order(names)
    sizes: set[tuple[int, int]] = set()
    canonical: dict[str, None] = {}
    largest: tuple[int, str] | None = None
    refused: ProblemError | None = None
    for name in names:
        try:
            problem = parse_problem(name)
            search_space(problem, ring, None)
        except ProblemError as error:
            refused = refused or error
            continue
        canonical[problem.name] = None
        sizes.update(kernel_sizes(problem, ring))
        largest = max(largest or (0, ""), (sum(problem.shape), problem.name))
    if refused is not None:
        fits = f"the largest member that can be searched is {largest[1]}" if largest else "no member can be searched"
        raise ProblemError(f"{family}: {refused}; {fits}")
    return list(canonical), sorted(sizes)


def _usual_ring(family: str, *, yes: bool) -> str:
    """Return the ring of a search of the first member."""
    return usual_ring(parse_problem(expand(family, limit=None if yes else MAX_FAMILY)[0]))


def _one_of_each_order(names: Sequence[str]) -> list[str]:
    """Keep of each matrix product the order of sizes that comes first when ascending orders come before others."""
    kept: dict[str, str] = {}
    for name in names:
        match = fullmatch(r"matmul:(\d+)x(\d+)x(\d+)", name)
        ascending = "matmul:" + "x".join(map(str, sorted(map(int, match.groups())))) if match else name
        if name == ascending or ascending not in kept:
            kept[ascending] = name
    return list(kept.values())
