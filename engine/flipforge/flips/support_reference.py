"""The walk among basic solutions in plain Python: slow, and the twin that tests compare the kernel with."""

from collections.abc import Sequence

from flipforge.flips.reference import Generator

__all__ = ["support_walk"]

CELLS = 128


def support_walk(
    table: Sequence[Sequence[int]],
    values: Sequence[int],
    basis: Sequence[int],
    outside: Sequence[int],
    p: int,
    *,
    goal: int,
    steps: int,
    path: int,
    idle: int,
    band: int,
    seed: Sequence[int],
) -> tuple[dict[int, int], int]:
    """Walk as `flipforge.flips.support_walk` does; return the solution by its columns, and the steps."""
    first = [list(row) for row in table], list(values), list(basis), list(outside)
    t, v, inside, out = [list(row) for row in table], list(values), list(basis), list(outside)
    generator = Generator(seed)
    start = sum(map(bool, v))
    record, done, began, quiet = start, 0, 0, 0
    rows, columns = len(v), len(out)
    while sum(map(bool, v)) > goal and done < steps:
        if done - began >= path:
            t, v, inside, out = [list(row) for row in first[0]], *(list(part) for part in first[1:])
            record, began, quiet = start, done, done
        word = generator.next()
        j, i = ((word & 0xFFFFFFFF) * columns) >> 32, ((word >> 32) * rows) >> 32
        done += rows // CELLS + 1
        able = [q % rows for q in range(i, i + rows) if t[q % rows][j]]
        if not able:
            continue
        i = able[0]
        inverse = pow(t[i][j], -1, p)
        share = v[i] * inverse % p
        after = [share if q == i else (v[q] - t[q][j] * share) % p for q in range(rows)]
        weight, now = sum(map(bool, after)), sum(map(bool, v))
        due = done - quiet >= idle
        if weight > now and not (due and weight <= start + band):
            continue
        if due:
            quiet = done
        row = [inverse if s == j else t[i][s] * inverse % p for s in range(columns)]
        t = [
            row if q == i else [((0 if s == j else t[q][s]) - t[q][j] * row[s]) % p for s in range(columns)]
            for q in range(rows)
        ]
        v = after
        inside[i], out[j] = out[j], inside[i]
        done += rows * columns // CELLS + 1
        if weight < record:
            record, quiet = weight, done
    return {column: value for column, value in zip(inside, v, strict=True) if value}, done
