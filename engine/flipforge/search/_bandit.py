"""Which move to walk from next, and for which problem: a bandit over pairs of the two.

Ranks gained come as a Poisson process in steps, with a rate of their own for each pair. What a move gave for all
problems together is the prior of each of its pairs, worth one rank. Gains are forgotten by half with each turn that
brings none, since a problem near its floor gives no longer what it gave; steps are not. One rate is drawn from each
posterior and weighed by the worth of a rank, and the pair with the largest product is walked (Thompson 1933).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Bandit"]

Pair = tuple[int, str]
"""The number of a problem, and a move."""


@dataclass
class _Record:
    gained: float = 0.0
    steps: int = 0


class Bandit:
    """The bandit.

    Parameters
    ----------
    usual
        Steps in which a move gains one rank, as long as nothing is known of it.

    Examples
    --------
    >>> bandit = Bandit(1_000)
    >>> bandit.tell((0, "extend"), gained=3, steps=2_000)
    >>> bandit.mean((0, "extend")), bandit.mean((1, "extend"))
    (0.0014545454545454545, 0.0013333333333333333)
    """

    def __init__(self, usual: int) -> None:
        self._usual = usual
        self._pairs: dict[Pair, _Record] = {}
        self._moves: dict[str, _Record] = {}

    def choose(self, worth: Mapping[Pair, float], generator: np.random.Generator) -> Pair:
        """Draw a pair; ``worth`` says for each what a rank gained there is worth."""
        drawn = {}
        for pair, value in worth.items():
            shape, rate = self._posterior(pair)
            drawn[pair] = value * float(generator.gamma(shape)) / rate
        return max(drawn, key=drawn.__getitem__)

    def mean(self, pair: Pair) -> float:
        """Return the expected ranks per step."""
        shape, rate = self._posterior(pair)
        return shape / rate

    def tell(self, pair: Pair, *, gained: int, steps: int) -> None:
        """Note a turn: the steps walked, and the ranks by which it beat all that was there before it."""
        record = self._pairs.setdefault(pair, _Record())
        move = self._moves.setdefault(pair[1], _Record())
        record.gained = record.gained + gained if gained else record.gained / 2
        record.steps += steps
        move.gained += gained
        move.steps += steps

    def renew(self, pair: Pair) -> None:
        """Forget what a pair gave: it begins from better schemes now."""
        self._pairs.pop(pair, None)

    def checkpoint(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {
            "pairs": [[*pair, record.gained, record.steps] for pair, record in self._pairs.items()],
            "moves": [[move, record.gained, record.steps] for move, record in self._moves.items()],
        }

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Take up a checkpoint."""
        self._pairs = {(number, move): _Record(*record) for number, move, *record in checkpoint["pairs"]}
        self._moves = {move: _Record(*record) for move, *record in checkpoint["moves"]}

    def _posterior(self, pair: Pair) -> tuple[float, float]:
        """Shape and rate of the gamma posterior of the ranks per step."""
        move, record = self._moves.get(pair[1], _Record()), self._pairs.get(pair, _Record())
        cost = (self._usual + move.steps) / (1.0 + move.gained)
        return 1.0 + record.gained, cost + record.steps
