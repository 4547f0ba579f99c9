
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

typedef void (*pass)(idx, idx, const void *const *, idx, void *const *, idx, const ring *);

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
    for (int s = 0; s < ins; s++) from[s] = in[s].p + first * in[0].ld * (idx)job->domain->size;
    for (int s = 0; s < outs; s++) to[s] = out[s].p + first * out[0].ld * (idx)job->domain->size;
    run(last - first, wide, from, in[0].ld, to, out[0].ld, &job->ring);
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

static void multiply(const job *, int, idx, idx, idx, view, view, view, int, arena *, int);

static view chosen(int source, const view *from, const view *slots) {
  return source < 0 ? slots[-1 - source] : from[source];
}

/* All combinations of the left operand in one pass, those of the right one, the products, the result in one pass. */
static void streaming(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, arena *ws, int threads) {
  view from[LEFT_INPUTS], with[RIGHT_INPUTS], to[OUTPUTS], s[LEFT_SLOTS + 1], t[RIGHT_SLOTS + 1], p[PRODUCTS];
  const idx height = k * job->domain->pack;
  blocks(job, a, ROWS, INNER, m, k, from);
  blocks(job, b, INNER, COLS, height, n, with);
  blocks(job, c, ROWS, COLS, m, n, to);
  for (int i = 0; i < LEFT_SLOTS; i++) s[i] = fresh(job, ws, m, k, a.by_rows);
  for (int i = 0; i < RIGHT_SLOTS; i++) t[i] = fresh(job, ws, height, n, b.by_rows);
  for (int i = 0; i < PRODUCTS; i++) p[i] = fresh(job, ws, m, n, c.by_rows);
  stream(job, job->domain->left, LEFT_INPUTS, from, LEFT_SLOTS, s, m, k, threads);
  stream(job, job->domain->right, RIGHT_INPUTS, with, RIGHT_SLOTS, t, height, n, threads);

  /* As many products as come out even are shared out, a core each; the rest are taken by all cores, one by one. */
  const arena kept = *ws;
  const int shared = threads > 1 ? PRODUCTS - PRODUCTS % threads : 0;
  if (shared) {
    arena one = {0, 0, 0, 0};
    struct job measured = *job;
    measured.dry = 1;
    multiply(&measured, level - 1, m, k, n, from[0], with[0], p[0], RAW, &one, 1);
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
        multiply(job, level - 1, m, k, n, chosen(left_source[i], from, s), chosen(right_source[i], with, t), p[i], RAW,
                 &own, 1);
    }
  }
  for (int i = shared; i < PRODUCTS; i++) {
    arena below = kept;
    multiply(job, level - 1, m, k, n, chosen(left_source[i], from, s), chosen(right_source[i], with, t), p[i], RAW, &below,
             threads);
    if (below.peak > ws->peak) ws->peak = below.peak;
    if (job->dry) break; /* all products take the same */
  }
  stream(job, job->domain->out, PRODUCTS, p, OUTPUTS, to, m, n, threads);
}

static view combined(const job *job, const term *terms, int count, const view *from, idx rows, idx cols, arena *ws) {
  if (count == 1 && terms[0].coefficient == 1 && !job->dry) return from[terms[0].place];
  const view x = fresh(job, ws, rows, cols, from[0].by_rows);
  const void *source[MOST_BLOCKS];
  long long coefficient[MOST_BLOCKS];
  for (int s = 0; s < count; s++) source[s] = from[terms[s].place].p, coefficient[s] = terms[s].coefficient;
  const idx high = x.by_rows ? rows : cols, wide = x.by_rows ? cols : rows;
  if (!job->dry) job->domain->combine(high, wide, count, coefficient, source, from[0].ld, x.p, x.ld, &job->ring);
  return x;
}

