"""Settle problem and ring of a file's schemes, and let the Brent equations judge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flipforge.certificates import Certificate, Verdict, check
from flipforge.errors import FormatError, InputError, MalformedError, NotFoundError, RingError, VerificationError
from flipforge.problems import Problem
from flipforge.rings import GF2, GF3, Q, Ring, smallest_ring
from flipforge.schemes._scheme import Scheme
from flipforge.schemes.formats._certificate import Decided
from flipforge.schemes.formats._draft import MAX_BYTES, Draft
from flipforge.schemes.formats._recognise import read_contents, sms_parts

__all__ = ["Judged", "is_there", "judge_certificate", "judge_file", "read_bytes", "read_file"]

TRIED = (Q, GF2, GF3)
"""The rings tried, in this order, where neither file nor caller says one."""


@dataclass(frozen=True)
class Judged:
    """A scheme or certificate of a file with the verdict on it.

    Attributes
    ----------
    source
        The path, with ``:key`` or ``#n`` after it where a file holds several schemes.
    scheme
        The proved scheme; None where the verdict is no, and for a certificate that is not one of a scheme.
    problem, ring, rank
        What was judged, as far as the file could be read and states it.
    certificate
        The certificate, where it is not one of a scheme.
    """

    source: str
    scheme: Scheme | None
    problem: str | None
    ring: str | None
    rank: int | None
    verdict: Verdict
    certificate: Certificate | None = None


def judge_file(path: str | Path, *, problem: Problem | None = None, ring: Ring | None = None) -> list[Judged]:
    """Read a scheme or certificate file of any known format and decide every scheme in it.

    Parameters
    ----------
    problem, ring
        Decide where the file states none, and overrule what it states. Without a ring Q, GF(2) and GF(3) are tried in
        turn and the first that holds is reported; a scheme that holds over Q is reported over the smallest of ZT, Z,
        Z[1/2] and Q that has its entries.

    Raises
    ------
    InputError
        No verdict can be formed: the file is missing, unreadable or of no known format, or nothing settles the problem.
    """
    path = Path(path)
    try:
        contents = read_contents(_read_parts(path), path, problem)
        return [
            _told(str(path), content.certificate, content.verdict)
            if isinstance(content, Decided)
            else _judge(str(path), content, problem, ring)
            for content in contents
        ]
    except VerificationError as error:
        verdict = Verdict("MALFORMED" if isinstance(error, MalformedError) else "REFUTED", str(error))
        asked = problem.name if problem else None, ring.name if ring else None
        return [Judged(str(path), None, *asked, None, verdict)]
    except InputError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from None


def read_file(path: str | Path, *, problem: Problem | None = None, ring: Ring | None = None) -> list[Scheme]:
    """Return the schemes of a file, all of them proved.

    Raises
    ------
    MalformedError, VerificationError
        The first scheme that is malformed or refuted.
    InputError
        As `judge_file`, or the file is a certificate that holds no scheme.
    """
    schemes = []
    for judged in judge_file(path, problem=problem, ring=ring):
        if judged.certificate is not None:
            raise FormatError(f"{judged.source}: a certificate of kind {judged.certificate.kind!r} holds no scheme")
        if judged.scheme is None:
            error = MalformedError if judged.verdict.decision == "MALFORMED" else VerificationError
            raise error(f"{judged.source}: {judged.verdict.decision}: {judged.verdict.reason}")
        schemes.append(judged.scheme)
    return schemes


def is_there(path: str | Path) -> bool:
    """Tell whether a path names a file, or an SMS triple: ``x.sms`` names ``x_L.sms``, ``x_R.sms`` and ``x_P.sms``."""
    path = Path(path)
    return path.exists() or all(part.is_file() for part in sms_parts(path))


def _read_parts(path: Path) -> dict[Path, bytes]:
    """Read the file, or the three files of an SMS triple."""
    return {part: read_bytes(part) for part in sms_parts(path)}


def read_bytes(path: Path) -> bytes:
    """Return the content of a file that is not too large, or raise `InputError`."""
    try:
        if not path.is_file():
            raise NotFoundError(f"{path}: {'not a regular file' if path.exists() else 'no such file'}")
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{path}: larger than the limit of {MAX_BYTES} bytes")
    return data


def judge_certificate(certificate: Certificate, source: str) -> Judged:
    """Decide a certificate that is not one of a scheme."""
    return _told(source, certificate, check(certificate))


def _told(source: str, certificate: Certificate, verdict: Verdict) -> Judged:
    """Return the row of a certificate; what it states of problem, ring and size are mere labels."""
    statement = certificate.statement
    problem, ring, rank = (statement.get(key) for key in ("problem", "ring", "rank"))
    if verdict.decision in ("PROVED", "EVIDENCE"):
        verdict = replace(verdict, reason=f"{verdict.reason}; this trusts {verdict.trusts}".removeprefix("; "))
    return Judged(
        source,
        None,
        problem if isinstance(problem, str) else None,
        ring if isinstance(ring, str) else None,
        rank if type(rank) is int else None,
        verdict,
        certificate,
    )


def _judge(path: str, draft: Draft, problem: Problem | None, ring: Ring | None) -> Judged:
    source, target, stated = path + draft.label, problem or draft.problem, draft.ring
    if target is None:
        raise InputError(f"{source}: neither the file nor its name states the problem; give it with --problem")
    if ring and stated and stated.characteristic and ring != stated:
        raise RingError(f"{source}: the file states {stated}; its scheme has no image over {ring}, lift it instead")
    asked = ring or stated
    rings: Sequence[Ring] = (asked,) if asked else TRIED
    reasons = []
    for base in rings:
        try:
            scheme = _over(draft, target, base)
        except RingError as error:
            reasons.append(str(error))
            continue
        except MalformedError as error:
            name = asked.name if asked else None
            return Judged(source, None, target.name, name, len(draft.u), Verdict("MALFORMED", str(error)))
        verdict = scheme.verdict()
        if verdict.valid:
            if not asked and not base.characteristic:
                scheme = _over(
                    draft,
                    target,
                    smallest_ring(x for rows in (scheme.u, scheme.v, scheme.w) for row in rows for x in row),
                )
            return Judged(source, scheme, target.name, scheme.ring.name, scheme.rank, verdict)
        reasons.append(verdict.reason)
    tried = "" if asked else f" (tried {', '.join(base.name for base in rings)})"
    verdict = Verdict("REFUTED", reasons[0] + tried)
    return Judged(source, None, target.name, rings[0].name, len(draft.u), verdict)


def _over(draft: Draft, problem: Problem, ring: Ring) -> Scheme:
    u, v, w = (tuple(tuple(map(ring.reduce, row)) for row in rows) for rows in (draft.u, draft.v, draft.w))
    return Scheme(problem, ring, u, v, w, draft.provenance)
