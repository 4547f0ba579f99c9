"""Code export: verified schemes as source text for numerical libraries, checked by running it."""

from flipforge_codegen.manifest import NUMPY, SHARING, C

__all__ = ["NUMPY", "SHARING", "C"]
