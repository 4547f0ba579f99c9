"""Unit propagation: whether clauses follow from others one by one."""

from collections.abc import Sequence

__all__ = ["follows"]


def follows(clauses: Sequence[Sequence[int]], proof: Sequence[Sequence[int]]) -> int | None:
    """Find a clause of a proof that does not follow by unit propagation from the clauses and those of the proof before.

    A clause follows where assuming that all its literals are false leads to a contradiction by unit clauses alone.

    Returns
    -------
    int or None
        The place of the first clause that does not follow, None where all do.

    Examples
    --------
    >>> follows([[1, 2], [-1, 2], [1, -2], [-1, -2]], [[2], []])
    >>> follows([[1, 2], [-1, 2]], [[2], [1]])
    1
    """
    state = _Propagation()
    for clause in clauses:
        state.add(clause)
    for place, clause in enumerate(proof):
        if not state.refutes(clause):
            return place
        state.add(clause)
    return None


class _Propagation:
    """Clauses with two watched literals each, and the literals that are true by unit clauses."""

    def __init__(self) -> None:
        self._watched: dict[int, list[list[int]]] = {}
        self._true: set[int] = set()
        self._contradiction = False

    def add(self, clause: Sequence[int]) -> None:
        """Add a clause for good."""
        if self._contradiction:
            return
        literals = [x for x in dict.fromkeys(clause) if -x not in self._true]
        if any(x in self._true or -x in literals for x in literals):
            return
        if len(literals) > 1:
            for literal in literals[:2]:
                self._watched.setdefault(literal, []).append(literals)
        elif not literals or not self._assume(literals, []):
            self._contradiction = True

    def refutes(self, clause: Sequence[int]) -> bool:
        """Tell whether the clauses contradict the negation of this one."""
        trail: list[int] = []
        consistent = not self._contradiction and self._assume([-x for x in clause], trail)
        self._true.difference_update(trail)
        return not consistent

    def _assume(self, literals: Sequence[int], trail: list[int]) -> bool:
        """Make literals true with all that follows, noted in the trail; False on a contradiction."""
        waiting = list(literals)
        while waiting:
            literal = waiting.pop()
            if literal in self._true:
                continue
            if -literal in self._true:
                return False
            self._true.add(literal)
            trail.append(literal)
            if not self._visit(-literal, waiting):
                return False
        return True

    def _visit(self, false: int, waiting: list[int]) -> bool:
        """Look at the clauses that watch a literal which has become false; queue what they make true."""
        kept: list[list[int]] = []
        watched = self._watched.get(false, [])
        for number, clause in enumerate(watched):
            if clause[0] == false:
                clause[0], clause[1] = clause[1], clause[0]
            if clause[0] in self._true:
                kept.append(clause)
                continue
            place = next((i for i in range(2, len(clause)) if -clause[i] not in self._true), None)
            if place is not None:
                clause[1], clause[place] = clause[place], clause[1]
                self._watched.setdefault(clause[1], []).append(clause)
                continue
            kept.append(clause)
            if -clause[0] in self._true:
                kept += watched[number + 1 :]
                self._watched[false] = kept
                return False
            waiting.append(clause[0])
        self._watched[false] = kept
        return True
