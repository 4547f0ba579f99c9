
/* The method of the four Russians: a table of all sums of 8 rows of B, looked up by the bytes of A. Words are taken by
   value, so the order of bytes in memory does not matter. k and n count words of 64 bits. */
static void leaf_$suffix(const job *job, idx m, idx k, idx n, view a, view b, view c, int how) {
  enum { WIDTH = 16 };
  uint64_t table[256 * WIDTH];
  if (how != ADD)
    for (idx i = 0; i < m; i++) memset((uint64_t *)c.p + i * c.ld, 0, (size_t)n * sizeof(uint64_t));
  for (idx first = 0; first < n; first += WIDTH) {
    const idx width = n - first < WIDTH ? n - first : WIDTH;
    for (idx q = 0; q < 8 * k; q++) {
      memset(table, 0, sizeof(uint64_t) * WIDTH);
      for (int bit = 0; bit < 8; bit++) {
        const uint64_t *row = (const uint64_t *)b.p + (8 * q + bit) * b.ld + first;
        for (int s = 0; s < 1 << bit; s++)
          for (idx j = 0; j < width; j++) table[((1 << bit) + s) * WIDTH + j] = table[s * WIDTH + j] ^ row[j];
      }
      for (idx i = 0; i < m; i++) {
        const uint64_t word = ((const uint64_t *)a.p)[i * a.ld + q / 8];
        const uint64_t *restrict s = table + ((word >> (q % 8 * 8)) & 255) * WIDTH;
        uint64_t *restrict t = (uint64_t *)c.p + i * c.ld + first;
        LOOP for (idx j = 0; j < width; j++) t[j] ^= s[j];
      }
    }
  }
  (void)job;
}
