"""PLinOpt's straight-line programs: three files ``X_L.slp``, ``X_R.slp``, ``X_P.slp`` of lines ``x:=expression;``.

Inputs are ``i0, i1, ..``, outputs ``o0, o1, ..``, all other names temporaries, which may be written again. Operators
are ``+ - * /`` and brackets; one side of a product, and the divisor, is a rational number. What does not hold ``:=``
and what follows ``;`` is a comment (J.-G. Dumas, B. Grenet, C. Pernet, A. Sedoglavic, PLinOpt, README).
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from re import compile as regex

from flipforge.errors import InputError, MalformedError, RingError
from flipforge.problems import Problem, matmul
from flipforge.programs._files import MAX_TERMS, linear_part
from flipforge.programs._linear import Combination, LinearProgram
from flipforge.programs._program import Program, over_one_ring
from flipforge.rings import Element, Q, Ring, parse_element

__all__ = ["dump_slp", "read_slp"]

Form = dict[int, Element]
Value = tuple[Form, Fraction]

_TOKEN = regex(r"\s*([A-Za-z_]\w*|[0-9]+|[-+*/()])")
_NAME = regex(r"\s*([A-Za-z_]\w*)\s*")
_DEPTH = 50


def dump_slp(program: Program) -> tuple[str, str, str]:
    """Write L, R and P; a comment in the first line states problem and ring."""
    texts = (
        f"# {letter} of {program.problem} over {program.ring}\n{_text(part)}"
        for letter, part in zip("LRP", program.parts, strict=True)
    )
    left, right, out = texts
    return left, right, out


def read_slp(texts: Sequence[str], problem: Problem | None = None, ring: Ring | None = None) -> Program:
    """Read L, R and P and prove what the program computes.

    Parameters
    ----------
    problem
        None for the matrix product whose sizes the numbers of inputs and outputs give.
    ring
        None for the smallest of characteristic 0 that holds the coefficients.

    Raises
    ------
    MalformedError
        A line cannot be read, or an input or output is missing.
    InputError
        No problem is given, and the sizes are those of no matrix product.
    VerificationError
        The program computes something else.

    Examples
    --------
    >>> print(read_slp(("o0:=i0;", "o0:=i0;", "o0:=i0;")).problem)
    matmul:1x1x1
    """
    over = ring or Q
    read = [_Reader(text, name) for text, name in zip(texts, "LRP", strict=True)]
    rank = len(read[0].outputs)
    if problem is None:
        problem = _matrix_product(read[0].inputs, read[1].inputs, len(read[2].outputs))
    widths = (*problem.shape[:2], rank)
    parts = [reader.part(over, width) for reader, width in zip(read, widths, strict=True)]
    return Program(problem, *(parts if ring else over_one_ring(*parts))).prove()


def _matrix_product(left: int, right: int, out: int) -> Problem:
    for n in range(1, left + 1):
        m, p = left // n, out // n
        if left % n == 0 and out % n == 0 and m * p == right:
            return matmul(n, m, p)
    raise InputError(f"{left}, {right} and {out} coordinates are no matrix product; name the problem")


def _text(part: LinearProgram) -> str:
    names = [f"i{i}" for i in range(part.inputs)] + [f"t{i}" for i in range(len(part.steps))]
    lines = [f"{names[part.inputs + i]}:={_expression(step, names)};" for i, step in enumerate(part.steps)]
    lines += [f"o{i}:={_expression(output, names)};" for i, output in enumerate(part.outputs)]
    return "\n".join(lines) + "\n"


def _expression(terms: Combination, names: Sequence[str]) -> str:
    text = ""
    for x, register in terms:
        size = abs(Fraction(x))
        scaled = names[register] + (f"*{size.numerator}" if size.numerator > 1 else "")
        scaled += f"/{size.denominator}" if size.denominator > 1 else ""
        text += ("-" if x < 0 else "+" if text else "") + scaled
    return text or "0"


class _Reader:
    """The sums of one file: a temporary that is written again is another register."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.inputs = 0
        self.steps: list[Combination] = []
        self.outputs: list[Combination] = []
        self._values: dict[str, Form] = {}
        # Steps are registers 0, 1, ... here and inputs -1, -2, ...: how many inputs there are is known at the end.
        terms = 0
        for number, line in enumerate(text.splitlines(), 1):
            target, assigned, rest = line.partition(":=")
            if not assigned or target.lstrip().startswith("#"):
                continue
            try:
                terms += self._assign(target, rest.partition(";")[0])
            except (ValueError, RingError) as error:
                raise MalformedError(f"{name}, line {number}: {error}") from None
            if terms > MAX_TERMS:
                raise MalformedError(f"{name}, line {number}: more than {MAX_TERMS} terms")
        found = {int(key[1:]): value for key, value in self._values.items() if _numbered(key, "o")}
        for number in range(len(found)):
            if number not in found:
                raise MalformedError(f"{name}: output o{number} is missing")
            self.outputs.append(_sorted(found[number]))

    def part(self, over: Ring, inputs: int) -> LinearProgram:
        """Return the program with its registers counted from the inputs on."""
        if self.inputs > inputs:
            raise MalformedError(f"{self.name}: input i{self.inputs - 1} is used, there are {inputs}")

        def shifted(rows: list[Combination]) -> tuple[Combination, ...]:
            return tuple(tuple((x, -1 - i if i < 0 else inputs + i) for x, i in row) for row in rows)

        return linear_part(over, inputs, shifted(self.steps), shifted(self.outputs), self.name)

    def _assign(self, target: str, expression: str) -> int:
        match = _NAME.fullmatch(target)
        if not match:
            raise ValueError(f"{target.strip()[:40]!r} is no variable")
        form = _Parser(expression, self._lookup).parse()
        if len(form) > 1:
            self.steps.append(_sorted(form))
            form = {len(self.steps) - 1: 1}
        self._values[match[1]] = form
        return len(self.steps[-1]) if self.steps else 1

    def _lookup(self, name: str) -> Form:
        if name in self._values:
            return self._values[name]
        if not _numbered(name, "i"):
            raise ValueError(f"{name[:40]!r} has no value yet")
        number = int(name[1:])
        self.inputs = max(self.inputs, number + 1)
        return {-1 - number: 1}


