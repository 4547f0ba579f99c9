"""The command for bases of equivariant maps."""

from pathlib import Path
from typing import Annotated

import typer

from flipforge import api
from flipforge.cli._options import Json
from flipforge.cli._output import print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    # K and L may be negative by mistake: that is told, not taken for an option.
    app.command(context_settings={"ignore_unknown_options": True})(basis)


def basis(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="S:5, A:4, O:3, SO:3, Sp:4, H:3, B:3, Aut:petersen.")],
    k: Annotated[int, typer.Argument(metavar="K", help="Tensor factors of the input.")],
    l: Annotated[int, typer.Argument(metavar="L", help="Tensor factors of the output.")],
    listed: Annotated[bool, typer.Option("--list", help="List the diagrams.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the certificate to a file.")] = None,
    json: Json = False,
) -> None:
    """Find and certify a basis of the maps between tensor powers that commute with a group."""
    row = api.basis(group, k, l, listed=listed, out=out)
    if json:
        print_json(row)
        return
    for diagram in row.get("basis", ()):
        print(_line(diagram))
    proven = f"certified ({row['certificate']['witness']['method']})"
    how = proven if row["verdict"] == "PROVED" else f"not certified: {row['reason']}"
    print(f"{row['group']}, {k} -> {l}: dimension {row['dimension']}, {how}")
    if out is not None:
        print(f"wrote {out}")


def _line(diagram: dict[str, object]) -> str:
    """Return a diagram on one line: its kind and what defines it."""
    words = (f"{key} {value}" for key, value in diagram.items() if key not in ("kind", "k", "l", "n"))
    return f"{diagram['kind']}: {', '.join(words)}"
