"""Polynomial systems: read from JSON or plain text, evaluated in balls at any precision."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import prod
from pathlib import Path
from re import DOTALL, fullmatch
from typing import Any

from flint import acb, acb_mat, arb, ctx, fmpq, fmpz_poly

from flipforge.errors import FormatError, InputError, NotFoundError
from flipforge.polynomials._field import RATIONALS, Field, Generator
from flipforge.polynomials._parse import is_name, parse_texts
from flipforge.polynomials._terms import Exponents, Polynomial

__all__ = ["System", "dyadic", "parse_system", "parse_text", "read_system"]

MAX_VARIABLES = 64
MAX_POLYNOMIALS = 512
_MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class System:
    """Polynomial equations over a number field.

    Attributes
    ----------
    variables
        The n unknowns.
    polynomials
        In n + k variables: the last k stand for the generators of the field, by whose relations they are reduced.
    field
        Q, or Q with square roots or declared numbers.
    root
        n constants as polynomials in n + k variables, where a point was written without a decimal number.
    near
        n pairs of real and imaginary part, where it was written with one.
    """

    variables: tuple[str, ...]
    polynomials: tuple[Polynomial, ...]
    field: Field = RATIONALS
    root: tuple[Polynomial, ...] | None = None
    near: tuple[tuple[Fraction, Fraction], ...] | None = None

    @property
    def is_square(self) -> bool:
        """Whether there are as many equations as unknowns."""
        return len(self.polynomials) == len(self.variables)

    @property
    def is_real(self) -> bool:
        """Whether all coefficients are real numbers: conjugation then maps roots to roots."""
        return self.field.is_real

    @cached_property
    def derivatives(self) -> tuple[tuple[Polynomial, ...], ...]:
        """The Jacobian matrix: a row for each equation, a column for each unknown."""
        return tuple(tuple(f.derivative(j) for j in range(len(self.variables))) for f in self.polynomials)

    def values(self, point: Sequence[acb], bits: int = 53) -> list[acb]:
        """Enclose the values of the equations.

        Parameters
        ----------
        point
            n balls; for every number they hold the value is in the result.
        bits
            Working precision.

        Examples
        --------
        >>> circle = parse_system({"variables": ["x", "y"], "polynomials": ["x**2 + y**2 - 25", "x - 3"]})
        >>> [bool(value == 0) for value in circle.values([acb(3), acb(4)])]
        [True, True]
        """
        with ctx.workprec(bits):
            powers = self._powers(point, bits)
            return [_evaluate(f, powers) for f in self.polynomials]

    def jacobian(self, point: Sequence[acb], bits: int = 53) -> acb_mat:
        """Enclose the Jacobian matrix, equations by unknowns."""
        with ctx.workprec(bits):
            powers = self._powers(point, bits)
            return acb_mat([[_evaluate(f, powers) for f in row] for row in self.derivatives])

    def start(self, bits: int = 53) -> list[acb]:
        """Return the stated point as balls.

        Raises
        ------
        InputError
            None is stated.
        """
        if self.root is None and self.near is None:
            raise InputError("the system states no root; give an approximation under the key 'root'")
        with ctx.workprec(bits):
            if self.root is None:
                pairs = [[fmpq(x.numerator, x.denominator) for x in pair] for pair in self.near or ()]
                return [acb(*pair) for pair in pairs]
            powers = self._powers([acb(0)] * len(self.variables), bits)
            return [_evaluate(x, powers) for x in self.root]

    def numeric(self, bits: int) -> list[dict[Exponents, acb]]:
        """Return the equations with balls in place of the field's generators, by the exponents of the unknowns."""
        n = len(self.variables)
        with ctx.workprec(bits):
            generators = self.field.values(bits)
            equations = []
            for f in self.polynomials:
                terms: dict[Exponents, acb] = {}
                for e, c in f:
                    number = acb(fmpq(c.numerator, c.denominator))
                    for value, exponent in zip(generators, e[n:], strict=True):
                        number *= value**exponent
                    terms[e[:n]] = terms.get(e[:n], acb(0)) + number
                equations.append(terms)
            return equations

    def restricted(self, rows: Sequence[int]) -> "System":
        """Return the system of some of the equations."""
        return replace(self, polynomials=tuple(self.polynomials[k] for k in rows))

    def _powers(self, point: Sequence[acb], bits: int) -> list[list[acb]]:
        if len(point) != len(self.variables):
            raise InputError(f"a point of {len(point)} coordinates; there are {len(self.variables)} variables")
        values = [*point, *self.field.values(bits)]
        highest = [0] * len(values)
        for f in (*self.polynomials, *(self.root or ())):
            for e, _ in f:
                highest = [max(pair) for pair in zip(highest, e, strict=True)]
        powers = []
        for value, top in zip(values, highest, strict=True):
            row = [acb(1)]
            for _ in range(top):
                row.append(row[-1] * value)
            powers.append(row)
        return powers


