"""The checker of layer programs: a straight-line program applies a basis of the maps that commute with a group.

Everything is done again here on plain integers, by other rules than the engine's: composition by union-find over
points, the signs of Sp(n) by the crossings and cups of the twisted functor (F~ = (-1)^(crossings + cups) F composes
with -n for a loop), independence by a Gram matrix modulo a prime, the dimension by characters.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from flipforge.certificates._certificate import Certificate, Verdict
from flipforge.certificates._dimensions import dimension_by_characters, dimension_of_permutations
from flipforge.certificates._ties import (
    MOST_DEPENDENT,
    Choices,
    Tie,
    Wired,
    fits_group,
    graph_elements,
    independent,
    moved,
    read_ties,
)
from flipforge.errors import MalformedError

__all__ = ["LAYER_GROUPS", "MOST_DEPENDENT", "check_layer", "layer_defect"]

LAYER_GROUPS = ("S", "O", "Sp", "H", "B", "A", "SO", "Aut")
"""Groups whose layers are checked: symmetric, orthogonal, symplectic, hyperoctahedral, bistochastic; and alternating,
special orthogonal, automorphisms of graphs, whose diagrams have ties."""

_PRIME = 2**31 - 1
_MOST_POINTS = 16
_MOST_STEPS = 200_000
_DENSE_VALUES = 2**16
_TIED_VALUES = 2**22
_TIED = ("A", "SO", "Aut")

Labels = tuple[int, ...]


class Space(NamedTuple):
    """What is stated: the maps from k to l tensor powers of R^n that commute with a group."""

    group: str
    n: int
    k: int
    l: int
    known: Choices = Choices(0, ())


class Instruction(NamedTuple):
    """``target += weight * diagram(source)``; labels of the points above, then below, and ties."""

    target: int
    source: int
    labels: Labels
    weight: int | None
    ties: tuple[Tie, ...] = ()

    @property
    def wired(self) -> Wired:
        """The diagram."""
        return Wired(self.labels, self.ties)


def check_layer(certificate: Certificate) -> Verdict:
    """Decide a certificate; `layer_defect` says what statement and witness hold."""
    defect = layer_defect(certificate.statement, certificate.witness)
    if defect is not None:
        return Verdict("REFUTED", defect)
    if certificate.statement["group"] == "Aut":
        means = "Python's integers and fractions and the checker's text, the stated edges being those of the graph"
        return Verdict("PROVED", trusts=means)
    return Verdict("PROVED")


def layer_defect(statement: Mapping[str, Any], witness: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a program, None for a proof.

    Statement: group, n, k, l; operations, the count as coefficients in n; rank, its value; for the automorphisms of a
    graph its edges. Witness: registers (their axes; 0 is the input, 1 the output) and steps ``[target, source, labels,
    weight or null]``, for A_n, SO(n) and graphs with a list of ties after that, ``[blocks, values or null]``; and for
    graphs the generators by which orbits are listed.

    Raises
    ------
    MalformedError
        The witness is no program of that shape.
    """
    space = _read_space(statement)
    orders, steps = _read_program(witness, space)
    counts: dict[int, int] = {}
    for step in steps:
        power, count = space.known.touched(step.wired)
        counts[power] = counts.get(power, 0) + count
    operations = [counts.get(power, 0) for power in range(1 + max(counts, default=0))]
    if statement["operations"] != operations:
        return f"the program counts {operations}, the statement says {str(statement['operations'])[:80]}"
    if statement["rank"] != (rank := sum(x * space.n**power for power, x in enumerate(operations))):
        return f"the program touches {rank} elements, the statement says {str(statement['rank'])[:40]}"
    diagrams = _diagrams(space, orders, steps)
    if isinstance(diagrams, str):
        return diagrams
    return _span_defect(space, diagrams) or _dense_defect(space, orders, steps, diagrams)