class _Parser:
    """One expression as a linear form in registers plus a number, which must be zero where a value is assigned."""

    def __init__(self, text: str, lookup: Callable[[str], Form]) -> None:
        self.tokens: list[str] = []
        self.lookup = lookup
        self.depth = 0
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if not match:
                raise ValueError(f"{text[position:end].strip()[:20]!r} is no part of an expression")
            self.tokens.append(match[1])
            position = match.end()
        self.tokens.reverse()

    def parse(self) -> Form:
        """Return the form of all tokens."""
        form, constant = self._sum()
        if self.tokens:
            raise ValueError(f"{self.tokens[-1]!r} is not expected there")
        if constant:
            raise ValueError("a constant is added; programs are linear")
        return form

    def _sum(self) -> Value:
        form, constant = self._product()
        while self.tokens and self.tokens[-1] in "+-":
            sign = 1 if self.tokens.pop() == "+" else -1
            other, added = self._product()
            for register, x in other.items():
                form[register] = form.get(register, 0) + sign * x
            constant += sign * added
        return {register: x for register, x in form.items() if x}, constant

    def _product(self) -> Value:
        form, constant = self._factor()
        while self.tokens and self.tokens[-1] in "*/":
            divided = self.tokens.pop() == "/"
            other, number = self._factor()
            if other:
                if form or divided:
                    raise ValueError("a product or quotient of two variables; programs are linear")
                form, constant, number = other, number, constant
            if divided and not number:
                raise ValueError("division by zero")
            by = 1 / number if divided else number
            form, constant = {register: x * by for register, x in form.items()}, constant * by
        return form, constant

    def _factor(self) -> Value:
        if not self.tokens:
            raise ValueError("the expression ends too early")
        token = self.tokens.pop()
        if token[0].isdecimal():
            return {}, Fraction(parse_element(token))
        if token[0].isalpha() or token[0] == "_":
            return dict(self.lookup(token)), Fraction(0)
        self.depth += 1
        if self.depth > _DEPTH or token not in "-(":
            raise ValueError(f"{token!r} is not expected there, or nests too deeply")
        form, constant = self._factor() if token == "-" else self._sum()
        if token == "-":
            form, constant = {register: -x for register, x in form.items()}, -constant
        elif not self.tokens or self.tokens.pop() != ")":
            raise ValueError("a bracket is not closed")
        self.depth -= 1
        return form, constant


def _numbered(name: str, letter: str) -> bool:
    return name[0] == letter and name[1:].isdecimal() and len(name) < 9


def _sorted(form: Form) -> Combination:
    return tuple((x.numerator if x.denominator == 1 else x, register) for register, x in sorted(form.items()) if x)
