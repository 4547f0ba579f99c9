"""The schemes that come with flipforge: where they are, and what their files say."""

import json
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from flipforge.catalogue._records import Item, item_of_file, read_document
from flipforge.certificates import Certificate
from flipforge.errors import CatalogueError, MalformedError
from flipforge.schemes.formats import parse_certificate

__all__ = [
    "CERTIFICATES",
    "file_stem",
    "file_word",
    "read_item",
    "shipped_certificates",
    "shipped_items",
    "shipped_schemes",
    "shipped_stamp",
]

CERTIFICATES = "certificates"
"""The folder of what is proved of the schemes in the folder around it, beside their equations."""
_LARGE = "large"
"""A folder of files that a new catalogue is not made with: to prove them takes as long as all others together."""


def shipped_schemes() -> Path:
    """Return the folder of committed schemes: ``flipforge/_catalogue`` in a wheel, ``schemes`` of the tree otherwise.

    Raises
    ------
    CatalogueError
        Neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    folders = (package / "_catalogue", package.parent.parent / "schemes")
    for folder in folders:
        if folder.is_dir():
            return folder
    raise CatalogueError(f"neither {folders[0]} nor {folders[1]} is there; install flipforge again")


def shipped_stamp(folder: Path) -> str:
    """Return a hash of the names and sizes of a folder's files; names carry IDs, so it changes when a scheme does."""
    listing = [f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n" for path in _files(folder)]
    return sha256("".join(listing).encode()).hexdigest()


def shipped_items(folder: Path, problem: str | None = None) -> Iterator[Item]:
    """Read the scheme files of a folder, with the origin and lineage that they state; subfolders too, but for large.

    With ``problem`` only those whose name begins with that of the problem.
    """
    return map(read_item, _of_problem(_files(folder, CERTIFICATES), problem))


def shipped_certificates(folder: Path, problem: str | None = None) -> Iterator[Certificate]:
    """Read the certificates about the schemes of a folder, unchecked; those of one problem as `shipped_items` does.

    Raises
    ------
    CatalogueError, MalformedError, FormatError
        A file cannot be read, or is no certificate.
    """
    paths = (path for path in _files(folder) if CERTIFICATES in path.relative_to(folder).parts)
    return (parse_certificate(_document(path)) for path in _of_problem(paths, problem))


def file_stem(problem: str) -> str:
    """Return how the names of a problem's files begin."""
    return file_word(re.sub(r"(sha256=[0-9a-f]{12})[0-9a-f]*", r"\1", problem))


def file_word(text: str) -> str:
    """Return a text as a part of a file's name."""
    return re.sub("[^A-Za-z0-9.]+", "-", text).strip("-")


def read_item(path: Path) -> Item:
    """Read a scheme file of the project's own, trusting its provenance.

    Raises
    ------
    CatalogueError
        The file cannot be read.
    MalformedError, FormatError
        It is not a scheme file, or states no origin.
    """
    return item_of_file(read_document(_document(path), str(path)), str(path))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise MalformedError(f"{path}: not JSON ({error})") from None
    if not isinstance(document, dict):
        raise MalformedError(f"{path}: holds {type(document).__name__}, not an object")
    return document


def _of_problem(paths: Iterable[Path], problem: str | None) -> Iterator[Path]:
    begins = "" if problem is None else file_stem(problem) + "_"
    return (path for path in paths if path.name.startswith(begins))


def _files(folder: Path, *without: str) -> list[Path]:
    """Return the files of a folder and those inside it, but for those named and the large one."""
    apart = {_LARGE, *without}
    return sorted(path for path in folder.rglob("*.json") if apart.isdisjoint(path.relative_to(folder).parts))
