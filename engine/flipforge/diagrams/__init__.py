"""Diagrams: exact bases of the maps between tensor powers that commute with a group.

A diagram from k to l points stands for a matrix of n^l rows and n^k columns; composition, tensor product and transpose
are done on the diagrams.
"""

from flipforge.diagrams._calculus import GRAPHS, PARTITIONS, SYMPLECTIC, Calculus, Terms
from flipforge.diagrams._combination import Combination
from flipforge.diagrams._compose import compose, compose_symplectic, identity
from flipforge.diagrams._contract import apply_graph
from flipforge.diagrams._diagram import Diagram
from flipforge.diagrams._draw import svg, text
from flipforge.diagrams._enumerate import ANY, EVEN, PAIRS, SMALL, Blocks, partitions
from flipforge.diagrams._graph import GraphDiagram, bilabelled, compose_graphs, graph_matrix, graph_values
from flipforge.diagrams._group import (
    MOST_DIAGRAMS,
    Group,
    TiedFamily,
    TiedGroup,
    check_listable,
    check_shape,
    group,
    group_names,
    register_group,
)
from flipforge.diagrams._headed import HeadedDiagram, headed, jellyfish, levi_civita
from flipforge.diagrams._headed_calculus import HeadedCalculus
from flipforge.diagrams._matrices import (
    SparseMatrix,
    diagram_matrix,
    headed_matrix,
    orbit_matrix,
    symplectic_form,
    symplectic_matrix,
)
from flipforge.diagrams._orbit import OrbitDiagram
from flipforge.diagrams._partition import PartitionDiagram, relabelled
from flipforge.diagrams._polynomial import Polynomial
from flipforge.diagrams._tied import (
    Tie,
    TiedDiagram,
    Wiring,
    compose_tied,
    sorted_ties,
    tie_rows,
    tied,
    tied_matrix,
    ties_of,
)

__all__ = [
    "ANY",
    "EVEN",
    "GRAPHS",
    "MOST_DIAGRAMS",
    "PAIRS",
    "PARTITIONS",
    "SMALL",
    "SYMPLECTIC",
    "Blocks",
    "Calculus",
    "Combination",
    "Diagram",
    "GraphDiagram",
    "Group",
    "HeadedCalculus",
    "HeadedDiagram",
    "OrbitDiagram",
    "PartitionDiagram",
    "Polynomial",
    "SparseMatrix",
    "Terms",
    "Tie",
    "TiedDiagram",
    "TiedFamily",
    "TiedGroup",
    "Wiring",
    "apply_graph",
    "bilabelled",
    "check_listable",
    "check_shape",
    "compose",
    "compose_graphs",
    "compose_symplectic",
    "compose_tied",
    "diagram_matrix",
    "graph_matrix",
    "graph_values",
    "group",
    "group_names",
    "headed",
    "headed_matrix",
    "identity",
    "jellyfish",
    "levi_civita",
    "orbit_matrix",
    "partitions",
    "register_group",
    "relabelled",
    "sorted_ties",
    "svg",
    "symplectic_form",
    "symplectic_matrix",
    "text",
    "tie_rows",
    "tied",
    "tied_matrix",
    "ties_of",
]
