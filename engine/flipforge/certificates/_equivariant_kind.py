"""Certificates of kind ``equivariant-basis``: diagrams or orbits are a basis of all maps that commute with a group.

Statement: ``group``, ``k``, ``l``, ``dimension``, and ``basis``, which may be left out where a rule gives it; for the
automorphisms of a graph ``n`` and ``edges`` as well, pairs that stand both ways unless directed. Witness: ``method``:

* ``triangular``: ``functionals``, for each diagram in turn a list of [coefficient, index]: the combination of entries
  is not 0 for the diagram and 0 for all after it, so they are independent;
* ``gram``: ``prime``, modulo which the scalar products of the matrices have a determinant that is not 0;
* ``rule``: the diagrams of the family that keep the group's rule are independent, by the theorem in the documentation;
* ``orbits``: the indicators of different orbits of tuples.

In each case the number of diagrams must be the dimension, which is computed here by characters.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import comb, prod
from re import fullmatch
from typing import Any

from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._dimensions import (
    dimension_by_characters,
    dimension_of_permutations,
    free_from,
    most_steps,
)
from flipforge.certificates._equivariant import Shape, belongs, entry, gram_entry, keeps_rule, read_diagram
from flipforge.certificates._orbits import (
    MOST_ELEMENTS,
    MOST_TUPLES,
    automorphisms,
    closure,
    components,
    graph_of,
    orbit_size,
    permutations_of,
    same_orbit,
)
from flipforge.errors import MalformedError

__all__ = ["MAX_GRAM", "check_equivariant_basis"]

MAX_GRAM = 200
"""Most diagrams whose Gram determinant is computed."""

_MOST_PAIRS = 2_000_000
_MOST_STEPS = 20_000_000
_MOST_POINTS = 64

_FAMILIES = ("S", "A", "O", "SO", "Sp", "H", "B", "SxZ2", "BxZ2", "S+", "O+", "H+", "B+", "SxZ2+", "BxZ2+")


def check_equivariant_basis(certificate: Certificate) -> Verdict:
    """Decide a certificate that diagrams are a basis of equivariant maps."""
    statement, method = certificate.statement, certificate.witness["method"]
    k, l, dimension = (_natural(statement, key) for key in ("k", "l", "dimension"))
    family, _, size = str(statement["group"]).partition(":")
    if k + l > _MOST_POINTS:
        raise MalformedError(f"k + l = {k + l}: a certificate has at most {_MOST_POINTS} points")
    if statement.get("problem", f"layer:{statement['group']}:{k}:{l}") != f"layer:{statement['group']}:{k}:{l}":
        raise MalformedError(f"the problem {str(statement['problem'])[:60]} is another than group, k and l say")
    if method == "orbits":
        return _check_orbits(family, size, statement, k, l, dimension)
    if family not in _FAMILIES or not fullmatch(r"[1-9]\d{0,6}", size) or (family == "Sp" and int(size) % 2):
        raise MalformedError(f"group {str(statement['group'])[:40]} has no basis of diagrams that is checked here")
    n = int(size)
    if k + l > most_steps(family):
        raise MalformedError(f"k + l = {k + l} is too long for the walks that count the dimension for {family}")
    found = dimension_by_characters(family, n, k + l)
    if found != dimension:
        return Verdict("REFUTED", f"the dimension is {found} by characters, the statement has {dimension}")
    if method == "rule" and "basis" not in statement:
        counted = _count_by_rule(family, n, k + l)
        if counted != dimension:
            return Verdict("REFUTED", f"{counted} diagrams keep the rule, the dimension is {dimension}")
        return _proved("the theorem on the rule")
    shapes = _read_basis(statement, k, l, n)
    fault = _fault_of_list(family, n, shapes, dimension)
    if fault is not None:
        return Verdict("REFUTED", fault)
    if method == "rule":
        other = next((i for i, shape in enumerate(shapes) if not keeps_rule(family, n, shape)), None)
        return _proved("the theorem on the rule") if other is None else Verdict("REFUTED", f"diagram {other} breaks it")
    if method == "triangular":
        return _check_triangular(family, n, shapes, certificate.witness["functionals"])
    if method == "gram":
        return _check_gram(family, n, shapes, certificate.witness["prime"])
    raise MalformedError(f"method {str(method)[:40]} is not known: triangular, gram, rule and orbits are")


def _check_orbits(family: str, size: str, statement: Mapping[str, Any], k: int, l: int, dimension: int) -> Verdict:
    """Count orbits on tuples over all elements of the group, and compare the least tuples of the orbits listed."""
    if family == "Aut":
        graph = graph_of(statement)
        if orbit_size(graph, range(len(graph))) <= MOST_ELEMENTS:
            elements = list(automorphisms(graph))
        elif "basis" in statement:
            return _check_large(graph, statement["basis"], k, l, dimension)
        else:
            elements = []
    elif family == "perm":
        generators = permutations_of(size)
        elements = closure(generators) or []
        if not elements and len(generators[0]) ** (k + l) <= MOST_TUPLES:
            return _check_joined(generators, statement, k, l, dimension)
    else:
        raise MalformedError(f"orbits are a basis for groups of permutations, perm: and Aut:, not for {family[:20]}")
    if not elements:
        return Verdict("EVIDENCE", f"the group has more than {MOST_ELEMENTS} elements, and there are too many tuples")
    found = dimension_of_permutations(elements, k + l)
    if found != dimension:
        return Verdict("REFUTED", f"there are {found} orbits by Burnside's lemma, the statement has {dimension}")
    if "basis" in statement:
        if len(statement["basis"]) != dimension:
            return Verdict("REFUTED", f"{len(statement['basis'])} orbits are listed of {dimension}")
        if dimension * len(elements) * (k + l) > _MOST_STEPS:
            return Verdict("EVIDENCE", f"{dimension} orbits under {len(elements)} elements are too many to compare")
        n = len(elements[0])
        least: dict[tuple[int, ...], int] = {}
        for place, row in enumerate(statement["basis"]):
            values = _read_orbit(row, k, l, n)
            image = min(tuple([images[x] for x in values]) for images in elements)
            if image in least:
                return Verdict("REFUTED", f"orbits {least[image]} and {place} are the same")
            least[image] = place
    return _orbits_proved(family)


def _check_joined(
    generators: Sequence[tuple[int, ...]], statement: Mapping[str, Any], k: int, l: int, dimension: int
) -> Verdict:
    """Trace the orbits of all tuples by the generators, whatever the number of elements of the group."""
    least = components(generators, k + l)
    found = len(set(least))
    if found != dimension:
        return Verdict("REFUTED", f"there are {found} orbits, traced tuple by tuple, the statement has {dimension}")
    if "basis" in statement:
        n, seen = len(generators[0]), dict[int, int]()
        if len(statement["basis"]) != dimension:
            return Verdict("REFUTED", f"{len(statement['basis'])} orbits are listed of {dimension}")
        for place, row in enumerate(statement["basis"]):
            at = 0
            for value in _read_orbit(row, k, l, n):
                at = at * n + value
            if least[at] in seen:
                return Verdict("REFUTED", f"orbits {seen[least[at]]} and {place} are the same")
            seen[least[at]] = place
    return _orbits_proved("perm")


def _check_large(graph: Sequence[set[int]], basis: Any, k: int, l: int, dimension: int) -> Verdict:
    """Show that listed orbits are different, and that their sizes add up to the number of all tuples."""
    n, total, seen = len(graph), 0, list[tuple[int, list[int]]]()
    if len(basis) != dimension:
        return Verdict("REFUTED", f"{len(basis)} orbits are listed, the dimension is stated as {dimension}")
    if dimension**2 > _MOST_PAIRS:
        raise MalformedError(f"{dimension} orbits are too many to compare each with each")
    for place, row in enumerate(basis):
        values = _read_orbit(row, k, l, n)
        size = orbit_size(graph, values)
        other = next((i for i, (s, x) in enumerate(seen) if s == size and same_orbit(graph, x, values)), None)
        if other is not None:
            return Verdict("REFUTED", f"orbits {other} and {place} are the same")
        seen.append((size, values))
        total += size
    if total != n ** (k + l):
        return Verdict("REFUTED", f"the orbits hold {total} tuples of {n ** (k + l)}")
    return _orbits_proved("Aut")


def _orbits_proved(family: str) -> Verdict:
    stated = ", the stated edges being those of the graph" if family == "Aut" else ""
    return Verdict("PROVED", trusts=f"Python's integers and the checker's text{stated}")


def _read_orbit(row: Any, k: int, l: int, n: int) -> list[int]:
    values = row["representative"]
    shape = (row["kind"], row["k"], row["l"], row["n"])
    if shape != ("orbit", k, l, n) or not isinstance(values, list) or len(values) != k + l:
        raise MalformedError(f"{str(row)[:80]} is no orbit on {l} + {k} of {n} points")
    if not all(type(x) is int and 0 <= x < n for x in values):
        raise MalformedError(f"the tuple {str(values)[:60]} has values outside 0..{n - 1}")
    return values


def _proved(theorem: str) -> Verdict:
    means = f"Python's integers, the checker's text, the theorem on the family's diagrams, {theorem}"
    return Verdict("PROVED", trusts=means)


def _natural(statement: Mapping[str, Any], key: str) -> int:
    value = statement[key]
    if type(value) is not int or value < 0:
        raise MalformedError(f"{key} is {str(value)[:40]}, no number 0, 1, 2, ...")
    return value


def _read_basis(statement: Mapping[str, Any], k: int, l: int, n: int) -> list[Shape]:
    rows = statement["basis"]
    if not isinstance(rows, list):
        raise MalformedError("basis must be a list of diagrams")
    return [read_diagram(row, k, l, n) for row in rows]


def _fault_of_list(family: str, n: int, shapes: Sequence[Shape], dimension: int) -> str | None:
    if len(shapes) != dimension:
        return f"{len(shapes)} diagrams are listed, the dimension is {dimension}"
    if len(set(shapes)) != len(shapes):
        return "a diagram is listed twice"
    other = next((i for i, shape in enumerate(shapes) if not belongs(family, n, shape)), None)
    return None if other is None else f"diagram {other} does not belong to {family}:{n}"


def _check_triangular(family: str, n: int, shapes: Sequence[Shape], functionals: Any) -> Verdict:
    if not isinstance(functionals, list) or len(functionals) != len(shapes):
        raise MalformedError("functionals must be a list, as long as the basis")
    if len(shapes) ** 2 > _MOST_PAIRS:
        raise MalformedError(f"{len(shapes)} diagrams are too many to compare each with each; use the rule")
    points = sum(shapes[0][:2]) if shapes else 0
    for place, functional in enumerate(functionals):
        terms = [_term(term, points, n) for term in functional]
        for later in range(place, len(shapes)):
            value = sum(scale * entry(family, n, shapes[later], index) for scale, index in terms)
            if (value != 0) != (later == place):
                return Verdict("REFUTED", f"functional {place} is {value} on diagram {later}")
    return _proved("the dimension by characters")


def _term(term: Any, points: int, n: int) -> tuple[int, Sequence[int]]:
    scale, index = term
    if type(scale) is not int or not isinstance(index, list) or len(index) != points:
        raise MalformedError(f"a functional has terms [coefficient, index of {points} values], not {str(term)[:60]}")
    if not all(type(value) is int and 0 <= value < n for value in index):
        raise MalformedError(f"the index {str(index)[:60]} has values outside 0..{n - 1}")
    return scale, index


def _check_gram(family: str, n: int, shapes: Sequence[Shape], prime: Any) -> Verdict:
    if family in ("Sp", "SO", "A"):
        raise MalformedError(f"scalar products of diagrams with signs are not computed here; the group is {family}:{n}")
    if len(shapes) > MAX_GRAM:
        raise MalformedError(f"{len(shapes)} diagrams; determinants are computed up to {MAX_GRAM}")
    if type(prime) is not int or not 2 < prime < 2**64:
        raise MalformedError(f"prime is {str(prime)[:40]}; it must be a prime below 2^64")
    # Pivots are inverted below, so what is shown holds for any modulus; one that is no prime may only fail.
    rows = [[gram_entry(n, a, b) % prime for b in shapes] for a in shapes]
    while rows:
        pivot = next((row for row in rows if row[-1]), None)
        if pivot is None:
            return Verdict("REFUTED", f"the Gram determinant is 0 modulo {prime}, which proves nothing")
        rows.remove(pivot)
        scale = pow(pivot[-1], -1, prime)
        rows = [[(x - row[-1] * scale * y) % prime for x, y in zip(row[:-1], pivot, strict=False)] for row in rows]
    return _proved("the dimension by characters")


def _count_by_rule(family: str, n: int, m: int) -> int:
    """Count the diagrams that keep a rule: partitions by recurrences, involutions by hook lengths (Schensted, 1961)."""
    if family.endswith("+"):
        return _count_planar(family[:-1], n, m)
    if family in ("SxZ2", "BxZ2"):
        return 0 if m % 2 else _count_by_rule(family[0], n, m)
    if family in ("S", "H"):
        return sum(_partitions(m, step=2 if family == "H" else 1)[: n + 1])
    if family == "A":
        counts = _partitions(m, step=1)
        return sum(counts[: n + 1]) + (sum(counts[n - 1 : n + 1]) if n > 1 else 0)
    if family == "B":
        return sum(comb(m, j) * _even_tableaux(j, n - 1) for j in range(m + 1))
    if family == "Sp":
        halves = _integer_partitions(m // 2, n // 2) if m % 2 == 0 else iter(())
        return sum(_tableaux([row for row in half for _ in range(2)]) for half in halves)
    heads = 0
    if family == "SO" and m >= n and (m - n) % 2 == 0:
        halves = _integer_partitions((m - n) // 2, n)
        heads = sum(_tableaux([2 * x + 1 for x in (*half, *(0,) * (n - len(half)))]) for half in halves)
    return heads + _even_tableaux(m, n)


def _count_planar(family: str, n: int, m: int) -> int:
    """Count planar diagrams by closed formulas: Catalan, Motzkin and Fuss-Catalan numbers."""
    if n < free_from(family):
        raise MalformedError(f"planar diagrams of {family}+ are dependent for n = {n}; list a basis")
    if m % 2 and family not in ("S", "B"):
        return 0
    if family == "H":
        return comb(3 * m // 2, m // 2) // (m + 1)
    catalan = [comb(2 * i, i) // (i + 1) for i in range(m + 1)]
    if family == "O":
        return catalan[m // 2]
    if family in ("B", "BxZ2"):
        return sum(comb(m, 2 * i) * catalan[i] for i in range(m // 2 + 1))
    return catalan[m]


def _partitions(m: int, step: int) -> list[int]:
    """Return the numbers of set partitions by blocks, all blocks multiples of a step."""
    table = [[1]]
    for points in range(1, m + 1):
        row = [0] * (points + 1)
        for size in range(step, points + 1, step):
            for blocks, count in enumerate(table[points - size]):
                row[blocks + 1] += comb(points - 1, size - 1) * count
        table.append(row)
    return table[m]


def _even_tableaux(m: int, rows: int) -> int:
    halves = _integer_partitions(m // 2, rows) if m % 2 == 0 else iter(())
    return sum(_tableaux([2 * row for row in half]) for half in halves)


def _integer_partitions(total: int, longest: int, largest: int | None = None) -> Iterator[tuple[int, ...]]:
    if total == 0:
        yield ()
        return
    for part in range(min(total, largest or total), 0, -1) if longest else ():
        for rest in _integer_partitions(total - part, longest - 1, part):
            yield (part, *rest)


def _tableaux(shape: Sequence[int]) -> int:
    """Return the number of standard tableaux, by hook lengths."""
    columns = [sum(row > j for row in shape) for j in range(shape[0])] if shape else []
    hooks = [row - j + columns[j] - i - 1 for i, row in enumerate(shape) for j in range(row)]
    return prod(range(1, len(hooks) + 1)) // prod(hooks)
