// bench.h: what the files of the benchmark's plugin share. All stopwatches are inside VPP and read CLOCK_MONOTONIC.
#ifndef COROD_BENCH_VPP_H
#define COROD_BENCH_VPP_H

#include "shim-plugin/vpp/export.h"

#include <vlib/vlib.h>

#include <stdbool.h>
#include <time.h>

// Codes of the messages of nodes/vpp.ts: an event with a payload of BENCH_PAYLOAD bytes, and a signal.
#define BENCH_PING 1
#define BENCH_POKE 2
#define BENCH_PAYLOAD 32

// The node under test: tests/bench/nodes/vpp.ts or tests/bench/peer.c, whoever is attached.
#define BENCH_NODE "bench-0"

static inline u64 bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

// The node under test, found anew for each scenario.
typedef struct {
  corod_handle_t handle;
  u32 index;   // vlib's
  u32 counter; // of its first error counter
} bench_node_t;

// NULL if it is there.
clib_error_t *bench_find(vlib_main_t *vm, bench_node_t *node);

// What the node has counted so far. Any VPP thread: main's counters are where the commands of the peer are applied.
static inline u64 bench_counted(const bench_node_t *node) {
  const u64 *counters = vlib_get_main_by_index(0)->error_main.counters;
  return __atomic_load_n(&counters[node->counter], __ATOMIC_ACQUIRE);
}

// Suspends the calling process until `*done`; an error after 60 s.
clib_error_t *bench_wait(vlib_main_t *vm, const volatile bool *done);

// Prints {"p50":…,"p99":…,"min":…,"count":…,"left_out":…} of a vector of nanoseconds, which it sorts; `left_out` of the
// measured ones are not in it. Whole numbers everywhere: vlib's %f of a number below 1 is no JSON.
void bench_print(vlib_main_t *vm, u64 *took, u64 left_out);

// A value at a share (0…1) of a vector, which it sorts.
u64 bench_percentile(u64 *took, f64 share);

// How trips follow each other: main sleeps in between and only such trips count; it is busy and the other side sleeps;
// it is busy and they are back to back.
typedef enum { BENCH_IDLE, BENCH_BUSY, BENCH_POLLED } bench_pace_t;

// Each runs one scenario in the process of the CLI, suspended meanwhile, and prints one line of JSON.
clib_error_t *bench_connect(vlib_main_t *vm, const char *path);
clib_error_t *bench_roundtrip(vlib_main_t *vm, bool floor, bench_pace_t pace, u32 count, u32 warmup);
clib_error_t *bench_cost(vlib_main_t *vm, bool floor, u32 count, u32 batch);
clib_error_t *bench_worker(vlib_main_t *vm, const char *what, u32 count, u32 gap_us);

#endif
