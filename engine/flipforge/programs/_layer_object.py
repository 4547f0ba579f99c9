"""Layer programs as objects of the catalogue: identity, proof, file."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from flipforge.certificates import Certificate, Verdict, check
from flipforge.diagrams import PartitionDiagram, Tie, TiedDiagram, Wiring, ties_of
from flipforge.errors import FormatError, InputError, MalformedError, ProblemError, VerificationError
from flipforge.problems import LayerProblem, parse
from flipforge.programs._layer import Fixed, LayerProgram, Step, polynomial_text
from flipforge.rings import Ring, Z
from flipforge.schemes import ID_LENGTH
from flipforge.schemes.formats import load_json

__all__ = [
    "LAYER_FORMAT",
    "Layer",
    "dump_layer",
    "is_layer_file",
    "layer_document",
    "read_layer_document",
    "read_layer_file",
]

LAYER_FORMAT = "flipforge-layer/1"
_HEAD = 4096
_KEYS = ("format", "problem", "ring", "rank", "operations", "fixed", "registers", "steps", "provenance")


@dataclass(frozen=True)
class Layer:
    """A layer program for a problem.

    Building one does not prove that the program computes the problem; `certify` does.

    Attributes
    ----------
    provenance
        JSON values that tell where the program comes from; not part of its identity.

    Examples
    --------
    >>> from flipforge.diagrams import partitions
    >>> from flipforge.problems import layer
    >>> from flipforge.programs import assemble, cores
    >>> program = assemble(list(partitions(2, 2)), cores(2), cores(2), k=2, l=2)
    >>> made = Layer(layer("S:10", 2, 2), program)
    >>> made.rank, made.verdict().valid
    (734, True)
    """

    problem: LayerProblem
    program: LayerProgram
    provenance: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    ring: ClassVar[Ring] = Z
    checker: ClassVar[str] = "flipforge.layer/1"

    @cached_property
    def rank(self) -> int:
        """Elements touched at the problem's n: what takes the place of a rank."""
        return self.program.cost(self.n)

    @property
    def n(self) -> int:
        """Length of the axes, which the program knows where the group's name does not tell."""
        return self.problem.n if self.program.fixed is None else self.program.fixed.n

    @property
    def canonical(self) -> "Layer":
        """The program as it stands: equal programs are written alike, other programs are other objects."""
        return self

    @cached_property
    def digest(self) -> str:
        """All 64 hex digits of the hash over problem, ring and program."""
        rows = [self.problem.name, self.ring.name, _text(self.program.orders)]
        rows += (
            f"{s.target} {s.source} {_text(s.diagram.labels)} {s.weight}" + "".join(map(_tie_text, ties_of(s.diagram)))
            for s in self.program.steps
        )
        return sha256("\n".join(rows).encode()).hexdigest()

    @property
    def id(self) -> str:
        """First 12 hex digits of `digest`."""
        return self.digest[:ID_LENGTH]

    def certificate(self) -> Certificate:
        """Return statement and witness, undecided."""
        problem, program = self.problem, self.program
        statement = {
            "problem": problem.name,
            "ring": self.ring.name,
            "rank": self.rank,
            "group": problem.group.partition(":")[0],
            "n": self.n,
            "k": problem.k,
            "l": problem.l,
            "operations": list(program.operations),
        }
        witness: dict[str, Any] = {"registers": list(program.orders), "steps": _rows(program)}
        if program.fixed is not None and problem.group.startswith("Aut:"):
            statement["edges"] = [list(edge) for edge in program.fixed.edges]
            witness["generators"] = [list(images) for images in program.fixed.generators]
        return Certificate("layer", statement, witness, self.checker, {"layer": self.id})

    def verdict(self) -> Verdict:
        """Decide whether the program applies a basis of the problem's maps, each diagram with a weight of its own."""
        return check(self.certificate())

    def certify(self) -> Certificate:
        """Return the proof.

        Raises
        ------
        VerificationError
            The program does not compute the problem.
        """
        verdict = self.verdict()
        if not verdict.valid:
            raise VerificationError(f"layer program of {self.problem}: {verdict.reason}")
        return self.certificate()

    def describe(self) -> str:
        """Return the program as text, one instruction a line."""
        program = self.program
        names = ["x", "y", *(f"t{number}" for number in range(2, len(program.orders)))]
        sizes = f"{program.weights} diagrams, {len(program.steps)} instructions, {len(names) - 2} intermediates"
        lines = [
            f"{self.problem}: {sizes}",
            f"operations {polynomial_text(program.operations)} = {self.rank} at n = {self.n}",
        ]
        if program.symplectic:
            lines.append("a letter that stands twice on one side joins its axes by the symplectic form")
        for target, source, diagram, weight in program.steps:
            letters = [chr(ord("a") + label) for label in diagram.labels]
            above, below = "".join(letters[: diagram.l]), "".join(letters[diagram.l :])
            factor = "" if weight is None else f"w{weight} "
            ties = "".join(f", {_tie_words(tie)}" for tie in ties_of(diagram))
            lines.append(f"{names[target]}[{above}] += {factor}{names[source]}[{below}]{ties}")
        return "\n".join(lines)


def layer_document(layer: Layer) -> dict[str, Any]:
    """Return the JSON object of a layer's file."""
    fixed = layer.program.fixed
    about = {} if fixed is None else {"fixed": {key: value for key, value in asdict(fixed).items() if value}}
    return {
        "format": LAYER_FORMAT,
        "problem": layer.problem.name,
        "ring": layer.ring.name,
        "rank": layer.rank,
        "operations": list(layer.program.operations),
        **about,
        "registers": list(layer.program.orders),
        "steps": _rows(layer.program),
        "provenance": dict(layer.provenance),
    }


