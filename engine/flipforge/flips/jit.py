"""The decorator of compiled kernels, for plugins that bring their own; importing this module loads numba.

A kernel and all it calls must stand in one file: the cache sees a change in that file, and one in the engine's kernels.
"""

from flipforge.flips._jit import kernel

__all__ = ["kernel"]
