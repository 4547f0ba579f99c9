"""Printing layer programs as Python that needs NumPy or PyTorch alone, one line an instruction."""

from itertools import product
from typing import Literal

from flipforge.diagrams import ties_of
from flipforge.programs._layer import INPUT, OUTPUT, LayerProgram, Step, polynomial_text
from flipforge.programs._layer_object import Layer

__all__ = ["LAYER_TARGETS", "LayerTarget", "layer_source"]

LayerTarget = Literal["numpy", "torch"]
LAYER_TARGETS: tuple[LayerTarget, ...] = ("numpy", "torch")

_NUMPY = '''import numpy as np


def _at(t, axes):
    """Return a view of t with one axis for each letter: axes of one letter are read along their diagonal."""
    return np.einsum(f"...{axes}->...{''.join(dict.fromkeys(axes))}", t)


def _take(t, axes, kept):
    """Return the diagonals of t with the letters that are not kept summed over."""
    if set(axes) == set(kept):
        return np.einsum(f"...{axes}->...{kept}", t)
    return np.einsum(f"...{axes}->...{kept}", t, dtype=t.dtype)


def _zeros(t, shape):
    return np.zeros(shape, dtype=t.dtype)
'''

_TORCH = '''import torch


def _at(t, axes):
    """Return a view of t with one axis for each letter: axes of one letter are read along their diagonal."""
    letters = list(axes)
    for letter in dict.fromkeys(axes):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            t = t.diagonal(dim1=first - len(letters), dim2=second - len(letters))
            del letters[second], letters[first]
            letters.append(letter)
    return _ordered(t, letters, dict.fromkeys(axes))


def _take(t, axes, kept):
    """Return the diagonals of t with the letters that are not kept summed over."""
    letters = list(dict.fromkeys(axes))
    t = _at(t, axes)
    gone = [place - len(letters) for place, letter in enumerate(letters) if letter not in kept]
    t = t.sum(dim=gone) if gone else t
    return _ordered(t, [letter for letter in letters if letter in kept], kept)


def _ordered(t, letters, wanted):
    lead = t.dim() - len(letters)
    return t.permute(*range(lead), *(lead + letters.index(letter) for letter in wanted))


def _zeros(t, shape):
    return torch.zeros(shape, dtype=t.dtype, device=t.device)
'''


def layer_source(layer: Layer, target: LayerTarget) -> str:
    """Return a module with ``apply(x, weights)``, which runs a layer program.

    ``x`` has shape (..., n, ..., n) with any n that the group has, or that of the program where it has ties;
    ``weights`` has shape (W,). The code of PyTorch can be differentiated in both.

    Examples
    --------
    >>> from flipforge.diagrams import PartitionDiagram
    >>> from flipforge.problems import layer
    >>> from flipforge.programs import assemble
    >>> trace = assemble([PartitionDiagram(2, 0, (0, 0))], [], [], k=2, l=0)
    >>> print(layer_source(Layer(layer("O:3", 2, 0), trace), "numpy").splitlines()[-2].strip())
    _at(y, "")[...] += weights[0] * _take(x, "aa", "")
    """
    program, problem = layer.program, layer.problem
    names = ["x", "y", *(f"t{register}" for register in range(2, len(program.orders)))]
    tables, body = _body(program, names)
    lines = [
        f'"""Layer program {layer.id} for {problem.name}: {program.weights} diagrams.',
        "",
        f"{polynomial_text(program.operations)} elements are touched for axes of length n.",
        "Made by flipforge, proven equal to the sum of the matrices of its diagrams.",
        '"""',
        "",
        _NUMPY if target == "numpy" else _TORCH,
        f"WEIGHTS = {program.weights}",
        f"DIAGRAMS = {[list(diagram.labels) for diagram in program.diagrams]!r}",
        *tables,
        "",
        "",
        "def apply(x, weights, n=None):",
        f'    """Apply the layer to the last {program.k} axes of x; n is needed where there are none."""',
        f"    k, rank = {program.k}, len(x.shape)",
        "    n = x.shape[-1] if n is None and k else n",
        "    if n is None or rank < k or any(size != n for size in x.shape[rank - k :]):",
        '        raise ValueError(f"x has shape {tuple(x.shape)}; its last {k} axes must have one length n")',
        "    if len(weights) != WEIGHTS:",
        '        raise ValueError(f"{len(weights)} weights are given, the layer has {WEIGHTS}")',
        *_fixed_lines(program),
        *(
            ["    if n % 2:", '        raise ValueError(f"n = {n}: Sp(n) needs an even n")']
            if program.symplectic
            else []
        ),
        "    lead = tuple(x.shape[: rank - k])",
        *(["    m = n // 2"] if program.symplectic else []),
    ]
    for register, order in enumerate(program.orders):
        if register != INPUT:
            lines.append(f"    {names[register]} = _zeros(x, lead + (n,) * {order})")
    return "\n".join([*lines, *(f"    {line}" for line in body), f"    return {names[OUTPUT]}", ""])


