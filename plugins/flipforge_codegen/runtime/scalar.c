
/* ---- $suffix: helpers ------------------------------------------------------------------------------------------- */

/* target = sum of coefficients times blocks, a strip of a row at a time, so that the strip stays in the nearest cache. The
   target may be the first of the blocks. */
static void combine_$suffix(idx rows, idx cols, int count, const term *terms, const void *const *source, const idx *ld,
                            void *target, idx ld_target, const ring *ring) {
  for (idx i = 0; i < rows; i++) {
    for (idx first = 0; first < cols; first += STRIP) {
      const idx width = cols - first < STRIP ? cols - first : STRIP;
      $type *t = ($type *)target + i * ld_target + first;
      if (!count) memset(t, 0, (size_t)width * sizeof($type));
      for (int s = 0; s < count; s++) {
        const $type *x = (const $type *)source[s] + i * ld[s] + first;
        const $type f = $factor;
        (void)f;
        if (s == 0 && x == t && f == $one) continue;
        if (s == 0) {
          LOOP for (idx j = 0; j < width; j++) t[j] = $reduce($scaled);
        } else {
          LOOP for (idx j = 0; j < width; j++) t[j] = $reduce(t[j] $plus $scaled);
        }
      }
    }
  }
  (void)ring;
}

/* Copy a block between any strides; rows and columns beyond the source are zero. */
static void copy_$suffix(const void *from, idx rs, idx cs, idx rows, idx cols, void *to, idx rs_to, idx cs_to,
                         idx rows_to, idx cols_to) {
  const $type *x = (const $type *)from;
  $type *t = ($type *)to;
  for (idx i = 0; i < rows_to; i++)
    for (idx j = 0; j < cols_to; j++)
      t[i * rs_to + j * cs_to] = i < rows && j < cols ? x[i * rs + j * cs] : 0;
}

