"""Tellegen's principle: a program of a linear map, read backwards, computes the transposed map."""

from dataclasses import replace

from flipforge.errors import InputError, VerificationError
from flipforge.problems import matmul
from flipforge.programs import Builder, LinearProgram, Program, Term
from flipforge.rings import Q

__all__ = ["rotated", "transposed"]


def transposed(part: LinearProgram) -> LinearProgram:
    """Return a program of the transposed map, proven by symbolic execution.

    Additions differ by the difference of inputs and outputs, where all of these are used: each register that is used n
    times in sums of k terms gives n - 1 and takes k - 1 (Bordewijk 1956; Bernstein, "The transposition principle").

    Raises
    ------
    VerificationError
        The symbolic run gives another map.
    """
    over = part.ring if part.ring.characteristic else Q
    builder = Builder(over, len(part.outputs))
    terms: list[list[Term]] = [[] for _ in range(part.registers)]
    for number, output in enumerate(part.outputs):
        for coefficient, register in output:
            terms[register].append((coefficient, number))
    values: list[Term | None] = [None] * part.inputs
    for register in reversed(range(part.registers)):
        value = builder.sum(terms[register])
        if register < part.inputs:
            values[register] = value
        elif value:
            for coefficient, used in part.steps[register - part.inputs]:
                scaled = builder.scaled(value, coefficient)
                assert scaled
                terms[used].append(scaled)
    found = builder.program(values)
    wanted = {(j, i): x for i, row in enumerate(part.matrix) for j, x in row.items()}
    if {(i, j): x for i, row in enumerate(found.matrix) for j, x in row.items()} != wanted:
        raise VerificationError("transposition changed the map of a program")
    return found


def rotated(program: Program) -> Program:
    """Return the program of the turned product: from n x m by m x p that of m x p by p x n, proven.

    trace(A B D), D the transpose of C, is the same for (B, D, A). So the right map becomes the left one, the transposed
    output map the right one, and the transposed left map the output, with the entries of D and A in their own order.

    Raises
    ------
    InputError
        The program is not one of a matrix product.
    """
    if program.problem.kind != "matmul":
        raise InputError(f"{program.problem}: only matrix products are turned")
    n, m, p = program.problem.dims
    # trace(A B D) with D = C^t of p x n is the same for (B, D, A): products of B and D give A^t, of m x n.
    right = _inputs_moved(transposed(program.out), _turned(n, p))
    out = _outputs_moved(transposed(program.left), _turned(n, m))
    left = program.right
    ring = left.ring if left.ring.characteristic else Q
    parts = (replace(part, ring=ring) for part in (left, right, out))
    return Program(matmul(m, p, n), *parts).prove()


def _turned(rows: int, columns: int) -> list[int]:
    """Return for each entry of a row-major matrix its place in the transposed one."""
    return [j * rows + i for i in range(rows) for j in range(columns)]


def _inputs_moved(part: LinearProgram, places: list[int]) -> LinearProgram:
    """Take input i from place ``places[i]``."""
    places = [*places, *range(part.inputs, part.registers)]
    steps, outputs = (
        tuple(tuple((x, places[register]) for x, register in terms) for terms in sums)
        for sums in (part.steps, part.outputs)
    )
    return replace(part, steps=steps, outputs=outputs)


def _outputs_moved(part: LinearProgram, places: list[int]) -> LinearProgram:
    """Put output i at place ``places[i]``."""
    moved = dict(zip(places, part.outputs, strict=True))
    return replace(part, outputs=tuple(moved[place] for place in range(len(places))))
