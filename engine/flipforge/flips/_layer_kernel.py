"""The kernel that runs layer programs on floats; `flipforge.flips.layer_run` says what it is given.

All registers lie in one memory. A batch is cut into groups of `LANES` tensors that are worked on side by side, so that
one instruction is decoded for all of them and every addition is a vector's; what is left over goes one by one, with
lines along the last label for vectors.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flipforge.jit import kernel

__all__ = ["LANES", "run"]

LANES = 8

Floats = NDArray[Any]
Integers = NDArray[Any]


@kernel
def _line(m: Floats, t: int, dt: int, s: int, ds: int, length: int, factor: Any) -> None:
    """Add ``factor`` times the elements at the source to those at the target, along one label."""
    if dt == 0:
        # Four sums at a time: one alone waits for each addition.
        a = b = c = d = factor - factor
        whole = length - length % 4
        for i in range(0, whole, 4):
            a += m[s + i * ds]
            b += m[s + (i + 1) * ds]
            c += m[s + (i + 2) * ds]
            d += m[s + (i + 3) * ds]
        for i in range(whole, length):
            a += m[s + i * ds]
        m[t] += factor * ((a + b) + (c + d))
    elif dt == 1 and ds == 1:
        for i in range(length):
            m[t + i] += factor * m[s + i]
    elif dt == 1 and ds == 0:
        value = factor * m[s]
        for i in range(length):
            m[t + i] += value
    else:
        for i in range(length):
            m[t + i * dt] += factor * m[s + i * ds]


@kernel
def _lanes(m: Floats, t: int, dt: int, s: int, ds: int, length: int, factor: Any) -> None:
    """Do the same for `LANES` tensors; all is read before anything is written, or the compiler makes no vectors."""
    one = np.uintp(1)
    for i in range(length):
        p0, q0 = np.uintp(t + i * dt), np.uintp(s + i * ds)
        p1, q1 = p0 + one, q0 + one
        p2, q2 = p1 + one, q1 + one
        p3, q3 = p2 + one, q2 + one
        p4, q4 = p3 + one, q3 + one
        p5, q5 = p4 + one, q4 + one
        p6, q6 = p5 + one, q5 + one
        p7, q7 = p6 + one, q6 + one
        v0, v1, v2, v3 = m[q0], m[q1], m[q2], m[q3]
        v4, v5, v6, v7 = m[q4], m[q5], m[q6], m[q7]
        w0, w1, w2, w3 = m[p0], m[p1], m[p2], m[p3]
        w4, w5, w6, w7 = m[p4], m[p5], m[p6], m[p7]
        m[p0] = w0 + factor * v0
        m[p1] = w1 + factor * v1
        m[p2] = w2 + factor * v2
        m[p3] = w3 + factor * v3
        m[p4] = w4 + factor * v4
        m[p5] = w5 + factor * v5
        m[p6] = w6 + factor * v6
        m[p7] = w7 + factor * v7


@kernel
def _instruction(
    m: Floats, t: int, s: int, labels: Integers, first: int, end: int, place: Integers, wide: int, factor: Any
) -> None:
    """Run one instruction: an odometer over all labels but the last, which is a line."""
    if first == end:
        for lane in range(wide):
            m[t + lane] += factor * m[s + lane]
        return
    last = end - 1
    length, ds, dt = labels[last, 0], labels[last, 1] * wide, labels[last, 2] * wide
    place[first:last] = 0
    while True:
        if wide == 1:
            _line(m, t, dt, s, ds, length, factor)
        else:
            _lanes(m, t, dt, s, ds, length, factor)
        label = last - 1
        while label >= first:
            place[label] += 1
            s += labels[label, 1] * wide
            t += labels[label, 2] * wide
            if place[label] < labels[label, 0]:
                break
            s -= labels[label, 1] * wide * labels[label, 0]
            t -= labels[label, 2] * wide * labels[label, 0]
            place[label] = 0
            label -= 1
        if label < first:
            return


@kernel
def _program(
    m: Floats,
    weights: Floats,
    instructions: Integers,
    rows: Integers,
    labels: Integers,
    registers: Integers,
    place: Integers,
    wide: int,
) -> None:
    for number in range(len(instructions)):
        source, target, weight = instructions[number, 0], instructions[number, 1], instructions[number, 2]
        first, end = instructions[number, 5], instructions[number, 6]
        by_s, by_t = registers[source, 1] * wide, registers[target, 1] * wide
        for row in range(instructions[number, 3], instructions[number, 4]):
            s = (registers[source, 0] + rows[row, 0]) * wide
            t = (registers[target, 0] + rows[row, 1]) * wide
            sign = weights.dtype.type(rows[row, 2])
            if weight < 0:
                for channel in range(registers[source, 2]):
                    _instruction(m, t + channel * by_t, s + channel * by_s, labels, first, end, place, wide, sign)
                continue
            for output in range(registers[target, 2]):
                for channel in range(registers[source, 2]):
                    factor = sign * weights[output, channel, weight]
                    _instruction(m, t + output * by_t, s + channel * by_s, labels, first, end, place, wide, factor)


@kernel
def _turn_in(m: Floats, at: int, x: Floats, first: int, size: int) -> None:
    """Lay `LANES` tensors side by side."""
    lanes, by = np.uintp(LANES), np.uintp(size)
    for i in range(by):
        to, of = np.uintp(at) + i * lanes, np.uintp(first) + i
        for lane in range(lanes):
            m[to + lane] = x[of + lane * by]


@kernel
def _turn_out(m: Floats, at: int, y: Floats, first: int, size: int) -> None:
    """Undo `_turn_in`."""
    lanes, by = np.uintp(LANES), np.uintp(size)
    for i in range(by):
        of, to = np.uintp(at) + i * lanes, np.uintp(first) + i
        for lane in range(lanes):
            y[to + lane * by] = m[of + lane]


@kernel
def run(
    x: Floats,
    y: Floats,
    weights: Floats,
    instructions: Integers,
    rows: Integers,
    labels: Integers,
    registers: Integers,
    room: int,
) -> None:
    """Run a program on a batch."""
    wide = LANES if len(x) >= LANES else 1
    m = np.empty(room * wide, x.dtype)
    place = np.zeros(len(labels) + 1, np.int64)
    into, out = registers[0, 0], registers[1, 0] * wide
    inputs, outputs = x.shape[1], y.shape[1]
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    item = 0
    while item < len(x):
        if item + wide > len(x):
            wide = 1
            out = registers[1, 0]
        m[: room * wide] = 0
        if wide == 1:
            m[into : into + inputs] = x[item]
            _program(m, weights, instructions, rows, labels, registers, place, 1)
            y[item] = m[out : out + outputs]
        else:
            _turn_in(m, into * wide, x_flat, item * inputs, inputs)
            _program(m, weights, instructions, rows, labels, registers, place, wide)
            _turn_out(m, out, y_flat, item * outputs, outputs)
        item += wide
