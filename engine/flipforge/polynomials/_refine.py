"""Newton's method from a start to a root of any multiplicity, to hundreds of bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import acb, acb_mat, ctx

from flipforge.polynomials._structure import Deflated, structures
from flipforge.polynomials._system import System
from flipforge.polynomials._terms import Exponents

__all__ = ["Refined", "refine"]

Array = npt.NDArray[Any]

BITS = 400
"""Working precision of refinement; what is guessed from digits needs far fewer."""

REACH = 0.05
"""How far a root may lie from its start, beside the size of the start."""

_FLOAT_STEPS = 15
_LEAST_RATIO = 1e-9
_SMALL_REST = 1e-6
_LINEAR_STEPS = 400


@dataclass(frozen=True)
class Refined:
    """A root as far as Newton's method found it.

    Attributes
    ----------
    point
        n midpoints.
    bits
        About so many bits after the binary point are right; an estimate by the last step, nothing proven. 0 where the
        system has the structure only up to a small rest.
    monomials, parameters
        The structure that the extended system was made of, and its parameters; None where Newton's method converged
        only linearly, without one.
    """

    point: tuple[acb, ...]
    bits: int
    monomials: tuple[Exponents, ...] | None
    parameters: tuple[acb, ...] = ()


def refine(system: System, start: Sequence[acb], expected: int | None = None) -> list[Refined]:
    """Return roots near a start, the best founded first.

    Newton's method runs on the extended system of every structure that a tolerance finds, the simplest first; the
    trivial one is the system itself. A structure counts where the iteration converges at a regular point. Where none
    does, a structure counts that the system has up to a small rest, and then plain Newton steps, which converge
    linearly at many singular roots.

    Parameters
    ----------
    expected
        Multiplicity of the structures that are tried first, and whose rest need not vanish.
    """
    from threadpoolctl import threadpool_limits

    near = [complex(x) for x in start]
    found: list[Refined] = []
    # The matrices are small: threads of the linear algebra library would only wait for each other.
    with threadpool_limits(1):
        candidates = structures(system, near)
        candidates.sort(key=lambda structure: len(structure.monomials) != expected)
        rough: list[Refined] = []
        for structure in candidates:
            deflated = Deflated(system, structure.monomials)
            refined = _newton(deflated, near, structure.parameters, structure.monomials)
            if refined is None or not _is_near(refined.point, start):
                continue
            (found if refined.bits else rough).append(refined)
            if refined.bits or len(structure.monomials) == expected:
                break
    found = found or rough[-1:]
    linear = None if found else _linear(system, start)
    if linear is not None and _is_near(linear.point, start):
        found.append(linear)
    return found


def _newton(
    deflated: Deflated, start: Sequence[complex], guess: Sequence[complex], monomials: tuple[Exponents, ...]
) -> Refined | None:
    n = len(start)
    place = np.array([*start, *guess], dtype=complex)
    jacobian = deflated.jacobian(place[:n], place[n:])
    step = np.inf
    for _ in range(_FLOAT_STEPS):
        values = deflated.residual(list(place[:n]), list(place[n:]), complex)
        if not np.all(np.isfinite(jacobian)) or not np.all(np.isfinite(values)):
            return None
        change = np.linalg.lstsq(jacobian, -values, rcond=None)[0]
        place = place + change
        step = float(np.max(abs(change)))
        jacobian = deflated.jacobian(place[:n], place[n:])
        if step < 1e-13 * (1 + float(np.max(abs(place)))):
            break
    sizes = np.linalg.svd(jacobian, compute_uv=False) if np.all(np.isfinite(jacobian)) else np.zeros(1)
    if step > 1e-8 or sizes[-1] < _LEAST_RATIO * sizes[0]:
        return None
    polished = _polish(deflated, place, jacobian, n, monomials)
    if polished is None and len(monomials) > 1 and float(np.max(abs(values))) < _SMALL_REST:
        numbers = [acb(complex(x)) for x in place]
        return Refined(tuple(numbers[:n]), 0, monomials, tuple(numbers[n:]))
    return polished


def _polish(
    deflated: Deflated, place: Array, jacobian: Array, n: int, monomials: tuple[Exponents, ...]
) -> Refined | None:
    """Add digits with the inverse of the Jacobian in floats, which gains about as many as it has right."""
    inverse = np.linalg.pinv(jacobian)
    with ctx.workprec(BITS):
        values = [acb(complex(x)) for x in place]
        previous = acb(1).real
        for _ in range(BITS // 8):
            errors = deflated.residual(values[:n], values[n:], acb, BITS)
            change = inverse @ np.array([complex(e) for e in errors])
            values = [(x - acb(complex(d))).mid() for x, d in zip(values, change, strict=True)]
            step = acb(float(np.max(abs(change)))).real
            if step == 0 or step < acb(2).real ** (30 - BITS):
                break
            if step > previous:
                return None
            previous = step
        rest = max((float(abs(e).mid()) for e in deflated.residual(values[:n], values[n:], acb, BITS)), default=0.0)
        if rest > 2.0 ** (60 - BITS):
            return None
    return Refined(tuple(values[:n]), BITS - 60, monomials, tuple(values[n:]))


def _linear(system: System, start: Sequence[acb]) -> Refined | None:
    """Take plain Newton steps; at a singular root they gain a constant factor each."""
    rows = list(range(len(system.variables)))
    square = system if system.is_square else system.restricted(rows)
    with ctx.workprec(BITS):
        point = [x.mid() for x in start]
        step = 1.0
        for _ in range(_LINEAR_STEPS):
            values = acb_mat([[value] for value in square.values(point, BITS)])
            try:
                change = square.jacobian(point, BITS).mid().solve(values.mid())
            except ZeroDivisionError:
                break
            step = max(float(abs(change[j, 0]).mid()) for j in range(len(point)))
            if not step < 1:
                return None
            point = [(x - change[j, 0]).mid() for j, x in enumerate(point)]
            if step < 2.0 ** (30 - BITS):
                break
    # A step that shrinks by a factor q leaves q / (1 - q) of itself to go; q is below 0.97 for what is worth a guess.
    bits = int(-np.log2(max(step, 2.0**-BITS))) - 10
    return Refined(tuple(point), min(bits, BITS - 60), None) if bits > 20 else None


def _is_near(point: Sequence[acb], start: Sequence[acb]) -> bool:
    size = max(float(abs(x).mid()) for x in start)
    return max(float(abs(x - y).mid()) for x, y in zip(point, start, strict=True)) <= REACH * (1 + size)
