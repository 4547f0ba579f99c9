"""Common-subexpression elimination: the same sums with fewer additions.

Every method takes the map of a part, not its steps, and gives a program that is proven to compute it. A map and its
transpose need the same work up to a constant (`transposed`), so both are tried and the better is kept.

Sources: R. Paar, "Optimized arithmetic for Reed-Solomon encoders" (1997), for the greedy choice of pairs; Martensson
and Wagner (ePrint 2024/2063) for the greedy potential; A. Perminov (arXiv 2512.13365) for greedy intersections.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import combinations

from flipforge.errors import InputError
from flipforge.programs import Builder, Combination, LinearProgram, Program, Term
from flipforge.rings import Element, Q
from flipforge_codegen.passes._sums import Sums
from flipforge_codegen.passes._transpose import transposed

__all__ = ["METHODS", "inlined", "normalised", "share", "share_part"]

Method = Callable[[Sums, int, int], LinearProgram]


def normalised(program: Program) -> Program:
    """Make sums of one term views, and equal sums one step, also where they differ by a constant."""
    return program.with_parts(*map(_merged, program.parts))


def inlined(program: Program) -> Program:
    """Write sums that are used once out where they are used: additions stay the same, and fewer values have names."""
    return program.with_parts(*map(_inlined, program.parts))


def share(program: Program, method: str = "restarts", *, steps: int = 20_000, seed: int = 0) -> Program:
    """Share sums within each part; the program that returns has no more additions and is proven.

    Parameters
    ----------
    method
        ``pair`` and ``potential`` (greedy), ``intersections`` (greedy, of whole sums), or ``restarts`` (drops pairs at
        random and shares again).
    steps
        Budget of ``restarts`` for each part: pairs to share.
    seed
        Of its choices, and of those between equal pairs elsewhere.

    Raises
    ------
    InputError
        There is no such method, or the program is too large.

    Examples
    --------
    >>> from flipforge.problems import matmul
    >>> from flipforge.programs import program
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> share(program(standard_scheme(matmul(2, 3, 2), ZT)), "pair").operations.additions
    8
    """
    return program.with_parts(*(share_part(part, method, steps=steps, seed=seed) for part in program.parts))


def share_part(part: LinearProgram, method: str = "restarts", *, steps: int = 20_000, seed: int = 0) -> LinearProgram:
    """Return the program of the same map with the fewest additions: the given one, or one that the method finds."""
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}: use one of {', '.join(METHODS)}")
    sums = Sums.of(part)
    found = METHODS[method](sums, steps, seed)
    turned = transposed(METHODS[method](sums.transposed(), steps, seed))
    return min((_merged(part), found, turned), key=lambda each: each.operations.additions)


def _merged(part: LinearProgram) -> LinearProgram:
    builder = Builder(part.ring if part.ring.characteristic else Q, part.inputs)
    values: list[Term | None] = [(1, register) for register in range(part.inputs)]
    for step in part.steps:
        values.append(_sum(builder, step, values))
    return _pruned(builder.program([_sum(builder, output, values) for output in part.outputs]))


def _inlined(part: LinearProgram) -> LinearProgram:
    p = part.ring.characteristic
    uses = Counter(register for terms in (*part.steps, *part.outputs) for _, register in terms)
    written: list[dict[int, Element]] = []
    names: dict[int, int] = {register: register for register in range(part.inputs)}
    steps: list[tuple[Term, ...]] = []

    def row(terms: Combination) -> dict[int, Element]:
        total: dict[int, Element] = {}
        for x, register in terms:
            inner = {names[register]: 1} if register in names else written[register - part.inputs]
            for name, y in inner.items():
                value = total.get(name, 0) + x * y
                total[name] = int(value) % p if p else value.numerator if value.denominator == 1 else value
        return {name: x for name, x in sorted(total.items()) if x}

    for number, step in enumerate(part.steps):
        register = part.inputs + number
        written.append(row(step))
        if uses[register] > 1:
            names[register] = part.inputs + len(steps)
            steps.append(_terms(written[-1]))
    outputs = tuple(_terms(row(output)) for output in part.outputs)
    return LinearProgram(part.ring if p else Q, part.inputs, tuple(steps), outputs)


def _terms(row: Mapping[int, Element]) -> tuple[Term, ...]:
    return tuple((x, register) for register, x in row.items())


def _sum(builder: Builder, terms: tuple[Term, ...], values: list[Term | None]) -> Term | None:
    scaled = (builder.scaled(values[register], coefficient) for coefficient, register in terms)
    return builder.sum([term for term in scaled if term])


def _pruned(part: LinearProgram) -> LinearProgram:
    """Leave out steps that no output needs."""
    needed = {register for output in part.outputs for _, register in output}
    for register in reversed(range(part.inputs, part.registers)):
        if register in needed:
            needed.update(used for _, used in part.steps[register - part.inputs])
    kept = [register for register in range(part.registers) if register < part.inputs or register in needed]
    names = {register: number for number, register in enumerate(kept)}
    steps, outputs = (
        tuple(tuple((x, names[register]) for x, register in terms) for terms in sums)
        for sums in ([part.steps[register - part.inputs] for register in kept[part.inputs :]], part.outputs)
    )
    return LinearProgram(part.ring, part.inputs, steps, outputs)


def _pair(sums: Sums, steps: int, seed: int) -> LinearProgram:
    return sums.program(sums.improve(weight=0, seed=seed)[0])


def _potential(sums: Sums, steps: int, seed: int) -> LinearProgram:
    return sums.program(sums.improve(weight=2, seed=seed)[0])


def _restarts(sums: Sums, steps: int, seed: int) -> LinearProgram:
    return sums.program(sums.improve(steps=steps, seed=seed)[0])


def _intersections(sums: Sums, steps: int, seed: int) -> LinearProgram:
    """Share the largest common part of two sums, up to a constant, weighted by how many sums hold it."""
    p = sums.ring.characteristic
    rows: list[dict[int, Element]] = [dict(row) for row in sums.rows]
    made: list[int] = []
    while True:
        best: tuple[int, dict[int, Element]] = (0, {})
        for first, second in combinations(range(len(rows)), 2):
            for common in _common(rows[first], rows[second], p):
                saved = (len(common) - 1) * (sum(_factor(row, common, p) is not None for row in rows) - 1)
                best = max(best, (saved, common), key=lambda each: each[0])
        if not best[0]:
            break
        column = sums.inputs + len(made)
        for row in rows:
            factor = _factor(row, best[1], p)
            if factor is not None:
                for register in best[1]:
                    del row[register]
                row[column] = factor
        made.append(len(rows))
        rows.append(best[1])
    return _written(sums, rows, made)


def _common(one: Mapping[int, Element], other: Mapping[int, Element], p: int) -> list[dict[int, Element]]:
    """Return the parts of a row, of two terms at least, of which the other holds a multiple."""
    groups: dict[Element, dict[int, Element]] = {}
    for register, x in one.items():
        if register in other:
            groups.setdefault(_ratio(other[register], x, p), {})[register] = x
    return [group for group in groups.values() if len(group) > 1]


def _factor(row: Mapping[int, Element], common: Mapping[int, Element], p: int) -> Element | None:
    """Return by what a part must be multiplied to stand in a row, None where it does not."""
    if not common.keys() <= row.keys():
        return None
    factors = {_ratio(row[register], x, p) for register, x in common.items()}
    return factors.pop() if len(factors) == 1 else None


def _ratio(x: Element, y: Element, p: int) -> Element:
    return int(x) * pow(int(y), -1, p) % p if p else Fraction(x) / y


def _written(sums: Sums, rows: list[dict[int, Element]], made: list[int]) -> LinearProgram:
    """Return the program of rows whose columns from ``inputs`` on name the rows that were made, in any order."""
    builder = Builder(sums.ring if sums.ring.characteristic else Q, sums.inputs)
    values: dict[int, Term | None] = {register: (1, register) for register in range(sums.inputs)}

    def value(row: dict[int, Element]) -> Term | None:
        for register in row:
            if register not in values:
                values[register] = value(rows[made[register - sums.inputs]])
        scaled = (builder.scaled(values[register], x) for register, x in row.items())
        return builder.sum([term for term in scaled if term])

    return builder.program([value(row) for row in rows[: len(sums.rows)]])


METHODS: dict[str, Method] = {
    "pair": _pair,
    "potential": _potential,
    "intersections": _intersections,
    "restarts": _restarts,
}
"""The methods of `share` by name."""
