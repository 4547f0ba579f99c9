"""Problems: what a scheme computes, as an exact sparse integer tensor, and the registry that parses problem strings."""

from flipforge.problems._algebras import complex_product, group_algebra, poly, quaternion_product
from flipforge.problems._families import MAX_FAMILY, expand, is_family
from flipforge.problems._layer import LayerProblem, layer
from flipforge.problems._matmul import MAX_PRODUCTS, matmul, standard_omega
from flipforge.problems._problem import Problem
from flipforge.problems._registry import kinds, parse, register_kind
from flipforge.problems._structured import PUBLISHED, ProductCode, matrix_cells, product_code, structured
from flipforge.problems._structures import Structure
from flipforge.problems._tensor import read_tensor, tensor_problem
from flipforge.problems._variants import MAX_ORDER, border, commutative

__all__ = [
    "MAX_FAMILY",
    "MAX_ORDER",
    "MAX_PRODUCTS",
    "PUBLISHED",
    "LayerProblem",
    "Problem",
    "ProductCode",
    "Structure",
    "border",
    "commutative",
    "complex_product",
    "expand",
    "group_algebra",
    "is_family",
    "kinds",
    "layer",
    "matmul",
    "matrix_cells",
    "parse",
    "poly",
    "product_code",
    "quaternion_product",
    "read_tensor",
    "register_kind",
    "standard_omega",
    "structured",
    "tensor_problem",
]
