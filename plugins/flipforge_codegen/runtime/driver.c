
/* ---- recursion -------------------------------------------------------------------------------------------------- */

/* A stack of blocks in memory that the caller brings. A dry run only measures it. */
typedef struct {
  char *base;
  size_t used, peak, count;
} arena;

static char *take(arena *ws, size_t bytes) {
  /* Whole pages and some cache lines: blocks that are read side by side must not meet in one set of a cache. */
  const size_t start = ws->used + 64 * (ws->count++ % 37);
  ws->used = start + ((bytes + 4095) & ~(size_t)4095);
  if (ws->used > ws->peak) ws->peak = ws->used;
  return ws->base + start;
}

static view block(const job *job, view x, idx i, idx j) {
  const view at = {x.p + (i * row_step(x) + j * column_step(x)) * (idx)job->domain->size, x.ld, x.by_rows};
  return at;
}

static view fresh(const job *job, arena *ws, idx rows, idx cols, int by_rows) {
  const idx width = by_rows ? cols : rows;
  const view x = {take(ws, (size_t)(rows * cols) * job->domain->size), width ? width : 1, by_rows};
  return x;
}

static void blocks(const job *job, view x, int rows, int cols, idx height, idx width, view *to) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < cols; j++) to[i * cols + j] = block(job, x, i * height, j * width);
}

/* Run a pass over blocks that all stand by rows, or all by columns, sharing out the rows. */
static void stream(const job *job, pass run, int ins, const view *in, int outs, const view *out, idx rows, idx cols,
                   int threads) {
  if (job->dry || !outs || !rows || !cols) return;
  const idx high = in[0].by_rows ? rows : cols, wide = in[0].by_rows ? cols : rows;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
#endif
  for (int t = 0; t < threads; t++) {
    const idx first = high * t / threads, last = high * (t + 1) / threads;
    const void *from[MOST_BLOCKS];
    void *to[MOST_BLOCKS];
    idx ld_from[MOST_BLOCKS], ld_to[MOST_BLOCKS];
    for (int s = 0; s < ins; s++)
      from[s] = in[s].p + first * in[s].ld * (idx)job->domain->size, ld_from[s] = in[s].ld;
    for (int s = 0; s < outs; s++) to[s] = out[s].p + first * out[s].ld * (idx)job->domain->size, ld_to[s] = out[s].ld;
    run(last - first, wide, from, ld_from, to, ld_to, &job->ring);
  }
}

static void leaf(const job *job, idx m, idx k, idx n, view a, view b, view c, int how, int threads) {
  if (job->dry || !m || !n || (how == ADD && !k)) return;
  if (threads > m) threads = 1;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
#endif
  for (int t = 0; t < threads; t++) {
    const idx first = m * t / threads, last = m * (t + 1) / threads;
    job->domain->leaf(job, last - first, k, n, block(job, a, first, 0), b, block(job, c, first, 0), how);
  }
}

static void multiply(const job *, int, idx, idx, idx, view, view, view, int, int, arena *, int);

/* The scheme of a level, counted from 0 for the last one: the first level takes the first scheme, and all levels beyond
   the list take the last. */
static const scheme *scheme_of(const job *job, int level) {
  const int place = job->levels - level;
  return &schemes[level_scheme[place < LEVELS ? place : LEVELS - 1]];
}

static view chosen(int source, const view *from, const view *slots) {
  return source < 0 ? slots[-1 - source] : from[source];
}

