/* ---- structured products -------------------------------------------------------------------------------------------

   Letters: g general, u upper and l lower triangular, s symmetric, k skew; t for the transpose of the left operand.
   Triangular operands are clean: zeros stand in their other triangle. Of symmetric and skew ones, and of the result of a
   product of X and its transpose, the upper triangle is read or written and nothing else. */

static int is_triangular(char x) { return x == 'u' || x == 'l'; }

static char turned(char x) { return x == 'u' ? 'l' : x == 'l' ? 'u' : x; }

static view flipped(view x) {
  const view turn = {x.p, x.ld, !x.by_rows};
  return turn;
}

/* The scheme for a product, or for that of matrices with rows and columns in the other order. */
static const structured *find(char x, char y, int *reversed) {
  for (int turn = 0; turn < 2; turn++)
    for (int i = 0; i < STRUCTURED; i++) {
      const char left = turn ? turned(x) : x, right = turn ? turned(y) : y;
      if (turn && (y == 't' || (!is_triangular(x) && !is_triangular(y)))) continue;
      if (structures[i].left == left && structures[i].right == right) {
        *reversed = turn;
        return &structures[i];
      }
    }
  return 0;
}

/* Copy a triangle between matrices that stand alike; ``clean`` writes zeros to the other one. */
static void triangle(const job *job, idx n, view from, view to, int lower, int clean) {
  const size_t size = job->domain->size;
  if (job->dry) return;
  for (idx i = 0; i < n; i++) {
    const int below = lower == from.by_rows; /* the part of this row or column that ends on the diagonal */
    const idx first = below ? 0 : i, last = below ? i + 1 : n;
    char *row = to.p + i * to.ld * (idx)size;
    memcpy(row + first * (idx)size, from.p + (i * from.ld + first) * (idx)size, (size_t)(last - first) * size);
    if (clean && below) memset(row + last * (idx)size, 0, (size_t)(n - last) * size);
    if (clean && !below) memset(row, 0, (size_t)first * size);
  }
}

static void scale(const job *job, long long by, view from, view to, int add, idx rows, idx cols) {
  const term terms[] = {{1, 1, 0}, {by, 1, 0}};
  const void *source[] = {to.p, from.p};
  const idx ld[] = {to.ld, from.ld};
  if (job->dry || !rows || !cols) return;
  job->domain->combine(to.by_rows ? rows : cols, to.by_rows ? cols : rows, 1 + add, terms + !add, source + !add, ld + !add,
                       to.p, to.ld, &job->ring);
}

static void zero(const job *job, view to, idx rows, idx cols) {
  if (!job->dry) job->domain->combine(to.by_rows ? rows : cols, to.by_rows ? cols : rows, 0, 0, 0, 0, to.p, to.ld, &job->ring);
}

/* The whole of a symmetric or skew matrix, from its upper triangle. */
static view whole(const job *job, view a, int skew, idx n, arena *ws) {
  const view x = fresh(job, ws, n, n, a.by_rows);
  triangle(job, n, a, x, 0, 0);
  if (!job->dry) tools_of(job)->mirror(n, x.p, row_step(x), column_step(x), skew, &job->ring);
  return x;
}

