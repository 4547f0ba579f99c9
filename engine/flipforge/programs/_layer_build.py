"""Layer programs from their intermediates: cores of the input, and accumulators of the output.

A *core* of k axes is a partition of the axes with some blocks kept and the others summed over; it stands for the tensor
that has one axis for each kept block. Every diagram needs one core of its points below (kept are the blocks that reach
the top) and, upside down, one of its points above. What a program computes in between, and for which diagrams, is the
choice that `flipforge search layer:...` makes.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from flipforge.diagrams import PartitionDiagram, Tie, TiedDiagram, Wiring, partitions, relabelled, ties_of
from flipforge.programs._layer import INPUT, OUTPUT, Fixed, LayerProgram, Step

__all__ = ["Core", "assemble", "cores", "halves", "remaining", "single", "whole"]


class Core(NamedTuple):
    """A partition of axes as labels in order of first appearance, and which of its blocks are kept, ascending."""

    labels: tuple[int, ...]
    kept: tuple[int, ...]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return max(self.labels, default=-1) + 1

    @property
    def order(self) -> int:
        """Axes of the tensor."""
        return len(self.kept)


def whole(points: int) -> Core:
    """Return the core that is the tensor itself."""
    return Core(tuple(range(points)), tuple(range(points)))


@cache
def cores(points: int) -> tuple[Core, ...]:
    """Return all cores of so many axes, the whole tensor first.

    Examples
    --------
    >>> [len(cores(points)) for points in range(5)]
    [1, 2, 6, 22, 94]
    """
    found = [
        Core(diagram.labels, kept) for diagram in partitions(0, points) for kept in _subsets(tuple(range(diagram.size)))
    ]
    return tuple(sorted(found, key=lambda core: (-core.blocks, -core.order, core)))


def halves(diagram: Wiring) -> tuple[Core, Core]:
    """Return the core that a diagram needs of its points below, and that of its points above; ties keep their blocks.

    Examples
    --------
    >>> halves(PartitionDiagram(2, 1, (0, 0, 1)))
    (Core(labels=(0, 1), kept=(0,)), Core(labels=(0,), kept=(0,)))
    """
    above, below = diagram.labels[: diagram.l], diagram.labels[diagram.l :]
    named = {block for tie in ties_of(diagram) for block in tie.blocks}
    return _half(below, named.union(above)), _half(above, named.union(below))


def remaining(have: Core, want: Core) -> int | None:
    """Return over how many axes one must sum to come from one core to another; None where there is no way.

    What is summed already must be a block of the other, and kept blocks may join: that is a diagonal, for nothing.

    Examples
    --------
    >>> remaining(whole(2), Core((0, 0), (0,))), remaining(whole(2), Core((0, 0), ()))
    (0, 1)
    """
    inside: dict[int, int] = {}
    for mine, theirs in zip(have.labels, want.labels, strict=True):
        if inside.setdefault(mine, theirs) != theirs:
            return None
    done = set()
    for block in range(have.blocks):
        if block in have.kept:
            continue
        # A block that is summed already is a block of the other, not a part of one, and is not kept there.
        if inside[block] in want.kept or list(inside.values()).count(inside[block]) > 1:
            return None
        done.add(inside[block])
    return want.blocks - want.order - len(done)


def assemble(
    diagrams: Sequence[Wiring],
    sources: Sequence[Core],
    sinks: Sequence[Core],
    *,
    k: int,
    l: int,
    symplectic: bool = False,
    fixed: Fixed | None = None,
) -> LayerProgram:
    """Return the program that applies each diagram with a weight of its own, through these intermediates.

    Each diagram and each intermediate takes the way with the fewest sums and broadcasts; an intermediate that nothing
    goes through is left out.

    Parameters
    ----------
    diagrams
        Diagrams from k to l points; that of number w gets weight w.
    sources, sinks
        Cores of the k axes of the input and of the l axes of the output.
    fixed
        What ties are about, where there are any.

    Examples
    --------
    >>> from flipforge.programs import polynomial_text
    >>> square = list(partitions(2, 2))
    >>> polynomial_text(assemble(square, cores(2), cores(2), k=2, l=2).operations)
    '6n^2 + 13n + 4'
    """
    left, right = _Side(k, sources, INPUT), _Side(l, sinks, OUTPUT)
    joints = []
    for weight, diagram in enumerate(diagrams):
        below, above = halves(diagram)
        joints.append((weight, diagram, left.nearest(below), right.nearest(above)))
    orders = [k, l]
    left.number(orders, [source for _, _, source, _ in joints])
    right.number(orders, [sink for _, _, _, sink in joints])
    steps = [Step(target, source, way) for target, source, way in left.ways()]
    for weight, diagram, source, sink in joints:
        labels = [_label(diagram.labels[:l], sink, block) for block in sink.kept]
        labels += [_label(diagram.labels[l:], source, block) for block in source.kept]
        middle = _joint(diagram, source.order, sink.order, labels)
        steps.append(Step(right.registers[sink], left.registers[source], middle, weight))
    steps += [Step(source, target, way.flip()) for target, source, way in reversed(list(right.ways()))]
    return LayerProgram(tuple(orders), tuple(steps), symplectic, fixed)


@cache
def single(diagram: Wiring, *, symplectic: bool = False, fixed: Fixed | None = None) -> LayerProgram:
    """Return the program of one diagram: sums of what only the input has, then what only the output has.

    It touches n^b + n^t elements, b and t the blocks that reach the bottom and the top, or n^t alone without sums and
    n^b alone where nothing is broadcast.
    """
    below, above = halves(diagram)
    return assemble([diagram], [below], [above], k=diagram.k, l=diagram.l, symplectic=symplectic, fixed=fixed)


def _joint(diagram: Wiring, k: int, l: int, labels: Sequence[int]) -> Wiring:
    """Return what joins two intermediates whose axes have these labels of a diagram; its ties stay in their order."""
    names = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    ties = [Tie(tuple(names[block] for block in tie.blocks), tie.values) for tie in ties_of(diagram)]
    joined = tuple(names[label] for label in labels)
    return TiedDiagram(k, l, joined, tuple(ties)) if ties else PartitionDiagram(k, l, joined)


class _Side:
    """The intermediates of one side: which are used, from which other one each comes, and their registers."""

    def __init__(self, points: int, chosen: Sequence[Core], end: int) -> None:
        self.root = whole(points)
        asked = [self.root, *(core for core in dict.fromkeys(chosen) if core != self.root)]
        # What is a diagonal of another intermediate is there already.
        self.cores = [core for core in asked if all(other == core or remaining(other, core) != 0 for other in asked)]
        self.registers = {self.root: end}
        self.parents: dict[Core, Core] = {}

    def nearest(self, want: Core, among: Sequence[Core] | None = None) -> Core:
        """Return the intermediate from which a core takes the fewest sums; of several the smallest tensor."""
        ways = [(remaining(core, want), core.order, core) for core in among or self.cores]
        return min((left, order, core) for left, order, core in ways if left is not None)[2]

    def number(self, orders: list[int], used: Sequence[Core]) -> None:
        """Give registers to what is used, and to what that comes from."""
        waiting = list(dict.fromkeys(used))
        while waiting:
            core = waiting.pop()
            if core in self.parents or core == self.root:
                continue
            # Those with more summed away come later: a way back would be a circle.
            others = [other for other in self.cores if _summed(other) < _summed(core)]
            self.parents[core] = self.nearest(core, others)
            waiting.append(self.parents[core])
        for core in sorted(self.parents, key=lambda core: (_summed(core), core)):
            self.registers[core] = len(orders)
            orders.append(core.order)

    def ways(self) -> Iterator[tuple[int, int, PartitionDiagram]]:
        """Yield register, parent's register and diagram of each intermediate, parents first."""
        for core in sorted(self.parents, key=lambda core: (_summed(core), core)):
            parent = self.parents[core]
            labels = [*core.kept, *(_label(core.labels, parent, block) for block in parent.kept)]
            diagram = PartitionDiagram(parent.order, core.order, relabelled(labels))
            yield self.registers[core], self.registers[parent], diagram


def _summed(core: Core) -> int:
    return core.blocks - core.order


def _label(labels: Sequence[int], core: Core, block: int) -> int:
    """Return the label at the first axis of a core's block."""
    return labels[core.labels.index(block)]


def _half(labels: Sequence[int], others: set[int]) -> Core:
    local = relabelled(labels)
    return Core(local, tuple(sorted({mine for mine, label in zip(local, labels, strict=True) if label in others})))


def _subsets(items: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for mask in range(1 << len(items)):
        yield tuple(item for place, item in enumerate(items) if mask >> place & 1)
