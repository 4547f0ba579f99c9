"""The space of proven roots of a polynomial system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flipforge.certificates import Certificate
from flipforge.errors import InputError, MalformedError, ProblemError, RingError
from flipforge.problems import Problem, register_kind
from flipforge.rings import Q, Ring
from flipforge.search._protocols import Effort, Outcome, Seed
from flipforge.search._proven import Proven

__all__ = ["SystemSpace"]


@dataclass(frozen=True)
class SystemSpace:
    """Sets of proven roots as states; a step is one of Newton's method from a random start.

    The level is how many roots there can be beside these, counted with multiplicity, by Bezout's bound or that of the
    quotient by the ideal; at level 0 the set holds them all. Where Newton's method is slow, a walk goes on by
    deflation, to roots whose dual space is proven. So it does for every root of an overdetermined system, where balls
    are kept beside the roots and count for nothing. Over a number field the ring is still called Q.

    Raises
    ------
    RingError
        The ring is not Q.
    """

    problem: Any
    ring: Ring = Q

    def __post_init__(self) -> None:
        if self.ring != Q:
            raise RingError(f"{self.problem}: roots are looked for over Q, not {self.ring}")

    @property
    def walk_version(self) -> str:
        """Version of the walk."""
        return "system/1"

    @property
    def arguments(self) -> Mapping[str, Any]:
        """None: the problem is all there is."""
        return {}

    @cached_property
    def _bound(self) -> Any:
        from flipforge.polynomials import root_bound

        return root_bound(self.problem.system)

    def start(self, seed: Seed) -> Any:
        """Return the empty set, whatever the seed."""
        from flipforge.polynomials import Solutions

        del seed
        return Solutions()

    def walk(self, state: Any, effort: Effort, seed: Seed) -> Outcome[Any]:
        """Add roots until the goal or the end of the steps; a set only grows, so no path leads back."""
        from flipforge.polynomials import more_solutions

        found, steps, counts = more_solutions(
            self.problem.system,
            state,
            wanted=self._bound.count - effort.goal,
            steps=effort.steps,
            generator=np.random.Generator(np.random.PCG64(seed.sequence())),
        )
        # What is still missing can still be found.
        return Outcome(found, self.score(found)[0] <= effort.goal, steps, counts, self._bound.count - found.count)

    def score(self, state: Any) -> tuple[int, ...]:
        """Return how many roots are missing."""
        return (self._bound.count - state.count,)

    def key(self, state: Any) -> bytes:
        """Return the encoding, which is unique."""
        return self.encode(state)

    def certify(self, state: Any) -> Certificate:
        """Prove every root of the state."""
        return self.scheme(state).certify()

    def encode(self, state: Any) -> bytes:
        """Write centres and dual spaces."""
        return json.dumps([state.simple, state.singular, *([state.open] if state.open else [])]).encode()

    def decode(self, data: bytes) -> Any:
        """Read what `encode` wrote."""
        from flipforge.polynomials import Solutions

        try:
            simple, singular, *rest = json.loads(data)
            maybe = [(tuple(map(int, rows)), _point(point)) for part in rest for rows, point in part]
            return Solutions(tuple(map(_point, simple)), tuple(map(str, singular)), tuple(maybe))
        except (ValueError, TypeError) as error:
            raise MalformedError(f"a state that holds no roots of {self.problem} ({error})") from None

    def scheme(self, state: Any) -> Proven:
        """Return the certificate of a state."""
        from flipforge.polynomials import solutions_certificate

        proven = Proven(solutions_certificate(self.problem.system, state, self._bound))
        proven.__dict__["problem"] = self.problem
        return proven

    def state(self, scheme: Proven) -> Any:
        """Return the state of a certificate of this problem.

        Raises
        ------
        ProblemError
            The certificate is about something else, or has its centres on another grid.
        """
        from flipforge.polynomials import solutions_of

        if scheme.certificate.kind != "solutions" or scheme.problem != self.problem:
            raise ProblemError(f"{scheme.id}: no solutions of {self.problem}")
        try:
            return solutions_of(scheme.certificate)
        except ValueError as error:
            raise ProblemError(f"{scheme.id}: {error}, which a search does not go on from") from None

    def warm(self) -> None:
        """Find the bound on the number of roots, once for each worker."""
        self.score(self.start(Seed(0)))


def _point(pairs: Any) -> tuple[tuple[int, int], ...]:
    return tuple((int(re), int(im)) for re, im in pairs)


def _parse(path: str) -> Problem:
    # Only such a problem needs the algebra.
    from flipforge.polynomials import read_system, system_problem

    try:
        return system_problem(read_system(path))
    except InputError as error:
        raise type(error)(str(error) if path in str(error) else f"{path}: {error}") from None


register_kind("system", _parse)
