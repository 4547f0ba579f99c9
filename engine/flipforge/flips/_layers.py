"""Layer programs on floats: what the compiled kernel is given."""

from typing import Any

from numpy.typing import NDArray

__all__ = ["layer_run"]

Floats = NDArray[Any]
Integers = NDArray[Any]


def layer_run(
    x: Floats, y: Floats, weights: Floats, instructions: Integers, labels: Integers, registers: Integers, room: int
) -> None:
    """Run a layer program on a batch; `flipforge.programs.apply_layer` with ``engine="numpy"`` is the same in NumPy.

    Parameters
    ----------
    x, y
        Contiguous arrays of one float dtype and shape (batch, channels * elements); y is overwritten.
    weights
        Shape (outputs, inputs, weights).
    instructions
        Rows: source, target, weight or -1, sign, offset at the source, offset at the target, first label, last + 1. For
        each value of its labels one element of the source is scaled and added to one of the target.
    labels
        Rows: length, stride at the source (0 where one element goes to all), stride at the target (0 for a sum).
    registers
        Rows: offset in memory, elements, channels; register 0 takes x, 1 gives y.
    room
        Elements of all registers.
    """
    from flipforge.flips._layer_kernel import run

    run(x, y, weights, instructions, labels, registers, room)
