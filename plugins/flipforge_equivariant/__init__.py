"""Groups and the exact bases of their equivariant maps; with the extra ``torch`` a layer for PyTorch."""

from typing import Any

from flipforge.errors import PluginError
from flipforge_equivariant.manifest import GROUPS

__all__ = ["GROUPS"]


def __getattr__(name: str) -> Any:
    # Not in __all__: PyTorch is an extra, and nothing else here needs it.
    if name != "EquivariantLinear":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from flipforge_equivariant._linear import EquivariantLinear
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise PluginError("EquivariantLinear needs PyTorch: install flipforge[torch]") from None
    return EquivariantLinear
