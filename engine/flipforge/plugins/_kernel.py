"""Kernels: the protocol of a plugin that turns schemes into callables."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from flipforge.schemes import Scheme

__all__ = ["Kernel", "KernelMaker"]

Array = npt.NDArray[np.generic]


class Kernel(Protocol):
    """Multiplies matrices of any size by one scheme; X and its transpose where X alone is given."""

    @property
    def scheme(self) -> Scheme:
        """The scheme."""

    def __call__(self, a: npt.ArrayLike, b: npt.ArrayLike | None = None, *, out: Any = None) -> Any:
        """Return the product of (..., N, M) and (..., M, P)."""

    def plan(self, m: int, k: int, n: int) -> dict[str, Any]:
        """Tell how a product of these sizes is made: ``levels`` of recursion, and predicted ``seconds``."""


class KernelMaker(Protocol):
    """Makes kernels; plugins of kind ``kernels`` implement it."""

    def make(
        self,
        scheme: Scheme,
        *,
        dtype: str,
        backend: str | None = None,
        threads: int = 1,
        levels: int | None = None,
        modulus: int | None = None,
        inner: Scheme | None = None,
    ) -> Kernel:
        """Return the kernel of a proven scheme for a dtype; ``inner`` makes the general products of a structured one.

        Raises
        ------
        InputError
            The plugin has no such dtype or backend, or its compiler is missing.
        RingError
            The dtype cannot carry the scheme's ring.
        """
