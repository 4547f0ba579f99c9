"""Drawings of diagrams, as SVG and as text; the same diagram gives the same drawing."""

from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import quoteattr

from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._graph import GraphDiagram
from flipforge.diagrams._headed import HeadedDiagram
from flipforge.diagrams._orbit import OrbitDiagram
from flipforge.diagrams._partition import PartitionDiagram

__all__ = ["svg", "text"]

_GAP = 40
_HEIGHT = 80
_MARGIN = 20

Point = tuple[float, float]


def text(diagram: Diagram) -> str:
    """Draw a diagram with one character a point, blocks by letters; a head stands on the blocks that are capital.

    A bilabelled graph has its edges on a third line, an orbit its least indices in place of letters.

    Examples
    --------
    >>> print(text(PartitionDiagram(3, 2, (0, 1, 1, 1, 2))))
    a b
    b b c
    >>> print(text(HeadedDiagram(2, 1, 2, (0, 1, 1), (0,))))
    A
    b b
    """
    if isinstance(diagram, OrbitDiagram):
        words = [str(x) for x in diagram.representative]
    elif isinstance(diagram, GraphDiagram):
        words = [_letter(vertex) for vertex in diagram.labels]
    else:
        legs = diagram.legs if isinstance(diagram, HeadedDiagram) else ()
        words = [_letter(label).upper() if label in legs else _letter(label) for label in diagram.labels]
    rows = [" ".join(words[: diagram.l]) or "-", " ".join(words[diagram.l :]) or "-"]
    if isinstance(diagram, GraphDiagram):
        rows.append("edges " + (" ".join(_letter(u) + _letter(v) for u, v in diagram.edges) or "-"))
        if diagram.unlabelled:
            rows[-1] += "; unlabelled " + " ".join(map(_letter, diagram.unlabelled))
    return "\n".join(rows)


def _letter(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[number] if number < len(letters) else f"{letters[number % 26]}{number // 26}"


def svg(diagram: Diagram) -> str:
    """Draw a diagram as an SVG image: points in two rows, a curve from each point of a block to the next.

    The head of a headed diagram is a square with a line to the first point of each of its blocks; a bilabelled graph
    has its vertices in a row between the two of labels, and an orbit its indices beside the points.

    Examples
    --------
    >>> svg(PartitionDiagram(1, 1, (0, 0))).count("<path")
    1
    """
    shapes: list[str] = []
    width = 2 * _MARGIN + _GAP * max(diagram.k - 1, diagram.l - 1, 1)
    places = [_place(diagram, point) for point in range(diagram.l + diagram.k)]
    if isinstance(diagram, GraphDiagram):
        width = max(width, 2 * _MARGIN + _GAP * max(diagram.vertices - 1, 1))
        shapes += _graph(diagram, places)
    elif isinstance(diagram, OrbitDiagram):
        shapes += [_label(place, str(x)) for place, x in zip(places, diagram.representative, strict=True)]
    else:
        shapes += _blocks(diagram.plain if isinstance(diagram, HeadedDiagram) else diagram, places)
        if isinstance(diagram, HeadedDiagram):
            shapes += _head(diagram, places, width)
    shapes += [f'<circle cx="{x:g}" cy="{y:g}" r="3"/>' for x, y in places]
    height = _HEIGHT + 2 * _MARGIN
    title = f"<title>{type(diagram).__name__} {diagram.k} to {diagram.l}</title>"
    size = f'width="{width:g}" height="{height}" viewBox="0 0 {width:g} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    style = '<g fill="none" stroke="currentColor" stroke-width="1.5">'
    return "\n".join([head, title, style, *shapes, "</g>", "</svg>"]) + "\n"


def _place(diagram: Diagram, point: int) -> Point:
    above = point < diagram.l
    return _MARGIN + _GAP * (point if above else point - diagram.l), _MARGIN if above else _MARGIN + _HEIGHT


def _blocks(diagram: PartitionDiagram, places: Sequence[Point]) -> list[str]:
    steps = [(a, b) for block in diagram.blocks for a, b in pairwise(block)]
    return [_curve(places[a], places[b]) for a, b in steps]


def _curve(a: Point, b: Point) -> str:
    """Return a line between the rows, or an arc that leaves a row inwards."""
    (x, y), (u, v) = a, b
    if y != v:
        return _path(f"M{x:g},{y:g} C{x:g},{(y + v) / 2:g} {u:g},{(y + v) / 2:g} {u:g},{v:g}")
    depth = min(abs(u - x) / _GAP, 3) * _HEIGHT / 7 * (1 if y == _MARGIN else -1)
    return _path(f"M{x:g},{y:g} C{x:g},{y + depth:g} {u:g},{v + depth:g} {u:g},{v:g}")


def _path(course: str) -> str:
    return f"<path d={quoteattr(course)}/>"


def _head(diagram: HeadedDiagram, places: Sequence[Point], width: float) -> list[str]:
    x, y = width / 2, _MARGIN + _HEIGHT / 2
    legs = [_line((x, y), places[diagram.labels.index(leg)]) for leg in diagram.legs]
    if len(diagram.legs) < diagram.n:
        legs.append(_line((x, y), (x, y + 16)))
    return [*legs, f'<rect x="{x - 5:g}" y="{y - 5:g}" width="10" height="10" fill="currentColor"/>']


def _line(a: Point, b: Point) -> str:
    return f'<line x1="{a[0]:g}" y1="{a[1]:g}" x2="{b[0]:g}" y2="{b[1]:g}" stroke-dasharray="4 2"/>'


def _graph(diagram: GraphDiagram, places: Sequence[Point]) -> list[str]:
    row = _MARGIN + _HEIGHT / 2
    vertices = [(_MARGIN + _GAP * v, row) for v in range(diagram.vertices)]
    shapes = [_line(places[p], vertices[v]) for p, v in enumerate(diagram.labels)]
    for u, v in diagram.edges:
        (x, y), (z, _) = vertices[u], vertices[v]
        if u == v:
            shapes.append(f'<circle cx="{x:g}" cy="{y - 7:g}" r="7"/>')
        else:
            shapes.append(_path(f"M{x:g},{y:g} Q{(x + z) / 2:g},{y - 9 * (v - u - 1):g} {z:g},{y:g}"))
    return [*shapes, *(f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="currentColor"/>' for x, y in vertices)]


def _label(place: Point, word: str) -> str:
    x, y = place
    return f'<text x="{x + 5:g}" y="{y - 5:g}" font-size="12" fill="currentColor" stroke="none">{word}</text>'
