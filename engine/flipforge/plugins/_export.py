"""Export: the protocol of a target, and the one way a scheme goes through it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from flipforge.errors import FlipforgeError, InputError, PluginError
from flipforge.plugins._registry import get
from flipforge.plugins._report import document_of, dump, markdown
from flipforge.programs import compose, program
from flipforge.schemes import Scheme

__all__ = ["Check", "ExportReport", "ExportResult", "Exporter", "export", "levels_id", "write_texts"]


@dataclass(frozen=True)
class Check:
    """One check of generated code: what it is called, whether it held, and what exactly was run."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class ExportResult:
    """The files that an exporter wrote."""

    files: tuple[Path, ...]


class Exporter(Protocol):
    """A target of code export; plugins of kind ``exporters`` implement it.

    One that prints commutative schemes, as code that never multiplies blocks, says so by ``commutative = True``. One
    that can say more of its program for the report has ``figures(scheme)``, JSON values by heading, and
    ``plots(figures)``, SVG texts by the end of a file name; ``tools()`` names its compilers and their versions. One
    whose code has a scheme for each level of recursion has ``export_levels(schemes, folder)`` and
    ``check_levels(schemes, folder)``, which are `export` and `check` for several; a list is composed into one scheme
    for any other.
    """

    def export(self, scheme: Scheme, folder: Path, *, options: Mapping[str, Any]) -> ExportResult:
        """Write code for a scheme into a folder, which is made where it is missing.

        All files are there at the end, or none. The same scheme gives the same text.

        Raises
        ------
        VerificationError
            The scheme does not verify; it is proven again here.
        RingError
            The target cannot carry the scheme's ring.
        InputError
            An option is not known, or the folder cannot be written.
        """

    def check(self, scheme: Scheme, folder: Path) -> Sequence[Check]:
        """Run the code that `export` wrote for the scheme, and compare with exact references.

        Wrong code is a check that is not ok.
        """


@dataclass(frozen=True)
class ExportReport:
    """What an export did; `as_dict` is the JSON of ``flipforge export``.

    Attributes
    ----------
    ok
        False when a check failed.
    checks
        Empty when none was asked for.
    report
        The JSON file that keeps all this with the program's figures and the hashes of the files; Markdown and plots
        stand beside it.
    """

    target: str
    files: tuple[Path, ...]
    checks: tuple[Check, ...]
    report: Path
    ok: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ok", all(check.ok for check in self.checks))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "target": self.target,
            "files": [str(path) for path in self.files],
            "checks": [asdict(check) for check in self.checks],
            "ok": self.ok,
            "report": str(self.report),
        }


def export(
    scheme: Scheme,
    target: str,
    folder: str | Path,
    *,
    inner: Sequence[Scheme] = (),
    composed: bool = False,
    check: bool = False,
    options: Mapping[str, Any] | None = None,
) -> ExportReport:
    """Prove a scheme again, write code for it, and check that code by running it.

    Parameters
    ----------
    target
        Name of an exporter, e.g. ``"numpy"``.
    inner
        Schemes of the levels below the first; formats may differ. The last one serves all levels beyond the list.
    composed
        Make one scheme of all levels by Kronecker composition, also where the target has code for a scheme a level.
    check
        Run the generated code.

    Raises
    ------
    VerificationError
        A scheme does not verify; nothing is written.
    InputError
        A scheme is approximate, or commutative and the target does not say that it prints such schemes; or the levels
        do not go together.
    PluginError
        There is no such target, or it is broken.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from flipforge.problems import parse
    >>> from flipforge.rings import ZT
    >>> from flipforge.schemes import standard_scheme
    >>> with TemporaryDirectory() as folder:
    ...     export(standard_scheme(parse("matmul:1x2x1"), ZT), "numpy", folder, check=True).ok
    True
    """
    folder = Path(folder)
    exporter: Exporter = get("exporters", target)
    given = (scheme, *inner)
    for each in given:
        _may_ship(each, target, exporter)
    schemes = given
    if inner and (composed or not hasattr(exporter, "export_levels")):
        schemes = (_composed(given),)
    try:
        result, checks = _written(exporter, schemes, folder, check, options or {})
    except FlipforgeError:
        raise
    except Exception as error:
        raise PluginError(
            f"exporter {target!r} failed: {type(error).__name__}: {' '.join(str(error).split())}"
        ) from error
    name = f"{target}_{levels_id(schemes)}_report"
    figures, pictures = _figures(exporter, schemes, name)
    tools = exporter.tools() if hasattr(exporter, "tools") else {}
    document = document_of(
        schemes, target, result.files, checks, checked=check, options=options or {}, figures=figures, tools=tools,
        given=given,
    )  # fmt: skip
    texts = {f"{name}.json": dump(document), f"{name}.md": markdown(document, list(pictures)), **pictures}
    write_texts(folder, texts)
    return ExportReport(target, result.files, checks, folder / f"{name}.json")


def levels_id(schemes: Sequence[Scheme]) -> str:
    """Return the ID of a scheme, or 12 hexadecimal digits of the digests of several."""
    if len(schemes) == 1:
        return schemes[0].id
    return sha256(" ".join(scheme.digest for scheme in schemes).encode()).hexdigest()[:12]


def _may_ship(scheme: Scheme, target: str, exporter: Exporter) -> None:
    problem = scheme.problem
    if problem.order:
        raise InputError(
            f"{problem}: an approximate scheme computes its problem only up to eps; there is no exact code"
        )
    if problem.commutes and not getattr(exporter, "commutative", False):
        raise InputError(f"{problem}: blocks do not commute, and target {target!r} has no code for numbers alone")
    scheme.certify()  # not left to the exporter: no plugin may ship what is not proven


def _composed(schemes: Sequence[Scheme]) -> Scheme:
    """Return one scheme of all levels, proven."""
    whole = compose([program(scheme) for scheme in schemes]).prove().scheme()
    return replace(whole, provenance={"composed of": " x ".join(scheme.id for scheme in schemes)})


def _written(
    exporter: Any, schemes: Sequence[Scheme], folder: Path, check: bool, options: Mapping[str, Any]
) -> tuple[ExportResult, tuple[Check, ...]]:
    if len(schemes) == 1:
        result: ExportResult = exporter.export(schemes[0], folder, options=options)
        return result, tuple(exporter.check(schemes[0], folder)) if check else ()
    result = exporter.export_levels(schemes, folder)
    return result, tuple(exporter.check_levels(schemes, folder)) if check else ()


def _figures(exporter: Any, schemes: Sequence[Scheme], name: str) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Ask a target for the figures of its program, that of the first level, and for plots of them by file name."""
    figures = exporter.figures(schemes[0]) if hasattr(exporter, "figures") else {}
    plots = exporter.plots(figures) if hasattr(exporter, "plots") else {}
    return figures, {f"{name}_{end}": text for end, text in plots.items()}


def write_texts(folder: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """Write files into a folder: all are on disk before the first takes its place, and a failure leaves no draft.

    Parameters
    ----------
    texts
        File name to content, written as UTF-8.

    Raises
    ------
    InputError
        The folder cannot be made or written.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    drafts: list[tuple[Path, Path]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            draft = folder / f".{name}.{token_hex(4)}.tmp"
            drafts.append((draft, folder / name))
            with draft.open("x", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        for draft, path in drafts:
            draft.replace(path)
    except BaseException as error:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)
        with suppress(OSError):
            for path in made:
                path.rmdir()
        if isinstance(error, OSError):
            raise InputError(f"{folder}: cannot be written ({error.strerror}); name a folder that can") from None
        raise
    return tuple(path for _, path in drafts)