/* A product without a scheme: by BLAS where there is one for it, in general otherwise. */
static void structured_leaf(const job *job, char x, char y, idx m, idx k, idx n, view a, view b, view c, arena *ws,
                            int threads) {
  const tools *blas = job->gemm ? tools_of(job) : 0;
  if (y == 't' && blas && blas->syrk) {
    if (!job->dry) blas->syrk(job, m, k, a, c);
  } else if (y == 't') {
    /* Panels of rows, each from the diagonal on; what is below the diagonal is left where it is. */
    const view panel = fresh(job, ws, m < PANEL ? m : PANEL, m, c.by_rows);
    for (idx top = 0; top < m; top += PANEL) {
      const idx high = m - top < PANEL ? m - top : PANEL;
      leaf(job, high, k, m - top, block(job, a, top, 0), flipped(block(job, a, top, 0)), panel, SET, threads);
      if (job->dry) continue;
      triangle(job, high, panel, block(job, c, top, top), 0, 0);
      scale(job, 1, block(job, panel, 0, high), block(job, c, top, top + high), 0, high, m - top - high);
    }
  } else if (blas && blas->trmm && (is_triangular(x) || is_triangular(y))) {
    const int right = !is_triangular(x);
    if (job->dry || !m || !n) return;
    copied(job, right ? a : b, m, n, c, m, n);
    blas->trmm(job, right, (right ? y : x) == 'l', m, n, right ? b : a, c);
  } else if (x == 's' && blas && blas->symm) {
    view alike = b;
    if (b.by_rows != c.by_rows) {
      alike = fresh(job, ws, k, n, c.by_rows);
      copied(job, b, k, n, alike, k, n);
    }
    if (!job->dry && m && n) blas->symm(job, m, n, a, alike, c);
  } else {
    leaf(job, m, k, n, x == 's' || x == 'k' ? whole(job, a, x == 'k', m, ws) : a, b, c, SET, threads);
  }
}

static void product(const job *, char, char, int, idx, idx, idx, view, view, view, arena *, int);

/* A product with its own arena on top of this one; the result is that of the caller. */
static void within(const job *job, char x, char y, int level, idx m, idx k, idx n, view a, view b, view c, arena *ws,
                   int threads) {
  arena below = *ws;
  product(job, x, y, level, m, k, n, a, b, c, &below, threads);
  if (below.peak > ws->peak) ws->peak = below.peak;
}

/* What symmetric blocks leave out of a symmetric or skew matrix: block (i, j) above the diagonal is one of them and a
   rest N, strictly lower triangular, so that N and its transpose are to be multiplied; and skew blocks on the diagonal. */
static void rests(const job *job, const structured *s, int level, idx m, idx n, view a, view b, view c, arena *ws,
                  int threads) {
  const int count = s->scheme->rows, skew = s->left == 'k';
  const arena kept = *ws;
  const idx wide = n * s->scheme->cols;
  const view part = fresh(job, ws, m, wide, c.by_rows), rest = fresh(job, ws, m, m, a.by_rows);
  for (int i = 0; i < count; i++) {
    const view own = block(job, c, i * m, 0);
    if (skew) {
      within(job, 'k', 'g', level - 1, m, m, wide, block(job, a, i * m, i * m), block(job, b, i * m, 0), part, ws, threads);
      scale(job, 1, part, own, 1, m, wide);
    }
    for (int j = i + 1; j < count; j++) {
      const view x = block(job, a, i * m, j * m), other = block(job, c, j * m, 0);
      if (!job->dry)
        tools_of(job)->rest(m, x.p, row_step(x), column_step(x), rest.p, row_step(rest), column_step(rest), &job->ring);
      within(job, 'l', 'g', level - 1, m, m, wide, rest, block(job, b, j * m, 0), part, ws, threads);
      scale(job, 1, part, own, 1, m, wide);
      within(job, 'u', 'g', level - 1, m, m, wide, flipped(rest), block(job, b, i * m, 0), part, ws, threads);
      scale(job, skew ? -1 : 1, part, other, 1, m, wide);
    }
  }
  ws->used = kept.used, ws->count = kept.count;
}

/* The operands of a side: its blocks where they stand, symmetric ones for those of a symmetric or skew matrix. */
static void operands(const job *job, char letter, int count, const cell *cells, int rows, int cols, int turn_rows,
                     int turn_cols, idx high, idx wide, view x, arena *ws, view *to) {
  for (int q = 0; q < count; q++) {
    const int i = turn_rows ? rows - 1 - cells[q].row : cells[q].row;
    const int j = turn_cols ? cols - 1 - cells[q].column : cells[q].column;
    to[q] = block(job, x, i * high, j * wide);
    if (letter == 's' || letter == 'k') to[q] = whole(job, to[q], 0, high, ws);
  }
}

