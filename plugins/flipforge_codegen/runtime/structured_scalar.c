
/* ---- $suffix: triangles ----------------------------------------------------------------------------------------- */

/* Write the lower triangle of a symmetric or skew matrix from its upper one, tile by tile. */
static void mirror_$suffix(idx n, void *matrix, idx rs, idx cs, int skew, const ring *ring) {
  $type *x = ($type *)matrix;
  for (idx top = 0; top < n; top += TILE)
    for (idx left = top; left < n; left += TILE)
      for (idx i = top; i < n && i < top + TILE; i++)
        for (idx j = left > i ? left : i; j < n && j < left + TILE; j++) {
          if (i == j && skew) x[i * rs + j * cs] = 0;
          if (i < j) x[j * rs + i * cs] = skew ? -x[i * rs + j * cs] : x[i * rs + j * cs];
        }
  (void)ring;
}

/* Write what a block has below the diagonal beyond its own upper triangle mirrored; zeros on and above the diagonal. */
static void rest_$suffix(idx n, const void *block, idx rs, idx cs, void *target, idx rs_to, idx cs_to, const ring *ring) {
  const $type *x = (const $type *)block;
  $type *t = ($type *)target;
  for (idx top = 0; top < n; top += TILE)
    for (idx left = 0; left < n; left += TILE)
      for (idx i = top; i < n && i < top + TILE; i++)
        for (idx j = left; j < n && j < left + TILE; j++)
          t[i * rs_to + j * cs_to] = i > j ? $reduce(x[i * rs + j * cs] - x[j * rs + i * cs]) : 0;
  (void)ring;
}
$blas
