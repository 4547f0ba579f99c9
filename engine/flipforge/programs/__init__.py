"""Straight-line programs of bilinear maps: the intermediate form of code export.

A program is built from a scheme, or composed of one a level of recursion; it counts its operations, runs on NumPy
arrays as the reference, and runs on symbols, which proves what it computes.
"""

from flipforge.programs._compose import compose
from flipforge.programs._execute import evaluate, execute, multiply, run_linear
from flipforge.programs._files import PROGRAM_FORMAT, dump_program, dump_reduced, read_program
from flipforge.programs._linear import Builder, Combination, LinearProgram, Operations, Term
from flipforge.programs._program import Program, program
from flipforge.programs._slp import dump_slp, read_slp

__all__ = [
    "PROGRAM_FORMAT",
    "Builder",
    "Combination",
    "LinearProgram",
    "Operations",
    "Program",
    "Term",
    "compose",
    "dump_program",
    "dump_reduced",
    "dump_slp",
    "evaluate",
    "execute",
    "multiply",
    "program",
    "read_program",
    "read_slp",
    "run_linear",
]
