"""Straight-line programs: of bilinear maps, the intermediate form of code export, and of equivariant layers.

A program of a bilinear map is built from a scheme, or composed of one a level of recursion. A layer program
(`LayerProgram`) applies diagrams through shared intermediates. Both count their operations, run on NumPy arrays as the
reference, and run on symbols, which proves what they compute.
"""

from flipforge.programs._compose import compose
from flipforge.programs._execute import evaluate, execute, multiply, run_linear
from flipforge.programs._files import PROGRAM_FORMAT, dump_program, dump_reduced, is_program_file, read_program
from flipforge.programs._layer import Fixed, LayerProgram, Polynomial, Step, evaluate_polynomial, polynomial_text
from flipforge.programs._layer_build import Core, assemble, cores, halves, remaining, single, whole
from flipforge.programs._layer_fixed import FixedLayer, dense_is_faster
from flipforge.programs._layer_object import (
    LAYER_FORMAT,
    Layer,
    dump_layer,
    is_layer_file,
    layer_document,
    read_layer_document,
    read_layer_file,
)
from flipforge.programs._layer_print import LAYER_TARGETS, LayerTarget, layer_source
from flipforge.programs._layer_run import Engine, apply_layer, layer_gradients
from flipforge.programs._linear import Builder, Combination, LinearProgram, Operations, Term
from flipforge.programs._program import Program, program
from flipforge.programs._slp import dump_slp, read_slp

__all__ = [
    "LAYER_FORMAT",
    "LAYER_TARGETS",
    "PROGRAM_FORMAT",
    "Builder",
    "Combination",
    "Core",
    "Engine",
    "Fixed",
    "FixedLayer",
    "Layer",
    "LayerProgram",
    "LayerTarget",
    "LinearProgram",
    "Operations",
    "Polynomial",
    "Program",
    "Step",
    "Term",
    "apply_layer",
    "assemble",
    "compose",
    "cores",
    "dense_is_faster",
    "dump_layer",
    "dump_program",
    "dump_reduced",
    "dump_slp",
    "evaluate",
    "evaluate_polynomial",
    "execute",
    "halves",
    "is_layer_file",
    "is_program_file",
    "layer_document",
    "layer_gradients",
    "layer_source",
    "multiply",
    "polynomial_text",
    "program",
    "read_layer_document",
    "read_layer_file",
    "read_program",
    "read_slp",
    "remaining",
    "run_linear",
    "single",
    "whole",
]
