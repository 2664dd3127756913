// main.c: the benchmark's plugin: one CLI command for each scenario, answered with one line of JSON when it is over.
//
//   corod-bench connect PATH                      the floor's client (client.c) listens there
//   corod-bench roundtrip floor|node idle|busy COUNT WARMUP   one at a time: sent by a process node, answered from
//                                                 outside, seen; idle: only those in which main slept count; busy: a
//                                                 pause before each, in which the other side goes to sleep
//   corod-bench roundtrip node polled COUNT WARMUP   as busy, back to back
//   corod-bench cost floor|node COUNT BATCH       COUNT times BATCH signals to a process node, until it has run
//   corod-bench worker wake|burst|flood COUNT US  events sent by a worker thread
#include "bench.h"

#include <vnet/plugin/plugin.h>

clib_error_t *bench_find(vlib_main_t *vm, bench_node_t *node) {
  if (!corod_api())
    return clib_error_return(0, "corod is not loaded");
  int status = corod_api()->resolve(BENCH_NODE, &node->handle);
  if (status)
    return clib_error_return(0, "%s: %s", BENCH_NODE, corod_api()->text(status));
  vlib_node_t *n = vlib_get_node_by_name(vm, (u8 *)BENCH_NODE);
  node->index = n->index;
  node->counter = n->error_heap_index;
  return NULL;
}

clib_error_t *bench_wait(vlib_main_t *vm, const volatile bool *done) {
  // Few steps: each wakes the main loop, and what is measured may want to find it asleep.
  for (u32 i = 0; !*done && i < 1200; i++)
    vlib_process_suspend(vm, 0.05);
  return *done ? NULL : clib_error_return(0, "not over after a minute");
}

static int compare(const void *a, const void *b) {
  u64 x = *(const u64 *)a, y = *(const u64 *)b;
  return x < y ? -1 : x > y;
}

u64 bench_percentile(u64 *took, f64 share) {
  qsort(took, vec_len(took), sizeof *took, compare);
  return took[clib_min(vec_len(took) - 1, (u64)(vec_len(took) * share))];
}

void bench_print(vlib_main_t *vm, u64 *took, u64 left_out) {
  u64 p50 = bench_percentile(took, 0.5), p99 = bench_percentile(took, 0.99);
  vlib_cli_output(vm, "{\"p50\":%lu,\"p99\":%lu,\"min\":%lu,\"count\":%lu,\"left_out\":%lu}", p50, p99, took[0],
                  (u64)vec_len(took), left_out);
}

static clib_error_t *command(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *cmd) {
  clib_error_t *error = NULL;
  u8 *word = NULL;
  u32 count, other;
  (void)cmd;
  if (unformat(in, "connect %s", &word))
    error = bench_connect(vm, (char *)word);
  else if (unformat(in, "roundtrip floor idle %u %u", &count, &other))
    error = bench_roundtrip(vm, true, BENCH_IDLE, count, other);
  else if (unformat(in, "roundtrip floor busy %u %u", &count, &other))
    error = bench_roundtrip(vm, true, BENCH_BUSY, count, other);
  else if (unformat(in, "roundtrip node idle %u %u", &count, &other))
    error = bench_roundtrip(vm, false, BENCH_IDLE, count, other);
  else if (unformat(in, "roundtrip node busy %u %u", &count, &other))
    error = bench_roundtrip(vm, false, BENCH_BUSY, count, other);
  else if (unformat(in, "roundtrip node polled %u %u", &count, &other))
    error = bench_roundtrip(vm, false, BENCH_POLLED, count, other);
  else if (unformat(in, "cost floor %u %u", &count, &other))
    error = bench_cost(vm, true, count, other);
  else if (unformat(in, "cost node %u %u", &count, &other))
    error = bench_cost(vm, false, count, other);
  else if (unformat(in, "worker %s %u %u", &word, &count, &other))
    error = bench_worker(vm, (char *)word, count, other);
  else
    error = clib_error_return(0, "unknown: %U", format_unformat_error, in);
  vec_free(word);
  return error;
}

VLIB_CLI_COMMAND(corod_bench_command, static) = {
    .path = "corod-bench",
    .short_help = "corod-bench connect|roundtrip|cost|worker",
    .function = command,
    .is_mp_safe = 1, // it suspends: never under the worker barrier
};

VLIB_PLUGIN_REGISTER() = {
    .version = "0.1.0",
    .description = "corod's benchmark",
};
