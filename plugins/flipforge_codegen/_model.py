"""A cost model from measured rates: how many levels of a scheme pay for matrices of a size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from flipforge_codegen._stages import Stages

__all__ = ["Rates", "Traffic", "levels_for", "measured", "predicted"]

_SIZES = (64, 128, 256, 512, 1024)
_MOST_LEVELS = 6
_REPEATS = 5
_WORTH = 11 / 12
"""Part of its time that a level must leave at the most."""
_STREAM = 1 << 21
"""Elements of an array that is longer than the caches of a core."""


@dataclass(frozen=True)
class Rates:
    """What a machine does: operations a second of a square product by its size, and elements a second of a sum.

    Examples
    --------
    >>> round(Rates((100, 400), (1e9, 4e9), 1e8).seconds(200, 200, 200), 6)
    0.008
    """

    sizes: tuple[int, ...]
    operations: tuple[float, ...]
    elements: float

    def seconds(self, m: int, k: int, n: int) -> float:
        """Predict a product; rates between measured sizes are interpolated, on logarithms of both."""
        size = max(1.0, (m * k * n) ** (1 / 3))
        rate = exp(float(np.interp(log(size), np.log(self.sizes), np.log(self.operations))))
        return 2 * m * k * n / rate


@dataclass(frozen=True)
class Traffic:
    """Blocks of A, B and C that one level reads and writes beside its products."""

    left: int
    right: int
    out: int

    @classmethod
    def streaming(cls, form: Stages) -> "Traffic":
        """Return that of one pass over each operand and one over the products."""
        left, right = (stage.inputs + len(stage.slots) for stage in (form.left, form.right))
        return cls(left, right, form.out.inputs + len(form.out.slots))


@lru_cache(maxsize=8)
def measured(dtype: str) -> Rates:
    """Time products of `numpy.matmul` and sums of long arrays once for this process; takes a few tenths of a second."""
    operations = []
    for size in _SIZES:
        a, out = np.ones((size, size), dtype), np.empty((size, size), dtype)
        operations.append(2 * size**3 / _best(lambda a=a, out=out: np.matmul(a, a, out=out)))  # type: ignore[misc]
    x: npt.NDArray[Any] = np.ones(_STREAM, dtype)
    y = np.ones_like(x)
    # Larger products run at no lower rate: where one seems to, another process had its turn.
    rising = tuple(float(rate) for rate in np.maximum.accumulate(operations))
    return Rates(_SIZES, rising, 3 * _STREAM / _best(lambda: np.add(x, y, out=y)))


def predicted(
    rates: Rates, traffic: Traffic, dims: tuple[int, int, int], rank: int, sizes: tuple[int, int, int], levels: int
) -> float:
    """Predict the seconds of a product of matrices of these sizes by so many levels."""
    m, k, n = sizes
    if not levels:
        return rates.seconds(m, k, n)
    h, i, w = (size // d for size, d in zip(sizes, dims, strict=True))
    moved = traffic.left * h * i + traffic.right * i * w + traffic.out * h * w
    return moved / rates.elements + rank * predicted(rates, traffic, dims, rank, (h, i, w), levels - 1)


def levels_for(
    rates: Rates, traffic: Traffic, dims: tuple[int, int, int], rank: int, sizes: tuple[int, int, int]
) -> int:
    """Return a number of levels of which each is predicted to be worth it; 0 where the plain product is.

    A level must be predicted to save a twelfth: the model knows of no caches and no calls, and errs on that side.

    Examples
    --------
    >>> rates, traffic = Rates((64, 8192), (1e10, 1e10), 1e9), Traffic(8, 8, 11)
    >>> [levels_for(rates, traffic, (2, 2, 2), 7, (n, n, n)) for n in (64, 512, 2048, 16384)]
    [0, 0, 2, 5]
    """
    if max(dims) == 1:
        return 0
    levels, cost = 0, predicted(rates, traffic, dims, rank, sizes, 0)
    while levels < _MOST_LEVELS and all(size >= d ** (levels + 1) for size, d in zip(sizes, dims, strict=True)):
        deeper = predicted(rates, traffic, dims, rank, sizes, levels + 1)
        if deeper > _WORTH * cost:
            break
        levels, cost = levels + 1, deeper
    return levels


def _best(action: Callable[[], object]) -> float:
    times = []
    for _ in range(_REPEATS):
        began = perf_counter()
        action()
        times.append(perf_counter() - began)
    return max(min(times), 1e-9)
