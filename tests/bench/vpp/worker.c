// worker.c: events from a worker thread, by the exported C API: a polling node of the first worker sends, and looks
// itself at the node's counter, so that the stopwatch belongs to the sender.
//
//   wake    one in flight; each when main had time to go to sleep: send -> main wakes -> coroutine -> counted
//   burst   256 into an empty ring of the thread, then until all are counted: what the call itself takes
//   flood   COUNT as fast as they are taken, until the coroutine has counted the last
#include "bench.h"

#define BURST 256

enum work { WAKE, BURSTS, FLOOD };

static struct {
  CLIB_CACHE_LINE_ALIGN_MARK(line);
  bench_node_t node;
  enum work work;
  volatile bool done;
  bool flying;
  u64 begin, next, gap; // ns
  u64 base;             // counted before what is in flight
  u32 sent, count;
  int failed;
  u64 *took;
  u64 elapsed, full;
} work;

static int send_ping(void) {
  u8 payload[BENCH_PAYLOAD] = {0};
  return corod_api()->send(work.node.handle, BENCH_PING, payload, sizeof payload);
}

// As many as fit, at most `most`. Only FULL may be tried again.
static u32 send_some(u32 most) {
  u32 sent = 0;
  while (sent < most) {
    int status = send_ping();
    if (status == COROD_SEND_OK) {
      sent++;
      continue;
    }
    if (status == COROD_SEND_FULL)
      work.full++;
    else
      work.failed = status;
    break;
  }
  return sent;
}

// One step of wake and burst. Returns whether all is done.
static bool step(u64 now, u32 burst) {
  if (work.flying) {
    if (bench_counted(&work.node) - work.base < burst)
      return false;
    work.flying = false;
    if (work.work == WAKE)
      vec_add1(work.took, bench_now() - work.begin);
    work.next = now + work.gap;
    return vec_len(work.took) == work.count;
  }
  if (now < work.next)
    return false;
  work.base = bench_counted(&work.node);
  work.flying = true;
  work.begin = bench_now();
  if (send_some(burst) != burst && !work.failed)
    work.failed = COROD_SEND_FULL;
  if (work.work == BURSTS)
    vec_add1(work.took, bench_now() - work.begin);
  return false;
}

static bool flood(u64 now) {
  if (work.sent == 0) {
    work.begin = now;
    work.base = bench_counted(&work.node);
  }
  work.sent += send_some(clib_min(BURST, work.count - work.sent));
  if (work.sent < work.count || bench_counted(&work.node) - work.base < work.count)
    return false;
  work.elapsed = bench_now() - work.begin;
  return true;
}

static uword sender(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  u64 now = bench_now();
  (void)frame;
  if (work.done)
    return 0;
  bool over = work.work == FLOOD ? flood(now) : step(now, work.work == WAKE ? 1 : BURST);
  if (over || work.failed) {
    vlib_node_set_state(vm, runtime->node_index, VLIB_NODE_STATE_DISABLED);
    __atomic_store_n(&work.done, true, __ATOMIC_RELEASE);
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_bench_worker, static) = {
    .function = sender,
    .name = "corod-bench-worker",
    .type = VLIB_NODE_TYPE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

clib_error_t *bench_worker(vlib_main_t *vm, const char *what, u32 count, u32 gap_us) {
  static const char *const names[] = {[WAKE] = "wake", [BURSTS] = "burst", [FLOOD] = "flood"};
  u32 which = 0;
  clib_error_t *error = bench_find(vm, &work.node);
  if (error)
    return error;
  while (which < ARRAY_LEN(names) && strcmp(names[which], what) != 0)
    which++;
  if (which == ARRAY_LEN(names) || vlib_get_n_threads() < 2 || count == 0)
    return clib_error_return(0, "worker wake|burst|flood COUNT GAP, in a VPP with a worker");
  vec_reset_length(work.took);
  vec_validate(work.took, count); // the worker appends in place
  vec_reset_length(work.took);
  work.work = which;
  work.done = work.flying = false;
  work.next = work.elapsed = work.full = 0;
  work.gap = (u64)gap_us * 1000;
  work.sent = 0;
  work.count = count;
  work.failed = 0;
  vlib_worker_thread_barrier_sync(vm);
  vlib_node_set_state(vlib_get_main_by_index(1), corod_bench_worker.index, VLIB_NODE_STATE_POLLING);
  vlib_worker_thread_barrier_release(vm);
  error = bench_wait(vm, &work.done);
  if (error || work.failed) {
    vlib_worker_thread_barrier_sync(vm);
    vlib_node_set_state(vlib_get_main_by_index(1), corod_bench_worker.index, VLIB_NODE_STATE_DISABLED);
    vlib_worker_thread_barrier_release(vm);
    return error ? error : clib_error_return(0, "%s", corod_api()->text(work.failed));
  }
  if (which == FLOOD)
    vlib_cli_output(vm, "{\"ns\":%lu,\"full\":%lu}", work.elapsed, work.full);
  else if (which == BURSTS)
    vlib_cli_output(vm, "{\"ns\":%lu,\"events\":%u}", bench_percentile(work.took, 0.5), BURST);
  else
    bench_print(vm, work.took, 0);
  return NULL;
}