def dump_layer(layer: Layer) -> str:
    """Write a layer as text: one key a line, one step a line."""
    lines = []
    for key, value in layer_document(layer).items():
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        if key == "steps" and value:
            body = ",\n".join(f"  {json.dumps(row)}" for row in value)
            text = f"[\n{body}\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read_layer_document(document: Mapping[str, Any], source: str) -> Layer:
    """Build the layer of a parsed file, unproved; what it states of its cost is compared.

    Raises
    ------
    FormatError
        The format version is not known.
    MalformedError
        A key is missing, or its value cannot be what the key says.
    """
    if document.get("format") != LAYER_FORMAT:
        raise FormatError(f"{source}: format {str(document.get('format'))[:60]!r} is not {LAYER_FORMAT}")
    missing = [key for key in _KEYS[1:-1] if key not in document and key != "fixed"]
    if missing:
        raise MalformedError(f"{source}: key {missing[0]!r} is missing")
    try:
        problem = parse(str(document["problem"]))
    except ProblemError as error:
        raise MalformedError(f"{source}: {error}") from None
    if not isinstance(problem, LayerProblem) or document["ring"] != Layer.ring.name:
        raise MalformedError(f"{source}: a layer program is for a problem layer:GROUP:K:L over {Layer.ring}")
    try:
        program = _read_program(document, problem.group.startswith("Sp:"))
    except (TypeError, ValueError, KeyError, MalformedError) as error:
        raise MalformedError(f"{source}: {error}") from None
    provenance = document.get("provenance", {})
    if not isinstance(provenance, dict):
        raise MalformedError(f"{source}: provenance is {type(provenance).__name__}, not an object")
    unknown = {key: value for key, value in document.items() if key not in _KEYS}
    layer = Layer(problem, program, {**provenance, **({"unknown_keys": unknown} if unknown else {})})
    if program.fixed is None and problem.group.startswith("Aut:"):
        raise MalformedError(f"{source}: key 'fixed' is missing, with the n of a group of permutations")
    if (program.k, program.l) != (problem.k, problem.l):
        raise MalformedError(f"{source}: registers 0 and 1 have {program.k} and {program.l} axes, not {problem.dims}")
    try:
        counted = layer.rank, list(program.operations)
    except InputError as error:  # a tie with more choices than are listed
        raise MalformedError(f"{source}: {error}") from None
    if (document["rank"], document["operations"]) != counted:
        raise MalformedError(f"{source}: the program counts {layer.rank} operations, the file says otherwise")
    return layer


def is_layer_file(path: Path) -> bool:
    """Tell whether a file says near its begin that it is one of ours with a layer program."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b'"flipforge-layer/' in stream.read(_HEAD)


def read_layer_file(path: Path) -> Layer:
    """Return the layer of a file, unproved.

    Raises
    ------
    InputError
        The file cannot be read.
    MalformedError, FormatError
        As `read_layer_document`.
    """
    try:
        document = load_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, MalformedError) as error:
        raise MalformedError(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise MalformedError(f"{path}: holds {type(document).__name__}, not an object")
    return read_layer_document(document, str(path))


def _read_program(document: Mapping[str, Any], symplectic: bool) -> LayerProgram:
    orders = document["registers"]
    if not isinstance(orders, list) or not all(type(order) is int for order in orders):
        raise MalformedError("registers must be a list of integers")
    fixed = _read_fixed(document["fixed"]) if "fixed" in document else None
    steps = []
    for number, row in enumerate(document["steps"]):
        target, source, labels, weight, *rest = row
        numbers = [target, source, *labels, *([] if weight is None else [weight])]
        if not _integers(numbers) or not 0 <= min(target, source) <= max(target, source) < len(orders):
            raise MalformedError(f"step {number} must be [target, source, labels, weight] of registers that are there")
        diagram: Wiring = PartitionDiagram(orders[source], orders[target], tuple(labels))
        if rest:
            diagram = TiedDiagram(diagram.k, diagram.l, diagram.labels, _read_ties(rest[0], f"step {number}"))
        steps.append(Step(target, source, diagram, weight))
    return LayerProgram(tuple(orders), tuple(steps), symplectic, fixed)


def _read_fixed(about: Any) -> Fixed:
    rows = [about["n"], *(x for key in ("generators", "edges") for row in about.get(key, ()) for x in row)]
    if not _integers(rows):
        raise MalformedError("fixed must hold an integer n, and lists of integers")
    tables = [tuple(map(tuple, about.get(key, ()))) for key in ("generators", "edges")]
    return Fixed(about["n"], tables[0], tables[1])


def _read_ties(rows: Any, place: str) -> tuple[Tie, ...]:
    ties = [Tie(tuple(blocks), None if values is None else tuple(values)) for blocks, values in rows]
    if not ties or not _integers([x for tie in ties for x in (*tie.blocks, *(tie.values or ()))]):
        raise MalformedError(f"{place}: ties are [blocks, values or null], of integers")
    return tuple(ties)


def _integers(numbers: Iterable[Any]) -> bool:
    return all(type(x) is int for x in numbers)


def _rows(program: LayerProgram) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for target, source, diagram, weight in program.steps:
        ties = [[list(tie.blocks), None if tie.values is None else list(tie.values)] for tie in ties_of(diagram)]
        rows.append([target, source, list(diagram.labels), weight, *([ties] if ties else [])])
    return rows


def _tie_text(tie: Tie) -> str:
    return f" {_text(tie.blocks)}:{'head' if tie.values is None else _text(tie.values)}"


def _tie_words(tie: Tie) -> str:
    letters = "".join(chr(ord("a") + block) for block in tie.blocks)
    return f"sign({letters})" if tie.values is None else f"{letters} in the orbit of {_text(tie.values)}"


def _text(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
