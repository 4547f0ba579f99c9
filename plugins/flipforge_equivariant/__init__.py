"""Groups and the exact bases of their equivariant maps."""

from flipforge_equivariant.manifest import GROUPS

__all__ = ["GROUPS"]