def _read_space(statement: Mapping[str, Any]) -> Space:
    group, n, k, l = (statement[key] for key in ("group", "n", "k", "l"))
    if group not in LAYER_GROUPS:
        raise MalformedError(f"group is {str(group)[:20]!r}; layers are checked for {', '.join(LAYER_GROUPS)}")
    if not all(type(x) is int for x in (n, k, l)) or n < 1 or k < 0 or l < 0 or k + l > _MOST_POINTS:
        raise MalformedError(f"n, k and l must be integers with n >= 1 and k + l <= {_MOST_POINTS}")
    if group == "Sp" and n % 2:
        raise MalformedError(f"Sp({n}): n is odd")
    if not isinstance(statement["operations"], list) or any(type(x) is not int for x in statement["operations"]):
        raise MalformedError("operations must be a list of integers")
    return Space(group, n, k, l, Choices(n, graph_elements(statement) if group == "Aut" else ()))


def _read_program(witness: Mapping[str, Any], space: Space) -> tuple[list[int], list[Instruction]]:
    orders, rows = witness["registers"], witness["steps"]
    if space.group == "Aut":
        # Whoever runs the program lists orbits by generators: orbits of fewer elements are smaller, and count less.
        known = set(space.known.elements)
        if not all(tuple(images) in known for images in witness["generators"]):
            raise MalformedError("a generator is no automorphism of the graph")
    if not isinstance(orders, list) or not isinstance(rows, list) or len(rows) > _MOST_STEPS:
        raise MalformedError(f"registers and steps must be lists, of at most {_MOST_STEPS} steps")
    if orders[:2] != [space.k, space.l] or any(type(x) is not int or not 0 <= x <= _MOST_POINTS for x in orders):
        raise MalformedError(f"registers must be numbers of axes, the first two {space.k} and {space.l}")
    steps = []
    read = {1}
    for number, row in enumerate(rows):
        longest = 5 if space.group in _TIED else 4
        if not isinstance(row, list) or not 4 <= len(row) <= longest or not isinstance(row[2], list):
            raise MalformedError(f"step {number} must be [target, source, labels, weight]")
        target, source, labels, weight, *rest = row
        if any(type(x) is not int or not 0 <= x < len(orders) for x in (target, source)) or target == 0 or source == 1:
            raise MalformedError(f"step {number} must read a register but the output and write one but the input")
        if weight is not None and (type(weight) is not int or weight < 0):
            raise MalformedError(f"step {number}: a weight is a number from 0 on, or null")
        if any(type(x) is not int for x in labels) or labels != list(_grown(labels)):
            raise MalformedError(f"step {number}: labels must number the blocks by first appearance")
        if len(labels) != orders[target] + orders[source] or (space.group == "Sp" and not _pairs(labels)):
            raise MalformedError(f"step {number}: its diagram does not fit the registers or the group")
        read.add(source)
        if target != 1 and target in read:
            raise MalformedError(f"step {number} adds to register {target}, which was read already")
        ties = read_ties(rest[0], labels, space.n, space.known.elements, f"step {number}") if rest else ()
        if ties and weight is None:
            raise MalformedError(f"step {number}: a diagram with ties has a weight")
        steps.append(Instruction(target, source, tuple(labels), weight, ties))
    return orders, steps


def _pairs(labels: Sequence[int]) -> bool:
    return all(list(labels).count(label) == 2 for label in set(labels))


def _diagrams(space: Space, orders: Sequence[int], steps: Sequence[Instruction]) -> list[Wired] | str:
    """Run the program on symbols; return the diagram of each weight, or what is wrong."""
    k = space.k
    registers: list[dict[int | None, dict[tuple[Wired, int], int]]] = [{} for _ in orders]
    registers[0] = {None: {(Wired((*range(k), *range(k))), 0): 1}}
    for number, step in enumerate(steps):
        for weight, terms in registers[step.source].items():
            if weight is not None and step.weight is not None:
                return f"step {number} multiplies a weight by a weight"
            place = registers[step.target].setdefault(weight if step.weight is None else step.weight, {})
            for (below, loops), factor in terms.items():
                made = _composed(space, step.wired, orders[step.target], below, k)
                if made is None:
                    return f"step {number} sums over a block that has a tie, or joins two of them"
                wired, more, sign = made
                key = wired, loops + more
                place[key] = place.get(key, 0) + sign * factor
    found = []
    output = {weight: {key: x for key, x in terms.items() if x} for weight, terms in registers[1].items()}
    if output.get(None):
        return "the output holds a diagram without a weight"
    for weight in range(len([weight for weight in output if weight is not None])):
        made_of = [(wired, loops, x) for (wired, loops), x in output.get(weight, {}).items()]
        if len(made_of) != 1 or made_of[0][1:] != (0, 1):
            return f"weight {weight} does not stand for one diagram with factor 1"
        found.append(made_of[0][0])
    return found


