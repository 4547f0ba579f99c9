"""The space of identities g = sum q_i f_i with cofactors of the least degree."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge.certificates import Certificate
from flipforge.errors import MalformedError, ProblemError, RingError, VerificationError
from flipforge.problems import Problem, register_kind
from flipforge.rings import Ring
from flipforge.search._protocols import Effort, Outcome, Seed
from flipforge.search._proven import Proven

__all__ = ["IdentitySpace"]

Values = npt.NDArray[np.int64]
"""A value modulo p for each product of an equation and a monomial."""

_COUNTED = ("pivots", "plus", "reductions", "restarts")
_ENTRY_BYTES = 16
MAX_DEGREE = 6


@dataclass(frozen=True)
class IdentitySpace:
    """Basic solutions of the linear system of an identity as states; a step leads to a neighbouring basis.

    The level is the number of terms of all cofactors; at equal level fewer bits are better. Over Q the walk is modulo
    a prime of 31 bits, and the coefficients are solved for again, exactly, with the products of the state alone.

    Raises
    ------
    RingError
        The ring is not the field that the problem states.
    ProblemError
        There are no cofactors up to degree `MAX_DEGREE`.
    """

    problem: Any
    ring: Ring

    def __post_init__(self) -> None:
        if self.ring != self.problem.ideal.ring:
            raise RingError(f"{self.problem}: its field is {self.problem.ideal.ring}, not {self.ring}")

    @property
    def walk_version(self) -> str:
        """Version of the walk."""
        from flipforge.flips import SUPPORT_WALK_VERSION

        return f"identity/{SUPPORT_WALK_VERSION}"

    @property
    def arguments(self) -> Mapping[str, Any]:
        """None: the problem is all there is."""
        return {}

    @cached_property
    def _system(self) -> Any:
        from flipforge.polynomials import least_system

        system = least_system(self.problem.ideal, MAX_DEGREE)
        if system is None:
            raise ProblemError(f"{self.problem}: there are no cofactors up to degree {MAX_DEGREE}; certify shows that")
        return system

    def start(self, seed: Seed) -> Values:
        """Return the solution with products of low degree, whatever the seed."""
        del seed
        return np.array(self._system.values, dtype=np.int64)

    def walk(self, state: Values, effort: Effort, seed: Seed) -> Outcome[Values]:
        """Walk from a state until the goal or the end of the steps."""
        from flipforge.exact import factor
        from flipforge.flips import support_walk

        system = self._system
        factored = factor(system.products.matrix, system.prime, order=np.argsort(state == 0, kind="stable").tolist())
        outside = np.setdiff1d(np.arange(len(state)), factored.columns)
        table = factored.echelon()[:, outside]
        end = support_walk(
            table, state[factored.columns], factored.columns, outside, system.prime, seed=seed.words(), **vars(effort)
        )
        result = np.zeros_like(state)
        result[end.basis] = end.values
        counts = {name: getattr(end, name) for name in _COUNTED}
        # A walk counts the work of its last pivot though it may be over by then.
        return Outcome(result, end.weight <= effort.goal, min(end.steps, effort.steps), counts, len(outside))

    def score(self, state: Values) -> tuple[int, ...]:
        """Return the number of terms, then that of bits."""
        return int(np.count_nonzero(state)), sum(map(_bits, _exact(self, self.encode(state))))

    def key(self, state: Values) -> bytes:
        """Return the encoding, which is unique."""
        return self.encode(state)

    def certify(self, state: Values) -> Certificate:
        """Prove the state by expanding the identity."""
        return self.scheme(state).certify()

    def encode(self, state: Values) -> bytes:
        """Write places and values of what is not zero."""
        places = np.flatnonzero(state)
        return np.stack([places, state[places]], axis=1).astype("<i8").tobytes()

    def decode(self, data: bytes) -> Values:
        """Read what `encode` wrote."""
        state = np.zeros(len(self._system.products.columns), dtype=np.int64)
        if len(data) % _ENTRY_BYTES:
            raise MalformedError(f"a state of {len(data)} bytes is no identity of {self.problem}")
        pairs = np.frombuffer(data, dtype="<i8").reshape(-1, 2)
        if len(pairs) and not 0 <= pairs[:, 0].min() <= pairs[:, 0].max() < len(state):
            raise MalformedError(f"a state that names products which {self.problem} does not have")
        state[pairs[:, 0]] = pairs[:, 1]
        return state

    def scheme(self, state: Values) -> Proven:
        """Return the certificate of a state."""
        from flipforge.polynomials import identity_certificate

        ideal, system = self.problem.ideal, self._system
        cofactors = system.products.cofactors(_exact(self, self.encode(state)), len(ideal.equations))
        proven = Proven(identity_certificate(ideal, cofactors, system.form))
        proven.__dict__["problem"] = self.problem
        return proven

    def state(self, scheme: Proven) -> Values:
        """Return the state of a certificate of this problem, whose cofactors have the least degree.

        Raises
        ------
        ProblemError
            They have a higher degree, or the certificate is about something else.
        """
        statement = scheme.certificate.statement
        if scheme.certificate.kind != "identity" or statement.get("problem") != self.problem.name:
            raise ProblemError(f"{scheme.id}: no identity of {self.problem}")
        from flipforge.polynomials import values_modulo

        values = values_modulo(self._system, scheme.certificate.witness["cofactors"])
        if values is None:
            raise ProblemError(f"{scheme.id}: its cofactors have other products than those of the least degree")
        return np.array(values, dtype=np.int64)

    def warm(self) -> None:
        """Compile the walk."""
        self.walk(self.start(Seed(0)), Effort(steps=1, path=1, goal=0, idle=1, band=0), Seed(0))


@lru_cache(maxsize=4096)
def _exact(space: IdentitySpace, data: bytes) -> tuple[Any, ...]:
    """Return the exact values of an encoded state."""
    from flipforge.polynomials import exact_values

    values = exact_values(space.problem.ideal, space._system, space.decode(data))
    if values is None:
        raise VerificationError(f"{space.problem}: a solution modulo a prime that is none over {space.ring}")
    return tuple(values)


def _bits(value: Any) -> int:
    return int(value.numerator.bit_length() + value.denominator.bit_length()) if value else 0


def _parse(path: str) -> Problem:
    # Only such a problem needs the algebra.
    from flipforge.polynomials import identity_problem, read_ideal

    return identity_problem(read_ideal(path))


register_kind("identity", _parse)
