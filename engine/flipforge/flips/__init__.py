"""Floor 5: walks in the flip graph of a scheme over GF(2), as pure functions of arrays.

A scheme is a sum of products u (x) v (x) w; its rows are numbered by *slot*, 0 to rank - 1 at the start. The axes are
u, v, w in cyclic order. A row *has a partner* on an axis where another row holds the same factor. A walk is this, and
`flipforge.flips.reference` is the same in plain Python:

1. The walk ends when the rank is at most ``goal``, or when ``steps`` steps were made.
2. Otherwise one 64-bit word is drawn from xoshiro256++. Its low and high 32 bits, times n and shifted right by 32, give
   numbers below n.
3. *Plus transition*: due when no row has a partner, or when ``idle`` flips were made since the rank last fell below all
   before or a plus transition was last due. It is made if the rank is below that of the start plus ``band``. Among the
   live rows in order of slots, bits 40 to 63 choose one; from there on, cyclically, the first is taken that differs
   from some row on all three axes; bits 16 to 39 choose among those rows, bits 0 to 15 the axis. With a on that axis,
   b on the next and c on the last, a (x) b (x) c and a' (x) b' (x) c' become a (x) (b + b') (x) c and
   a (x) b' (x) (c + c'), and a new row (a + a') (x) b' (x) c' takes the lowest free slot. That is one step. Where the
   plus transition cannot be made, a flip is; where that cannot be made either, the walk ends.
4. *Flip*: the high bits choose among all (axis, row) that have a partner, ordered by axis, then slot; the low bits
   choose among the row's partners in order of slots. The row a (x) b (x) c becomes a (x) (b + b') (x) c, its partner
   a (x) b' (x) c' becomes a (x) b' (x) (c + c'). Either order of a pair is as likely, so the direction needs no bit of
   its own. That is one step.
5. *Reduction*: a row with a zero factor is removed and frees its slot. Rows that agree on two axes are not looked for:
   any flip of one with the other makes such a zero and so merges them. Comparing at each step as well was tried: the
   steps to the next rank stayed the same at 3x3x3 and 4x4x4 and fell by a tenth or two at 5x5x5, while each step cost
   a tenth more.

Sources: Kauers and Moosbauer, "Flip graphs for matrix multiplication" (2022); Arai, Ichikawa and Hukushima, "Adaptive
flip graph algorithm for matrix multiplication" (2024), for the plus transition.
"""

from flipforge.flips._dependence import reduce_products
from flipforge.flips._orbit import orbit_invariant
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
from flipforge.flips._walk import MAX_BITS, WALK_VERSION, Walk, seed_words, walk, warm

__all__ = [
    "MAX_BITS",
    "WALK_VERSION",
    "Automorphism",
    "Walk",
    "elementary_automorphisms",
    "fixes",
    "matmul_automorphism",
    "orbit_invariant",
    "random_automorphism",
    "random_sandwich",
    "reduce_products",
    "sandwiched",
    "seed_words",
    "sparse_sandwich",
    "structured_automorphism",
    "structured_automorphisms",
    "walk",
    "warm",
]
