"""Executors by name."""

from collections.abc import Callable
from typing import Protocol

from flipforge.errors import InputError, PluginError
from flipforge.executors._inline import InlineExecutor
from flipforge.executors._process import ProcessExecutor
from flipforge.executors._task import Warm
from flipforge.search import Executor

__all__ = ["ExecutorFactory", "make_executor", "names", "register_executor"]


class ExecutorFactory(Protocol):
    """Makes an executor; refuses an address with `InputError` where it has no use for one."""

    def __call__(self, *, workers: int, address: str | None, warm: Warm | None) -> Executor:
        """Return a running executor."""


def _no_address(name: str, address: str | None) -> None:
    if address is not None:
        raise InputError(
            f"executor {name} runs on this machine and takes no address ({address!r}): leave it out or use ray"
        )


def _inline(*, workers: int, address: str | None, warm: Warm | None) -> Executor:
    _no_address("inline", address)
    return InlineExecutor(warm=warm)


def _process(*, workers: int, address: str | None, warm: Warm | None) -> Executor:
    _no_address("process", address)
    return ProcessExecutor(workers=workers, warm=warm)


def _ray(*, workers: int, address: str | None, warm: Warm | None) -> Executor:
    from flipforge.executors._ray import RayExecutor

    return RayExecutor(workers=workers, address=address, warm=warm)


_FACTORIES: dict[str, ExecutorFactory] = {"inline": _inline, "process": _process, "ray": _ray}


def names() -> tuple[str, ...]:
    """Return the names that `make_executor` knows."""
    return tuple(_FACTORIES)


def register_executor(name: str, factory: ExecutorFactory) -> None:
    """Make a further executor known.

    Raises
    ------
    PluginError
        The name is taken.
    """
    if name in _FACTORIES:
        raise PluginError(f"an executor named {name!r} is registered already")
    _FACTORIES[name] = factory


def make_executor(
    name: str, *, workers: int, address: str | None = None, warm: Callable[[], None] | None = None
) -> Executor:
    """Start an executor.

    Parameters
    ----------
    name
        One of `names`.
    workers
        How many tasks may run at once; ``inline`` runs one, whatever is asked.
    address
        A running Ray cluster, ``auto`` for the one of this machine; only for ``ray``, which starts its own without.
    warm
        Compiles what tasks need; a module-level function, run in each worker before its first task.

    Raises
    ------
    InputError
        The name is unknown, `workers` is below 1, the address is not wanted or nothing answers there.
    """
    if name not in _FACTORIES:
        raise InputError(f"unknown executor {name!r}: choose one of {', '.join(names())}")
    if workers < 1:
        raise InputError(f"{workers} workers cannot run anything: ask for 1 or more")
    return _FACTORIES[name](workers=workers, address=address, warm=warm)
