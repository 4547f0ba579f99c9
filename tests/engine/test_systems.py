"""Polynomial systems: the parser against sympy, faults with their place, number fields, evaluation in balls."""

import json
from pathlib import Path
from typing import Any

import pytest
import sympy
from flint import acb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from flipforge.errors import InputError, NotFoundError
from flipforge.polynomials import Field, Polynomial, parse_system, parse_texts, read_system

LEAVES = st.sampled_from(["x", "y", "3", "1/2", "Rational(-2, 3)", "sqrt(2)", "sqrt(Rational(9, 8))", "I", "sqrt(-6)"])


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", "*", " - -"]), parts).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        st.tuples(parts, st.integers(0, 3)).map(lambda t: f"({t[0]})**{t[1]}"),
        parts.map(lambda t: f"-{t}/sqrt(3)"),
    )


def as_sympy(polynomial: Polynomial, names: list[Any]) -> Any:
    terms = ((sympy.Rational(c.numerator, c.denominator), exponents) for exponents, c in polynomial)
    return sum((c * sympy.prod(n**e for n, e in zip(names, exps, strict=True)) for c, exps in terms), sympy.Integer(0))


@settings(max_examples=25, deadline=None)
@given(st.recursive(LEAVES, joined, max_leaves=5))
def test_a_parsed_polynomial_is_that_of_sympy(text: str) -> None:
    parsed = parse_texts({"f": text}, ["x", "y"])
    names = [*sympy.symbols("x y"), *(sympy.sympify(g.name) for g in parsed.field.generators)]
    (polynomial,) = parsed.polynomials
    difference = sympy.expand(as_sympy(polynomial, names) - sympy.sympify(text, rational=True))
    assert sympy.simplify(difference) == 0


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("x**2 + * y", 8, "unexpected"),
        ("x + 0.5*y", 5, "floating coefficient 0.5 where an exact one is needed"),
        ("x + 1e3*y", 5, "floating coefficient"),
        ("(x + y", 7, "missing"),
        ("x**(1/2)", 6, "missing"),
        ("x**-1", 4, "exponent"),
        ("x**501", 4, "above 500"),
        ("(x**300)**2", 9, "degree above 500"),
        ("2**3**4", 5, "parentheses"),
        ("sin(x)", 1, "no known function"),
        ("1/(x + y)", 2, "division by a polynomial"),
        ("x/(sqrt(2)**2 - 2)", 2, "division by zero"),
        ("sqrt(x)", 6, "no rational number"),
        ("sqrt(1 + sqrt(2))", 10, "no rational number"),
        ("x ? y", 3, "unexpected"),
        ("x y", 3, "unexpected"),
        ("x + z", 5, "not one of the variables"),
        ("x + ", 4, "ends too early"),
        ("((2**500)**500)*x", 10, "bits"),
        ("(" * 100 + "x" + ")" * 100, 61, "deeper"),
        ("__import__('os')*x", 12, "unexpected"),
    ],
)
def test_a_fault_is_reported_with_its_place(text: str, place: int, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_system({"variables": ["x", "y"], "polynomials": ["x", text]})
    message = str(caught.value)
    assert reason in message
    assert f"polynomials[1], character {place}:" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "'polynomials' is missing"),
        ({"polynomials": []}, "'polynomials' is missing"),
        ({"polynomials": ["x"], "variables": ["x", "x"]}, "stands twice"),
        ({"polynomials": ["x"], "variables": ["I"]}, "cannot be the name"),
        ({"polynomials": [3]}, "polynomials[0] is '3'"),
        ({"polynomials": ["x + y"]}, "1 equations for 2 variables"),
        ({"polynomials": ["x", "y - y"]}, "1 variables"),
        ({"polynomials": ["x", "2"], "variables": ["x"]}, "polynomials[1] is a constant"),
        ({"polynomials": ["x"], "root": ["1", "2"]}, "root has 2 coordinates; there are 1 variables (x)"),
        ({"polynomials": ["x"], "root": ["x"]}, "a coordinate is a number"),
        (
            {"polynomials": ["x - a"], "variables": ["x"], "field": {"a": {"polynomial": "a**2 - 4", "near": "2"}}},
            "irr",
        ),
        ({"polynomials": ["x"], "field": {"a": {"polynomial": "a - 4", "near": "2"}}}, "degree 1"),
        ({"polynomials": ["x"], "field": ["a"]}, "field must be an object"),
        ({"polynomials": ["(x + y + z + 1)**100", "y", "z"]}, "terms"),
    ],
)
def test_bad_systems_are_refused(document: dict[str, Any], reason: str) -> None:
    if reason == "1 variables":
        document = {**document, "variables": ["x"]}
        reason = "'y' is not one of the variables"
    with pytest.raises(InputError, match=reason.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")):
        parse_system(document)


def test_files(tmp_path: Path) -> None:
    text = tmp_path / "system.txt"
    text.write_text("# two conics\nvariables: y, x\nx**2 + y**2 - 2*a\nx - y  # a line\nroot: 1.06, 1.06\n"
                    "field: a, a**3 - 2, 1.26\n")  # fmt: skip
    as_json = tmp_path / "system.json"
    as_json.write_text(
        json.dumps(
            {
                "variables": ["y", "x"],
                "polynomials": ["x**2 + y**2 - 2*a", "x - y"],
                "root": [1.06, "1.06"],
                "field": {"a": {"polynomial": "a**3 - 2", "near": "1.26"}},
            }
        )
    )
    system = read_system(text)
    assert system == read_system(as_json)
    assert system.variables == ("y", "x")
    assert system.root is None
    assert all(abs(value) < 0.3 for value in system.values(system.start()))
    with ctx.workprec(200):
        assert abs(system.field.values(200)[0] ** 3 - 2) < 1e-50
    with pytest.raises(NotFoundError):
        read_system(tmp_path / "none")
    for broken in ("{", "[1]", "x y: 3", "# nothing", '{"polynomials": "x"}'):
        text.write_text(broken)
        with pytest.raises(InputError, match=r"system\.txt"):
            read_system(text)


def test_fields_are_as_small_as_their_roots_allow() -> None:
    def field(*texts: str) -> Field:
        return parse_texts({text: text for text in texts}, []).field

    assert str(field("sqrt(8)", "sqrt(2)")) == "Q(sqrt(2))"
    assert str(field("sqrt(2)", "sqrt(3)", "sqrt(6)")) == "Q(sqrt(2), sqrt(3))"
    assert str(field("sqrt(-4)")) == "Q(I)"
    assert str(field("sqrt(4)")) == "Q"
    assert field("sqrt(2)", "I").degree == 4
    with pytest.raises(InputError, match="degree 128"):
        field(*(f"sqrt({p})" for p in (2, 3, 5, 7, 11, 13, 17)))


def test_balls_hold_the_values() -> None:
    system = parse_system({"polynomials": ["x**3 - sqrt(2)*x*y + I", "x*y - Rational(1, 3)"], "root": ["1", "1/3"]})
    assert system.near is None
    assert not system.is_real
    values = system.values(system.start(300), 300)
    assert values[1].contains(acb(0))
    with_sympy = sympy.N(1 - sympy.sqrt(2) / 3 + sympy.I, 80)
    with ctx.workprec(300):
        assert abs(values[0] - acb(str(sympy.re(with_sympy)), str(sympy.im(with_sympy)))) < 1e-75
    wide = system.values([acb(1) + acb("0 +/- 0.5"), acb(1)])
    assert wide[1].contains(acb(1) / 6)
    jacobian = system.jacobian(system.start(100), 100)
    assert jacobian[1, 0].overlaps(acb(1) / 3)
    assert jacobian[1, 1].overlaps(acb(1))
    with pytest.raises(InputError, match="3 coordinates"):
        system.values([acb(1)] * 3)
