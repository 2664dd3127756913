// cost.c: what a signal costs the main thread: vlib_process_signal_event alone, a process node in C that drains, and a
// corod node that relays to its coroutine.
//
// The driver signals the target BATCH times, then the process node `end`, then waits: in the same pass of the main
// loop the target runs to its next wait, then `end`, which wakes the driver. So what passes in between is the target's
// share of main and two switches, the same for both. The watch is the thread's own CPU time: the daemon, woken by the
// first signal, may be given main's core for a while, and that is no cost of main's. The driver then waits until the
// coroutine has counted all, so that every batch finds an empty ring.
#include "bench.h"

static struct {
  bench_node_t node;
  bool floor, ended;
  volatile bool done;
  u32 count, batch, target;
  u64 drained; // by the plain process
  u64 *signal, *total;
} cost;

static uword plain(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  uword type, *data;
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    while ((data = vlib_process_get_event_data(vm, &type))) {
      cost.drained += vec_len(data);
      vlib_process_put_event_data(vm, data);
    }
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_bench_plain, static) = {
    .function = plain,
    .name = "corod-bench-plain",
    .type = VLIB_NODE_TYPE_PROCESS,
};

static void forget_events(vlib_main_t *vm) {
  uword type, *data;
  while ((data = vlib_process_get_event_data(vm, &type)))
    vlib_process_put_event_data(vm, data);
}

static u64 cpu_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

// What reading the watch itself adds to an interval.
static u64 watch_overhead(void) {
  u64 *took = NULL;
  for (u32 i = 0; i < 1000; i++) {
    u64 begin = cpu_now();
    vec_add1(took, cpu_now() - begin);
  }
  u64 overhead = bench_percentile(took, 0.5);
  vec_free(took);
  return overhead;
}

static void one_batch(vlib_main_t *vm, u32 end) {
  u64 begin = cpu_now();
  for (u32 i = 0; i < cost.batch; i++)
    vlib_process_signal_event(vm, cost.target, BENCH_POKE, i);
  u64 signalled = cpu_now();
  cost.ended = false;
  vlib_process_signal_event(vm, end, 1, 0);
  while (!cost.ended) {
    vlib_process_wait_for_event(vm);
    forget_events(vm);
  }
  vec_add1(cost.total, cpu_now() - begin);
  vec_add1(cost.signal, signalled - begin);
}

static u64 progress(void) {
  return cost.floor ? cost.drained : bench_counted(&cost.node);
}

static uword end_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame);

VLIB_REGISTER_NODE(corod_bench_end, static) = {
    .function = end_process,
    .name = "corod-bench-end",
    .type = VLIB_NODE_TYPE_PROCESS,
};

static uword driver(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    forget_events(vm);
    while (cost.count) {
      u64 wanted = progress() + cost.batch;
      one_batch(vm, corod_bench_end.index);
      // A pause for both, longer than it takes to go to sleep; and until everything was counted.
      do
        vlib_process_suspend(vm, 200e-6);
      while (progress() < wanted && cost.count);
      if (cost.count && --cost.count == 0)
        cost.done = true;
    }
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_bench_driver, static) = {
    .function = driver,
    .name = "corod-bench-driver",
    .type = VLIB_NODE_TYPE_PROCESS,
};

static uword end_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    forget_events(vm);
    cost.ended = true;
    vlib_process_signal_event(vm, corod_bench_driver.index, 1, 0);
  }
  return 0;
}

clib_error_t *bench_cost(vlib_main_t *vm, bool floor, u32 count, u32 batch) {
  clib_error_t *error = floor ? NULL : bench_find(vm, &cost.node);
  if (error)
    return error;
  if (count == 0 || batch == 0)
    return clib_error_return(0, "nothing to do");
  vec_reset_length(cost.signal);
  vec_reset_length(cost.total);
  cost.floor = floor;
  cost.target = floor ? corod_bench_plain.index : cost.node.index;
  cost.done = false;
  cost.batch = batch;
  cost.count = count;
  vlib_process_signal_event(vm, corod_bench_driver.index, 1, 0);
  error = bench_wait(vm, &cost.done);
  cost.count = 0;
  if (error)
    return error;
  // Two intervals end to end make the total.
  f64 overhead = (f64)watch_overhead(), signal = (f64)bench_percentile(cost.signal, 0.5);
  f64 total = (f64)bench_percentile(cost.total, 0.5);
  vlib_cli_output(vm, "{\"signal\":%lu,\"total\":%lu}", (u64)clib_max(signal - overhead, 0),
                  (u64)clib_max(total - 2 * overhead, 0));
  return NULL;
}