/* One product at a time: its two combinations, the product, and what it adds to the result. */
static void by_products(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, arena *ws, int threads) {
  view from[LEFT_INPUTS], with[RIGHT_INPUTS], to[OUTPUTS];
  char written[OUTPUTS] = {0};
  const idx height = k * job->domain->pack;
  blocks(job, a, ROWS, INNER, m, k, from);
  blocks(job, b, INNER, COLS, height, n, with);
  blocks(job, c, ROWS, COLS, m, n, to);
  const idx high = c.by_rows ? m : n, wide = c.by_rows ? n : m;
  for (int r = 0; r < PRODUCTS; r++) {
    arena below = *ws;
    const view x = combined(job, left_terms + left_start[r], left_start[r + 1] - left_start[r], from, m, k, &below);
    const view y =
        combined(job, right_terms + right_start[r], right_start[r + 1] - right_start[r], with, height, n, &below);
    const view p = fresh(job, &below, m, n, c.by_rows);
    multiply(job, level - 1, m, k, n, x, y, p, SET, &below, threads);
    if (below.peak > ws->peak) ws->peak = below.peak;
    if (job->dry) return; /* all products take the same, but for combinations that are blocks as they are */
    for (int s = out_start[r]; s < out_start[r + 1]; s++) {
      const int place = out_terms[s].place;
      job->domain->update(high, wide, out_terms[s].coefficient, p.p, p.ld, to[place].p, c.ld, written[place], &job->ring);
      written[place] = 1;
    }
  }
  for (int place = 0; place < OUTPUTS; place++) {
    if (!written[place]) job->domain->copy(0, 0, 0, 0, 0, to[place].p, row_step(c), column_step(c), m, n);
    job->domain->divide(high, wide, place, to[place].p, c.ld, &job->ring);
  }
}

/* Whether zeros around the operands cost less than strips beside the even part: an element moved is counted as 8
   multiply-adds, and a product of a strip runs at a quarter of the speed. */
static int zeros_pay(idx m, idx k, idx n) {
  const double up_m = (double)((m + ROWS - 1) / ROWS * ROWS), up_k = (double)((k + INNER - 1) / INNER * INNER),
               up_n = (double)((n + COLS - 1) / COLS * COLS);
  const double in_m = (double)(m / ROWS * ROWS), in_k = (double)(k / INNER * INNER), in_n = (double)(n / COLS * COLS);
  const double part = (double)PRODUCTS / (ROWS * INNER * COLS);
  const double padded = part * up_m * up_k * up_n + 8 * 2 * (up_m * up_k + up_k * up_n + up_m * up_n);
  const double strips = (double)m * (double)k * (double)n - in_m * in_k * in_n;
  return padded < part * in_m * in_k * in_n + 4 * strips + (in_k < (double)k ? 16 * in_m * in_n : 0);
}

static void copied(const job *job, view from, idx rows, idx cols, view to, idx rows_to, idx cols_to) {
  if (!job->dry)
    job->domain->copy(from.p, row_step(from), column_step(from), rows, cols, to.p, row_step(to), column_step(to),
                      rows_to, cols_to);
}

static void multiply(const job *job, int level, idx m, idx k, idx n, view a, view b, view c, int how, arena *ws,
                     int threads) {
  if (level <= 0 || m < ROWS || k < INNER || n < COLS) {
    leaf(job, m, k, n, a, b, c, how, threads);
    return;
  }
  const idx pack = job->domain->pack, rest_m = m % ROWS, rest_k = k % INNER, rest_n = n % COLS;
  const idx in_m = m - rest_m, in_k = k - rest_k, in_n = n - rest_n;
  if (rest_m || rest_k || rest_n) {
    if (job->pad == 2 || (job->pad == 1 && zeros_pay(m, k, n))) {
      const arena kept = *ws;
      const idx up_m = (m + ROWS - 1) / ROWS * ROWS, up_k = (k + INNER - 1) / INNER * INNER,
                up_n = (n + COLS - 1) / COLS * COLS;
      const view x = fresh(job, ws, up_m, up_k, 1), y = fresh(job, ws, up_k * pack, up_n, 1),
                 z = fresh(job, ws, up_m, up_n, 1);
      copied(job, a, m, k, x, up_m, up_k);
      copied(job, b, k * pack, n, y, up_k * pack, up_n);
      multiply(job, level, up_m, up_k, up_n, x, y, z, SET, ws, threads);
      copied(job, z, m, n, c, m, n);
      ws->used = kept.used, ws->count = kept.count;
      return;
    }
    multiply(job, level, in_m, in_k, in_n, a, b, c, SET, ws, threads);
    leaf(job, in_m, rest_k, in_n, block(job, a, 0, in_k), block(job, b, in_k * pack, 0), c, ADD, threads);
    leaf(job, in_m, k, rest_n, a, block(job, b, 0, in_n), block(job, c, 0, in_n), SET, threads);
    leaf(job, rest_m, k, n, block(job, a, in_m, 0), b, block(job, c, in_m, 0), SET, threads);
    return;
  }
  const arena kept = *ws;
  if (job->product_mode)
    by_products(job, level, m / ROWS, k / INNER, n / COLS, a, b, c, ws, threads);
  else
    streaming(job, level, m / ROWS, k / INNER, n / COLS, a, b, c, ws, threads);
  ws->used = kept.used, ws->count = kept.count;
}