def _composed(space: Space, upper: Wired, height: int, lower: Wired, k: int) -> tuple[Wired, int, int] | None:
    """Compose a diagram of ``height`` points above with one of k points below: diagram, loops, sign."""
    above, below = upper.labels, lower.labels
    middle = len(above) - height
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(x: tuple[str, int]) -> tuple[str, int]:
        while parent.setdefault(x, x) != x:
            x = parent[x]
        return x

    for point in range(middle):
        parent[root(("above", above[height + point]))] = root(("below", below[point]))
    outer = [root(("above", label)) for label in above[:height]] + [root(("below", label)) for label in below[middle:]]
    inner = {root(("above", label)) for label in above[height:]} | {root(("below", label)) for label in below[:middle]}
    loops = len(inner - set(outer))
    names: dict[tuple[str, int], int] = {}
    labels = tuple(names.setdefault(x, len(names)) for x in outer)
    if upper.ties or lower.ties:
        # No path has two weights, so one of the two has no ties.
        side, ties = ("above", upper.ties) if upper.ties else ("below", lower.ties)
        places = {
            block: names[root((side, block))] for tie in ties for block in tie.blocks if root((side, block)) in names
        }
        kept = moved(ties, places)
        return None if kept is None else (Wired(labels, kept[0]), loops, kept[1])
    if space.group != "Sp":
        return Wired(labels), loops, 1
    twist = _twist(above, height) + _twist(below, middle) + _twist(labels, height) + loops
    return Wired(labels), loops, -1 if twist % 2 else 1


def _twist(labels: Labels, height: int) -> int:
    """Return crossings plus cups of a Brauer diagram: what the twisted functor of Sp(n) is twisted by."""
    circle = labels[:height] + labels[height:][::-1]
    chords = [[place for place, x in enumerate(circle) if x == label] for label in set(circle)]
    crossings = sum(a < c < b < d for a, b in chords for c, d in chords)
    return crossings + sum(b < height for _, b in chords)


def _span_defect(space: Space, diagrams: Sequence[Wired]) -> str | None:
    """Return why the diagrams are no basis of the space, None where they are one."""
    group, n, k, l, known = space
    points = k + l
    for weight, wired in enumerate(diagrams):
        if not (fits_group(group, n, wired) if group in _TIED else _fits(group, wired.labels)):
            return f"weight {weight} stands for a diagram that is none of {group}({n})"
    if len(set(diagrams)) < len(diagrams):
        return "two weights stand for one diagram"
    if group == "Aut":
        dimension = dimension_of_permutations(list(known.elements), points)
    else:
        dimension = dimension_by_characters(group, n, points)
    if len(diagrams) != dimension:
        return f"the program applies {len(diagrams)} diagrams, the space of {group}({n}) has dimension {dimension}"
    if group in _TIED:
        decided = independent(group, known, diagrams, points)
        undecided = f"independence of {dimension} diagrams is not decided; that is done up to {MOST_DEPENDENT}"
        return {True: None, False: "the diagrams are dependent, as far as their entries tell", None: undecided}[decided]
    labels = [wired.labels for wired in diagrams]
    # The diagrams of a group span; where there are no more of them than the dimension, all of them are a basis.
    if dimension == dimension_by_characters(group, 4 * points + 4, points):
        return None
    # D is the sum of the orbit matrices of all coarser partitions, which vanish for more than n blocks only.
    if group in ("S", "H") and all(len(set(row)) <= n for row in labels):
        return None
    if dimension > MOST_DEPENDENT:
        return f"independence of {dimension} diagrams is not decided; that is done up to {MOST_DEPENDENT}"
    gram = [[_gram(space, a, b) % _PRIME for b in labels] for a in labels]
    return None if _rank(gram) == dimension else "the diagrams are dependent, as far as their Gram minor tells"


def _fits(group: str, labels: Labels) -> bool:
    """Tell whether a partition is one of a group's family."""
    sizes = [labels.count(label) for label in set(labels)]
    if group in ("O", "Sp"):
        return _pairs(labels)
    return all(size % 2 == 0 for size in sizes) if group == "H" else group == "S" or max(sizes, default=0) <= 2


