/* Runs CUDA and OpenCL kernels on a CPU: a fiber a thread, real barriers, the groups of a grid one after the other.

   Shared memory is filled with bytes 0xFF (NaN, or -1) before every group. Threads run from the first to the last or
   the other way round, each up to the next barrier: what another thread has not written yet is seen. A barrier that
   some threads of a group reach and others do not is an error. */
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <setjmp.h>
#include <ucontext.h>

struct shim_index {
  unsigned x, y, z;
};
static shim_index threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("shim_shared")))
#define __syncthreads() shim_barrier()

/* The same for OpenCL C. */
#define __kernel extern "C"
#define __global
#define __local __shared__
#define CLK_LOCAL_MEM_FENCE 1
#define barrier(fence) shim_barrier()
#define get_group_id(axis) ((axis) == 0 ? blockIdx.x : (axis) == 1 ? blockIdx.y : blockIdx.z)
#define get_local_id(axis) ((axis) == 0 ? threadIdx.x : (axis) == 1 ? threadIdx.y : threadIdx.z)

/* Half precision as storage: converted to and from float, ties to even. */
struct half_value {
  uint16_t bits;
  half_value() = default;
  explicit half_value(float x) {
    uint32_t f;
    memcpy(&f, &x, 4);
    const uint32_t sign = (f >> 16) & 0x8000u, magnitude = f & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) bits = (uint16_t)(sign | 0x7E00u);
    else if (magnitude >= 0x477FF000u) bits = (uint16_t)(sign | 0x7C00u);
    else if (magnitude < 0x38800000u) bits = (uint16_t)(sign | (uint32_t)std::nearbyint(std::fabs((double)x) * 16777216.0));
    else bits = (uint16_t)(sign | ((magnitude - 0x38000000u + 0x0FFFu + ((magnitude >> 13) & 1u)) >> 13));
  }
  explicit operator float() const {
    const uint32_t exponent = (bits >> 10) & 31u, mantissa = bits & 1023u;
    const double size = exponent == 31 ? (mantissa ? NAN : INFINITY)
                        : exponent     ? std::ldexp(1024.0 + mantissa, (int)exponent - 25)
                                       : std::ldexp((double)mantissa, -24);
    return (float)(bits & 0x8000u ? -size : size);
  }
};

enum { SHIM_THREADS = 1024, SHIM_STACK = 1 << 16, SHIM_ARGUMENTS = 16 };
typedef long long shim_word;
typedef void (*shim_kernel)(shim_word, shim_word, shim_word, shim_word, shim_word, shim_word, shim_word, shim_word,
                            shim_word, shim_word, shim_word, shim_word, shim_word, shim_word, shim_word, shim_word);

static ucontext_t shim_fiber[SHIM_THREADS];
static jmp_buf shim_back, shim_point[SHIM_THREADS];
static char *shim_stack;
static int shim_started[SHIM_THREADS], shim_done[SHIM_THREADS], shim_now;
static shim_kernel shim_code;
static const shim_word *shim_arguments;

static void shim_barrier() {
  if (!_setjmp(shim_point[shim_now])) _longjmp(shim_back, 1);
}

/* A fiber lives on: at the end of a kernel it waits for the next group. */
static void shim_body() {
  for (;;) {
    const shim_word *a = shim_arguments;
    shim_code(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]);
    shim_done[shim_now] = 1;
    shim_barrier();
  }
}

/* Let a fiber run up to its next barrier, or to the end of the kernel. Contexts are entered once, jumps cost less. */
static __attribute__((noinline)) void shim_enter(int t) {
  shim_now = t;
  if (_setjmp(shim_back)) return;
  if (shim_started[t]) _longjmp(shim_point[t], 1);
  shim_started[t] = 1;
  getcontext(&shim_fiber[t]);
  shim_fiber[t].uc_stack.ss_sp = shim_stack + (size_t)t * SHIM_STACK;
  shim_fiber[t].uc_stack.ss_size = SHIM_STACK;
  shim_fiber[t].uc_link = 0;
  makecontext(&shim_fiber[t], shim_body, 0);
  setcontext(&shim_fiber[t]);
}

/* The linker knows where the section of shared memory begins and ends, if any kernel uses it. */
extern "C" char __start_shim_shared[] __attribute__((weak));
extern "C" char __stop_shim_shared[] __attribute__((weak));

/* Run one group; the number of rounds between barriers, or -1 where threads disagreed at a barrier. */
static int shim_group(int threads, int backwards) {
  if (__start_shim_shared) memset(__start_shim_shared, 0xFF, (size_t)(__stop_shim_shared - __start_shim_shared));
  for (int t = 0; t < threads; t++) shim_done[t] = 0;
  for (int rounds = 1;; rounds++) {
    int done = 0;
    for (int s = 0; s < threads; s++) {
      const int t = backwards ? threads - 1 - s : s;
      threadIdx = {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
      shim_enter(t);
      done += shim_done[t];
    }
    if (done == threads) return rounds;
    if (done) { /* some wait at a barrier that others never reach: their fibers are given up */
      memset(shim_started, 0, sizeof shim_started);
      return -1;
    }
  }
}

extern "C" int shim_launch(void *kernel, const unsigned *grid, const unsigned *block, const shim_word *arguments,
                           int backwards) {
  const unsigned threads = block[0] * block[1] * block[2];
  if (threads > SHIM_THREADS) return -2;
  if (!shim_stack) shim_stack = (char *)malloc((size_t)SHIM_THREADS * SHIM_STACK);
  if (!shim_stack) return -3;
  shim_code = (shim_kernel)kernel;
  shim_arguments = arguments;
  gridDim = {grid[0], grid[1], grid[2]};
  blockDim = {block[0], block[1], block[2]};
  for (unsigned z = 0; z < grid[2]; z++)
    for (unsigned y = 0; y < grid[1]; y++)
      for (unsigned x = 0; x < grid[0]; x++) {
        blockIdx = {x, y, z};
        const int rounds = shim_group((int)threads, backwards);
        if (rounds < 0) return rounds;
      }
  return 0;
}
