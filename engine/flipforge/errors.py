"""The one exception family of flipforge.

Every error a user can cause carries a one-line message that names the place and the mend, and the exit code of the
public contract.
"""

__all__ = [
    "CatalogueError",
    "FlipforgeError",
    "FormatError",
    "InputError",
    "MalformedError",
    "NotFoundError",
    "PluginError",
    "ProblemError",
    "ReplayError",
    "RingError",
    "RunInterrupted",
    "VerificationError",
]


class FlipforgeError(Exception):
    """Base of the family; ``exit_code`` is what the command line returns."""

    exit_code = 2


class InputError(FlipforgeError):
    """No verdict could be formed: usage, a missing or unreadable file, an argument out of range."""


class ProblemError(InputError):
    """A problem string that is unknown, ill-formed, out of range, or brought by a later version."""


class RingError(InputError):
    """An unknown ring, or a ring that the asked operation does not support."""


class FormatError(InputError):
    """A file whose format is not one of those known."""


class NotFoundError(InputError):
    """An ID, run or file that is not there."""


class CatalogueError(InputError):
    """A database that is not ours, is newer than this version, or cannot be written."""


class PluginError(InputError):
    """A plugin that is missing, broken, or does not keep its protocol."""


class VerificationError(FlipforgeError):
    """A verdict was formed and it is no: the object does not prove its statement."""

    exit_code = 1


class MalformedError(VerificationError):
    """A file or object of a known format whose content cannot be what it says."""


class ReplayError(FlipforgeError):
    """A replay that did not rebuild the stored object, or runs under another walk version."""

    exit_code = 1


class RunInterrupted(FlipforgeError):
    """A run that was interrupted after its checkpoint was written; ``run`` is its ID."""

    exit_code = 130

    def __init__(self, run: str) -> None:
        super().__init__(f"interrupted; go on with: flipforge resume {run}")
        self.run = run
