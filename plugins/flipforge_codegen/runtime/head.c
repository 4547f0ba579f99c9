#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#define LOOP _Pragma("omp simd")
#else
#define LOOP
#endif

#define STRIP 1024 /* elements of a row that a combination handles at a time */

typedef ptrdiff_t idx;

/* A matrix that stands in memory by rows or by columns, each ld elements after the one before. */
typedef struct {
  char *p;
  idx ld;
  int by_rows;
} view;

static idx row_step(view x) { return x.by_rows ? x.ld : 1; }

static idx column_step(view x) { return x.by_rows ? 1 : x.ld; }

/* The arithmetic modulo p: 1/p, the length of sums that stay below 2^53, whether a product may stay unreduced. */
typedef struct {
  double p, inverse;
  long long chunk;
  int lazy;
  const double *denominators; /* inverse modulo p of each output's denominator */
} ring;

/* What to do with a product: write it, add it, or write it where the caller reduces it modulo p itself. */
enum { SET, ADD, RAW };

typedef struct domain domain;

typedef struct job {
  const domain *domain;
  ring ring;
  void *gemm; /* cblas_sgemm or cblas_dgemm, or null */
  int blas_int, product_mode, pad, dry;
} job;

struct domain {
  size_t size; /* bytes of an element */
  idx pack;    /* rows of the right operand for one column of the left one */
  void (*left)(idx, idx, const void *const *, idx, void *const *, idx, const ring *);
  void (*right)(idx, idx, const void *const *, idx, void *const *, idx, const ring *);
  void (*out)(idx, idx, const void *const *, idx, void *const *, idx, const ring *);
  void (*combine)(idx, idx, int, const long long *, const void *const *, idx, void *, idx, const ring *);
  void (*update)(idx, idx, long long, const void *, idx, void *, idx, int, const ring *);
  void (*divide)(idx, idx, int, void *, idx, const ring *);
  void (*copy)(const void *, idx, idx, idx, idx, void *, idx, idx, idx, idx);
  void (*leaf)(const job *, idx, idx, idx, view, view, view, int);
};

/* Bring a float64 below 2^53 in absolute value to the residue of least size, which is at most p / 2 + 2: the quotient
   is off by less than 0.5 + 2 / p, and fma rounds once, to an integer that is small enough to be exact. */
#define REDUCE(x) fma(-rint((x) * ring->inverse), ring->p, (x))

/* cblas_sgemm and cblas_dgemm with integers of 4 or 8 bytes. */
typedef void (*gemm_f32_4)(int, int, int, int, int, int, float, const void *, int, const void *, int, float, void *, int);
typedef void (*gemm_f64_4)(int, int, int, int, int, int, double, const void *, int, const void *, int, double, void *,
                           int);
typedef void (*gemm_f32_8)(int, int, int, int64_t, int64_t, int64_t, float, const void *, int64_t, const void *,
                           int64_t, float, void *, int64_t);
typedef void (*gemm_f64_8)(int, int, int, int64_t, int64_t, int64_t, double, const void *, int64_t, const void *,
                           int64_t, double, void *, int64_t);
