"""Print a scheme as formulas, in text and in LaTeX."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from flipforge.rings import Element
from flipforge.schemes._costs import costs, output_columns
from flipforge.schemes._scheme import Scheme

__all__ = ["describe", "describe_latex", "scheme_lines"]

_TERMS_PER_LINE = 8
_LATEX_EPS = ("\\epsilon ", "\\epsilon^{{{}}} ")


def describe(scheme: Scheme) -> str:
    """Return a header line, the products ``m1 = (a11 + a22)(b11 + b22)`` and the outputs ``c11 = m1 + m4 - m5 + m7``.

    Examples
    --------
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> print(describe(standard_scheme(parse("matmul:1x1x1"), ZT)))
    matmul:1x1x1 over ZT: rank 1, 0 additions, 3 nonzeros, ID 07d7973873f5
    <BLANKLINE>
    m1 = (a11)(b11)
    <BLANKLINE>
    c11 = m1
    """
    return "\n".join([_header(scheme), "", *scheme_lines(scheme)])


def scheme_lines(scheme: Scheme, labels: Sequence[Sequence[str]] | None = None) -> Iterator[str]:
    """Yield the lines of products and of outputs, an empty one between, with the problem's labels or others."""
    left, right, output = labels or scheme.problem.labels
    order = scheme.problem.order
    left, right = (_with_powers(names, order, "eps*", "eps^{}*") for names in (left, right))
    width = len(str(scheme.rank))
    for number, (u, v) in enumerate(zip(scheme.u, scheme.v, strict=True), 1):
        yield f"m{number:<{width}} = ({_sum(u, left)})({_sum(v, right)})"
    yield ""
    products = _with_powers([f"m{number}" for number in range(1, scheme.rank + 1)], order, "eps*", "eps^{}*")
    output = [_powers(order, "eps*", "eps^{}*")[-1] + name for name in output]
    width = max(map(len, output))
    for name, column in zip(output, output_columns(scheme), strict=True):
        yield f"{name:<{width}} = {_sum(column, products)}"


def describe_latex(scheme: Scheme) -> str:
    """Return a LaTeX document with the products and outputs in one ``align*``; entries are written ``a_{1,1}``."""
    left, right, output = ([_latex_entry(name, scheme) for name in names] for names in scheme.problem.labels)
    names = [f"m_{{{number}}}" for number in range(1, scheme.rank + 1)]
    left, right, products = (_with_powers(x, scheme.problem.order, *_LATEX_EPS) for x in (left, right, names))
    lines = [
        f"{name} &= {_latex_factor(u, left)} \\cdot {_latex_factor(v, right)}"
        for name, u, v in zip(names, scheme.u, scheme.v, strict=True)
    ]
    output = [_powers(scheme.problem.order, *_LATEX_EPS)[-1] + name for name in output]
    columns = zip(output, output_columns(scheme), strict=True)
    lines += [f"{name} &= {_latex_sum(column, products)}" for name, column in columns]
    body = " \\\\\n".join(lines)
    return (
        "\\documentclass{article}\n\\usepackage{amsmath}\n\\allowdisplaybreaks\n\\begin{document}\n"
        f"\\noindent {_header(scheme).replace('_', chr(92) + '_')}\n"
        f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n\\end{{document}}\n"
    )


def _header(scheme: Scheme) -> str:
    count = costs(scheme)
    omega = f"omega {count.omega:.4f}, " if count.omega is not None else ""
    return (
        f"{scheme.problem} over {scheme.ring}: rank {count.rank}, {count.additions} additions, "
        f"{count.nonzeros} nonzeros, {omega}ID {scheme.id}"
    )


def _with_powers(names: Sequence[str], order: int, first: str, further: str) -> list[str]:
    """Return the names times eps^0 to eps^order, the powers of one name side by side."""
    return [power + name for name in names for power in _powers(order, first, further)]


def _powers(order: int, first: str, further: str) -> list[str]:
    return ["", first, *(further.format(degree) for degree in range(2, order + 1))][: order + 1]


def _sum(row: Sequence[Element], names: Sequence[str]) -> str:
    text = ""
    for x, name in zip(row, names, strict=True):
        if x:
            sign = (" - " if x < 0 else " + ") if text else ("-" if x < 0 else "")
            text += sign + ("" if abs(x) == 1 else str(abs(x))) + name
    return text or "0"


def _latex_entry(name: str, scheme: Scheme) -> str:
    letter, index = name[0], name[1:]
    if scheme.problem.bilinear.kind == "matmul":
        i, j = index.split("_") if "_" in index else (index[0], index[1])
        return f"{letter}_{{{i},{j}}}"
    return f"{letter}_{{{index}}}"


def _latex_factor(row: Sequence[Element], names: Sequence[str]) -> str:
    text = _latex_sum(row, names)
    bare = sum(1 for x in row if x) == 1 and not text.startswith("-")
    return text if bare else f"({text})"


def _latex_sum(row: Sequence[Element], names: Sequence[str]) -> str:
    text, count = "", 0
    for x, name in zip(row, names, strict=True):
        if not x:
            continue
        if count and count % _TERMS_PER_LINE == 0:
            text += " \\\\\n &\\quad {}"
        sign = (" - " if x < 0 else " + ") if count else ("-" if x < 0 else "")
        text += sign + _latex_coefficient(x) + name
        count += 1
    return text or "0"


def _latex_coefficient(x: Element) -> str:
    if isinstance(x, Fraction):
        return f"\\tfrac{{{abs(x.numerator)}}}{{{x.denominator}}}"
    return "" if abs(x) == 1 else str(abs(x))
