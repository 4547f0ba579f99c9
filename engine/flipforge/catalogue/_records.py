"""Schemes, lineage and runs as the values SQLite keeps, and back."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flipforge.catalogue._schema import ORIGINS
from flipforge.errors import InputError, MalformedError, VerificationError
from flipforge.problems import Problem, parse
from flipforge.programs import LAYER_FORMAT, Layer, dump_layer, read_layer_document
from flipforge.schemes import Scheme, costs
from flipforge.schemes.formats import (
    CERTIFICATE_FORMAT,
    dump_certificate,
    dump_native,
    parse_certificate,
    read_native_document,
)
from flipforge.search import Entry, Lineage, Proven, RunRecord, Stored

__all__ = [
    "KEPT_APART",
    "Item",
    "derivation_document",
    "dump_object",
    "item_of_entry",
    "item_of_file",
    "json_text",
    "lineage_document",
    "now",
    "prove",
    "read_data",
    "read_document",
    "read_lineage",
    "read_run",
    "run_values",
]

KEPT_APART = ("origin", "run", "source", "lineage")
"""Keys of a scheme's provenance that the catalogue keeps in columns and tables of its own."""


_KINDS = {Scheme: "scheme", Layer: "layer", Proven: "certificate"}


@dataclass(frozen=True)
class Item:
    """An object to be written: what the catalogue says of it, the steps that lead to it, and what errors call it."""

    scheme: Stored
    origin: str
    label: str
    run: str | None = None
    source: str | None = None
    steps: tuple[Lineage, ...] = ()


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def json_text(value: object) -> str:
    """Write JSON as the catalogue keeps it; the order of keys stays."""
    return json.dumps(value, ensure_ascii=False)


def item_of_entry(entry: Entry, run: RunRecord | None) -> Item:
    """Judge what a caller of the store says of a scheme."""
    steps = (entry.lineage,) if entry.lineage else ()
    owner = entry.lineage.run if entry.lineage else run.id if run else ""
    label = entry.source or f"scheme {entry.scheme.id}"
    scheme = _with_claims_apart(entry.scheme) if entry.origin == "imported" else entry.scheme
    return _judged(Item(scheme, entry.origin, label, owner or None, entry.source or None, steps))


