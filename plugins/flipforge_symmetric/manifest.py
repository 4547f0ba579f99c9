"""The certifier of this plugin; importing this module loads nothing else."""

from flipforge.plugins import Manifest

__all__ = ["SYMMETRIC"]

SYMMETRIC = Manifest(
    name="symmetric",
    kind="certifiers",
    summary="symmetric tensors of order 4 and 6 as sums of powers, by the subspace power method",
    target="flipforge_symmetric.certifier:SymmetricCertifier",
    api_version=1,
    requires=("numpy", "python-flint"),
)