/* A product of blocks; of one of a block and its transpose the lower triangle is filled in where it is wanted. */
typedef struct {
  char left, right;
  int mirrored;
  view a, b, c;
} task;

static void performed(const job *job, const task *t, int level, idx m, idx k, idx n, arena *ws, int threads) {
  within(job, t->left, t->right, level, m, k, n, t->a, t->b, t->c, ws, threads);
  if (t->mirrored && !job->dry)
    tools_of(job)->mirror(m, t->c.p, row_step(t->c), column_step(t->c), 0, &job->ring);
}

/* As many products as come out even are shared out, a core each; the rest are taken by all cores, one by one. */
static void perform(const job *job, const task *tasks, int count, int level, idx m, idx k, idx n, arena *ws,
                    int threads) {
  const int shared = threads > 1 ? count - count % threads : 0;
  if (shared) {
    const arena kept = *ws;
    arena most = {0, 0, 0, 0};
    struct job measured = *job;
    measured.dry = 1;
    for (int i = 0; i < shared; i++) performed(&measured, tasks + i, level, m, k, n, &most, 1);
    const size_t each = (most.peak + 4095) & ~(size_t)4095;
    if (kept.used + (size_t)threads * each > ws->peak) ws->peak = kept.used + (size_t)threads * each;
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1) if (!job->dry)
#endif
    for (int i = 0; i < shared; i++) {
#ifdef _OPENMP
      const size_t number = (size_t)omp_get_thread_num();
#else
      const size_t number = 0;
#endif
      arena own = {kept.base, kept.used + number * each, 0, 0};
      if (!job->dry) performed(job, tasks + i, level, m, k, n, &own, 1);
    }
  }
  for (int i = shared; i < count; i++) performed(job, tasks + i, level, m, k, n, ws, threads);
}

/* One level: combinations, products of the kinds that the scheme calls for, the blocks of the result. */
static void by_scheme(const job *job, const structured *s, int turn, int level, idx m, idx k, idx n, view a, view b, view c,
                      arena *ws, int threads) {
  const scheme *x = s->scheme;
  const int domain = (int)(job->domain - domains), gram = s->right == 't';
  const int turn_rows = turn && s->left != 'g', turn_cols = turn && s->right != 'g';
  const idx high = gram ? m : k, wide = gram ? k : n;
  view from[MOST_BLOCKS], with[MOST_BLOCKS], to[MOST_BLOCKS], left[MOST_BLOCKS], right[MOST_BLOCKS], p[MOST_BLOCKS];
  operands(job, s->left, s->left_inputs, s->left_cells, x->rows, x->inner, turn_rows, turn, m, k, a, ws, from);
  if (gram)
    memcpy(with, from, sizeof(view) * (size_t)s->left_inputs);
  else
    operands(job, s->right, s->right_inputs, s->right_cells, x->inner, x->cols, turn, turn_cols, k, n, b, ws, with);
  for (int i = 0; i < x->left_slots; i++) left[i] = fresh(job, ws, m, k, a.by_rows);
  for (int i = 0; i < x->right_slots; i++) right[i] = fresh(job, ws, high, wide, with[0].by_rows);
  stream(job, x->left[domain], s->left_inputs, from, x->left_slots, left, m, k, threads);
  stream(job, x->right[domain], s->right_inputs, with, x->right_slots, right, high, wide, threads);
  for (int o = 0; o < s->outputs; o++) {
    const cell at = s->out_cells[o];
    to[o] = block(job, c, (turn_rows ? x->rows - 1 - at.row : at.row) * m,
                  (turn_cols ? x->cols - 1 - at.column : at.column) * n);
  }
  task tasks[MOST_BLOCKS];
  for (int r = 0; r < x->products; r++) {
    const view u = chosen(x->left_source[r], from, left), v = chosen(x->right_source[r], with, right);
    const int alone = s->goes[r], own = s->own[r] == '1';
    const char kind = turn ? turned(s->left_kinds[r]) : s->left_kinds[r];
    const char other = turn ? turned(s->right_kinds[r]) : s->right_kinds[r];
    const int on_diagonal = alone >= 0 && s->out_cells[alone].row == s->out_cells[alone].column;
    p[r] = alone >= 0 ? to[alone] : fresh(job, ws, m, n, c.by_rows);
    const task each = {kind, own ? 't' : other, own && !on_diagonal, u, own ? u : gram ? flipped(v) : v, p[r]};
    tasks[r] = each;
  }
  perform(job, tasks, x->products, level - 1, m, k, n, ws, threads);
  /* Of blocks on the diagonal of a symmetric result the upper triangle is written, and nothing else. */
  view kept[MOST_BLOCKS];
  for (int o = 0; o < s->kept; o++) {
    const cell at = s->out_cells[s->slots[o]];
    kept[o] = gram && at.row == at.column ? fresh(job, ws, m, n, c.by_rows) : to[s->slots[o]];
  }
  stream(job, x->out[domain], x->products, p, s->kept, kept, m, n, threads);
  for (int o = 0; o < s->kept; o++)
    if (kept[o].p != to[s->slots[o]].p) triangle(job, m, kept[o], to[s->slots[o]], 0, 0);
  for (int o = 0; o < s->empty; o++) {
    const cell at = s->empty_cells[o];
    zero(job, block(job, c, (turn_rows ? x->rows - 1 - at.row : at.row) * m,
                    (turn_cols ? x->cols - 1 - at.column : at.column) * n), m, n);
  }
  if (s->left == 's' || s->left == 'k') rests(job, s, level, m, n, a, b, c, ws, threads);
}

