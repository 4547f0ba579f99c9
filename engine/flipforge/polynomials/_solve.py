"""All roots of a square system, as far as Newton's method finds them from many random starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import acb, acb_mat, ctx

from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Exponents

__all__ = ["Evaluator", "Newton", "find_roots", "newton", "polish", "random_starts", "regular_rows"]

Array = npt.NDArray[Any]

BATCH = 1000
STEPS = 40
"""Of Newton's method from one start."""
SAME = 1e-6
"""Points at less than this from each other, beside their size, are taken to be one."""
_SLOW = 1e-2


def find_roots(
    system: System, bound: int, seed: int = 0, *, known: Sequence[Array] = (), patience: int = 3
) -> list[Array]:
    """Return distinct approximate roots, in floats; those that are known come first.

    Parameters
    ----------
    bound
        Stop at so many roots.
    seed
        Of the starts: complex normal numbers times a size between 0.1 and 10.
    patience
        So many batches of starts without a new root end the search.
    """
    from threadpoolctl import threadpool_limits

    draw = np.random.default_rng(seed)
    n = len(system.variables)
    evaluator = Evaluator(system)
    found = list(known)
    idle = 0
    while idle < patience and len(found) < bound:
        before = len(found)
        with threadpool_limits(1):
            ends = newton(evaluator, random_starts(draw, BATCH, n)).ends
        for point in ends:
            size = 1 + np.max(abs(point))
            if all(np.max(abs(point - other)) > SAME * size for other in found):
                found.append(point)
        idle = 0 if len(found) > before else idle + 1
    return found


def random_starts(draw: np.random.Generator, count: int, n: int) -> Array:
    """Return complex normal points times sizes between 0.1 and 10, count by n."""
    sizes = 10.0 ** draw.uniform(-1, 1, (count, 1))
    return np.asarray(sizes * (draw.standard_normal((count, n)) + 1j * draw.standard_normal((count, n))))


def polish(system: System, point: Sequence[complex], bits: int) -> list[acb] | None:
    """Add digits to a simple root by Newton's method; None where it does not converge."""
    values = [acb(complex(x)) for x in point]
    with ctx.workprec(bits + 60):
        for _ in range(bits.bit_length() + 4):
            residual = acb_mat([[value] for value in system.values(values, bits + 60)])
            try:
                change = system.jacobian(values, bits + 60).mid().solve(residual.mid())
            except ZeroDivisionError:
                return None
            step = max(abs(change[j, 0]).mid() for j in range(len(values)))
            if not step < 1:
                return None
            values = [(x - change[j, 0]).mid() for j, x in enumerate(values)]
            if step < acb(2).real ** (-bits):
                return values
    return None


def regular_rows(system: System, point: Sequence[acb], count: int) -> list[int]:
    """Choose so many equations whose gradients at a point are far from dependent, greedily."""
    jacobian = system.jacobian(point, 53)
    width = len(system.variables)
    rows = [np.array([complex(jacobian[k, j]) for j in range(width)]) for k in range(len(system.polynomials))]
    # A gradient that is nothing but rounding must not count as a direction.
    least = 1e-6 * max(float(np.linalg.norm(row)) for row in rows)
    rows = [row / max(float(np.linalg.norm(row)), least, 1e-300) for row in rows]
    chosen: list[int] = []
    for _ in range(count):
        best = max((k for k in range(len(rows)) if k not in chosen), key=lambda k: float(np.linalg.norm(rows[k])))
        chosen.append(best)
        direction = rows[best] / max(float(np.linalg.norm(rows[best])), 1e-300)
        rows = [row - np.vdot(direction, row) * direction for row in rows]
    return sorted(chosen)


class Evaluator:
    """The values and derivatives of a system at many points at once, in floats."""

    def __init__(self, system: System) -> None:
        numeric = system.numeric(53)
        self._monomials: dict[Exponents, int] = {}
        self._values = [self._terms({e: complex(c) for e, c in f.items()}) for f in numeric]
        self._slopes = [
            [self._terms(_derived({e: complex(c) for e, c in f.items()}, j)) for j in range(len(system.variables))]
            for f in numeric
        ]

    def _terms(self, terms: dict[Exponents, complex]) -> tuple[list[int], Array]:
        places = [self._monomials.setdefault(e, len(self._monomials)) for e in terms]
        return places, np.array([*terms.values()], dtype=complex)

    def __call__(self, points: Array) -> tuple[Array, Array]:
        """Return values, points by equations, and Jacobian matrices."""
        exponents = np.array([*self._monomials])
        table = np.ones((len(points), len(exponents)), dtype=complex)
        for j in range(points.shape[1]):
            powers = [np.ones(len(points), dtype=complex)]
            for _ in range(int(exponents[:, j].max())):
                powers.append(powers[-1] * points[:, j])
            table *= np.array(powers).T[:, exponents[:, j]]
        values = np.stack([table[:, places] @ c for places, c in self._values], axis=1)
        slopes = np.stack(
            [np.stack([table[:, places] @ c for places, c in row], axis=1) for row in self._slopes], axis=1
        )
        return values, slopes


def _derived(terms: dict[Exponents, complex], j: int) -> dict[Exponents, complex]:
    return {(*e[:j], e[j] - 1, *e[j + 1 :]): c * e[j] for e, c in terms.items() if e[j]}


@dataclass(frozen=True)
class Newton:
    """What Newton's method came to from many starts.

    Attributes
    ----------
    ends
        Points at which it converged, with a regular Jacobian matrix, a row each.
    slow
        Points whose last step was short when the steps were used up, as on the way to a singular root.
    steps
        How many steps were made, those of all points together.
    """

    ends: Array
    slow: Array
    steps: int


def newton(evaluator: Evaluator, points: Array, most: int = STEPS) -> Newton:
    """Take at most so many steps from each point; of more equations than unknowns, those of Gauss and Newton."""
    done, made = [points[:0]], 0
    slow = points[:0]
    with np.errstate(all="ignore"):
        for _ in range(most):
            values, slopes = evaluator(points)
            usable = np.all(np.isfinite(values), axis=1) & np.all(np.isfinite(slopes), axis=(1, 2))
            points, values, slopes = points[usable], values[usable], slopes[usable]
            if not len(points):
                break
            square, right = slopes, values[:, :, None]
            if square.shape[1] > square.shape[2]:
                # Gauss-Newton steps.
                adjoint = slopes.conj().transpose(0, 2, 1)
                square, right = adjoint @ slopes, adjoint @ right
            regular = abs(np.linalg.det(square)) > 1e-250
            points = points[regular]
            steps = np.linalg.solve(square[regular], right[regular])[:, :, 0]
            points = points - steps
            made += len(points)
            sizes = np.max(abs(steps), axis=1) / (1 + np.max(abs(points), axis=1))
            ended = sizes < 1e-12
            done.append(points[ended])
            going = ~ended & (np.max(abs(points), axis=1) < 1e6)
            points, slow = points[going], points[going & (sizes < _SLOW)]
            if not len(points):
                break
    return Newton(np.concatenate(done), slow, made)
