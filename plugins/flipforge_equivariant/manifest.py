"""The groups of this plugin; importing this module loads none."""

from flipforge.plugins import Manifest

__all__ = ["GROUPS", "ORTHOGONAL", "SYMMETRIC", "SYMPLECTIC"]


def _manifest(name: str, summary: str, target: str) -> Manifest:
    return Manifest(name, "groups", summary, f"flipforge_equivariant.{target}", api_version=1, requires=("numpy",))


SYMMETRIC = _manifest("S", "symmetric group S_n: partition diagrams", "symmetric:symmetric")
ORTHOGONAL = _manifest("O", "orthogonal group O(n): Brauer diagrams", "orthogonal:orthogonal")
SYMPLECTIC = _manifest("Sp", "symplectic group Sp(n), n even: Brauer diagrams with signs", "symplectic:symplectic")

GROUPS = (SYMMETRIC, ORTHOGONAL, SYMPLECTIC)
