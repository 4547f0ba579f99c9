"""Lifting: schemes over GF(p) to Z and Q, proofs that one does not lift, and what lifts cost."""

from flipforge_lifting._lifter import HenselLifter

__all__ = ["HenselLifter"]
