"""Lifting: schemes over GF(p) to Z and Q, proofs that one does not lift, and ternary lifts by signs."""

from flipforge_lifting._hensel import brent_jacobian
from flipforge_lifting._lifter import HenselLifter

__all__ = ["HenselLifter", "brent_jacobian"]
