
/* ---- $suffix: helpers ------------------------------------------------------------------------------------------- */

/* dst = sum of coefficients times blocks, a strip of a row at a time, so that the strip stays in the nearest cache. */
static void combine_$suffix(idx rows, idx cols, int count, const long long *coefficient, const void *const *source,
                            idx ld, void *target, idx ld_target, const ring *ring) {
  for (idx i = 0; i < rows; i++) {
    for (idx first = 0; first < cols; first += STRIP) {
      const idx width = cols - first < STRIP ? cols - first : STRIP;
      $type *restrict t = ($type *)target + i * ld_target + first;
      for (int s = 0; s < count; s++) {
        const $type *restrict x = (const $type *)source[s] + i * ld + first;
        const $type f = ($type)coefficient[s];
        (void)f;
        if (s == 0) {
          LOOP for (idx j = 0; j < width; j++) t[j] = $scaled;
        } else {
          LOOP for (idx j = 0; j < width; j++) t[j] = t[j] $plus $scaled;
        }
      }
      $strip_end
    }
  }
  (void)ring;
}

/* target = f * product, or target += f * product. */
static void update_$suffix(idx rows, idx cols, long long coefficient, const void *product, idx ld, void *target,
                           idx ld_target, int add, const ring *ring) {
  const $type f = ($type)coefficient;
  for (idx i = 0; i < rows; i++) {
    const $type *restrict x = (const $type *)product + i * ld;
    $type *restrict t = ($type *)target + i * ld_target;
    if (add) {
      LOOP for (idx j = 0; j < cols; j++) t[j] = $reduce(t[j] $plus $scaled);
    } else {
      LOOP for (idx j = 0; j < cols; j++) t[j] = $reduce($scaled);
    }
  }
  (void)f, (void)ring;
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

/* Divide an output by its denominator. */
static void divide_$suffix(idx rows, idx cols, int place, void *target, idx ld, const ring *ring) {
  if (denominators[place] == 1) return;
$divide
  (void)rows, (void)cols, (void)target, (void)ld, (void)ring;
}
