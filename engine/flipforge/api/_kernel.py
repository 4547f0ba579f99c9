"""Kernels from Python: a callable that multiplies matrices of any size by the best scheme there is."""

from itertools import product
from typing import Any

from flipforge import plugins
from flipforge.api._library import Db, Name, load, open_store, parse_problem
from flipforge.api._terms import lifter
from flipforge.catalogue import Query, SqliteStore
from flipforge.errors import FlipforgeError, InputError, NotFoundError
from flipforge.problems import Problem, matmul
from flipforge.programs import compose, program
from flipforge.rings import ZT, HalfZ, Z
from flipforge.schemes import Scheme, standard_scheme
from flipforge.schemes.formats import is_there

__all__ = ["load_kernel"]

_MAKER = "fast"
_LIFTS = 2
"""Schemes over GF(p) that are lifted before something else is taken."""


def load_kernel(
    name: Name,
    *,
    dtype: str = "float64",
    backend: str | None = None,
    threads: int = 1,
    levels: int | None = None,
    modulus: int | None = None,
    db: Db = None,
) -> plugins.Kernel:
    """Return a callable that multiplies matrices of any size.

    For each size it picks the levels of recursion by a cost model from rates measured on this machine, and calls BLAS
    itself where that is predicted to be faster.

    Parameters
    ----------
    name
        A problem such as ``"matmul:4x4x4"`` or ``"structured:gt:2x1"``, for which the scheme of the lowest rank that
        the dtype carries is taken: of the catalogue, a lift of one of it, or a composition of two formats; or an ID or
        file. Of a structured problem, the general products of blocks take the scheme for 2x2x2.
    dtype
        ``float32``, ``float64``, ``int32`` or ``int64`` (exact, or an error), or ``object`` (Python integers and
        fractions).
    backend
        ``c`` or ``numpy``; C where there is a compiler unless given.
    threads
        Cores, in C.
    levels
        So many at any size, whatever the model says.
    modulus
        Compute modulo this prime, on integers; modulo 2 also with schemes that hold there only.
    db
        Catalogue: a path or ``sqlite:///...``.

    Raises
    ------
    InputError
        There is no such scheme, dtype or backend.
    RingError
        The dtype cannot carry the scheme.

    Examples
    --------
    >>> import numpy as np
    >>> fast = load_kernel("matmul:2x2x2", dtype="float64", backend="numpy", levels=1)  # doctest: +SKIP
    >>> a = np.arange(12.0).reshape(3, 4)
    >>> bool((fast(a, a.T) == a @ a.T).all())  # doctest: +SKIP
    True
    """
    maker: plugins.KernelMaker = plugins.get("kernels", _MAKER)
    options: dict[str, Any] = {
        "dtype": dtype, "backend": backend, "threads": threads, "levels": levels, "modulus": modulus
    }  # fmt: skip
    whole = dtype.startswith("int") and not modulus
    if is_there(name) or ":" not in str(name):
        scheme = load(name, db=db)
    else:
        problem = parse_problem(str(name))
        if problem.kind not in ("matmul", "structured"):
            raise InputError(f"{problem}: kernels multiply matrices; export the scheme for any other map")
        with open_store(db) as store:
            scheme = _best(problem, store, modulus, whole=whole)
    if scheme.problem.kind == "structured":
        with open_store(db) as store:
            options["inner"] = _inner(scheme, store, whole)
    return maker.make(scheme, **options)


def _best(problem: Problem, store: SqliteStore, modulus: int | None, *, whole: bool) -> Scheme:
    """Return the scheme of the lowest rank that can be had: stored, composed, or lifted."""
    if modulus:
        rows = store.rows(Query(problem.name, where=f"ring = 'GF{modulus}'", order="rank,additions,id", limit=1))
        if rows:
            stored: Scheme = store.scheme(rows[0]["id"])
            return stored
    found = _integral(problem, store, whole, {})
    if found is None:
        raise NotFoundError(
            f"{problem}: the catalogue has no scheme of characteristic 0 and none that lifts; "
            f"flipforge search {problem} --ring ZT finds one"
        )
    return found


def _inner(scheme: Scheme, store: SqliteStore, whole: bool) -> Scheme | None:
    """Return a scheme of 2x2x2 of the characteristic of a structured one, None where there is none."""
    square = matmul(2, 2, 2)
    if not scheme.ring.characteristic:
        return _integral(square, store, whole, {})
    rows = store.rows(Query(square.name, where=f"ring = '{scheme.ring}'", order="rank,additions,id", limit=1))
    return store.scheme(rows[0]["id"]) if rows else None


def _integral(problem: Problem, store: SqliteStore, whole: bool, seen: dict[str, Scheme | None]) -> Scheme | None:
    if problem.name in seen:
        return seen[problem.name]
    if min(problem.dims) == 1:
        return standard_scheme(problem, ZT)
    rings = "'ZT','Z'" if whole else "'ZT','Z','Z[1/2]'"
    rows = store.rows(Query(problem.name, where=f"ring in ({rings})", order="rank,additions,id", limit=1))
    best = store.scheme(rows[0]["id"]) if rows else None
    for outer, inner in _factors(problem) if problem.kind == "matmul" else ():
        first, second = _integral(outer, store, whole, seen), _integral(inner, store, whole, seen)
        if first and second and (best is None or first.rank * second.rank < best.rank):
            best = compose([program(first), program(second)]).prove().scheme()
    lower = f" and rank < {best.rank}" if best else ""
    finite = Query(problem.name, where=f"ring in ('GF2','GF3'){lower}", order="rank,additions,id", limit=_LIFTS)
    for row in store.rows(finite):
        lifted = _lifted(store.scheme(row["id"]), whole)
        if lifted and (best is None or lifted.rank < best.rank):
            best = lifted
    seen[problem.name] = best
    return best


def _lifted(scheme: Scheme, whole: bool) -> Scheme | None:
    try:
        return lifter().lift(scheme, Z if whole else HalfZ, attempts=1, seed=0, best=False).scheme
    except FlipforgeError:
        return None


def _factors(problem: Problem) -> list[tuple[Problem, Problem]]:
    """Return the ways to write a format as a product of two of sizes of 2 and more."""
    divisors = ([d for d in range(2, size) if size % d == 0] for size in problem.dims)
    return [
        (matmul(*outer), matmul(*(size // d for size, d in zip(problem.dims, outer, strict=True))))
        for outer in product(*divisors)
    ]
