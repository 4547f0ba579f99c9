
#define TILE 32   /* rows and columns that are mirrored at a time */
#define PANEL 128 /* rows of a symmetric result that are made at a time without BLAS */

typedef struct {
  int row, column;
} cell;

/* A scheme for a structured product: where its coordinates stand, and what its products are. */
typedef struct {
  char left, right;
  const scheme *scheme;
  int left_inputs, right_inputs, outputs, kept, empty;
  const cell *left_cells, *right_cells, *out_cells, *empty_cells;
  const char *left_kinds, *right_kinds; /* letters of the factors of each product */
  const char *own;                      /* 1 where both factors are the same, in products of X and its transpose */
  const int *goes;                      /* the output that a product is, alone, or -1 */
  const int *slots;                     /* the other outputs, as the last pass writes them */
} structured;

/* What an arithmetic can do with triangles; the last three with BLAS only. */
typedef struct {
  void (*mirror)(idx, void *, idx, idx, int, const ring *);
  void (*rest)(idx, const void *, idx, idx, void *, idx, idx, const ring *);
  void (*syrk)(const job *, idx, idx, view, view);
  void (*trmm)(const job *, int, int, idx, idx, view, view);
  void (*symm)(const job *, idx, idx, view, view, view);
} tools;
