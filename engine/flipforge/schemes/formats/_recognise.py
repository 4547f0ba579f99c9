"""Tell the format of a file by its content, its name helping where the content is damaged, and call the reader."""

from collections.abc import Callable, Mapping
from pathlib import Path
from re import ASCII, MULTILINE
from re import compile as regex
from typing import Any

from flipforge.errors import FormatError, MalformedError
from flipforge.problems import Problem
from flipforge.schemes.formats._certificate import CERTIFICATE_FORMAT, Decided, certificate_content
from flipforge.schemes.formats._draft import Draft, load_json
from flipforge.schemes.formats._exp import exp_draft
from flipforge.schemes.formats._fmm import fmm_draft
from flipforge.schemes.formats._lists import mathematica_draft, ternary_drafts
from flipforge.schemes.formats._native import FORMAT, native_draft
from flipforge.schemes.formats._npz import npy_drafts, npz_drafts
from flipforge.schemes.formats._products import products_draft
from flipforge.schemes.formats._sms import sms_draft, sms_parts

__all__ = ["read_contents", "sms_parts"]

KNOWN = "flipforge, certificate, fmm (full or reduced), exp, txt (m1 = ..), ternary txt, Mathematica .m, npy, npz, sms"

Content = Draft | Decided

_OURS = regex(r'"flipforge-|"(?:[uvw](?:_fresh)?|witness|multiplications)"\s*:')
_PRODUCT_LINE = regex(r"^\s*m[0-9]+\s*=", MULTILINE)
_EXP_LINE = regex(r"^[-+ (0-9*/]*a(?:[0-9]{2}|[0-9]+_|\[)[^\n=]*b(?:[0-9]{2}|[0-9]+_|\[)", MULTILINE)
_SMS_HEADER = regex(r"^\s*[0-9]+\s+[0-9]+\s+[A-Za-z]\s*$", MULTILINE)
_INTEGER = regex(r"[-+]?[0-9]+", ASCII)


def read_contents(parts: Mapping[Path, bytes], path: Path, problem: Problem | None) -> list[Content]:
    """Read what the files hold: schemes, or a certificate of anything else.

    Parameters
    ----------
    parts
        The bytes of the file, or of the three files of an SMS triple.
    path
        The name that was asked for.

    Raises
    ------
    FormatError
        No format is recognised, or its version is not known.
    MalformedError, VerificationError
        The format is known, and the content is not what it must be.
    """
    if len(parts) == 3:
        return [sms_draft([data.decode("utf-8", "replace") for data in parts.values()], problem)]
    data = next(iter(parts.values()))
    suffix = path.suffix.lower()
    if not data.strip():
        raise FormatError(f"{path}: the file is empty")
    if data.startswith(b"PK\x03\x04") or suffix == ".npz":
        return [*npz_drafts(data)]
    if data.startswith(b"\x93NUMPY") or suffix == ".npy":
        return [*npy_drafts(data, path.name, problem)]
    text = data.decode("utf-8-sig", "replace")
    if reader := _text_reader(text, suffix):
        return reader(text, path.name, problem)
    raise FormatError(f"{path}: no known scheme format; known are {KNOWN}")


TextReader = Callable[[str, str, Problem | None], list[Content]]


def _text_reader(text: str, suffix: str) -> TextReader | None:
    start = text.lstrip()
    if suffix == ".m" or (start[:1] == "{" and start[1:].lstrip()[:1] == "{"):
        return lambda text, _name, _problem: [mathematica_draft(text)]
    if start[:1] == "{" or (suffix == ".json" and _OURS.search(text)):
        return _read_json
    if _PRODUCT_LINE.search(text):
        return lambda text, name, problem: [products_draft(text, name, problem)]
    if suffix == ".exp" or _EXP_LINE.search(text):
        return lambda text, _name, problem: [exp_draft(text, problem)]
    if suffix == ".sms" or _SMS_HEADER.search(text[:4096]):
        raise FormatError("one matrix is no scheme; name the files X_L.sms, X_R.sms and X_P.sms and keep them together")
    tokens = text[:65536].split()
    if len(tokens) >= 10 and sum(1 for token in tokens if _INTEGER.fullmatch(token)) > 0.9 * len(tokens):
        return lambda text, _name, _problem: [*ternary_drafts(text)]
    return None


def _read_json(text: str, _name: str, problem: Problem | None) -> list[Content]:
    try:
        document = load_json(text)
    except MalformedError:
        if _OURS.search(text):
            raise
        raise FormatError(f"JSON of no known scheme format, or broken beyond recognition; known are {KNOWN}") from None
    if not isinstance(document, dict):
        raise FormatError(f"JSON that is no object; known are {KNOWN}")
    return [_document_content(document, problem)]


def _document_content(document: Mapping[str, Any], problem: Problem | None) -> Content:
    stated = document.get("format")
    if stated == FORMAT:
        return native_draft(document, problem)
    if stated == CERTIFICATE_FORMAT:
        return certificate_content(document)
    if stated is not None:
        known = f"{FORMAT} and {CERTIFICATE_FORMAT}"
        raise FormatError(f"format {str(stated)[:60]!r} is not known; this version reads {known}")
    if len({"n", "m", "z2", "u", "v", "w", "u_fresh"} & document.keys()) >= 3:
        return fmm_draft(document)
    raise FormatError(f"JSON of no known scheme format; known are {KNOWN}")
