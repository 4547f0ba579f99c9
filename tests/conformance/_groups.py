"""Conformance of groups."""

import json
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from flipforge.certificates import check
from flipforge.diagrams import Diagram, Group
from flipforge.errors import InputError
from flipforge.schemes.formats import certificate_document, parse_certificate

__all__ = ["GroupConformance"]


class GroupConformance:
    """Tests of a `Group`; a subclass gives `group`, and may change `shapes`: keep n^(k+l) below a few thousand."""

    def group(self) -> Group:
        """Return the group under test."""
        raise NotImplementedError("a subclass returns its group")

    def shapes(self) -> Sequence[tuple[int, int]]:
        """Return the pairs (k, l) to look at."""
        return [(0, 0), (1, 0), (0, 2), (1, 1), (2, 1), (1, 2), (2, 2)]

    def test_diagrams_are_members_in_order_and_as_many_as_counted(self) -> None:
        group = self.group()
        for k, l in self.shapes():
            found = list(group.diagrams(k, l))
            assert len(found) == len(set(found)) == group.count(k, l)
            assert all(group.contains(diagram) and (diagram.k, diagram.l) == (k, l) for diagram in found)

    def test_the_basis_is_independent_and_spans(self) -> None:
        group = self.group()
        for k, l in self.shapes():
            basis = group.basis(k, l)
            assert len(basis) == group.dimension(k, l)
            assert self.rank(basis) == self.rank(list(group.diagrams(k, l))) == len(basis)

    def rank(self, diagrams: Sequence[Diagram]) -> int:
        """Return the rank of matrices modulo a prime."""
        from flipforge.exact import rank

        rows = [self.group().matrix(diagram).dense().ravel() for diagram in diagrams]
        return rank(np.array(rows), 2**31 - 1) if rows else 0

    def test_matrices_commute_with_random_elements(self) -> None:
        group, rng = self.group(), np.random.default_rng(0)
        for k, l in self.shapes():
            scale, element = self.integers(group.element(rng))
            below, above = (reduce(np.kron, [element] * size, np.ones((1, 1), dtype=object)) for size in (k, l))
            for diagram in group.basis(k, l):
                matrix = group.matrix(diagram).dense().astype(object)
                assert (above @ matrix * scale**k == matrix @ below * scale**l).all(), diagram

    def integers(self, element: npt.NDArray[Any]) -> tuple[int, npt.NDArray[Any]]:
        """Return a matrix of fractions as integers over a denominator."""
        scale = lcm(*(Fraction(x).denominator for x in element.ravel().tolist()))
        return scale, np.array([[int(x * scale) for x in row] for row in element.tolist()], dtype=object)

    def test_the_calculus_is_that_of_the_matrices(self) -> None:
        group, rng = self.group(), np.random.default_rng(1)
        for k, l in self.shapes():
            lower, upper = list(group.diagrams(k, l)), list(group.diagrams(l, k))
            for _ in range(5 if lower and upper else 0):
                a, b = upper[rng.integers(len(upper))], lower[rng.integers(len(lower))]
                x, y = (group.matrix(diagram).dense() for diagram in (a, b))
                pairs = [(group.calculus.compose(a, b), x @ y), (group.calculus.flip(a), x.T)]
                if k + l < 3:
                    pairs.append((group.calculus.tensor(a, b), np.kron(x, y)))
                for terms, wanted in pairs:
                    found = np.zeros_like(wanted, dtype=object)
                    for diagram, scalar in terms.items():
                        found = found + scalar(group.n) * group.matrix(diagram).dense().astype(object)
                    assert (found == wanted).all(), (a, b)

    def test_the_certificate_is_proved(self) -> None:
        group = self.group()
        for k, l in self.shapes():
            document = json.loads(json.dumps(certificate_document(group.certificate(k, l))))
            certificate = parse_certificate(document)
            assert certificate.kind == "equivariant-basis"
            assert certificate.statement["dimension"] == group.dimension(k, l)
            assert check(certificate).valid

    def test_documents_tell_diagrams_apart(self) -> None:
        group = self.group()
        for k, l in self.shapes():
            texts = {json.dumps(group.document(diagram), sort_keys=True) for diagram in group.diagrams(k, l)}
            assert len(texts) == group.count(k, l)

    def test_negative_numbers_of_factors_are_refused(self) -> None:
        group = self.group()
        for method in (group.dimension, group.basis, group.count, group.diagrams, group.certificate):
            with pytest.raises(InputError, match="not negative"):
                method(-1, 1)
