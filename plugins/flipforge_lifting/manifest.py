"""The plugin's card."""

from flipforge.plugins import Manifest

__all__ = ["HENSEL"]

HENSEL = Manifest(
    name="hensel",
    kind="lifters",
    summary="Hensel lifts of schemes over GF(p) to Z and Q, with proofs where there is none",
    target="flipforge_lifting:HenselLifter",
    api_version=1,
)
