"""Drawings: every point and block is there, SVG is well formed, and the same diagram gives the same text."""

from xml.etree import ElementTree

import pytest

from flipforge.diagrams import (
    Diagram,
    HeadedDiagram,
    OrbitDiagram,
    PartitionDiagram,
    bilabelled,
    jellyfish,
    levi_civita,
    partitions,
    svg,
    text,
)

SVG = "{http://www.w3.org/2000/svg}"
SAMPLES: list[Diagram] = [
    *partitions(2, 1),
    *levi_civita(2, 2, 2),
    *jellyfish(1, 2, 2),
    PartitionDiagram(0, 0, ()),
    OrbitDiagram(1, 2, 4, (0, 1, 3)),
    bilabelled(1, 1, 3, [(0, 1), (1, 2), (2, 2)], [0, 1]),
]


@pytest.mark.parametrize("diagram", SAMPLES)
def test_svg(diagram: Diagram) -> None:
    picture = ElementTree.fromstring(svg(diagram))
    assert picture.tag == f"{SVG}svg"
    assert svg(diagram) == svg(diagram)
    points = [c for c in picture.iter(f"{SVG}circle") if c.get("r") == "3"]
    assert len(points) == diagram.k + diagram.l
    curves, lines, heads = (len(list(picture.iter(SVG + tag))) for tag in ("path", "line", "rect"))
    if isinstance(diagram, PartitionDiagram | HeadedDiagram):
        assert curves == diagram.k + diagram.l - diagram.size
        assert (lines, heads) == ((diagram.n, 1) if isinstance(diagram, HeadedDiagram) else (0, 0))


def test_different_diagrams_look_different() -> None:
    assert len({svg(diagram) for diagram in SAMPLES}) == len(SAMPLES)
    assert len({text(diagram) for diagram in partitions(2, 2)}) == 15


def test_text() -> None:
    assert text(PartitionDiagram(2, 2, (0, 1, 1, 0))) == "a b\nb a"
    assert text(PartitionDiagram(2, 0, (0, 0))) == "-\na a"
    assert text(HeadedDiagram(1, 1, 2, (0, 1), (0, 1))) == "A\nB"
    assert text(OrbitDiagram(1, 1, 5, (0, 2))) == "0\n2"
    assert text(SAMPLES[-1]) == "a\nb\nedges ab bc cc; unlabelled c"
    assert text(PartitionDiagram(30, 0, tuple(range(30)))).endswith("z a1 b1 c1 d1")
