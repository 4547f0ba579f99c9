
#define SYRK(I) void (*)(int, int, int, I, I, $type, const void *, I, $type, void *, I)
#define TRMM(I) void (*)(int, int, int, int, int, I, I, $type, const void *, I, void *, I)
#define SYMM(I) void (*)(int, int, int, I, I, $type, const void *, I, const void *, I, $type, void *, I)

/* Upper triangle of A times its transpose; orders, triangles and sides are numbered as in cblas. */
static void syrk_$suffix(const job *job, idx n, idx k, view a, view c) {
  const int order = c.by_rows ? 101 : 102, turn = a.by_rows == c.by_rows ? 111 : 112;
  if (job->blas_int == 8)
    ((SYRK(int64_t))job->syrk)(order, 121, turn, n, k, 1, a.p, a.ld, 0, c.p, c.ld);
  else
    ((SYRK(int))job->syrk)(order, 121, turn, (int)n, (int)k, 1, a.p, (int)a.ld, 0, c.p, (int)c.ld);
}

/* C becomes A C, or C A, with A triangular. */
static void trmm_$suffix(const job *job, int right, int lower, idx m, idx n, view a, view c) {
  const int order = c.by_rows ? 101 : 102, turned = a.by_rows != c.by_rows, turn = turned ? 112 : 111;
  const int side = right ? 142 : 141, half = lower != turned ? 122 : 121;
  if (job->blas_int == 8)
    ((TRMM(int64_t))job->trmm)(order, side, half, turn, 131, m, n, 1, a.p, a.ld, c.p, c.ld);
  else
    ((TRMM(int))job->trmm)(order, side, half, turn, 131, (int)m, (int)n, 1, a.p, (int)a.ld, c.p, (int)c.ld);
}

/* C = A B with A symmetric, of which the upper triangle is read; B and C stand alike. */
static void symm_$suffix(const job *job, idx m, idx n, view a, view b, view c) {
  const int order = c.by_rows ? 101 : 102, half = a.by_rows == c.by_rows ? 121 : 122;
  if (job->blas_int == 8)
    ((SYMM(int64_t))job->symm)(order, 141, half, m, n, 1, a.p, a.ld, b.p, b.ld, 0, c.p, c.ld);
  else
    ((SYMM(int))job->symm)(order, 141, half, (int)m, (int)n, 1, a.p, (int)a.ld, b.p, (int)b.ld, 0, c.p, (int)c.ld);
}

#undef SYRK
#undef TRMM
#undef SYMM