def item_of_file(scheme: Stored, label: str) -> Item:
    """Judge what a file of the project's own catalogue says of its scheme: origin, run, source and the whole lineage.

    Raises
    ------
    MalformedError
        The provenance states no origin, or lineage that does not lead to the scheme.
    """
    provenance = scheme.provenance
    try:
        steps = tuple(read_lineage(step) for step in provenance.get("lineage", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"{label}: the lineage in its provenance is broken ({error!r})") from None
    run, source = provenance.get("run"), provenance.get("source")
    if not all(text is None or isinstance(text, str) for text in (run, source)):
        raise MalformedError(f"{label}: the run and source in its provenance must be strings")
    return _judged(Item(scheme, provenance.get("origin", ""), label, run, source, steps))


def prove(item: Item) -> dict[str, Any]:
    """Return the row of an item whose scheme holds.

    What is proved is the scheme read back from the very text that the row holds.

    Raises
    ------
    VerificationError
        The scheme does not prove its statement.
    """
    scheme = item.scheme.canonical
    kept = {key: value for key, value in scheme.provenance.items() if key not in KEPT_APART}
    if len(kept) < len(scheme.provenance):
        scheme = replace(scheme, provenance=kept)
    data = zlib.compress(dump_object(scheme).encode())
    stored = read_data(data, item.label)
    if stored != scheme:
        raise MalformedError(f"{item.label}: its text does not read back as the scheme it was written from")
    verdict = stored.verdict()
    if not verdict.valid:
        raise VerificationError(f"{item.label}: {verdict.reason}")
    sizes: tuple[int | None, ...] = stored.problem.dims if stored.problem.kind == "matmul" else (None, None, None)
    return {
        "id": item.scheme.id,
        "digest": item.scheme.digest,
        "kind": _KINDS[type(stored)],
        "problem": stored.problem.name,
        **dict(zip("nmp", sizes, strict=True)),
        "ring": stored.ring.name,
        **_counts(stored),
        "additions_reduced": None,
        "origin": item.origin,
        "run": item.run,
        "source": item.source,
        "created": now(),
        "data": data,
    }


def _counts(stored: Stored) -> dict[str, int | float | None]:
    """Return the costs of a scheme or layer; a certificate has its size, and that of its witness in characters."""
    if isinstance(stored, Proven):
        size = len(json_text(stored.certificate.witness))
        return {"rank": stored.rank, "additions": size, "nonzeros": stored.rank, "omega": None}
    return layer_counts(stored) if isinstance(stored, Layer) else costs(stored).as_dict()


def layer_counts(layer: Layer) -> dict[str, int | float | None]:
    """Return the columns of a layer: elements touched as rank, instructions as additions, weights as nonzeros."""
    program = layer.program
    return {"rank": layer.rank, "additions": len(program.steps), "nonzeros": program.weights, "omega": None}


def dump_object(stored: Stored) -> str:
    """Write an object as the text of its file."""
    if isinstance(stored, Proven):
        return dump_certificate(replace(stored.certificate, provenance=dict(stored.provenance)))
    return dump_layer(stored) if isinstance(stored, Layer) else dump_native(stored)


def read_document(document: Mapping[str, Any], source: str, known: Problem | None = None) -> Stored:
    """Build the object of a parsed file of the project's own, unproved."""
    if document.get("format") == CERTIFICATE_FORMAT:
        return Proven.of(parse_certificate(document))
    if document.get("format") == LAYER_FORMAT:
        return read_layer_document(document, source)
    return read_native_document(document, source, known)


def read_data(data: bytes, source: str) -> Stored:
    """Read the object a row holds."""
    try:
        document = json.loads(zlib.decompress(data))
    except (zlib.error, ValueError) as error:
        raise MalformedError(f"{source}: its text is damaged ({error})") from None
    name = document.get("problem")
    known = _named_problem(name) if isinstance(name, str) and "tensor:" not in name else None
    return read_document(document, source, known)


def lineage_document(step: Lineage) -> dict[str, Any]:
    """Return a step as the JSON object that scheme files hold; that of most walks has no arguments or sources."""
    document = {**vars(step), "seed": list(step.seed), "effort": dict(step.effort)}
    del document["arguments"], document["sources"]
    return document | derivation_document(step)


def derivation_document(step: Lineage) -> dict[str, Any]:
    """Return the arguments and sources of a step; nothing where it has none."""
    if not step.sources and not step.arguments:
        return {}
    return {"arguments": dict(step.arguments), "sources": [list(source) for source in step.sources]}


def read_lineage(document: Mapping[str, Any]) -> Lineage:
    """Read what `lineage_document` wrote."""
    texts = {key: document[key] for key in ("child", "parent", "method", "walk_version", "run")}
    seed, effort = document["seed"], document["effort"]
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"a step from {texts['parent']!r} to {texts['child']!r} names something that is not a string")
    if not all(type(number) is int for number in (*seed, *effort.values())):
        raise ValueError(f"the seed or effort of {texts['child']} holds something that is not an integer")
    arguments, sources = document.get("arguments", {}), document.get("sources", ())
    if not isinstance(arguments, dict) or not all(isinstance(text, str) for source in sources for text in source):
        raise ValueError(f"the arguments or sources of {texts['child']} are not those of a derivation")
    pairs = tuple((identity, problem) for identity, problem in sources)
    if pairs and pairs[0][0] != texts["parent"]:
        raise ValueError(f"the first source of {texts['child']} is {pairs[0][0]}, its parent is {texts['parent']}")
    return Lineage(seed=tuple(seed), effort=dict(effort), arguments=arguments, sources=pairs, **texts)


def run_values(run: RunRecord) -> dict[str, Any]:
    """Return the columns of a run."""
    moment = now()
    return {
        **vars(run),
        "config": json_text(run.config),
        "checkpoint": zlib.compress(json_text(run.checkpoint).encode()),
        "created": run.created or moment,
        "updated": run.updated or moment,
    }


def read_run(row: Mapping[str, Any]) -> RunRecord:
    """Read what `run_values` wrote."""
    values = dict(row)
    values["config"] = json.loads(values["config"])
    values["checkpoint"] = json.loads(zlib.decompress(values["checkpoint"]))
    return RunRecord(**values)


def _with_claims_apart(scheme: Stored) -> Stored:
    """Move what an imported file says of origin, run and lineage where nobody takes it for the catalogue's own word."""
    claims = {key: scheme.provenance[key] for key in (*KEPT_APART, "stated") if key in scheme.provenance}
    if not claims:
        return scheme
    rest = {key: value for key, value in scheme.provenance.items() if key not in claims}
    return replace(scheme, provenance={**rest, "stated": claims})


def _judged(item: Item) -> Item:
    if item.origin not in ORIGINS:
        raise InputError(f"{item.label}: origin {item.origin!r} is not one of {', '.join(ORIGINS)}")
    if item.steps and item.steps[-1].child != item.scheme.id:
        raise InputError(f"{item.label}: its lineage leads to {item.steps[-1].child}, the scheme is {item.scheme.id}")
    return item


@lru_cache(maxsize=256)
def _named_problem(name: str) -> Problem:
    return parse(name)
