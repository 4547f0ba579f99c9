
/* Products of residues through float64: sums of at most ring->chunk products stay below 2^53, so no bit is lost. */
static void leaf_$suffix(const job *job, idx m, idx k, idx n, view a, view b, view c, int how) {
  const ring *ring = &job->ring;
  for (idx top = 0; top < k || top == 0; top += ring->chunk) {
    const idx depth = k - top < ring->chunk ? k - top : ring->chunk;
    const view left = {a.p + top * column_step(a) * (idx)sizeof(double), a.ld, a.by_rows};
    const view right = {b.p + top * row_step(b) * (idx)sizeof(double), b.ld, b.by_rows};
    leaf_f64(job, m, depth, n, left, right, c, how == ADD || top);
    if (how == RAW && ring->lazy && depth == k) return; /* the caller's sums of these are proven to stay below 2^53 */
    const idx rows = c.by_rows ? m : n, cols = c.by_rows ? n : m;
    for (idx i = 0; i < rows; i++) {
      double *restrict t = (double *)c.p + i * c.ld;
      LOOP for (idx j = 0; j < cols; j++) t[j] = REDUCE(t[j]);
    }
  }
}
