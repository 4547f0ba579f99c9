"""Floor 5: walks in the flip graph of a scheme, as pure functions of arrays.

A scheme is a sum of products s * u (x) v (x) w with factors u, v, w that are *normalised* (their first nonzero entry is
1) and a *unit* s of the ring: over GF(p) one of 1 to p - 1, over the ternary integers ZT = {-1, 0, 1} one of 1 and -1.
The units are counted 1, 2, ... over GF(p) and 1, -1 over GF(3) and ZT. Its rows are numbered by *slot*, 0 to rank - 1
at the start. The axes are u, v, w in cyclic order. A row *has a partner* on an axis where another row holds the same
factor, which is to say an equal one up to a unit. A walk is this, and `flipforge.flips.reference` is the same in plain
Python:

1. The walk ends when the rank is at most ``goal``, or when ``steps`` steps were made. When ``path`` steps were made
   since it began, it begins again from its start; the generator goes on.
2. Otherwise one 64-bit word is drawn from xoshiro256++. Its low and high 32 bits, times n and shifted right by 32, give
   numbers below n.
3. *Plus transition*: due when no row has a partner, or when ``idle`` steps were made since the rank last fell below all
   since the walk began, or since a plus transition was last due. It is made if the rank is below that of the start plus
   ``band``. A second word is drawn: its low bits choose a unit z, and where its two highest bits are set a *split* is
   made instead. Bits 0 to 15 of the first word choose the axis. Among the live rows in order of slots, bits 40 to 63
   choose one; from there on, cyclically, the first is taken that differs from some row on all three axes (for a split,
   on the chosen one); bits 16 to 39 choose among those rows. With a on the axis, b on the next and c on the last,
   s a (x) b (x) c and t a' (x) b' (x) c' become a (x) (b + z b') (x) s c, a (x) b' (x) (t c' - z s c) and a new row
   t (a' - a) (x) b' (x) c' in the lowest free slot. A split turns t a' (x) b' (x) c' into t z a (x) b' (x) c' and
   t (a' - z a) (x) b' (x) c'. Over ZT the next pair is tried, in the same cyclic order, where a sum does not exist.
   That is one step. Where none can be made a flip is; where that cannot be made either, the walk begins again, or ends
   if it made no step since it began.
4. *Flip*: the high bits choose among all (axis, row) that have a partner, ordered by axis, then slot; the low bits
   choose among the pairs of a partner of the row and a unit z, ordered by slot, then unit. s a (x) b (x) c and
   t a (x) b' (x) c' become a (x) (b + z b') (x) s c and a (x) b' (x) (t c' - z s c). Either order of a pair is as
   likely, so the direction needs no bit of its own. That is one step. Over ZT, where a sum does not exist, -z is tried,
   and then the step is *rejected*.
5. *Reduction*: where the two rows agree on a further axis they are merged instead: the row takes the sum on the last
   axis and its partner is removed, or both where the sum is zero. After a flip, rows that agree with the first on a and
   on its new factor are looked for, then those that agree with the second on a and on its new one; the lowest such row
   is merged into it within the same step. Over ZT a merge that does not exist is left.

A walk may hold what its products show of some coordinates, those of a smaller format for one: with these in brackets, a
flip is rejected where [a] (x) [b'] (x) [c] is not zero, a plus transition not made where that or [a] (x) [b'] (x) [c']
is not, a split not where [a] (x) [b'] (x) [c'] is not. Only reductions change what is held.

The walk of orbits (`symmetric_walk`, in plain Python `flipforge.flips.symmetric_reference`) is like it, over the same
rings, with orbits of a group for rows. A row is a product; a walking one stands for the sum of all its images, a frozen
one for the set of them, and only walking ones are counted below. A factor is normalised in the coordinates of its home,
the first axis it can be moved to.

1. A place is (row, axis), ordered by row. It has a partner at a place of another row whose factor some element of the
   group moves onto its own, up to a unit. The high bits choose among the places that have one, the low bits among the
   partner places; what is left of the low bits chooses the element and a unit z, the lowest bit which of the two other
   axes is changed. The flip is made with the image, and the partner's row takes the change back through the inverse.
   Where the two agree on a further axis, z is the unit for which a product vanishes.
2. A row with a factor that vanishes, or that an element takes to another multiple of itself, is dropped. One that k > 1
   elements fix is k times its orbit: over GF(p) it is dropped where p divides k, else frozen with k times its unit, and
   added to an equal frozen one if there is any. Over ZT the flip is rejected.
3. Else the first image, by row and element, that agrees with the changed row on the shared factor and the new one is
   merged into it; if there is none, one that so agrees with the changed partner.
4. A plus transition is due as above, and made if the rank may rise by the group's order. Where the two highest bits of
   the second word are set and there are frozen rows that k elements fix, k a unit, bits 40 to 63 choose one that walks
   again, divided by k. Else they choose the row, and bits 16 to 39 among the images, by row and element, that differ
   from it on all axes; over ZT the next image is tried where it cannot be made.

Beside the walk stand the moves that are made now and then: the general reduction (`reduce_products`), sandwiching by
automorphisms of the tensor (`random_sandwich`, `sparse_sandwich`), and an invariant of the orbit (`orbit_invariant`).

Approximate schemes have polynomials in eps as entries and a walk of their own, `border_walk`.

Sources: Kauers and Moosbauer, "Flip graphs for matrix multiplication" (2022); Arai, Ichikawa and Hukushima, "Adaptive
flip graph algorithm for matrix multiplication" (2024), for the plus transition; Khoruzhii, Gelss and Pokutta (2025) for
walks over GF(3); Moosbauer and Poole, "Flip graphs with symmetry and new matrix multiplication schemes" (2025), for
flips of orbits; Perminov, "Fast matrix multiplication via ternary meta flip graphs" (2025), for the ternary integers.
"""

