"""Code export: verified schemes as source text for numerical libraries, checked by running it."""

from flipforge_codegen.manifest import BLAS, CUDA, FAST, NUMPY, OPENCL, SHARING, TORCH, TRITON, C

__all__ = ["BLAS", "CUDA", "FAST", "NUMPY", "OPENCL", "SHARING", "TORCH", "TRITON", "C"]
