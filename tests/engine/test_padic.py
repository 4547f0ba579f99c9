"""From residues to fractions: bounds at their edge."""

from fractions import Fraction
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.errors import InputError
from flipforge.exact import padic


@pytest.mark.parametrize("modulus", range(2, 42))
def test_every_residue_of_small_moduli(modulus: int) -> None:
    """Brute force: what is found is the only fraction within the bounds, and is missed only where there is none."""
    for numerator in range(modulus):
        for denominator in range(1, modulus):
            if 2 * numerator * denominator >= modulus:
                with pytest.raises(InputError, match="two fractions could fit"):
                    padic.reconstruct(1, modulus, numerator, denominator)
                break
            for residue in range(modulus):
                fits = {
                    Fraction(n, d)
                    for d in range(1, denominator + 1)
                    for n in range(-numerator, numerator + 1)
                    if gcd(n, d) == gcd(d, modulus) == 1 and (n - d * residue) % modulus == 0
                }
                found = padic.reconstruct(residue, modulus, numerator, denominator)
                assert fits == (set() if found is None else {found})


@given(st.integers(0, 10**40), st.integers(1, 10**40), st.booleans())
def test_reconstruction_at_the_edge_of_its_bounds(n: int, d: int, negative: bool) -> None:
    value = Fraction(-n if negative else n, d)
    n, d = abs(value.numerator), value.denominator
    modulus = 2 * n * d + 1
    if modulus > 1:
        residue = value.numerator * pow(d, -1, modulus)
        assert padic.reconstruct(residue, modulus, n, d) == value
        with pytest.raises(InputError):
            padic.reconstruct(residue, modulus - 1, n, d)
        if n:
            assert padic.reconstruct(residue, modulus, n - 1, d) != value
        if d > 1:
            assert padic.reconstruct(residue, modulus, n, d - 1) != value


@given(st.lists(st.fractions(max_denominator=50, min_value=-50, max_value=50), max_size=6), st.sampled_from([101, 7]))
def test_many_at_once(values: list[Fraction], p: int) -> None:
    modulus = p**6
    values = [x for x in values if x.denominator % p]
    residues = [x.numerator * pow(x.denominator, -1, modulus) for x in values]
    expected = [padic.reconstruct(x, modulus) for x in residues]
    found = padic.reconstruct_all(residues, modulus)
    assert found == (None if None in expected else expected)
    if p == 101:
        assert found == values
        assert found is not None
        assert all(type(x) is (int if x.denominator == 1 else Fraction) for x in found)


def test_default_bounds() -> None:
    assert padic.reconstruct(10, 201) == 10
    assert padic.reconstruct(10, 200) is None
    assert padic.reconstruct_all([10, 11], 243) == [10, 11]
    assert padic.reconstruct_all([10, 12], 243) is None
    assert [padic.reconstruct(x, 2) for x in (0, 1, 2)] == [0, None, 0]


def test_one_bound_alone() -> None:
    with pytest.raises(InputError, match="both bounds"):
        padic.reconstruct(1, 7, 1)


@given(st.lists(st.integers(-(10**25), 10**25), max_size=8), st.integers(1, 50))
def test_centred(values: list[int], modulus: int) -> None:
    for before, after in zip(values, padic.centred(np.array(values, dtype=object), modulus), strict=True):
        assert (before - after) % modulus == 0
        assert -modulus < 2 * after <= modulus
