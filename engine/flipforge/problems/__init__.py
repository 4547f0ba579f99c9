"""Problems: what a scheme computes, as an exact sparse integer tensor, and the registry that parses problem strings."""

from flipforge.problems._families import MAX_FAMILY, expand, is_family
from flipforge.problems._matmul import MAX_PRODUCTS, matmul, standard_omega
from flipforge.problems._problem import Problem
from flipforge.problems._registry import kinds, parse, register_kind
from flipforge.problems._tensor import read_tensor, tensor_problem

__all__ = [
    "MAX_FAMILY",
    "MAX_PRODUCTS",
    "Problem",
    "expand",
    "is_family",
    "kinds",
    "matmul",
    "parse",
    "read_tensor",
    "register_kind",
    "standard_omega",
    "tensor_problem",
]
