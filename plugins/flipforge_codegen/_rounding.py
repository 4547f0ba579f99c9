"""A bound, known before anything is run, on the rounding errors of a scheme applied recursively."""

from collections.abc import Sequence

from flipforge_codegen._form import IntegerForm, Term

__all__ = ["error_bound"]

_UNIT = 2.0**-53


def error_bound(form: IntegerForm, inner: int, split: int, depth: int) -> float:
    """Bound the error of each entry of a product in float64, for operands with entries between -1 and 1.

    The recursion follows N. J. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), sections 3.1 (the
    constants gamma_n, any order of summation) and 23.2 (bilinear noncommutative algorithms), but keeps the terms of
    second order, so that it holds as it stands.

    Parameters
    ----------
    inner
        Length of the sums of the whole product.
    split
        Number of blocks that the inner axis is cut into at a level.
    depth
        Levels of recursion; at depth 0 the sums of length ``inner`` are taken as they are.
    """
    if depth == 0:
        return _gamma(inner) * inner
    block = -(-inner // split)
    below = error_bound(form, block, split, depth - 1)
    sizes, errors = [], []
    for product in form.products:
        left, left_error = _combined(product.left)
        right, right_error = _combined(product.right)
        error = (left + left_error) * (right + right_error) * below
        error += block * (left_error * (right + right_error) + left * right_error)
        errors.append(error)
        sizes.append(block * left * right + error)
    worst = 0.0
    for output in form.outputs:
        weights = [(abs(coefficient), position) for coefficient, position in output.terms]
        carried = sum(weight * errors[position] for weight, position in weights)
        rounded = _gamma(len(weights) + 2) * sum(weight * sizes[position] for weight, position in weights)
        worst = max(worst, (carried + rounded) / output.denominator)
    # The bound itself is computed in float64, by a few thousand operations on positive numbers.
    return worst * (1 + 1e-9)


def _combined(terms: Sequence[Term]) -> tuple[float, float]:
    """Return the largest size of a combination of numbers between -1 and 1, and of its rounding error.

    A term of n is rounded at most n + 1 times: its coefficient where that is large, its product, and n - 1 additions.
    """
    size = float(sum(abs(coefficient) for coefficient, _ in terms))
    return size, _gamma(len(terms) + 1) * size


def _gamma(count: int) -> float:
    return count * _UNIT / (1 - count * _UNIT)
