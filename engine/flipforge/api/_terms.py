"""The terms of a run: its limits, schedule, objective and workers, checked and as the run's record keeps them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from secrets import randbits
from typing import Any

from flipforge import executors, plugins
from flipforge.errors import InputError, PluginError
from flipforge.problems import LayerProblem, Problem
from flipforge.rings import Q, Ring
from flipforge.search import LIFTABLE, Executor, Lifter, Limits, Objective, RunRecord, Schedule
from flipforge.search import objective as make_objective
from flipforge.search import preset as preset_named

__all__ = [
    "config_of",
    "executor_for",
    "flip_kernels",
    "kernel_sizes",
    "lifter",
    "objective_named",
    "reducer",
    "schedule_of",
    "staff_of",
    "terms_of",
]


def config_of(
    *,
    target: int | None,
    workers: int | None,
    executor: str | None,
    seed: int | None,
    seconds: float | None,
    max_flips: int | None,
    preset: str,
    objective: str,
    deterministic: bool | None,
) -> dict[str, Any]:
    """Return what every run is configured with, as JSON values: its terms, those not asked for filled in.

    Raises
    ------
    InputError
        A term that cannot be met.
    """
    schedule = preset_named(preset)
    objective_named(objective)
    count, name = staff_of(workers, executor)
    root = randbits(32) if seed is None else seed
    if root < 0:
        raise InputError(f"seed is {root}: give 0 or a positive integer")
    budget = Limits(seconds=schedule.seconds) if seconds is None and max_flips is None else Limits()
    return {
        "seed": root,
        "workers": count,
        "executor": name,
        "deterministic": name == "inline" if deterministic is None else deterministic,
        "preset": preset,
        "objective": objective,
        "schedule": asdict(schedule),
        "limits": asdict(_limits(target, seconds, max_flips, budget)),
    }


def terms_of(
    record: RunRecord,
    *,
    target: int | None = None,
    seconds: float | None = None,
    max_flips: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
) -> tuple[Limits, tuple[int, str]]:
    """Return the limits of a run and its staff (workers and executor); what is not given is as configured."""
    config = record.config
    limits = _limits(target, seconds, max_flips, Limits(**config["limits"]))
    if workers is None and executor is None:
        return limits, (config["workers"], config["executor"])
    return limits, staff_of(workers, executor)


def staff_of(workers: int | None, executor: str | None) -> tuple[int, str]:
    """Return how many workers of which executor are meant; all processors and the fitting executor unless given.

    Raises
    ------
    InputError
        There is no such executor, or it cannot have so many workers.
    """
    if executor is not None and executor not in executors.names():
        raise InputError(f"unknown executor {executor!r}: use one of {', '.join(executors.names())}")
    if executor == "inline":
        if workers not in (None, 1):
            raise InputError(f"the inline executor has one worker, not {workers}: use --executor process")
        return 1, "inline"
    count = (os.cpu_count() or 1) if workers is None else workers
    if count < 1:
        raise InputError(f"workers is {count}: give at least 1")
    return count, executor or ("inline" if count == 1 else "process")


def objective_named(name: str) -> Objective:
    """Return a second objective, with an installed lifter where it needs one."""
    return make_objective(name, lifter() if name.partition(":")[0] == LIFTABLE else None)


def reducer() -> plugins.Reducer:
    """Return what lowers additions, by moves on the scheme and by shared sums."""
    found: plugins.Reducer = plugins.get("reducers", "sharing")
    return found


def lifter() -> Lifter:
    """Return the lifter to use: one registered in this session, or an installed one.

    Raises
    ------
    PluginError
        There is none, or those that are there are broken.
    """
    found = plugins.available("lifters")
    sound = sorted((info for info in found if info.status == "ok"), key=lambda info: info.origin != "session")
    if not sound:
        broken = "; ".join(f"{info.name} is broken: {info.reason}" for info in found)
        raise PluginError(f"no lifter is installed; flipforge plugins lists what is{broken and f' ({broken})'}")
    chosen: Lifter = plugins.get("lifters", sound[0].name)
    return chosen


def schedule_of(record: RunRecord) -> Schedule:
    """Return the schedule of a stored run.

    Raises
    ------
    InputError
        The run is of a version that spent its steps otherwise.
    """
    try:
        return Schedule(**record.config["schedule"])
    except TypeError:
        raise InputError(
            f"run {record.id} is of an earlier version with another strategy: search anew --from {record.best}"
        ) from None


def _limits(target: int | None, seconds: float | None, flips: int | None, default: Limits) -> Limits:
    for name, value in (("--target-rank", target), ("--time", seconds), ("--max-flips", flips)):
        if value is not None and value <= 0:
            raise InputError(f"{name} {value}: give a positive number")
    return Limits(
        default.target if target is None else target,
        default.seconds if seconds is None else seconds,
        default.flips if flips is None else flips,
    )


def kernel_sizes(problem: Problem, ring: Ring) -> list[tuple[int, int]]:
    """Return what decides the flip kernels of a problem's walks: the longest factor and the products to begin with.

    The kernel of approximate schemes is one for all sizes, and so are that of layer programs and that of least squares,
    which a search over Q makes.
    """
    one_kernel = problem.order or isinstance(problem, LayerProblem) or ring == Q
    return [] if one_kernel else [(max(problem.widths), len(problem.entries))]


def flip_kernels(record: RunRecord, sizes: Sequence[tuple[int, int]]) -> Callable[[], None]:
    """Return what compiles the flip kernels for problems of these sizes."""
    return partial(_warm, record.ring, sizes, schedule_of(record).band)


def executor_for(staff: tuple[int, str], address: str | None, warm: Callable[[], None]) -> Executor:
    """Return an executor each of whose workers calls ``warm`` first."""
    workers, name = staff
    return executors.make_executor(name, workers=workers, address=address, warm=warm)


def _warm(ring: str, sizes: Sequence[tuple[int, int]], band: int) -> None:
    from flipforge import flips

    for entries, rank in sizes:
        flips.warm(ring, entries, rank, band=band)