def parse_system(document: Mapping[str, Any]) -> System:
    """Build a system from the keys ``variables``, ``polynomials``, ``root`` and ``field`` of a JSON object.

    ``field`` declares generators: ``{"a": {"polynomial": "a**3 - 2", "near": "1.26"}}``.

    Raises
    ------
    InputError
        A key is missing or wrong, a polynomial does not parse, there are too few equations, or the root has another
        length than there are variables.

    Examples
    --------
    >>> parse_system({"polynomials": ["x**2 - 2"], "root": ["1.414"]}).field.degree
    1
    """
    texts = _texts(document, "polynomials")
    variables: Sequence[str] | None = _texts(document, "variables") if "variables" in document else None
    declared = _declared(document.get("field"))
    taken = [*(variables or []), *(g.name for g in declared)]
    for name in taken:
        if not is_name(name):
            raise InputError(f"{name[:40]!r} cannot be the name of a variable; write letters, digits and underscores")
    if len(set(taken)) < len(taken):
        raise InputError("a name stands twice among the variables and generators")
    root = _texts(document, "root") if document.get("root") is not None else []
    exact = bool(root) and not any(fullmatch(r".*(?:\.|[0-9][eE]).*", text, DOTALL) for text in root)
    labelled = {f"polynomials[{k}]": text for k, text in enumerate(texts)}
    roots = {f"root[{j}]": text for j, text in enumerate(root)}
    parsed = parse_texts(labelled | roots if exact else labelled, variables, declared=declared)
    variables = parsed.variables
    equations, point = parsed.polynomials[: len(texts)], parsed.polynomials[len(texts) :]
    _check_sizes(len(variables), equations)
    if root and len(root) != len(variables):
        names = ", ".join(variables)
        raise InputError(f"root has {len(root)} coordinates; there are {len(variables)} variables ({names})")
    fault = next((j for j, x in enumerate(point) if not x.is_constant_in(len(variables))), None)
    if fault is not None:
        raise InputError(f"root[{fault}] is {root[fault][:40]!r}; a coordinate is a number")
    near = None if exact or not root else tuple(_numbers(roots, declared))
    return System(variables, equations, parsed.field, tuple(point) or None, near)


def parse_text(text: str) -> System:
    """Build a system from plain text: a polynomial a line.

    ``#`` begins a comment, ``variables: x, y`` gives the order of the unknowns, ``root: 1, 0.5`` a point, and
    ``field: a, a**3 - 2, 1.26`` declares a generator.

    Raises
    ------
    InputError
        As `parse_system` does, or a line is none of these.
    """
    return parse_system(_text_document(text))


def read_system(path: str | Path) -> System:
    """Read a system from JSON (`parse_system`) or plain text (`parse_text`).

    Raises
    ------
    InputError
        The file is missing or unreadable, or not a system; the message names file and place.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise NotFoundError(f"{path}: {'not a regular file' if path.exists() else 'no such file'}")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path}: larger than the limit of {_MAX_BYTES} bytes")
    text = data.decode("utf-8-sig", "replace")
    try:
        return parse_system(_json_document(text)) if text.lstrip()[:1] in "{[" else parse_text(text)
    except InputError as error:
        raise type(error)(f"{path}: {error}") from None


def _evaluate(polynomial: Polynomial, powers: list[list[acb]]) -> acb:
    total = acb(0)
    for exponents, c in polynomial:
        term = acb(fmpq(c.numerator, c.denominator))
        for row, e in zip(powers, exponents, strict=True):
            if e:
                term *= row[e]
        total += term
    return total


def _numbers(texts: Mapping[str, str], declared: Sequence[Generator]) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield real and imaginary part of each number, to 128 bits where it holds a root."""
    parsed = parse_texts(texts, (), declared=declared, decimals=[*texts])
    for number in parsed.polynomials:
        simple = {e: c for e, c in number if not any(e)} if not parsed.field.generators else None
        if simple is not None:
            yield simple.get((), Fraction(0)), Fraction(0)
            continue
        with ctx.workprec(160):
            value = acb(0)
            for e, c in number:
                powers = (g**i for g, i in zip(parsed.field.values(160), e, strict=True))
                value += prod(powers, start=acb(fmpq(c.numerator, c.denominator)))
            yield dyadic(value.real, 128), dyadic(value.imag, 128)


