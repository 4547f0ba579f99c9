"""What a plugin says of itself, in a module so light that reading it costs nothing."""

from dataclasses import asdict, dataclass
from re import fullmatch

from flipforge.errors import PluginError

__all__ = ["API_VERSION", "KINDS", "Manifest", "PluginInfo"]

API_VERSION = 1
"""Version of the plugin protocols; a plugin written for another one is not loaded."""

KINDS = (
    "problems",
    "spaces",
    "lifters",
    "groups",
    "exporters",
    "certifiers",
    "executors",
    "stores",
    "importers",
    "reducers",
    "kernels",
)
"""Kinds of plugin; the entry point group of a kind is ``flipforge.KIND``."""


@dataclass(frozen=True)
class Manifest:
    """A plugin's card.

    Attributes
    ----------
    name
        What users type; unique within its kind, and the name of the entry point.
    kind
        One of `KINDS`.
    summary
        One line for ``flipforge plugins``.
    target
        ``"module:attribute"`` of the implementation, imported when it is asked for; empty only where `register` is
        given the object.
    api_version
        The `API_VERSION` that the plugin was written for. Write the number, not the constant.
    requires
        Names of distributions that must be installed, without versions.

    Raises
    ------
    PluginError
        A value cannot be what its attribute says.

    Examples
    --------
    >>> Manifest("numpy", "exporters", "NumPy modules", "flipforge_codegen:NumpyExporter", api_version=1).kind
    'exporters'
    """

    name: str
    kind: str
    summary: str
    target: str = ""
    api_version: int = API_VERSION
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not fullmatch(r"[\w.+-]+", self.name):
            raise PluginError(f"plugin name {self.name!r}: use letters, digits and . _ + -")
        if self.kind not in KINDS:
            raise PluginError(f"plugin {self.name}: unknown kind {self.kind!r}; use one of {', '.join(KINDS)}")
        if self.target and not fullmatch(r"[\w.]+:[\w.]+", self.target):
            raise PluginError(f"plugin {self.name}: target {self.target!r} is not of the form module:attribute")
        # Plugins are not all type-checked: ("torch") is a string, and its letters would pass for names.
        requires: object = self.requires
        if not isinstance(requires, tuple) or not all(fullmatch(r"[\w.-]+", str(name)) for name in requires):
            raise PluginError(
                f"plugin {self.name}: requires {self.requires!r} must be a tuple of plain distribution names"
            )


@dataclass(frozen=True)
class PluginInfo:
    """A row of ``flipforge plugins``.

    Attributes
    ----------
    origin
        The distribution and version that bring the plugin, or ``session`` for `register`.
    status
        ``ok`` or ``broken``.
    reason
        One line that tells why a plugin is broken, empty otherwise.
    """

    kind: str
    name: str
    summary: str
    origin: str
    status: str
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the row as a JSON object."""
        return asdict(self)
