
/* ---- entry points ----------------------------------------------------------------------------------------------- */

typedef struct {
  int64_t domain, mode, levels, general_levels, threads;
  int64_t pad;         /* for general products: 0 never, 1 where it costs less, 2 always */
  int64_t left, right; /* letters of the product */
  int64_t m, k, n;
  void *a, *b, *c;
  int64_t a_rs, a_cs, b_rs, b_cs, c_rs, c_cs; /* strides in elements */
  void *workspace;
  void *gemm, *syrk, *trmm, *symm;
  int64_t blas_int; /* bytes of an integer of that BLAS */
  double p;
  int64_t chunk;
  const double *denominators;
} request;

/* Take an operand in the one way or the other; triangular ones are cleaned, strided ones packed. */
static view taken(const job *job, char letter, void *p, idx rs, idx cs, idx rows, idx cols, arena *ws) {
  int apart;
  view x = operand(job, p, rs, cs, rows, cols, ws, &apart);
  if (apart && !job->dry) job->domain->copy(p, rs, cs, rows, cols, x.p, x.ld, 1, rows, cols);
  if (!is_triangular(letter)) return x;
  const view to = apart ? x : fresh(job, ws, rows, cols, x.by_rows);
  triangle(job, rows, x, to, letter == 'l', 1);
  return to;
}

static size_t run(const request *r, int dry) {
  const job job = {.domain = &domains[r->domain],
                   .ring = {r->p, r->p ? 1 / r->p : 0, r->chunk, 0, r->denominators},
                   .gemm = r->gemm, .syrk = r->syrk, .trmm = r->trmm, .symm = r->symm,
                   .blas_int = (int)r->blas_int, .levels = (int)r->general_levels, .mode = (int)r->mode,
                   .pad = (int)r->pad, .dry = dry};
  arena ws = {dry ? 0 : (char *)r->workspace, 0, 0, 0};
  const char x = (char)r->left, y = (char)r->right;
  const view a = taken(&job, x, r->a, r->a_rs, r->a_cs, r->m, r->k, &ws);
  const view b = y == 't' ? a : taken(&job, y, r->b, r->b_rs, r->b_cs, r->k, r->n, &ws);
  const int by_rows = r->c_cs == 1 && r->c_rs >= r->n;
  const view c = {r->c, by_rows ? r->c_rs : r->c_cs, by_rows};
  within(&job, x, y, (int)r->levels, r->m, r->k, r->n, a, b, c, &ws, r->threads > 1 ? (int)r->threads : 1);
  return ws.peak;
}

/* Bytes of workspace that ${name}_run takes for this request. */
size_t ${name}_workspace(const request *r) { return run(r, 1); }

/* Write the product to C, one of whose strides is 1; of X times its transpose the upper triangle alone. */
void ${name}_run(const request *r) { run(r, 0); }

/* What a loader has to know of the schemes, as JSON. */
const char *${name}_facts(void) { return facts; }