def _body(program: LayerProgram, names: list[str]) -> tuple[list[str], list[str]]:
    """Write the tables of values that ties leave, and the instructions."""
    tables: dict[str, int] = {}
    body = []
    for step in program.steps:
        if ties_of(step.diagram):
            body += _tied_lines(step, names, program, tables)
        else:
            body += _lines(step, names, program.symplectic)
    return [f"ROWS_{number} = {table}" for table, number in tables.items()], body


def _fixed_lines(program: LayerProgram) -> list[str]:
    if program.fixed is None:
        return []
    n = program.fixed.n
    return [f"    if n != {n}:", f'        raise ValueError(f"n = {{n}}: this layer is for n = {n}")']


def _tied_lines(step: Step, names: list[str], program: LayerProgram, tables: dict[str, int]) -> list[str]:
    """Write an instruction with ties: a loop over the values that they leave, with a slice for each."""
    assert program.fixed is not None
    diagram = step.diagram
    tied = [block for tie in ties_of(diagram) for block in tie.blocks]
    rows: list[tuple[int, ...]] = [(1,)]
    for tie in ties_of(diagram):
        rows = [(x * factor, *row, *values) for x, *row in rows for values, factor in program.fixed.rows(tie)]
    number = tables.setdefault(repr(rows), len(tables))
    sides = []
    for labels in (diagram.labels[: diagram.l], diagram.labels[diagram.l :]):
        index = ", ".join(f"i{label}" if label in tied else ":" for label in labels)
        letters = "".join(chr(ord("a") + label) for label in labels if label not in tied)
        sides.append((f"[..., {index}]" if index else "", letters))
    (above_index, above), (below_index, below) = sides
    distinct = "".join(dict.fromkeys(above))
    kept = "".join(x for x in distinct if x in below)
    value = f'_take({names[step.source]}{below_index}, "{below}", "{kept}")' + _spread(distinct, kept)
    loop = f"for sign, {', '.join(f'i{block}' for block in tied)} in ROWS_{number}:"
    target = f'_at({names[step.target]}{above_index}, "{above}")'
    return [loop, f"    {target}[...] += sign * weights[{step.weight}] * {value}"]


def _lines(step: Step, names: list[str], symplectic: bool) -> list[str]:
    """Write one instruction: a pair of axes that a form joins becomes two lines, one for each sign."""
    diagram = step.diagram
    letters = "".join(chr(ord("a") + label) for label in diagram.labels)
    above, below = letters[: diagram.l], letters[diagram.l :]
    forms = [x for x in dict.fromkeys(letters) if symplectic and (x not in above or x not in below)]
    lines = []
    for turned in product((False, True), repeat=len(forms)):
        halves = {form: ["m:", ":m"] if turn else [":m", "m:"] for form, turn in zip(forms, turned, strict=True)}
        target = names[step.target] + _slices(above, halves)
        source = names[step.source] + _slices(below, halves)
        distinct = "".join(dict.fromkeys(above))
        kept = "".join(x for x in distinct if x in below)
        value = f'_take({source}, "{below}", "{kept}")' + _spread(distinct, kept)
        value = value if step.weight is None else f"weights[{step.weight}] * {value}"
        sign = "-=" if sum(turned) % 2 else "+="
        lines.append(f'_at({target}, "{above}")[...] {sign} {value}')
    return lines


def _slices(letters: str, halves: dict[str, list[str]]) -> str:
    """Write the halves of the axes that forms join."""
    if not any(letter in halves for letter in letters):
        return ""
    seen: list[str] = []
    parts = []
    for letter in letters:
        parts.append(halves[letter][seen.count(letter)] if letter in halves else ":")
        seen.append(letter)
    return f"[..., {', '.join(parts)}]"


def _spread(letters: str, kept: str) -> str:
    """Write the new axes along which a value is broadcast."""
    if letters == kept:
        return ""
    return f"[..., {', '.join(':' if letter in kept else 'None' for letter in letters)}]"
