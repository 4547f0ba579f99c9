"""Running layer programs on arrays: strided views in NumPy, the reference, and a compiled kernel for floats."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from flipforge.diagrams import Tie, Wiring, ties_of
from flipforge.errors import InputError
from flipforge.programs._layer import INPUT, OUTPUT, LayerProgram

__all__ = ["Engine", "apply_layer", "layer_gradients"]

Array = npt.NDArray[Any]
Engine = Literal["numpy", "numba"]


class Strided(NamedTuple):
    """One instruction for one n: for each label its length and its strides, all in elements.

    It is run once for each of its rows, an offset at the source, one at the target, and a factor: a pair that a
    symplectic form joins has one row for each sign, and ties have one for each choice of values that they leave.
    """

    source: int
    target: int
    weight: int | None
    rows: tuple[tuple[int, int, int], ...]
    sizes: tuple[int, ...]
    ds: tuple[int, ...]
    dt: tuple[int, ...]


def apply_layer(
    program: LayerProgram, x: Array, weights: Array, *, n: int | None = None, engine: Engine | None = None
) -> Array:
    """Apply the layer ``sum_w weights[w] F(diagram_w)`` to a batch of tensors.

    Parameters
    ----------
    x
        Shape (..., n, ..., n), k axes of length n; any order in memory. It is not modified.
    weights
        Shape (W,); or (outputs, inputs, W) for channels, and then x has an axis of channels before the k axes.
    n
        Needed where k = 0.
    engine
        ``numpy`` for any dtype, ``numba`` for floats; numba for floats unless given.

    Returns
    -------
    array
        Shape (..., n, ..., n), l axes; with channels an axis of outputs before them.

    Raises
    ------
    InputError
        A shape does not fit, or the engine cannot take the dtype.

    Examples
    --------
    >>> from flipforge.diagrams import PartitionDiagram
    >>> from flipforge.programs import assemble
    >>> trace = assemble([PartitionDiagram(2, 0, (0, 0))], [], [], k=2, l=0)
    >>> apply_layer(trace, np.arange(9).reshape(3, 3), np.array([1])).item()
    12
    """
    shaped = _Shaped.of(program, x, weights, n)
    floats = shaped.x.dtype.kind == "f" and shaped.x.dtype.itemsize in (4, 8)
    if engine is None:
        engine = "numba" if floats else "numpy"
    if engine == "numba" and not floats:
        raise InputError(f"the compiled kernel takes float32 and float64, not {shaped.x.dtype}; use engine='numpy'")
    y = _run_compiled(program, shaped) if engine == "numba" else _run_views(program, shaped)[OUTPUT]
    return y.reshape(shaped.result(program.l))


def layer_gradients(
    program: LayerProgram, x: Array, weights: Array, gy: Array, *, n: int | None = None, engine: Engine | None = None
) -> tuple[Array, Array]:
    """Return the gradients of ``sum(gy * apply_layer(program, x, weights))`` in x and in the weights.

    That in x is the transposed program applied to gy; that of a weight is the scalar product of what goes into its
    instruction with what comes back to it.
    """
    back = program.transposed()
    swapped = weights if weights.ndim == 1 else np.swapaxes(weights, 0, 1)
    gx = apply_layer(back, gy, swapped, n=n, engine=engine)
    forth, returned = _Shaped.of(program, x, weights, n), _Shaped.of(back, gy, swapped, n)
    cores, sinks = (_run_views(p, s, weightless=True) for p, s in ((program, forth), (back, returned)))
    gradient = np.zeros(forth.weights.shape, np.result_type(forth.x, returned.x))
    names = {OUTPUT: INPUT}
    for op in lowered(program, forth.n):
        if op.weight is not None:
            for below, above, factor in op.rows:
                a = _view(cores[op.source], below, op.sizes, op.ds)
                b = _view(sinks[names.get(op.target, op.target)], above, op.sizes, op.dt)
                axes = list(range(3, a.ndim + 1))
                gradient[:, :, op.weight] += factor * np.einsum(a, [0, 1, *axes], b, [0, 2, *axes], [2, 1])
    return gx, gradient.reshape(weights.shape)


class _Shaped(NamedTuple):
    """Arguments in one form: x of shape (batch, inputs, n^k), weights (outputs, inputs, W)."""

    x: Array
    weights: Array
    n: int
    batch: tuple[int, ...]
    channels: bool

    @classmethod
    def of(cls, program: LayerProgram, x: Array, weights: Array, n: int | None) -> "_Shaped":
        x, weights = np.asarray(x), np.asarray(weights)
        channels = weights.ndim == 3
        if weights.ndim not in (1, 3) or weights.shape[-1] != program.weights:
            raise InputError(
                f"weights have shape {weights.shape}; the program takes (..., {program.weights}), 1 or 3 axes"
            )
        k = program.k
        lead = x.ndim - k - channels
        if lead < 0:
            raise InputError(f"x has shape {x.shape}; the layer takes {k} axes" + " after that of channels" * channels)
        n = x.shape[-1] if k and n is None else n
        if n is None:
            raise InputError("a layer without input axes does not show n: give it")
        if any(size != n for size in x.shape[x.ndim - k :]) or n < 1:
            raise InputError(f"x has shape {x.shape}; its last {k} axes must all have length n = {n}")
        if program.fixed is not None and n != program.fixed.n:
            raise InputError(f"x has axes of length {n}; the ties of the program are for n = {program.fixed.n}")
        if program.symplectic and n % 2:
            raise InputError(f"x has axes of length {n}; Sp(n) needs an even n")
        if channels and x.shape[lead] != weights.shape[1]:
            raise InputError(f"x has {x.shape[lead]} channels, the weights take {weights.shape[1]}")
        dtype = np.result_type(x, weights) if x.dtype.kind != "f" or weights.dtype.kind != "f" else x.dtype
        inputs = x.shape[lead] if channels else 1
        flat = np.ascontiguousarray(x, dtype).reshape(-1, inputs, n**k)
        form = weights if channels else weights.reshape(1, 1, -1)
        return cls(flat, np.ascontiguousarray(form, dtype), n, x.shape[:lead], channels)

    def result(self, axes: int) -> tuple[int, ...]:
        return (*self.batch, *([len(self.weights)] if self.channels else []), *([self.n] * axes))


@lru_cache(maxsize=64)
def lowered(program: LayerProgram, n: int) -> tuple[Strided, ...]:
    """Write a program for one n."""
    ops: list[Strided] = []
    for step in program.steps:
        labels, forms = _labels(step.diagram, n, program.symplectic)
        rows = [(0, 0, 1)]
        for side, first, second in forms:
            # The form is +1 at (i, i + n/2) and -1 at (i + n/2, i).
            half = n // 2
            ends = [(half * second, 1), (half * first, -1)]
            offsets = [((shift, 0) if side == "s" else (0, shift), sign) for shift, sign in ends]
            rows = [(s + ds, t + dt, sign * x) for s, t, sign in rows for (ds, dt), x in offsets]
            both = first + second
            labels.append((half, both if side == "s" else 0, both if side == "t" else 0))
        for tie in ties_of(step.diagram):
            rows = _tied_rows(step.diagram, tie, rows, n, program)
        labels.sort(key=_inner)
        sizes, ds, dt = (tuple(column) for column in zip(*labels, strict=True)) if labels else ((), (), ())
        ops.append(Strided(step.source, step.target, step.weight, tuple(rows), sizes, ds, dt))
    return tuple(ops)


def _tied_rows(
    diagram: Wiring, tie: Tie, rows: Sequence[tuple[int, int, int]], n: int, program: LayerProgram
) -> list[tuple[int, int, int]]:
    """Return the rows with each choice of values of a tie."""
    if program.fixed is None:
        raise InputError("an instruction with ties is for one n, which the program does not state")
    strides = [_strides(diagram, n, diagram.blocks[block]) for block in tie.blocks]
    choices = []
    for values, factor in program.fixed.rows(tie):
        below, above = (sum(x * stride[side] for x, stride in zip(values, strides, strict=True)) for side in (0, 1))
        choices.append((below, above, factor))
    return [(s + below, t + above, sign * factor) for s, t, sign in rows for below, above, factor in choices]


def _inner(label: tuple[int, int, int]) -> tuple[int, int]:
    """Order labels so that the last one runs along memory at the target, or else at the source."""
    _, ds, dt = label
    return -max(ds, dt) if not (ds and dt) else -min(ds, dt), -dt


def _labels(diagram: Wiring, n: int, symplectic: bool) -> tuple[list[tuple[int, int, int]], list[tuple[str, int, int]]]:
    """Return length and strides of each free block, and apart the pairs that are forms: side and the two strides."""
    plain, forms = [], []
    tied = {block for tie in ties_of(diagram) for block in tie.blocks}
    for number, block in enumerate(diagram.blocks):
        above = [n ** (diagram.l - 1 - point) for point in block if point < diagram.l]
        below = [n ** (diagram.l + diagram.k - 1 - point) for point in block if point >= diagram.l]
        if symplectic and not (above and below):
            forms.append(("t", *above) if above else ("s", *below))
        elif number not in tied:
            plain.append((n, sum(below), sum(above)))
    return plain, forms


def _strides(diagram: Wiring, n: int, block: Sequence[int]) -> tuple[int, int]:
    """Return by how much the places at source and target grow with the value of a block."""
    above = sum(n ** (diagram.l - 1 - point) for point in block if point < diagram.l)
    below = sum(n ** (diagram.l + diagram.k - 1 - point) for point in block if point >= diagram.l)
    return below, above


def _view(register: Array, offset: int, sizes: Sequence[int], strides: Sequence[int]) -> Array:
    """Return a view of a register of shape (batch, channels, elements) with one axis for each label."""
    step = register.itemsize
    tail = register[:, :, offset:]
    return as_strided(tail, (*tail.shape[:2], *sizes), (*tail.strides[:2], *(step * s for s in strides)))


def late(program: LayerProgram) -> frozenset[int]:
    """Return the registers behind a weight: they have the channels of the output."""
    found = {OUTPUT}
    for step in program.steps:
        if step.weight is not None or step.source in found:
            found.add(step.target)
    return frozenset(found)


def _registers(program: LayerProgram, shaped: _Shaped) -> list[Array]:
    """Return the input and zeros for all other registers, each of shape (batch, channels, elements)."""
    outputs, inputs, _ = shaped.weights.shape
    behind = late(program)
    sizes = [(outputs if r in behind else inputs, shaped.n**order) for r, order in enumerate(program.orders)]
    zeros = [np.zeros((len(shaped.x), *size), shaped.x.dtype) for size in sizes[1:]]
    return [shaped.x, *zeros]


def _run_views(program: LayerProgram, shaped: _Shaped, *, weightless: bool = False) -> list[Array]:
    """Run a program by views and return its registers; without weights those before them alone."""
    registers, behind = _registers(program, shaped), late(program)
    for op in lowered(program, shaped.n):
        if weightless and op.target in behind:
            continue
        summed = tuple(2 + label for label, stride in enumerate(op.dt) if not stride)
        kept = [(size, stride) for size, stride in zip(op.sizes, op.dt, strict=True) if stride]
        for below, above, factor in op.rows:
            value = _view(registers[op.source], below, op.sizes, op.ds).sum(axis=summed, dtype=shaped.x.dtype)
            if op.weight is not None:
                value = np.tensordot(shaped.weights[:, :, op.weight], value, axes=(1, 1)).swapaxes(0, 1)
            target = _view(registers[op.target], above, [size for size, _ in kept], [step for _, step in kept])
            target += factor * value
    return registers


def _run_compiled(program: LayerProgram, shaped: _Shaped) -> Array:
    """Run a program by the compiled kernel."""
    from flipforge.flips import layer_run

    outputs, inputs, _ = shaped.weights.shape
    instructions, rows, labels, registers, room = _plan(program, shaped.n, inputs, outputs)
    x = shaped.x.reshape(len(shaped.x), -1)
    y = np.empty((len(x), outputs * shaped.n**program.l), x.dtype)
    layer_run(x if x.flags.writeable else x.copy(), y, shaped.weights, instructions, rows, labels, registers, room)
    return y


@lru_cache(maxsize=64)
def _plan(program: LayerProgram, n: int, inputs: int, outputs: int) -> tuple[Array, Array, Array, Array, int]:
    """Return instructions, rows, labels, registers and room as the kernel takes them."""
    instructions: list[tuple[int, ...]] = []
    rows: list[tuple[int, int, int]] = []
    labels: list[tuple[int, int, int]] = []
    for op in lowered(program, n):
        weight = -1 if op.weight is None else op.weight
        ends = len(rows), len(rows) + len(op.rows), len(labels), len(labels) + len(op.sizes)
        instructions.append((op.source, op.target, weight, *ends))
        rows += op.rows
        labels += zip(op.sizes, op.ds, op.dt, strict=True)
    behind = late(program)
    sizes = [(n**order, outputs if r in behind else inputs) for r, order in enumerate(program.orders)]
    *offsets, room = np.cumsum([0, *(elements * channels for elements, channels in sizes)]).tolist()
    registers = [(offset, *size) for offset, size in zip(offsets, sizes, strict=True)]
    shaped = (np.array(table, np.int64).reshape(-1, width) for table, width in ((instructions, 7), (rows, 3)))
    return *shaped, np.array(labels, np.int64).reshape(-1, 3), np.array(registers, np.int64), room
