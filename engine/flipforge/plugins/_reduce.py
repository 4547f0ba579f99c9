"""Reducers: the protocol of a plugin that writes schemes as programs of few additions."""

from typing import Protocol

from flipforge.programs import Program
from flipforge.schemes import Scheme
from flipforge.search import Mover

__all__ = ["Reducer"]


class Reducer(Mover, Protocol):
    """Finds schemes and programs with few additions; plugins of kind ``reducers`` implement it."""

    def reduce(self, scheme: Scheme, *, steps: int, workers: int, seed: int) -> Program:
        """Return a program of this scheme.

        Parameters
        ----------
        steps
            Budget of the search for shared sums; the reducer says what a step is.
        workers
            Processes that search at a time.
        seed
            The same arguments give the same program with one worker.

        Raises
        ------
        InputError
            The scheme is none that programs are written for, or too large.
        """
