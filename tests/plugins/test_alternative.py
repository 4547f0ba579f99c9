"""Alternative bases: proven, run, and as sparse as in the literature."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import divided_strassen, strassen
from flipforge.errors import InputError, VerificationError
from flipforge.programs import program
from flipforge.rings import GF2, ZT, Z
from flipforge_codegen.passes import alternative_basis, share
from strategies import schemes


def test_strassen_comes_to_12_additions_a_level() -> None:
    """Karstadt and Schwartz: 18 as written, 12 in other bases, hence 5 n^omega instead of 7."""
    found = alternative_basis(program(strassen()))
    assert (found.operations.additions, found.operations.scalings) == (12, 0)
    draw = np.random.default_rng(1)
    for levels in (0, 1, 2, 3):
        a, b = draw.integers(-9, 9, (8, 16)), draw.integers(-9, 9, (16, 8))
        assert np.array_equal(found.multiply(a, b, levels), a @ b)


@given(schemes([ZT, Z], max_size=2), st.integers(0, 9))
@settings(max_examples=25)
def test_any_integer_product_is_proven_in_other_bases(scheme: Any, seed: int) -> None:
    whole = program(scheme)
    found = alternative_basis(whole, tries=40, seed=seed)
    n, m, p = (2 * size for size in scheme.problem.dims)
    draw = np.random.default_rng(seed)
    a, b = draw.integers(-9, 9, (n, m)).astype(object), draw.integers(-9, 9, (m, p)).astype(object)
    assert (found.multiply(a, b, 1) == a @ b).all()
    assert found.operations.products == whole.rank


def test_a_wrong_basis_is_caught() -> None:
    found = alternative_basis(program(strassen()))
    wrong = (replace(found, left=found.right), replace(found, out=found.right), replace(found, after=found.before[0]))
    for each in wrong:
        with pytest.raises(VerificationError, match="an alternative basis changed the map"):
            each.prove()


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="bases are searched for integer matrix products"):
        alternative_basis(program(strassen().over(GF2)))
    with pytest.raises(InputError, match="bases are searched"):
        alternative_basis(program(divided_strassen()))
    with pytest.raises(InputError, match="not cut evenly by 2 levels"):
        alternative_basis(share(program(strassen())), tries=1).multiply(np.ones((6, 4)), np.ones((4, 4)), 2)