def _gram(space: Space, first: Labels, second: Labels) -> int:
    """Return the scalar product of two matrices."""
    l = space.l
    if space.group != "Sp":
        groups: list[set[tuple[int, int]]] = []
        for a, b in zip(first, second, strict=True):
            joined = {(0, a), (1, b)}
            touched = [x for x in groups if x & joined]
            groups = [x for x in groups if not x & joined] + [joined.union(*touched)]
        return int(space.n ** len(groups))
    partners = [
        {p: q for p in range(len(d)) for q in range(len(d)) if p != q and d[p] == d[q]} for d in (first, second)
    ]
    unseen, value = set(range(len(first))), 1
    while unseen:
        start = min(unseen)
        point, turns, which = start, 0, 0
        # Around a loop stand identities and forms; a form counts 1 from left to right, -1 back, and its square is -1.
        while point in unseen or point != start or which:
            after = partners[which][point]
            if (point < l) == (after < l):
                turns += 1
                value = -value if after < point else value
            unseen -= {point, after}
            point, which = after, 1 - which
        value *= space.n * (0 if turns % 2 else -1 if turns % 4 else 1)
    return value


def _rank(rows: list[list[int]]) -> int:
    """Return the rank modulo the prime."""
    rank = 0
    for column in range(len(rows)):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][column], -1, _PRIME)
        lead = [x * inverse % _PRIME for x in rows[rank]]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column]
            if factor:
                rows[i] = [(x - factor * y) % _PRIME for x, y in zip(rows[i], lead, strict=True)]
        rank += 1
    return rank


def _dense_defect(
    space: Space, orders: Sequence[int], steps: Sequence[Instruction], diagrams: Sequence[Wired]
) -> str | None:
    """Run the program on integers at small n, or at its own, and compare each entry with the sum of the matrices."""
    points = space.k + space.l
    tied = any(wired.ties for wired in diagrams)
    for n in (space.n,) if tied else (2, 4) if space.group == "Sp" else (2, 3):
        if n > 2 and n**points * len(steps) > (_TIED_VALUES if tied else _DENSE_VALUES):
            break
        known = space.known if tied else Choices(n, ())
        inputs = list(product(range(n), repeat=space.k))
        x = {index: pow(3, 7 * number + 1, 10007) for number, index in enumerate(inputs)}
        weights = [pow(5, 3 * number + 1, 10009) for number in range(len(diagrams))]
        registers: list[dict[tuple[int, ...], int]] = [dict(x), *({} for _ in orders[1:])]
        for step in steps:
            factor = 1 if step.weight is None else weights[step.weight]
            _add(registers[step.target], registers[step.source], step.wired, orders[step.target], known, factor, space)
        wanted: dict[tuple[int, ...], int] = {}
        for wired, weight in zip(diagrams, weights, strict=True):
            _add(wanted, x, wired, space.l, known, weight, space)
        for index in product(range(n), repeat=space.l):
            if registers[1].get(index, 0) != wanted.get(index, 0):
                return f"at n = {n} the entry {index} is not that of the sum of the matrices"
    return None


def _add(
    target: dict[tuple[int, ...], int],
    source: Mapping[tuple[int, ...], int],
    wired: Wired,
    height: int,
    known: Choices,
    factor: int,
    space: Space,
) -> None:
    """Add ``factor`` times the image of a tensor under the matrix of a diagram, entry by entry."""
    labels, forms, half = wired.labels, set(), known.n // 2
    if space.group == "Sp":
        sides = {x: {point < height for point, label in enumerate(labels) if label == x} for x in labels}
        forms = {x for x, side in sides.items() if len(side) == 1}
    for values, scale in known.entries(wired):
        index, sign, seen = [], scale * factor, set()
        for label in labels:
            value = values[label]
            if label in forms and label in seen:
                # The form is 1 at (i, i + n/2) and -1 at (i + n/2, i).
                sign = sign if value < half else -sign
                value = (value + half) % known.n
            seen.add(label)
            index.append(value)
        above, below = tuple(index[:height]), tuple(index[height:])
        target[above] = target.get(above, 0) + sign * source.get(below, 0)


def _grown(labels: Sequence[int]) -> Labels:
    seen: dict[int, int] = {}
    return tuple(seen.setdefault(label, len(seen)) for label in labels)