def dyadic(value: arb, bits: int) -> Fraction:
    """Return the midpoint of a real ball, rounded to so many bits after the point.

    Examples
    --------
    >>> dyadic(arb("0.75"), 1)
    Fraction(1, 1)
    """
    mantissa, exponent = (int(part) for part in value.mid().man_exp())
    shift = exponent + bits
    scaled = mantissa << shift if shift >= 0 else (mantissa + (1 << (-shift - 1))) >> -shift
    return Fraction(scaled, 1 << bits)


def _texts(document: Mapping[str, Any], key: str) -> list[str]:
    values = document.get(key)
    if not isinstance(values, list) or not values:
        raise InputError(f"key {key!r} is missing or no list; write a list of texts")
    texts = [str(value) if type(value) in (int, float) and key == "root" else value for value in values]
    fault = next((k for k, text in enumerate(texts) if not isinstance(text, str) or not text.strip()), None)
    if fault is not None:
        raise InputError(f"{key}[{fault}] is {str(texts[fault])[:40]!r}; write a text")
    return texts


def _check_sizes(count: int, equations: Sequence[Polynomial]) -> None:
    if not count:
        raise InputError("no variable occurs in the polynomials")
    if count > MAX_VARIABLES or len(equations) > MAX_POLYNOMIALS:
        raise InputError(f"at most {MAX_VARIABLES} variables and {MAX_POLYNOMIALS} polynomials are handled")
    if len(equations) < count:
        raise InputError(f"{len(equations)} equations for {count} variables; an isolated root needs at least {count}")
    for k, f in enumerate(equations):
        if f.is_constant_in(count):
            raise InputError(f"polynomials[{k}] is {'zero' if not f else 'a constant'}; leave it out")


def _declared(value: object) -> list[Generator]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise InputError('field must be an object such as {"a": {"polynomial": "a**3 - 2", "near": "1.26"}}')
    return [_generator(name, entry) for name, entry in value.items()]


def _generator(name: str, entry: object) -> Generator:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in ("polynomial", "near")):
        raise InputError(f'field: write {name[:40]!r} as {{"polynomial": "...", "near": "..."}}')
    (relation,) = parse_texts({f"field {name}": entry["polynomial"]}, [name]).polynomials
    parsed = parse_texts({f"near of {name}": entry["near"]}, [], decimals=[f"near of {name}"])
    if parsed.field.generators and [g.name for g in parsed.field.generators] != ["I"]:
        raise InputError(f"near of {name}: write decimal numbers and I")
    if relation.degree < 2:
        raise InputError(f"field {name}: its polynomial has degree {relation.degree}; 2 or more is needed")
    if any(len(e) > 1 for e, _ in relation):
        raise InputError(f"field {name}: its polynomial must have rational coefficients")
    near = {e[-1] if e else 0: c for e, c in parsed.polynomials[0]}
    leading = dict(relation)[(relation.degree,)]
    coefficients = [dict(relation).get((i,), Fraction(0)) / leading for i in range(relation.degree + 1)]
    common = 1
    for c in coefficients:
        common = common * c.denominator
    _, factors = fmpz_poly([int(c * common) for c in coefficients]).factor()
    if len(factors) > 1 or factors[0][1] > 1:
        raise InputError(f"field {name}: {entry['polynomial'][:60]!r} is not irreducible over Q")
    return Generator(name, tuple(coefficients), (near.get(0, Fraction(0)), near.get(1, Fraction(0))))


def _json_document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"no readable JSON ({str(error)[:100]})") from None
    if not isinstance(document, dict):
        raise FormatError("JSON that is no object; write keys 'variables', 'polynomials' and 'root'")
    return document


def _text_document(text: str) -> Mapping[str, Any]:
    document: dict[str, Any] = {"polynomials": []}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        key, colon, rest = (part.strip() for part in line.partition(":"))
        if not line:
            continue
        if not colon:
            document["polynomials"].append(line)
        elif key in ("variables", "root"):
            document[key] = [part.strip() for part in rest.split(",")]
        elif key == "field" and rest.count(",") == 2:
            name, polynomial, near = (part.strip() for part in rest.split(","))
            document.setdefault("field", {})[name] = {"polynomial": polynomial, "near": near}
        else:
            raise FormatError(f"line {number}: {line[:40]!r} is neither a polynomial nor variables:, root: or field:")
    if not document["polynomials"]:
        raise FormatError("the file holds no polynomial")
    return document