/* All combinations of the left operand in one pass, those of the right one, the products, the result in one pass. */
static void streaming(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, arena *ws, int threads) {
  const scheme *x = scheme_of(job, level);
  const int domain = (int)(job->domain - domains);
  view from[MOST_BLOCKS], with[MOST_BLOCKS], to[MOST_BLOCKS], s[MOST_BLOCKS], t[MOST_BLOCKS], p[MOST_BLOCKS];
  const idx height = k * job->domain->pack;
  blocks(job, a, x->rows, x->inner, m, k, from);
  blocks(job, b, x->inner, x->cols, height, n, with);
  blocks(job, c, x->rows, x->cols, m, n, to);
  for (int i = 0; i < x->left_slots; i++) s[i] = fresh(job, ws, m, k, a.by_rows);
  for (int i = 0; i < x->right_slots; i++) t[i] = fresh(job, ws, height, n, b.by_rows);
  for (int i = 0; i < x->products; i++) p[i] = fresh(job, ws, m, n, c.by_rows);
  stream(job, x->left[domain], x->rows * x->inner, from, x->left_slots, s, m, k, threads);
  stream(job, x->right[domain], x->inner * x->cols, with, x->right_slots, t, height, n, threads);

  /* As many products as come out even are shared out, a core each; the rest are taken by all cores, one by one. */
  const arena kept = *ws;
  const int shared = threads > 1 ? x->products - x->products % threads : 0;
  if (shared) {
    arena one = {0, 0, 0, 0};
    struct job measured = *job;
    measured.dry = 1;
    multiply(&measured, level - 1, m, k, n, from[0], with[0], p[0], RAW, STREAMING, &one, 1);
    const size_t each = (one.peak + 4095) & ~(size_t)4095;
    if (kept.used + (size_t)threads * each > ws->peak) ws->peak = kept.used + (size_t)threads * each;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
#endif
    for (int i = 0; i < shared; i++) {
#ifdef _OPENMP
      const size_t number = (size_t)omp_get_thread_num();
#else
      const size_t number = 0;
#endif
      arena own = {kept.base, kept.used + number * each, 0, 0};
      if (!job->dry)
        multiply(job, level - 1, m, k, n, chosen(x->left_source[i], from, s), chosen(x->right_source[i], with, t), p[i],
                 RAW, STREAMING, &own, 1);
    }
  }
  for (int i = shared; i < x->products; i++) {
    arena below = kept;
    multiply(job, level - 1, m, k, n, chosen(x->left_source[i], from, s), chosen(x->right_source[i], with, t), p[i], RAW,
             STREAMING, &below, threads);
    if (below.peak > ws->peak) ws->peak = below.peak;
    if (job->dry) break; /* all products take the same */
  }
  stream(job, x->out[domain], x->products, p, x->rows * x->cols, to, m, n, threads);
}

/* Sum blocks that all stand by rows, or all by columns, sharing out the rows. */
static void combined(const job *job, const step *s, const term *terms, const view *at, idx rows, idx cols, int threads) {
  const view target = at[s->target];
  const idx high = target.by_rows ? rows : cols, wide = target.by_rows ? cols : rows;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
#endif
  for (int t = 0; t < threads; t++) {
    const idx first = high * t / threads, last = high * (t + 1) / threads, size = (idx)job->domain->size;
    const void *source[MOST_BLOCKS];
    idx ld[MOST_BLOCKS];
    for (int q = 0; q < s->count; q++) {
      const view x = at[terms[s->first + q].place];
      source[q] = x.p + first * x.ld * size, ld[q] = x.ld;
    }
    job->domain->combine(last - first, wide, s->count, terms + s->first, source, ld, target.p + first * target.ld * size,
                         target.ld, &job->ring);
  }
}

/* One product at a time, by a schedule that says where each value stands: blocks of operands and result, or buffers. */
static void scheduled(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, int mode, arena *ws,
                      int threads) {
  const scheme *x = scheme_of(job, level);
  const idx height = k * job->domain->pack;
  const int alike = m == height && k == n && a.by_rows == b.by_rows && b.by_rows == c.by_rows;
  const schedule *plan = mode == PRODUCTS ? &x->products_plan : alike ? &x->square_plan : &x->clobber_plan;
  view at[MOST_PLACES];
  blocks(job, a, x->rows, x->inner, m, k, at);
  blocks(job, b, x->inner, x->cols, height, n, at + x->rows * x->inner);
  blocks(job, c, x->rows, x->cols, m, n, at + (x->rows + x->cols) * x->inner);
  view *buffer = at + (x->rows + x->cols) * x->inner + x->rows * x->cols;
  for (int i = 0; i < plan->left_buffers; i++) *buffer++ = fresh(job, ws, m, k, a.by_rows);
  for (int i = 0; i < plan->right_buffers; i++) *buffer++ = fresh(job, ws, height, n, b.by_rows);
  for (int i = 0; i < plan->out_buffers; i++) *buffer++ = fresh(job, ws, m, n, c.by_rows);
  const arena kept = *ws;
  int measured[CLOBBER + 1] = {0};
  for (int i = 0; i < plan->count; i++) {
    const step *s = &plan->steps[i];
    if (s->left < 0) {
      const idx rows = s->shape == 1 ? height : m, cols = s->shape == 0 ? k : n;
      if (!job->dry) combined(job, s, plan->terms, at, rows, cols, threads);
      continue;
    }
    /* Factors that are read again must not be overwritten further down. */
    const int below_mode = mode == CLOBBER && s->last ? CLOBBER : PRODUCTS;
    if (job->dry && measured[below_mode]++) continue; /* all such products take the same */
    arena below = kept;
    multiply(job, level - 1, m, k, n, at[s->left], at[s->right], at[s->target], SET, below_mode, &below, threads);
    if (below.peak > ws->peak) ws->peak = below.peak;
  }
}

