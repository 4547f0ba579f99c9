"""The space of schemes over Q that least squares in floating-point numbers lead to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from flipforge.certificates import Certificate
from flipforge.errors import MalformedError, ProblemError, RingError
from flipforge.problems import Problem
from flipforge.rings import Q, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import dump_native, read_native_document
from flipforge.search._protocols import Effort, Outcome, Seed

__all__ = ["LeastSquaresSpace"]

_AIMED = 0.75
"""Part of the steps that try the rank aimed at, where there is one."""
_NEAR = 0.5
"""Part of the others that try one product less; the rest try any lower rank."""
_LARGEST_SEED = 2**63 - 1
_PRIME = 2**31 - 1


@dataclass(frozen=True)
class LeastSquaresSpace:
    """Schemes over Q as states, in canonical form; a step is one random start of damped least squares.

    Flips know of finite fields and of coefficients -1, 0 and 1 only; a scheme that needs 1/2, or one that no flip leads
    to, is found here (`flipforge.schemes.numerical`). A step does not depend on the state but for its rank: it tries
    fewer products, and leads to a scheme only where what it finds in floating-point numbers could be made exact.

    Attributes
    ----------
    aim
        The rank that most steps try. Without it, and in the other steps, half try one product less than the state has,
        the rest a rank below, drawn anew.

    Raises
    ------
    RingError
        The ring is not Q.
    ProblemError
        The problem is not bilinear, its tensor is zero, or even the least rank that can be has too many unknowns.
    """

    problem: Problem
    ring: Ring = Q
    aim: int | None = None
    walk_version: ClassVar[str] = "least-squares/1"

    def __post_init__(self) -> None:
        if self.ring != Q:
            raise RingError(f"{self.problem}: least squares lead to schemes over Q, not {self.ring}")
        if self.problem.proof != "brent":
            raise ProblemError(f"{self.problem}: least squares are for bilinear problems; search over GF2")
        if not self.problem.entries:
            raise ProblemError(f"{self.problem}: the tensor is zero; there is nothing to search")
        if self._most < self._least:
            raise ProblemError(
                f"{self.problem}: a scheme has {self._least} products or more, least squares take up to {self._most}"
            )

    @property
    def _entries(self) -> int:
        """Entries of the three factors of one product."""
        return sum(self.problem.shape)

    @cached_property
    def _least(self) -> int:
        """A bound below all ranks: the largest rank of the tensor as a matrix, one axis against the other two."""
        return max(self._flattened(axis) for axis in range(3))

    def _flattened(self, axis: int) -> int:
        from flipforge.exact import rank

        columns: dict[tuple[int, ...], int] = {}
        places = [
            (index[axis], columns.setdefault(index[:axis] + index[axis + 1 :], len(columns)))
            for index, _ in self.problem.entries
        ]
        matrix = np.zeros((self.problem.shape[axis], len(columns)), dtype=np.int64)
        for place, (_, value) in zip(places, self.problem.entries, strict=True):
            matrix[place] = value
        # The rank modulo a prime is never above that over Q.
        return rank(matrix, _PRIME)

    @property
    def _most(self) -> int:
        from flipforge.schemes.numerical import MAX_UNKNOWNS

        return MAX_UNKNOWNS // self._entries

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The rank aimed at."""
        return {} if self.aim is None else {"aim": self.aim}

    def start(self, seed: Seed) -> Scheme:
        """Return the standard algorithm, whatever the seed."""
        del seed
        return standard_scheme(self.problem, self.ring).canonical

    def walk(self, state: Scheme, effort: Effort, seed: Seed) -> Outcome[Scheme]:
        """Make starts until the goal or the end of the steps."""
        from flipforge.schemes.numerical import find_numerical, make_exact

        generator = np.random.Generator(np.random.PCG64(seed.sequence()))
        counts = {"found": 0, "exact": 0}
        steps = 0
        while state.rank > effort.goal and steps < effort.steps and effort.goal >= self._least:
            steps += 1
            rank = self._rank(effort.goal, generator)
            found = find_numerical(self.problem, rank, seed=int(generator.integers(_LARGEST_SEED)), starts=1)
            exact = None if found is None else make_exact(found)
            counts["found"] += found is not None
            counts["exact"] += exact is not None
            state = exact or state
        # Another start may always lead somewhere else.
        return Outcome(state, state.rank <= effort.goal, steps, counts, 1)

    def _rank(self, goal: int, generator: np.random.Generator) -> int:
        """Draw the rank that a step tries."""
        most = min(goal, self._most)
        if self.aim is not None and self._least <= self.aim < most and generator.random() < _AIMED:
            return self.aim
        return most if generator.random() < _NEAR else int(generator.integers(self._least, most + 1))

    def score(self, state: Scheme) -> tuple[int, ...]:
        """Return the rank and the number of nonzero coefficients."""
        return state.rank, sum(entry != 0 for rows in (state.u, state.v, state.w) for row in rows for entry in row)

    def key(self, state: Scheme) -> bytes:
        """Return the digest."""
        return state.digest.encode()

    def certify(self, state: Scheme) -> Certificate:
        """Prove the state by the Brent equations."""
        return state.certify()

    def encode(self, state: Scheme) -> bytes:
        """Write the state as its file."""
        return dump_native(state).encode()

    def decode(self, data: bytes) -> Scheme:
        """Read what `encode` wrote."""
        try:
            return self.state(read_native_document(json.loads(data), "a state", self.problem))
        except (AttributeError, ValueError, KeyError, TypeError) as error:
            raise MalformedError(f"a state that holds no scheme of {self.problem} ({error})") from None

    def scheme(self, state: Scheme) -> Scheme:
        """Return the state itself."""
        return state

    def state(self, scheme: Scheme) -> Scheme:
        """Return a scheme of this problem in canonical form.

        Raises
        ------
        ProblemError
            The scheme is one of another problem, or over a finite field.
        """
        if scheme.problem != self.problem:
            raise ProblemError(f"{scheme.id}: a scheme of {scheme.problem}, not of {self.problem}")
        if scheme.ring.characteristic:
            raise ProblemError(f"{scheme.id}: a scheme over {scheme.ring}; lift it to Q first")
        return replace(scheme.canonical, provenance={})

    def warm(self) -> None:
        """Compile the kernel of the normal equations, once for each worker."""
        one = Effort(1, 1, self._least, 1, 0)
        self.walk(self.start(Seed(0)), one, Seed(0))
