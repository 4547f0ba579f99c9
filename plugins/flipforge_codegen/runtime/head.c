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
  const double *denominators; /* inverse modulo p of each denominator of each scheme's outputs */
} ring;

/* What to do with a product: write it, add it, or write it where the caller reduces it modulo p itself. */
enum { SET, ADD, RAW };

/* All combinations at once, one product at a time, or the same with operands that are overwritten. */
enum { STREAMING, PRODUCTS, CLOBBER };

typedef struct domain domain;

typedef struct job {
  const domain *domain;
  ring ring;
  void *gemm, *syrk, *trmm, *symm; /* of cblas, for the arithmetic at hand, or null */
  int blas_int, levels, mode, pad, dry;
} job;

typedef struct {
  long long numerator, denominator;
  int place;
} term;

/* Streams: reads blocks, each with its own step from row to row, and writes blocks. */
typedef void (*pass)(idx, idx, const void *const *, const idx *, void *const *, const idx *, const ring *);

/* A sum (left < 0) or a product of places, for a target of the shape of a block of A, B or C (0, 1, 2). */
typedef struct {
  int target, shape;
  int left, right, last; /* last: neither factor is read again */
  int first, count;      /* terms of a sum */
} step;

typedef struct {
  int count, left_buffers, right_buffers, out_buffers;
  const step *steps;
  const term *terms;
} schedule;

/* A scheme for rows x inner by inner x cols blocks; its passes by number of the domain. */
typedef struct {
  int rows, inner, cols, products, left_slots, right_slots;
  const int *left_source, *right_source;
  schedule products_plan, clobber_plan, square_plan;
  pass left[DOMAINS], right[DOMAINS], out[DOMAINS];
} scheme;

struct domain {
  size_t size; /* bytes of an element */
  idx pack;    /* rows of the right operand for one column of the left one */
  void (*combine)(idx, idx, int, const term *, const void *const *, const idx *, void *, idx, const ring *);
  void (*copy)(const void *, idx, idx, idx, idx, void *, idx, idx, idx, idx);
  void (*leaf)(const job *, idx, idx, idx, view, view, view, int);
};

/* Bring a float64 below 2^53 in absolute value to the residue of least size, which is at most p / 2 + 2: the quotient
   is off by less than 0.5 + 2 / p, and fma rounds once, to an integer that is small enough to be exact. */
#define REDUCE(x) fma(-rint((x) * ring->inverse), ring->p, (x))

/* numerator / denominator modulo p, of least size; p is prime to the denominator (extended Euclid). */
static inline double residue(term x, const ring *ring) {
  const long long p = (long long)ring->p;
  long long r = p, s = x.denominator % p, t = 0, u = 1;
  while (s) {
    const long long q = r / s, rest = r - q * s, next = t - q * u;
    r = s, s = rest, t = u, u = next;
  }
  const long long value = x.numerator % p * t % p;
  return (double)(value > p / 2 ? value - p : value < -(p / 2) ? value + p : value);
}

/* cblas_sgemm and cblas_dgemm with integers of 4 or 8 bytes. */
typedef void (*gemm_f32_4)(int, int, int, int, int, int, float, const void *, int, const void *, int, float, void *, int);
typedef void (*gemm_f64_4)(int, int, int, int, int, int, double, const void *, int, const void *, int, double, void *,
                           int);
typedef void (*gemm_f32_8)(int, int, int, int64_t, int64_t, int64_t, float, const void *, int64_t, const void *,
                           int64_t, float, void *, int64_t);
typedef void (*gemm_f64_8)(int, int, int, int64_t, int64_t, int64_t, double, const void *, int64_t, const void *,
                           int64_t, double, void *, int64_t);
