  if (job->gemm) {
    if (!c.by_rows) { /* compute the transpose */
      const view at = {a.p, a.ld, !a.by_rows}, bt = {b.p, b.ld, !b.by_rows};
      const idx rows = m;
      a = bt, b = at, m = n, n = rows;
    }
    const int ta = a.by_rows ? 111 : 112, tb = b.by_rows ? 111 : 112;
    if (job->blas_int == 8)
      ((gemm_${suffix}_8)job->gemm)(101, ta, tb, m, n, k, 1, a.p, a.ld, b.p, b.ld, how == ADD, c.p, c.ld);
    else
      ((gemm_${suffix}_4)job->gemm)(101, ta, tb, (int)m, (int)n, (int)k, 1, a.p, (int)a.ld, b.p, (int)b.ld, how == ADD,
                                  c.p, (int)c.ld);
    return;
  }
