"""The groups of this plugin; importing this module loads none."""

from flipforge.plugins import Manifest

__all__ = [
    "ALTERNATING",
    "AUTOMORPHISMS",
    "BISTOCHASTIC",
    "DOUBLED_BISTOCHASTIC",
    "DOUBLED_SYMMETRIC",
    "GROUPS",
    "HYPEROCTAHEDRAL",
    "ORTHOGONAL",
    "PERMUTATION",
    "PLANAR_BISTOCHASTIC",
    "PLANAR_DOUBLED_BISTOCHASTIC",
    "PLANAR_DOUBLED_SYMMETRIC",
    "PLANAR_HYPEROCTAHEDRAL",
    "PLANAR_ORTHOGONAL",
    "PLANAR_SYMMETRIC",
    "SPECIAL",
    "SYMMETRIC",
    "SYMPLECTIC",
]


def _manifest(name: str, summary: str, target: str) -> Manifest:
    return Manifest(name, "groups", summary, f"flipforge_equivariant.{target}", api_version=1, requires=("numpy",))


SYMMETRIC = _manifest("S", "symmetric group S_n: partition diagrams", "symmetric:symmetric")
ALTERNATING = _manifest("A", "alternating group A_n: partition diagrams and jellyfish", "alternating:alternating")
ORTHOGONAL = _manifest("O", "orthogonal group O(n): Brauer diagrams", "orthogonal:orthogonal")
SPECIAL = _manifest("SO", "special orthogonal group SO(n): diagrams with a head beside", "special:special_orthogonal")
SYMPLECTIC = _manifest("Sp", "symplectic group Sp(n), n even: Brauer diagrams with signs", "symplectic:symplectic")
HYPEROCTAHEDRAL = _manifest("H", "signed permutations H_n: partitions into even blocks", "easy:hyperoctahedral")
BISTOCHASTIC = _manifest("B", "bistochastic group B_n: pairs and single points", "easy:bistochastic")
DOUBLED_SYMMETRIC = _manifest("SxZ2", "S_n with negatives: even numbers of points", "easy:doubled_symmetric")
DOUBLED_BISTOCHASTIC = _manifest("BxZ2", "B_n with negatives: even numbers of points", "easy:doubled_bistochastic")
PERMUTATION = _manifest("perm", "permutation matrices, by generators: orbits", "permutation:permutation")
AUTOMORPHISMS = _manifest("Aut", "automorphisms of a graph: orbits and bilabelled graphs", "graph:automorphisms")
PLANAR_SYMMETRIC = _manifest("S+", "free S_n: planar partitions", "planar:planar_symmetric")
PLANAR_ORTHOGONAL = _manifest("O+", "free O(n): planar pairs", "planar:planar_orthogonal")
PLANAR_HYPEROCTAHEDRAL = _manifest("H+", "free H_n: planar even blocks", "planar:planar_hyperoctahedral")
PLANAR_BISTOCHASTIC = _manifest("B+", "free B_n: planar pairs and single points", "planar:planar_bistochastic")
PLANAR_DOUBLED_SYMMETRIC = _manifest("SxZ2+", "free S_n with negatives", "planar:planar_doubled_symmetric")
PLANAR_DOUBLED_BISTOCHASTIC = _manifest("BxZ2+", "free B_n with negatives", "planar:planar_doubled_bistochastic")

GROUPS = (
    SYMMETRIC,
    ALTERNATING,
    ORTHOGONAL,
    SPECIAL,
    SYMPLECTIC,
    HYPEROCTAHEDRAL,
    BISTOCHASTIC,
    DOUBLED_SYMMETRIC,
    DOUBLED_BISTOCHASTIC,
    PERMUTATION,
    AUTOMORPHISMS,
    PLANAR_SYMMETRIC,
    PLANAR_ORTHOGONAL,
    PLANAR_HYPEROCTAHEDRAL,
    PLANAR_BISTOCHASTIC,
    PLANAR_DOUBLED_SYMMETRIC,
    PLANAR_DOUBLED_BISTOCHASTIC,
)
