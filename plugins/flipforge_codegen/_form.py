"""What a target prints: a scheme with integer coefficients, and a denominator for each output."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from flipforge.rings import Element
from flipforge.schemes import Scheme

__all__ = ["IntegerForm", "Output", "Product", "Term", "integer_form"]

Term = tuple[int, int]
"""(coefficient, position): never a zero coefficient."""


@dataclass(frozen=True)
class Product:
    """The product of two integer combinations of entries."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]


@dataclass(frozen=True)
class Output:
    """An integer combination of products, divided by a denominator."""

    terms: tuple[Term, ...]
    denominator: int


@dataclass(frozen=True)
class IntegerForm:
    """A scheme as straight-line arithmetic; ``modulus`` is 0 or a prime."""

    products: tuple[Product, ...]
    outputs: tuple[Output, ...]
    modulus: int

    @property
    def fractional(self) -> bool:
        """Tell whether an output is divided."""
        return any(output.denominator > 1 for output in self.outputs)

    @property
    def largest(self) -> int:
        """Largest absolute value of a coefficient."""
        rows = [terms for product in self.products for terms in (product.left, product.right)]
        rows += [output.terms for output in self.outputs]
        return max((abs(coefficient) for terms in rows for coefficient, _ in terms), default=0)

    @property
    def nonzeros(self) -> int:
        """Number of coefficients: array operations of one application, about."""
        return sum(len(product.left) + len(product.right) for product in self.products) + sum(
            len(output.terms) for output in self.outputs
        )


def integer_form(scheme: Scheme) -> IntegerForm:
    """Bring a scheme into integer form.

    It starts from the canonical scheme, whose u and v are integers already: so one ID gives one form. Products that
    are zero are left out. Residues are taken as close to zero as possible.
    """
    form, modulus = scheme.canonical, scheme.ring.characteristic
    rows = [row for row in zip(form.u, form.v, form.w, strict=True) if all(any(factor) for factor in row)]
    products = tuple(Product(_terms(u, 1, modulus), _terms(v, 1, modulus)) for u, v, _ in rows)
    outputs = []
    for position in range(scheme.problem.shape[2]):
        column = [w[position] for _, _, w in rows]
        denominator = lcm(*(Fraction(x).denominator for x in column))
        outputs.append(Output(_terms(column, denominator, modulus), denominator))
    return IntegerForm(products, tuple(outputs), modulus)


def _terms(row: Sequence[Element], scale: int, modulus: int) -> tuple[Term, ...]:
    return tuple((_centred(int(x * scale), modulus), position) for position, x in enumerate(row) if x)


def _centred(value: int, modulus: int) -> int:
    return value - modulus if modulus and value > modulus // 2 else value