from flipforge.flips._action import MAX_SYMMETRIC_ENTRIES, Action, Element, Orbits
from flipforge.flips._border_walk import BorderWalk, border_walk
from flipforge.flips._breadth import breadth
from flipforge.flips._dependence import reduce_products
from flipforge.flips._epsilon import compact, leading, primitive
from flipforge.flips._layers import LAYER_WALK_VERSION, LayerTables, LayerWalk, layer_run, layer_walk
from flipforge.flips._orbit import orbit_invariant
from flipforge.flips._packing import RINGS, Packed, entries_of, max_entries, pack, packed_words, unpack
from flipforge.flips._sandwich import (
    Automorphism,
    elementary_automorphisms,
    fixes,
    matmul_automorphism,
    random_automorphism,
    random_sandwich,
    sandwiched,
    sparse_sandwich,
    structured_automorphism,
    structured_automorphisms,
)
from flipforge.flips._support import SUPPORT_WALK_VERSION, SupportWalk, support_walk
from flipforge.flips._symmetric_walk import MAX_ORBITS, SymmetricWalk, symmetric_walk, symmetric_walk_version
from flipforge.flips._walk import MAX_ROWS, Walk, seed_words, walk, walk_version, warm

__all__ = [
    "LAYER_WALK_VERSION",
    "MAX_ORBITS",
    "MAX_ROWS",
    "MAX_SYMMETRIC_ENTRIES",
    "RINGS",
    "SUPPORT_WALK_VERSION",
    "Action",
    "Automorphism",
    "BorderWalk",
    "Element",
    "LayerTables",
    "LayerWalk",
    "Orbits",
    "Packed",
    "SupportWalk",
    "SymmetricWalk",
    "Walk",
    "border_walk",
    "breadth",
    "compact",
    "elementary_automorphisms",
    "entries_of",
    "fixes",
    "layer_run",
    "layer_walk",
    "leading",
    "matmul_automorphism",
    "max_entries",
    "orbit_invariant",
    "pack",
    "packed_words",
    "primitive",
    "random_automorphism",
    "random_sandwich",
    "reduce_products",
    "sandwiched",
    "seed_words",
    "sparse_sandwich",
    "structured_automorphism",
    "structured_automorphisms",
    "support_walk",
    "symmetric_walk",
    "symmetric_walk_version",
    "unpack",
    "walk",
    "walk_version",
    "warm",
]
