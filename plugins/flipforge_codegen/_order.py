"""In which order a thread that keeps values in registers computes a linear map."""

from collections.abc import Iterator, Sequence

from flipforge_codegen._scalars import Scalar, typed_sum
from flipforge_codegen._stages import Stage

__all__ = ["ordered", "peak", "statements"]

_MOST = 96
"""Values that a thread may hold: of two registers each where they are 64 bits wide, of 255, with room for addresses."""


def ordered(stage: Stage) -> list[int]:
    """Return registers and outputs in an order of computation, output k as -1 - k.

    Outputs come one after the other; what each needs beyond those before it stands in front of it.

    Examples
    --------
    >>> rows = ((1, 0), (1, 1)), ((1, 0), (1, 1), (1, 2))
    >>> ordered(Stage(3, (rows[0],), (((1, 3),), ((1, 3), (1, 2))), (-1, -2), rows, (1, 1), 3))
    [0, 1, 3, -1, 2, -2]
    """
    made: set[int] = set()
    order: list[int] = []
    for number, terms in enumerate(stage.outputs):
        needed: set[int] = set()
        wanted = [register for _, register in terms]
        while wanted:
            register = wanted.pop()
            if register not in made and register not in needed:
                needed.add(register)
                wanted += [used for _, used in _terms(stage, register)]
        order += [*sorted(needed), -1 - number]
        made |= needed
    return order


def peak(stage: Stage) -> int:
    """Return how many values are held at a time in this order."""
    order = ordered(stage)
    last = {register: time for time, each in enumerate(order) for _, register in _terms(stage, each)}
    held = most = 0
    for time, each in enumerate(order):
        held += each >= 0
        most = max(most, held)
        held -= sum(last[register] == time for register in {register for _, register in _terms(stage, each)})
    return most


def statements(
    stage: Stage, names: Sequence[str], loads: Sequence[str], scalar: Scalar
) -> Iterator[tuple[str | int, str]]:
    """Yield what is computed, in order: a name or the number of an output, and its value.

    A map that would hold more values than a thread has registers is computed without shared sums, and each output reads
    its inputs anew.

    Parameters
    ----------
    names, loads
        Of the inputs; how they are read.
    """
    if peak(stage) > _MOST:
        for number, row in enumerate(stage.rows):
            yield number, typed_sum(row, loads, scalar)
        return
    registers = [*names, *(f"x{number}" for number in range(1, len(stage.steps) + 1))]
    for each in ordered(stage):
        if 0 <= each < stage.inputs:
            yield registers[each], loads[each]
        else:
            value = typed_sum(_terms(stage, each), registers, scalar)
            yield registers[each] if each >= 0 else -1 - each, value


def _terms(stage: Stage, each: int) -> Sequence[tuple[int, int]]:
    """Return the sum that a register or an output is."""
    if each < 0:
        return stage.outputs[-1 - each]
    return () if each < stage.inputs else stage.steps[each - stage.inputs]
