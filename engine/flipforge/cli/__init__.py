"""The command line: it wires executor, store and plugins to a run; data goes to stdout, the rest to stderr."""

from flipforge.cli._main import main

__all__ = ["main"]
