"""Layer programs: the walk among them, and their run on floats."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LAYER_WALK_VERSION", "LayerTables", "LayerWalk", "layer_run", "layer_walk"]

LAYER_WALK_VERSION = 1

Floats = NDArray[Any]
Integers = NDArray[Any]


def layer_run(
    x: Floats,
    y: Floats,
    weights: Floats,
    instructions: Integers,
    rows: Integers,
    labels: Integers,
    registers: Integers,
    room: int,
) -> None:
    """Run a layer program on a batch; `flipforge.programs.apply_layer` with ``engine="numpy"`` is the same in NumPy.

    Parameters
    ----------
    x, y
        Contiguous arrays of one float dtype and shape (batch, channels * elements); y is overwritten.
    weights
        Shape (outputs, inputs, weights).
    instructions
        Source, target, weight or -1, first row, last + 1, first label, last + 1. For each row, and each value of the
        labels, one element of the source is scaled and added to one of the target.
    rows
        Offset at the source, offset at the target, factor.
    labels
        Rows: length, stride at the source (0 where one element goes to all), stride at the target (0 for a sum).
    registers
        Rows: offset in memory, elements, channels; register 0 takes x, 1 gives y.
    room
        Elements of all registers.
    """
    from flipforge.flips._layer_kernel import run

    run(x, y, weights, instructions, rows, labels, registers, room)


@dataclass(frozen=True)
class LayerTables:
    """What decides the cost of the layer programs of a problem.

    Core 0 of each side is the tensor itself, which is always there.

    Attributes
    ----------
    lefts
        For input and output: ``[u, c]`` is the number of axes to sum over from core u to core c, -1 where none will do.
    orders
        For both: axes of each core.
    cells
        For each diagram the core that it needs of the input, and that of the output.
    joints
        For each diagram the elements that an instruction from the one to the other touches.
    powers
        ``n**e`` for all e that occur.
    """

    lefts: tuple[NDArray[np.int8], NDArray[np.int8]]
    orders: tuple[NDArray[np.int8], NDArray[np.int8]]
    cells: NDArray[np.int64]
    joints: NDArray[np.int64]
    powers: NDArray[np.int64]


@dataclass(frozen=True)
class LayerWalk:
    """The best state of a walk, and what the walk did."""

    on: NDArray[np.uint8]
    basis: NDArray[np.int64]
    cost: int
    steps: int
    moves: int
    accepted: int
    swaps: int
    plus: int
    restarts: int


def layer_walk(
    tables: LayerTables,
    on: NDArray[np.uint8],
    basis: NDArray[np.int64],
    tableau: NDArray[np.int64],
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    seed: NDArray[np.uint64],
) -> LayerWalk:
    """Walk among the layer programs of a problem; `flipforge.flips.layer_reference` is the same in plain Python.

    A state is a set of intermediates and a basis of diagrams. Each diagram goes through the intermediates that leave
    the fewest axes to sum over and to broadcast along, each intermediate comes from the one that leaves the fewest; all
    of it is counted, one for each element touched.

    A move is drawn by one 64-bit word of xoshiro256++ without its last bit. Its three lowest bits say which: 0 to 4
    put one intermediate in or take it out; 5 and 6 do that with two, of which one must be in and the other not; 7,
    where diagrams are dependent, puts a diagram into the basis in place of another, found from a random row on
    cyclically, such that it stays a basis. The upper 31 bits choose the intermediate or the diagram, those of the next
    word the second one or the row. A move is kept that makes nothing dearer. A move is charged 1 step and another for
    each 256 entries of the tables.

    After ``idle`` steps without a record the walk ends if the goal is reached; otherwise it goes on from the record,
    and the first ``band + 1`` moves are kept whatever they cost. After ``path`` steps it begins again from its start.
    At the end the intermediates of the best state are dropped, in their order, that save nothing.

    Parameters
    ----------
    on
        Flags of the intermediates, of the input, then of the output; 2 where one is never put in.
    basis, tableau
        Numbers of the diagrams of a basis, and the coordinates in it of all diagrams modulo 2^31 - 1; no more columns
        than rows where all are independent.
    goal, steps, path, idle, band
        The cost to reach, and how far to go.
    """
    from flipforge.flips import _layer_walk_kernel as compiled

    tally = np.zeros(len(compiled.TALLY), np.int64)
    limits = np.array([goal, steps, max(1, path), max(1, idle), band], np.int64)
    state, chosen = on.copy(), basis.copy()
    counts = np.zeros((len(tables.orders[0]), len(tables.orders[1])), np.int64)
    shared = tables.cells, tables.joints, counts, tables.lefts, tables.orders, tables.powers
    compiled.run(state, chosen, tableau.copy(), *shared, limits, seed.copy(), tally)
    named = {name: int(number) for name, number in zip(compiled.TALLY, tally, strict=True)}
    return LayerWalk(state, chosen, named.pop("best"), **named)
