"""Schemes for tests of the catalogue: right ones in any number, a wrong one, and a process that writes them."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from flipforge.catalogue import SqliteStore
from flipforge.problems import parse
from flipforge.rings import GF2, ZT, Q, Ring
from flipforge.schemes import Scheme, standard_scheme
from flipforge.search import Entry, Lineage, RunRecord

STRASSEN = (
    ((1, 0, 0, 1), (0, 0, 1, 1), (1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 0, 0), (-1, 0, 1, 0), (0, 1, 0, -1)),
    ((1, 0, 0, 1), (1, 0, 0, 0), (0, 1, 0, -1), (-1, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 1, 1)),
    ((1, 0, 0, 1), (0, 0, 1, -1), (0, 1, 0, 1), (1, 0, 1, 0), (-1, 1, 0, 0), (0, 0, 0, 1), (1, 0, 0, 0)),
)


@cache
def strassen(ring: Ring = ZT, provenance: tuple[tuple[str, Any], ...] = ()) -> Scheme:
    """Strassen's scheme of rank 7, by Strassen, "Gaussian elimination is not optimal", 1969."""
    return Scheme(parse("matmul:2x2x2"), Q, *STRASSEN, dict(provenance)).over(ring)


@cache
def standard(name: str = "matmul:2x2x2", ring: Ring = GF2) -> Scheme:
    return standard_scheme(parse(name), ring)


@cache
def variants(count: int, name: str = "matmul:2x2x2") -> tuple[Scheme, ...]:
    """Different schemes over GF(2), made of the standard one by splitting products in two."""
    random, found = Random(count), dict[str, Scheme]()
    while len(found) < count:
        products = list(zip(standard(name).u, standard(name).v, standard(name).w, strict=True))
        for _ in range(2):
            u, v, w = products.pop(random.randrange(len(products)))
            part = tuple(random.randrange(2) for _ in u)
            products += [(part, v, w), (tuple((int(x) - y) % 2 for x, y in zip(u, part, strict=True)), v, w)]
        scheme = Scheme(standard(name).problem, GF2, *zip(*products, strict=True))  # type: ignore[arg-type]
        found[scheme.id] = scheme
    return tuple(found.values())


def wrong() -> Scheme:
    """Strassen's scheme with one coefficient changed."""
    right = strassen(GF2)
    return replace(right, w=((*right.w[0][:3], 0), *right.w[1:]))


def step(child: Scheme, parent: Scheme, run: str = "run-one", method: str = "walk") -> Lineage:
    return Lineage(child.id, parent.id, method, (5, 0, 2), {"steps": 10, "goal": 7, "idle": 3, "band": 2}, "v1", run)


def find(child: Scheme, parent: Scheme, run: str = "run-one") -> Entry:
    return Entry(child, "found", step(child, parent, run))


def record(name: str = "run-one", checkpoint: Mapping[str, Any] | None = None, **changes: Any) -> RunRecord:
    run = RunRecord(name, "matmul:2x2x2", "GF2", "running", {"seed": 5}, checkpoint or {})
    return replace(run, **changes)


def write_batches(path: Path, shipped: Path, run: str, first: int, batches: int, size: int) -> None:
    """Commit batches of variants with a run that counts them; say on stdout what each commit returned."""
    schemes = variants(first + batches * size)
    with SqliteStore.open(path, shipped=shipped) as store:
        for number in range(batches):
            start = first + number * size
            entries = [find(scheme, standard(), run) for scheme in schemes[start : start + size]]
            new = store.commit(entries, record(run, {"batches": number + 1}), [{"batch": number}])
            print(len(new), flush=True)


if __name__ == "__main__":
    write_batches(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))
