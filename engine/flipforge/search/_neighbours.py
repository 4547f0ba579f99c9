"""Neighbours of a problem: transforms that yield it from others, and where it stands in another order."""

from collections.abc import Callable, Container, Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product

from flipforge.errors import InputError, ProblemError
from flipforge.problems import Problem, ProductCode, matmul, parse, structured
from flipforge.schemes.transforms import (
    AS_GIVEN,
    Kronecker,
    Order,
    Part,
    Placement,
    Places,
    Transform,
    extend,
    permute,
    project,
    resized,
    restrict,
    reverse,
    split,
    tied,
)

__all__ = ["cuts", "extensions", "placed", "projections", "standing", "tensors"]

_At = tuple[Places, Places, Places]


def cuts(target: Problem) -> Iterator[Placement]:
    """Yield the products cut in two along each axis, or along those that a structure ties, at each place."""
    for axes in _groups(target):
        size = target.dims[min(axes)]
        # The two sides of a cut through a general product change places.
        last = size // 2 if len(axes) == 1 else size - 1
        for cut in range(1, last + 1):
            try:
                yield split(target, *_changed(target.dims, axes, cut - size))
            except InputError:
                return  # operands that are not cut into blocks


def extensions(target: Problem) -> Iterator[tuple[int, Placement]]:
    """Yield each axis and the target as the next smaller size along it, with the standard products of what is added."""
    for axes in _groups(target):
        try:
            yield min(axes), extend(resized(target, _changed(target.dims, axes, -1)), min(axes))
        except (InputError, ProblemError):
            continue  # nothing smaller


def tensors(target: Problem) -> Iterator[Kronecker]:
    """Yield the matrix products of blocks that give a matrix product."""
    if target.kind != "matmul":
        return
    n, m, p = target.dims
    for a, b, c in product(_divisors(n), _divisors(m), _divisors(p)):
        if 1 < a * b * c < n * m * p:
            yield Kronecker(matmul(a, b, c), matmul(n // a, m // b, p // c))


def projections(target: Problem) -> Iterator[Placement]:
    """Yield the target as the next size along each axis without one index."""
    for axes in _groups(target):
        try:
            larger = resized(target, _changed(target.dims, axes, 1))
        except ProblemError:
            continue  # too large
        for index in range(larger.dims[min(axes)]):
            yield project(larger, min(axes), index)


def placed(move: Transform, choose: Callable[[Problem], Part]) -> Transform:
    """Return a transform that takes each of its sources as ``choose`` says it stands there."""
    if isinstance(move, Kronecker):
        outer, inner = map(choose, move.sources)
        return Kronecker(outer.problem, inner.problem, (outer.order, inner.order))
    parts = tuple(choose(part.problem).inside(part) for part in move.parts)
    return Placement(move.name, move.problem, parts, move.complete)


def standing(problem: Problem, known: Container[str]) -> list[Part]:
    """Return where in a problem schemes of it stand: as it is given, and in the other orders that are ``known``."""
    parts = [restrict(problem, problem).parts[0]]
    return parts + [Part(parse(name), at, order) for name, at, order in _same(problem.name) if name in known]


def _groups(problem: Problem) -> list[frozenset[int]]:
    """Return the axes of a problem, those together that a structure ties."""
    return list(dict.fromkeys(tied(problem, axis) for axis in range(3)))


def _changed(dims: Sequence[int], axes: frozenset[int], change: int) -> tuple[int, int, int]:
    n, m, p = (size + change * (axis in axes) for axis, size in enumerate(dims))
    return n, m, p


def _divisors(size: int) -> list[int]:
    return [d for d in range(1, size + 1) if size % d == 0]


@lru_cache(maxsize=100_000)
def _same(name: str) -> tuple[tuple[str, _At, Order], ...]:
    """Return where other problems stand in this one that are the same in another order of sizes or indices."""
    problem = parse(name)
    code = ProductCode.of(problem)
    if code is None or (str(code) == "gg" and name.count(":") == 2):
        return tuple(_general_orders(problem))
    found = [reverse(reverse(problem).problem).parts[0]]
    if code.left and code.right:
        turned = permute(problem, (2, 1, 0)).problem
        part = permute(turned, (2, 1, 0)).parts[0]
        found += [part, reverse(reverse(turned).problem).parts[0].inside(part)]
    return tuple((part.problem.name, part.at, part.order) for part in found)


def _general_orders(problem: Problem) -> Iterator[tuple[str, _At, Order]]:
    n, m, p = problem.dims
    at = (tuple(range(n)), tuple(range(m)), tuple(range(p)))
    for first, second, third in permutations(AS_GIVEN):
        order = (first, second, third)
        sizes = [problem.dims[order.index(axis)] for axis in AS_GIVEN]
        yield f"matmul:{'x'.join(map(str, sizes))}", at, order
    yield structured("gg", n, m, p).name, at, AS_GIVEN
