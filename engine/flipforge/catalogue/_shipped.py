"""The schemes that come with flipforge: where they are, and what their files say."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from flipforge.catalogue._records import Item, item_of_file, read_document
from flipforge.errors import CatalogueError, MalformedError

__all__ = ["read_item", "shipped_items", "shipped_schemes", "shipped_stamp"]

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


def shipped_items(folder: Path) -> Iterator[Item]:
    """Read the scheme files of a folder, with the origin and lineage that they state; subfolders too, but for large."""
    return map(read_item, _files(folder))


def read_item(path: Path) -> Item:
    """Read a scheme file of the project's own, trusting its provenance.

    Raises
    ------
    CatalogueError
        The file cannot be read.
    MalformedError, FormatError
        It is not a scheme file, or states no origin.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise MalformedError(f"{path}: not JSON ({error})") from None
    if not isinstance(document, dict):
        raise MalformedError(f"{path}: holds {type(document).__name__}, not an object")
    return item_of_file(read_document(document, str(path)), str(path))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.json") if _LARGE not in path.relative_to(folder).parts)
