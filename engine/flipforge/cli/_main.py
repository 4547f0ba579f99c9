"""The application, and the one place where an error becomes a line and an exit code."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from flipforge import __version__
from flipforge.cli import _basis, _catalogue, _export, _lift, _objects, _plot, _search
from flipforge.errors import FlipforgeError

__all__ = ["app", "main"]

_INTERRUPTED = 130
_USAGE = 2
_UsageError = typer.BadParameter.__base__  # click's, or the copy of it that typer carries

app = typer.Typer(
    help="Search for fast matrix multiplication schemes and other exact objects, prove them, keep them, export them.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (_search, _plot, _catalogue, _objects, _lift, _basis, _export):
    module.register(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"flipforge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with the contract's code."""
    signal.signal(signal.SIGTERM, _terminated)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(words or ["--help"], standalone_mode=False, prog_name="flipforge")
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = _complain("interrupted", _INTERRUPTED)
    except FlipforgeError as error:
        code = _complain(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader has gone, as in `flipforge query | head`: leave nothing for Python to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if _UsageError is None or not isinstance(error, _UsageError):
            raise
        code = _complain(f"{error.format_message()} (see flipforge --help)", _USAGE)  # type: ignore[attr-defined]
    sys.exit(code)


def _complain(message: str, code: int) -> int:
    print(f"flipforge: {' '.join(message.split())}", file=sys.stderr)
    return code


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
