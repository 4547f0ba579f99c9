"""What any diagram is to those who do not care which kind it is."""

from flipforge.diagrams._graph import GraphDiagram
from flipforge.diagrams._headed import HeadedDiagram
from flipforge.diagrams._orbit import OrbitDiagram
from flipforge.diagrams._partition import PartitionDiagram

__all__ = ["Diagram"]

Diagram = PartitionDiagram | HeadedDiagram | OrbitDiagram | GraphDiagram
