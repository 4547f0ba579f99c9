import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flipforge.errors import RingError
from flipforge.rings import (
    GF2,
    GF3,
    GF7,
    RINGS,
    ZT,
    HalfZ,
    Q,
    Z,
    brief,
    is_too_long,
    parse_element,
    parse_row,
    ring,
    smallest_ring,
)


@pytest.mark.parametrize(
    ("value", "members"),
    [
        (0, {"GF2", "GF3", "GF5", "GF7", "ZT", "Z", "Z[1/2]", "Q"}),
        (2, {"GF3", "GF5", "GF7", "Z", "Z[1/2]", "Q"}),
        (-1, {"ZT", "Z", "Z[1/2]", "Q"}),
        (6, {"GF7", "Z", "Z[1/2]", "Q"}),
        (Fraction(3, 8), {"Z[1/2]", "Q"}),
        (Fraction(1, 6), {"Q"}),
        (Fraction(4, 2), set()),
    ],
)
def test_membership(value: int | Fraction, members: set[str]) -> None:
    assert {name for name, base in RINGS.items() if base.contains(value)} == members


def test_coerce_normalises_and_refuses() -> None:
    assert type(Z.coerce(Fraction(4, 2))) is int
    assert type(GF2.coerce(True)) is int
    with pytest.raises(RingError, match="2 is not an element of ZT"):
        ZT.coerce(2)
    with pytest.raises(RingError, match="-1 is not an element of GF2"):
        GF2.coerce(-1)


@given(st.integers(), st.integers(1, 10**6), st.sampled_from([GF2, GF3, GF7]))
def test_reduction_is_the_residue_that_solves_the_equation(numerator: int, denominator: int, base: object) -> None:
    field = RINGS[str(base)]
    p = field.characteristic
    value = Fraction(numerator, denominator)
    if value.denominator % p == 0:
        with pytest.raises(RingError, match="no residue"):
            field.reduce(value)
    else:
        residue = field.reduce(value)
        assert 0 <= residue < p
        assert (residue * value.denominator - value.numerator) % p == 0


@pytest.mark.parametrize(
    ("values", "name"),
    [([], "ZT"), ([0, -1], "ZT"), ([2], "Z"), ([2, Fraction(1, 4)], "Z[1/2]"), ([Fraction(1, 4), Fraction(1, 3)], "Q")],
)
def test_smallest_ring(values: list[int | Fraction], name: str) -> None:
    assert smallest_ring(values).name == name


def test_names_ignore_case_and_unknown_ones_are_refused() -> None:
    assert ring("zT") is ZT
    assert ring("z[1/2]") is HalfZ
    with pytest.raises(RingError, match=r"unknown ring 'GF4': use one of GF2, .*Q"):
        ring("GF4")


@given(st.fractions())
def test_coefficients_read_what_they_print(value: Fraction) -> None:
    assert parse_element(str(value)) == value


@pytest.mark.parametrize(
    "text", ["1.5", "", "1/0", "a", "1/2/3", "0x10", "1_0", "nan", "1e5", " ", "--1", "9" * 1100, "٣"]
)
def test_no_coefficient(text: str) -> None:
    with pytest.raises(RingError) as caught:
        parse_element(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [1.0, True, None, [1], float("nan"), 10**1100])
def test_no_json_coefficient(value: object) -> None:
    with pytest.raises(RingError):
        parse_element(value)


def test_long_numbers_are_told_by_size() -> None:
    assert not is_too_long(10**999)
    assert is_too_long(Fraction(1, 10**1100))
    assert brief(-7) == "-7"
    assert brief(Fraction(1, 10**5000)) == "a number of about 5001 digits"
    assert Q.contains(Fraction(1, 10**5000))


@given(
    st.lists(st.one_of(st.integers(), st.booleans(), st.floats(), st.sampled_from(["1", "-3/4", "1/0", "x", 10**5000])))
)
def test_a_row_is_parsed_as_its_elements_are(values: list[object]) -> None:
    try:
        wanted = tuple(map(parse_element, values))
    except RingError as error:
        with pytest.raises(RingError, match=re.escape(str(error))):
            parse_row(values)
    else:
        row = parse_row(values)
        assert row == wanted
        assert [*map(type, row)] == [*map(type, wanted)]
