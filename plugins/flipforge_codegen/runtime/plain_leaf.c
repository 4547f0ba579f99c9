
/* A product without BLAS: panels of B are packed row by row, and four rows of C are built up at a time. */
static void plain_$suffix(idx m, idx k, idx n, view a, view b, view c, int how) {
  enum { DEPTH = 128, WIDTH = 256 };
  if (!c.by_rows) { /* compute the transpose */
    const view at = {a.p, a.ld, !a.by_rows}, bt = {b.p, b.ld, !b.by_rows};
    const idx rows = m;
    a = bt, b = at, c.by_rows = 1, m = n, n = rows;
  }
  const idx a_rs = row_step(a), a_cs = column_step(a), b_rs = row_step(b), b_cs = column_step(b);
  $type panel[DEPTH * WIDTH];
  const $type *x = (const $type *)a.p, *y = (const $type *)b.p;
  if (how != ADD)
    for (idx i = 0; i < m; i++) memset(($type *)c.p + i * c.ld, 0, (size_t)n * sizeof($type));
  for (idx first = 0; first < n; first += WIDTH) {
    const idx width = n - first < WIDTH ? n - first : WIDTH;
    for (idx top = 0; top < k; top += DEPTH) {
      const idx depth = k - top < DEPTH ? k - top : DEPTH;
      for (idx q = 0; q < depth; q++)
        for (idx j = 0; j < width; j++) panel[q * WIDTH + j] = y[(top + q) * b_rs + (first + j) * b_cs];
      for (idx i = 0; i < m; i += 4) {
        const idx high = m - i < 4 ? m - i : 4;
        $type *t = ($type *)c.p + i * c.ld + first;
        for (idx q = 0; q < depth; q++) {
          const $type *restrict p = panel + q * WIDTH, *f = x + i * a_rs + (top + q) * a_cs;
          if (high == 4) {
            const $type f0 = f[0], f1 = f[a_rs], f2 = f[2 * a_rs], f3 = f[3 * a_rs];
            LOOP for (idx j = 0; j < width; j++) {
              t[j] += f0 * p[j];
              t[c.ld + j] += f1 * p[j];
              t[2 * c.ld + j] += f2 * p[j];
              t[3 * c.ld + j] += f3 * p[j];
            }
          } else {
            for (idx row = 0; row < high; row++) {
              const $type g = f[row * a_rs];
              LOOP for (idx j = 0; j < width; j++) t[row * c.ld + j] += g * p[j];
            }
          }
        }
      }
    }
  }
}

static void leaf_$suffix(const job *job, idx m, idx k, idx n, view a, view b, view c, int how) {
  $blas
  plain_$suffix(m, k, n, a, b, c, how);
  (void)job;
}