/* ---- entry points ----------------------------------------------------------------------------------------------- */

typedef struct {
  int64_t domain, product_mode, levels, threads, pad; /* pad: 0 never, 1 where it costs less, 2 always */
  int64_t m, k, n;                                    /* sizes; k and n in words of 64 columns over GF(2) */
  const void *a, *b;
  void *c;
  int64_t a_rs, a_cs, b_rs, b_cs, c_rs, c_cs; /* strides in elements */
  void *workspace;
  void *gemm;
  int64_t blas_int; /* bytes of an integer of that BLAS */
  double p;
  int64_t chunk, lazy;
  const double *denominators;
} request;

/* Take an operand as it stands where one of its strides is 1; it is packed otherwise. */
static view operand(const job *job, const void *p, idx rs, idx cs, idx rows, idx cols, arena *ws, int *apart) {
  const int by_rows = cs == 1 && rs >= cols && rs > 0;
  *apart = !by_rows && !(rs == 1 && cs >= rows && cs > 0);
  if (*apart) return fresh(job, ws, rows, cols, 1);
  const view x = {(char *)p, by_rows ? rs : cs, by_rows};
  return x;
}

static size_t run(const request *r, int dry) {
  const job job = {&domains[r->domain],
                   {r->p, r->p ? 1 / r->p : 0, r->chunk, (int)r->lazy, r->denominators},
                   r->gemm,
                   (int)r->blas_int,
                   (int)r->product_mode,
                   (int)r->pad,
                   dry};
  arena ws = {dry ? 0 : (char *)r->workspace, 0, 0, 0};
  const idx m = r->m, k = r->k, n = r->n, height = k * job.domain->pack;
  int apart;
  const view a = operand(&job, r->a, r->a_rs, r->a_cs, m, k, &ws, &apart);
  if (apart && !dry) job.domain->copy(r->a, r->a_rs, r->a_cs, m, k, a.p, a.ld, 1, m, k);
  const view b = operand(&job, r->b, r->b_rs, r->b_cs, height, n, &ws, &apart);
  if (apart && !dry) job.domain->copy(r->b, r->b_rs, r->b_cs, height, n, b.p, b.ld, 1, height, n);
  const view c = operand(&job, r->c, r->c_rs, r->c_cs, m, n, &ws, &apart);
  multiply(&job, (int)r->levels, m, k, n, a, b, c, SET, &ws, r->threads > 1 ? (int)r->threads : 1);
  if (apart && !dry) job.domain->copy(c.p, c.ld, 1, m, n, r->c, r->c_rs, r->c_cs, m, n);
  return ws.peak;
}

/* Bytes of workspace that ${name}_run takes for this request. */
size_t ${name}_workspace(const request *r) { return run(r, 1); }

/* Write A B to C; workspace, C and the operands must not overlap. */
void ${name}_run(const request *r) { run(r, 0); }

/* What a loader has to know of the scheme, as JSON. */
const char *${name}_facts(void) { return facts; }