/* C = A B for operands of these structures. */
static void product(const job *job, char x, char y, int level, idx m, idx k, idx n, view a, view b, view c, arena *ws,
                    int threads) {
  int turn = 0;
  if (x == 'g' && y == 'g') {
    multiply(job, job->levels, m, k, n, a, b, c, SET, job->mode, ws, threads);
    return;
  }
  const structured *s = level > 0 ? find(x, y, &turn) : 0;
  if (y == 's' || y == 'k') { /* the transpose; a skew matrix is minus its own */
    within(job, y, turned(x), level, n, k, m, b, flipped(a), flipped(c), ws, threads);
    if (y == 'k') scale(job, -1, c, c, 0, m, n);
    return;
  }
  if (!s && y != 't' && x != 's' && x != 'k' && level > 0 && find(turned(y), turned(x), &turn)) {
    within(job, turned(y), turned(x), level, n, k, m, flipped(b), flipped(a), flipped(c), ws, threads);
    return;
  }
  if (!s || m < s->scheme->rows || k < s->scheme->inner || n < s->scheme->cols) {
    structured_leaf(job, x, y, m, k, n, a, b, c, ws, threads);
    return;
  }
  const idx rows = s->scheme->rows, inner = s->scheme->inner, cols = s->scheme->cols;
  if (m % rows || k % inner || n % cols) {
    const idx up_m = rounded(m, rows), up_k = rounded(k, inner), up_n = rounded(n, cols);
    const view left = fresh(job, ws, up_m, up_k, a.by_rows), result = fresh(job, ws, up_m, up_n, c.by_rows);
    view right = left;
    copied(job, a, m, k, left, up_m, up_k);
    if (y != 't') {
      right = fresh(job, ws, up_k, up_n, b.by_rows);
      copied(job, b, k, n, right, up_k, up_n);
    }
    by_scheme(job, s, turn, level, up_m / rows, up_k / inner, up_n / cols, left, right, result, ws, threads);
    if (y == 't')
      triangle(job, m, result, c, 0, 0);
    else
      copied(job, result, m, n, c, m, n);
    return;
  }
  by_scheme(job, s, turn, level, m / rows, k / inner, n / cols, a, b, c, ws, threads);
}
