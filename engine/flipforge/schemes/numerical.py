"""Schemes over R in floating-point numbers: found by damped least squares, and made exact where that can be done.

A numerical scheme of a tensor T is one point of a manifold: rescaling of factors and the automorphisms of T, for a
matrix product GL x GL x GL, move it, and it may lie in a larger family. So it is made exact by using that freedom.
First the whole gauge is fixed at once: the scheme moves along the manifold to one that has as many zeros as can be,
which reweighted least squares lead to. These zeros stay. Then, entry by entry, the free one that is nearest to -1, 0
or 1 is set to that value and the rest is solved for again; where that fails the entry is left free. Two factors are
then read as small fractions, the third is the solution of a linear system over Q, and the Brent equations decide.
Nothing in floating-point numbers proves that an exact scheme exists.

Source: the method is that of Smirnov, "The bilinear complexity and practical algorithms for matrix multiplication"
(2013), with a linear finish, and the reweighting of Daubechies, DeVore, Fornasier and Guentuerk, "Iteratively
reweighted least squares minimization for sparse recovery" (2010).
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from flipforge.errors import InputError
from flipforge.exact import factor
from flipforge.problems import Problem
from flipforge.rings import Element, Q
from flipforge.schemes._scheme import Scheme

__all__ = ["NumericalScheme", "find_numerical", "make_exact", "refine", "sparsify"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_UNKNOWNS = 3000
"""Most entries of all factors together; a step costs their cube."""
_SOLVED = 1e-12
_STEPS = 200
_POLISH = 40
_BATCH, _MOVED = 0.02, 1e-6
_FRACTIONS = (0.5, 2.0)
_ROUNDS, _ROUND_STEPS = 40, 4
_WEIGHT, _POWER = 1e-3, 0.5
"""Of the sum of |x|^p that is lowered along with the residual."""
_WIDTH, _LEAST_WIDTH = 0.3, 1e-3
_SHRINK = 0.85
_ZERO = 0.02
_DENOMINATOR = 64


@dataclass(frozen=True, eq=False)
class NumericalScheme:
    """Factors in floating-point numbers, r rows each, of a problem with integer coefficients."""

    problem: Problem
    u: Floats
    v: Floats
    w: Floats

    def __post_init__(self) -> None:
        shapes = [factor.shape for factor in self.factors]
        if self.problem.proof != "brent":
            raise InputError(f"{self.problem}: numerical schemes are for bilinear problems")
        wanted = [(len(self.u), size) for size in self.problem.shape]
        if shapes != wanted or not all(np.isfinite(factor).all() for factor in self.factors):
            raise InputError(f"u, v, w have shapes {shapes} or entries that are no numbers; {wanted} are needed")
        if sum(factor.size for factor in self.factors) > MAX_UNKNOWNS:
            raise InputError(f"the factors have more than {MAX_UNKNOWNS} entries together")

    @property
    def factors(self) -> tuple[Floats, Floats, Floats]:
        """All three."""
        return self.u, self.v, self.w

    @property
    def residual(self) -> float:
        """Largest difference of a coefficient from that of the tensor."""
        return float(np.abs(_difference(self.factors, _dense(self.problem))).max())


def find_numerical(problem: Problem, rank: int, seed: int = 0, starts: int = 20) -> NumericalScheme | None:
    """Look for a numerical scheme by damped least squares with weight decay, from random starts.

    Returns
    -------
    NumericalScheme or None
        None where no start came to a residual that rounding explains.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> found = find_numerical(matmul(1, 2, 1), 2)
    >>> found is not None and found.residual < 1e-10
    True
    """
    generator = np.random.default_rng(seed)
    with _one_thread():
        for _ in range(starts):
            scheme = NumericalScheme(problem, *(generator.standard_normal((rank, size)) / 2 for size in problem.shape))
            for decay in (1e-1, 1e-2, 1e-3, 1e-5):
                scheme = refine(scheme, decay=decay, steps=_STEPS // 4)
            scheme = refine(scheme)
            if scheme.residual < 1e-10:
                return scheme
    return None


def refine(
    scheme: NumericalScheme, *, decay: float | Floats = 0.0, steps: int = _STEPS, free: Flags | None = None
) -> NumericalScheme:
    """Lower the residual by Levenberg and Marquardt's steps.

    Parameters
    ----------
    decay
        Weight of the squared entries beside the squared residual, one for all or one for each, u then v then w.
    free
        Which entries may move, u then v then w row by row; all unless given.
    """
    # The kernel needs numba, which only who refines a scheme has to load.
    from flipforge.schemes._normal_kernel import normal_equations

    target = _dense(scheme.problem)
    shapes = [part.shape for part in scheme.factors]
    x = np.concatenate([part.ravel() for part in scheme.factors])
    moves = np.ones(len(x), dtype=np.bool_) if free is None else free
    weights = np.broadcast_to(np.asarray(decay, dtype=np.float64), x.shape)
    plain = not weights.any()
    damping, value = 1e-2, np.inf
    for _ in range(steps):
        parts = _split(x, shapes)
        difference = _difference(parts, target).ravel()
        now = float(difference @ difference + weights @ x**2)
        if (plain and np.abs(difference).max() < _SOLVED / 10) or not moves.any() or damping > 1e12:
            break
        normal, gradient = (part[moves] for part in normal_equations(*parts, difference.reshape(target.shape)))
        normal, gradient = normal[:, moves], gradient + (weights * x)[moves]
        value = now
        while damping <= 1e12:
            step = np.linalg.solve(normal + np.diag(damping + weights[moves]), gradient)
            trial = x.copy()
            trial[moves] -= step
            after = _difference(_split(trial, shapes), target).ravel()
            if float(after @ after + weights @ trial**2) < value:
                x, damping = trial, max(damping / 5, 1e-14)
                break
            damping *= 4
    return NumericalScheme(scheme.problem, *_split(x, shapes))


def sparsify(scheme: NumericalScheme) -> NumericalScheme:
    """Move a scheme along all its freedoms to one with many entries near 0.

    The sum of |x|^p is lowered beside the residual, as a sum of squares that are weighted anew in each round. The width
    below which an entry counts as none shrinks, and so does the weight of the sum, so that the scheme comes back to the
    manifold; it ends near it, not on it.
    """
    weight, width = _WEIGHT, _WIDTH
    for _ in range(_ROUNDS):
        scheme = _even(scheme)
        entries = np.concatenate([part.ravel() for part in scheme.factors])
        weights = weight * (entries**2 + width**2) ** (_POWER / 2 - 1)
        scheme = refine(scheme, decay=weights, steps=_ROUND_STEPS)
        weight, width = weight * _SHRINK, max(width * _SHRINK, _LEAST_WIDTH)
    return scheme


def make_exact(scheme: NumericalScheme, *, thorough: bool = False) -> Scheme | None:
    """Return an exact scheme over Q that this one leads to, proved; None where none was reached.

    Parameters
    ----------
    thorough
        Where the last freedom, taken by -1, 0 or 1, leaves irrational numbers, give it to 1/2 or 2 instead. A search
        goes without: its stored finds are those of the walk that it had first.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> numerical = find_numerical(matmul(2, 2, 2), 7, seed=1)
    >>> exact = numerical and make_exact(numerical)
    >>> exact is not None and exact.verdict().valid
    True
    """
    with _one_thread():
        return _made_exact(refine(_balanced(scheme)), thorough)


def _made_exact(current: NumericalScheme, thorough: bool) -> Scheme | None:
    if current.residual > 1e-8:
        return None
    sparse = sparsify(current)
    free = np.concatenate([(np.abs(part) >= _ZERO).ravel() for part in sparse.factors])
    zeroed = NumericalScheme(current.problem, *(np.where(np.abs(part) < _ZERO, 0.0, part) for part in sparse.factors))
    fixed = refine(zeroed, free=free)
    # Zeros may ask for too much; then the scheme is made exact from where it is.
    exact = _rounded(_balanced(fixed), free, thorough) if fixed.residual < 1e-10 else None
    return exact or _rounded(current, np.ones(len(free), dtype=np.bool_))


def _rounded(current: NumericalScheme, free: Flags, thorough: bool = False) -> Scheme | None:
    """Set free entries to -1, 0 or 1 as long as the others can be solved for, and finish exactly."""
    x = np.concatenate([part.ravel() for part in current.factors])
    shapes = [part.shape for part in current.factors]
    banned = np.zeros(len(x), dtype=np.bool_)
    last = x, free
    while (free & ~banned).any():
        distance = np.where(free & ~banned, np.abs(x - np.clip(np.rint(x), -1, 1)), np.inf)
        nearest = int(distance.argmin())
        for chosen in ([*np.flatnonzero(distance < _BATCH)], [nearest]):
            trial, still = x.copy(), free.copy()
            trial[chosen] = np.clip(np.rint(trial[chosen]), -1, 1)
            still[chosen] = False
            moved = refine(NumericalScheme(current.problem, *_split(trial, shapes)), steps=_POLISH, free=still)
            if chosen and moved.residual < 1e-10:
                before = x, free
                x, free = np.concatenate([part.ravel() for part in moved.factors]), still
                if np.abs(x - before[0]).max() > _MOVED:
                    last = before
                break
        else:
            banned[nearest] = True
    exact = _finished(current.problem, _split(x, shapes))
    if exact is None and thorough:
        exact = _with_a_fraction(NumericalScheme(current.problem, *_split(last[0], shapes)), last[1])
    return exact


def _with_a_fraction(scheme: NumericalScheme, free: Flags) -> Scheme | None:
    """Set one free entry to a fraction, solve for the rest, and finish where that leaves fractions.

    Where the entries are polynomials in the one freedom that is left, an entry that is linear in it will do; as many as
    differ in size are tried.
    """
    x = np.concatenate([part.ravel() for part in scheme.factors])
    shapes = [part.shape for part in scheme.factors]
    _, places = np.unique(np.round(np.abs(x[free]), 6), return_index=True)
    for place, value in product(np.flatnonzero(free)[places], _FRACTIONS):
        trial, still = x.copy(), free.copy()
        trial[place], still[place] = np.copysign(value, x[place]), False
        moved = refine(NumericalScheme(scheme.problem, *_split(trial, shapes)), steps=_POLISH, free=still)
        if moved.residual < 1e-10 and sum(map(_is_fractions, moved.factors)) > 1:
            exact = _finished(scheme.problem, moved.factors)
            if exact is not None:
                return exact
    return None


def _is_fractions(part: Floats) -> bool:
    return all(abs(x - _fraction(x)) < _MOVED / 100 for x in part.ravel().tolist())


def _one_thread() -> AbstractContextManager[object]:
    """The matrices are small: threads of the linear algebra library would only wait for each other."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _even(scheme: NumericalScheme) -> NumericalScheme:
    """Scale each product so that its three rows are of one length."""
    lengths = [np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-300) for part in scheme.factors]
    mean = (lengths[0] * lengths[1] * lengths[2]) ** (1 / 3)
    u, v, w = (part / length * mean for part, length in zip(scheme.factors, lengths, strict=True))
    return NumericalScheme(scheme.problem, u, v, w)


