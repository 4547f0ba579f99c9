"""A bound, known before anything is run, on the rounding errors of a program applied recursively."""

from collections.abc import Sequence

from flipforge_codegen._stages import Stage, Stages, Sum

__all__ = ["error_bound"]

_UNIT = 2.0**-53

Bound = tuple[float, float]
"""Largest size of a value without rounding, and of its error."""


def error_bound(form: Stages, inner: int, split: int, depth: int, unit: float = _UNIT) -> float:
    """Bound the error of each entry of a product of floats, for operands with entries between -1 and 1.

    The recursion follows N. J. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), sections 3.1 (the
    constants gamma_n, any order of summation) and 23.2 (bilinear noncommutative algorithms), but keeps the terms of
    second order, so that it holds as it stands, and follows the sums as the program shares them.

    Parameters
    ----------
    inner
        Length of the sums of the whole product.
    split
        Number of blocks that the inner axis is cut into at a level.
    depth
        Levels of recursion; at depth 0 the sums of length ``inner`` are taken as they are.
    unit
        Unit roundoff of the type; that of float64 unless given.
    """
    if depth == 0:
        return _gamma(inner, unit) * inner
    block = -(-inner // split)
    below = error_bound(form, block, split, depth - 1, unit)
    products = []
    for x, y in zip(_outputs(form.left, unit), _outputs(form.right, unit), strict=True):
        (left, left_error), (right, right_error) = x, y
        error = (left + left_error) * (right + right_error) * below
        error += block * (left_error * (right + right_error) + left * right_error)
        products.append((block * left * right, error))
    registers = _registers(form.out.steps, products, unit)
    worst = 0.0
    for terms, denominator in zip(form.out.slots, form.out.denominators, strict=True):
        _, error = _combined(terms, registers, unit, extra=1)
        worst = max(worst, error / denominator)
    # The bound itself is computed in float64, by a few thousand operations on positive numbers.
    return worst * (1 + 1e-9)


def _outputs(stage: Stage, unit: float) -> list[Bound]:
    inputs: list[Bound] = [(1.0, 0.0)] * stage.inputs
    registers = _registers(stage.steps, inputs, unit)
    slots = [_combined(terms, registers, unit) for terms in stage.slots]
    return [(1.0, 0.0) if source >= 0 else slots[-1 - source] for source in stage.sources]


def _registers(steps: Sequence[Sum], inputs: Sequence[Bound], unit: float) -> list[Bound]:
    registers = list(inputs)
    for terms in steps:
        registers.append(_combined(terms, registers, unit))
    return registers


def _combined(terms: Sum, registers: Sequence[Bound], unit: float, extra: int = 0) -> Bound:
    """Return the bounds of a sum.

    A term of n is rounded at most n + 1 times: its coefficient where that is large, its product, and n - 1 additions;
    ``extra`` counts what comes after, a division.
    """
    size = float(sum(abs(x) * registers[register][0] for x, register in terms))
    carried = float(sum(abs(x) * registers[register][1] for x, register in terms))
    return size, carried + _gamma(len(terms) + 1 + extra, unit) * (size + carried)


def _gamma(count: int, unit: float) -> float:
    return count * unit / (1 - count * unit)