static idx rounded(idx size, idx parts) { return (size + parts - 1) / parts * parts; }

/* Whether zeros around the operands cost less than strips beside the even part: an element moved is counted as 8
   multiply-adds, and a product of a strip runs at a quarter of the speed. */
static int zeros_pay(const scheme *x, idx m, idx k, idx n) {
  const double up_m = (double)rounded(m, x->rows), up_k = (double)rounded(k, x->inner), up_n = (double)rounded(n, x->cols);
  const double in_m = (double)(m - m % x->rows), in_k = (double)(k - k % x->inner), in_n = (double)(n - n % x->cols);
  const double part = (double)x->products / (x->rows * x->inner * x->cols);
  const double padded = part * up_m * up_k * up_n + 8 * 2 * (up_m * up_k + up_k * up_n + up_m * up_n);
  const double strips = (double)m * (double)k * (double)n - in_m * in_k * in_n;
  return padded < part * in_m * in_k * in_n + 4 * strips + (in_k < (double)k ? 16 * in_m * in_n : 0);
}

static void copied(const job *job, view from, idx rows, idx cols, view to, idx rows_to, idx cols_to) {
  if (!job->dry)
    job->domain->copy(from.p, row_step(from), column_step(from), rows, cols, to.p, row_step(to), column_step(to),
                      rows_to, cols_to);
}

static void multiply(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, int how, int mode, arena *ws,
                     int threads) {
  const scheme *x = LEVELS && level > 0 ? scheme_of(job, level) : 0;
  if (!x || m < x->rows || k < x->inner || n < x->cols) {
    leaf(job, m, k, n, a, b, c, how, threads);
    return;
  }
  const idx pack = job->domain->pack, rest_m = m % x->rows, rest_k = k % x->inner, rest_n = n % x->cols;
  const idx in_m = m - rest_m, in_k = k - rest_k, in_n = n - rest_n;
  const arena kept = *ws;
  if ((rest_m || rest_k || rest_n) && (job->pad == 2 || (job->pad == 1 && zeros_pay(x, m, k, n)))) {
    const idx up_m = rounded(m, x->rows), up_k = rounded(k, x->inner), up_n = rounded(n, x->cols);
    const view left = fresh(job, ws, up_m, up_k, 1), right = fresh(job, ws, up_k * pack, up_n, 1),
               result = fresh(job, ws, up_m, up_n, 1);
    copied(job, a, m, k, left, up_m, up_k);
    copied(job, b, k * pack, n, right, up_k * pack, up_n);
    multiply(job, level, up_m, up_k, up_n, left, right, result, SET, mode, ws, threads);
    copied(job, result, m, n, c, m, n);
  } else {
    /* Strips first: the operands may be overwritten by the even part. */
    leaf(job, in_m, k, rest_n, a, block(job, b, 0, in_n), block(job, c, 0, in_n), SET, threads);
    leaf(job, rest_m, k, n, block(job, a, in_m, 0), b, block(job, c, in_m, 0), SET, threads);
    if (mode == STREAMING)
      streaming(job, level, in_m / x->rows, in_k / x->inner, in_n / x->cols, a, b, c, ws, threads);
    else
      scheduled(job, level, in_m / x->rows, in_k / x->inner, in_n / x->cols, a, b, c, mode, ws, threads);
    leaf(job, in_m, rest_k, in_n, block(job, a, 0, in_k), block(job, b, in_k * pack, 0), c, ADD, threads);
  }
  ws->used = kept.used, ws->count = kept.count;
}

/* Take an operand as it stands where one of its strides is 1; it is packed otherwise. */
static view operand(const job *job, void *p, idx rs, idx cs, idx rows, idx cols, arena *ws, int *apart) {
  const int by_rows = cs == 1 && rs >= cols && rs > 0;
  *apart = !by_rows && !(rs == 1 && cs >= rows && cs > 0);
  if (*apart) return fresh(job, ws, rows, cols, 1);
  const view x = {p, by_rows ? rs : cs, by_rows};
  return x;
}