def _balanced(scheme: NumericalScheme) -> NumericalScheme:
    """Scale each product so that its largest entries of u and v are 1."""
    u, v, w = (part.copy() for part in scheme.factors)
    for part in (u, v):
        lead = np.take_along_axis(part, np.abs(part).argmax(axis=1)[:, None], axis=1)
        lead[lead == 0] = 1
        np.divide(part, lead, out=part)
        np.multiply(w, lead, out=w)
    return NumericalScheme(scheme.problem, u, v, w)


def _finished(problem: Problem, parts: tuple[Floats, Floats, Floats]) -> Scheme | None:
    """Read two factors as small fractions and solve for the third exactly."""
    fractions = [[[_fraction(x) for x in row] for row in part.tolist()] for part in parts]
    for axis in (2, 1, 0):
        others = [a for a in range(3) if a != axis]
        solved = _solve_factor(problem, fractions, axis, others)
        if solved is not None:
            rows: list[list[list[Element]]] = [*fractions]  # type: ignore[list-item]
            rows[axis] = solved
            u, v, w = (tuple(tuple(map(_plain, row)) for row in part) for part in rows)
            scheme = Scheme(problem, Q, u, v, w).canonical
            if scheme.verdict().valid:
                return scheme
    return None


def _solve_factor(
    problem: Problem, fractions: list[list[list[Fraction]]], axis: int, others: list[int]
) -> list[list[Element]] | None:
    """Solve the Brent equations, linear in one factor, over Q."""
    first, second = (fractions[a] for a in others)
    sizes = [problem.shape[a] for a in others]
    columns, others_columns = ([*zip(*rows, strict=True)] for rows in (first, second))
    rows = [[x * y for x, y in zip(a, b, strict=True)] for a in columns for b in others_columns]
    matrix = np.array(rows, dtype=object)
    right = np.zeros((sizes[0] * sizes[1], problem.shape[axis]), dtype=object)
    for index, value in problem.entries:
        right[index[others[0]] * sizes[1] + index[others[1]], index[axis]] = value
    solution = factor(matrix, 0).solve(right).values
    return None if solution is None else solution.tolist()


def _dense(problem: Problem) -> Floats:
    tensor = np.zeros(problem.shape)
    for index, value in problem.entries:
        tensor[index] = value
    return tensor


def _difference(parts: tuple[Floats, Floats, Floats], target: Floats) -> Floats:
    u, v, w = parts
    products = (u[:, :, None] * v[:, None, :]).reshape(len(u), u.shape[1] * v.shape[1])
    return np.asarray((products.T @ w).reshape(target.shape) - target)


def _split(x: Floats, shapes: list[tuple[int, ...]]) -> tuple[Floats, Floats, Floats]:
    ends = np.cumsum([a * b for a, b in shapes])
    u, v, w = (part.reshape(shape).copy() for part, shape in zip(np.split(x, ends[:-1]), shapes, strict=True))
    return u, v, w


def _fraction(value: float) -> Fraction:
    return Fraction(value).limit_denominator(_DENOMINATOR)


def _plain(value: Element) -> Element:
    return int(value) if value.denominator == 1 else value
