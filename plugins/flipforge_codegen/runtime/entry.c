/* ---- entry points ----------------------------------------------------------------------------------------------- */

typedef struct {
  int64_t domain, mode, levels, threads;
  int64_t pad;     /* 0 never, 1 where it costs less, 2 always */
  int64_t m, k, n; /* sizes; k and n in words of 64 columns over GF(2) */
  void *a, *b, *c;
  int64_t a_rs, a_cs, b_rs, b_cs, c_rs, c_cs; /* strides in elements */
  void *workspace;
  void *gemm;
  int64_t blas_int; /* bytes of an integer of that BLAS */
  double p;
  int64_t chunk, lazy;
  const double *denominators;
} request;

static size_t run(const request *r, int dry) {
  const job job = {.domain = &domains[r->domain],
                   .ring = {r->p, r->p ? 1 / r->p : 0, r->chunk, (int)r->lazy, r->denominators},
                   .gemm = r->gemm, .blas_int = (int)r->blas_int, .levels = (int)r->levels, .pad = (int)r->pad, .dry = dry};
  arena ws = {dry ? 0 : (char *)r->workspace, 0, 0, 0};
  const idx m = r->m, k = r->k, n = r->n, height = k * job.domain->pack;
  int apart;
  const view a = operand(&job, r->a, r->a_rs, r->a_cs, m, k, &ws, &apart);
  if (apart && !dry) job.domain->copy(r->a, r->a_rs, r->a_cs, m, k, a.p, a.ld, 1, m, k);
  const view b = operand(&job, r->b, r->b_rs, r->b_cs, height, n, &ws, &apart);
  if (apart && !dry) job.domain->copy(r->b, r->b_rs, r->b_cs, height, n, b.p, b.ld, 1, height, n);
  const view c = operand(&job, r->c, r->c_rs, r->c_cs, m, n, &ws, &apart);
  multiply(&job, (int)r->levels, m, k, n, a, b, c, SET, (int)r->mode, &ws, r->threads > 1 ? (int)r->threads : 1);
  if (apart && !dry) job.domain->copy(c.p, c.ld, 1, m, n, r->c, r->c_rs, r->c_cs, m, n);
  return ws.peak;
}

/* Bytes of workspace that ${name}_run takes for this request. */
size_t ${name}_workspace(const request *r) { return run(r, 1); }

/* Write A B to C; workspace, C and the operands must not overlap. The mode clobber overwrites A and B. */
void ${name}_run(const request *r) { run(r, 0); }

/* What a loader has to know of the scheme, as JSON. */
const char *${name}_facts(void) { return facts; }
