// roundtrip.c: one at a time: a process node of ours sends, a peer outside of VPP answers, the main loop sees it.
//
// Floor and candidate share everything but the way: the same process node sends, and the same polling PRE_INPUT node
// (such nodes do not keep main from sleeping) stops the watch when the number of answers has changed. The floor's
// way is a pair of eventfds with client.c behind them, as a plugin with a process node of its own would do it; the
// candidate's is an event to a corod node whose coroutine counts it.
//
// An idle VPP does not sleep all the time: near a timer or the end of its fast wheel (1 ms of every 10.24 ms) epoll is
// asked with timeout 0, and a peer that is still awake then answers many times faster. Few milliseconds hold most of
// the trips then, and a median of all of them would tell of a main loop that polls. So an idle scenario counts only
// trips in which main did block, by the kernel's own count of its voluntary switches, and says how many it left out.
// A busy main never blocks, and back to back the peer would not get to sleep either: there each trip begins after a
// pause.
#define _GNU_SOURCE
#include "bench.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vlib/file.h>

static struct {
  bench_node_t node;
  bool floor, flying;
  bench_pace_t pace;
  volatile bool done;
  u64 begin, seen, answers; // answers: of the floor's client
  u32 warmup, count;        // that are still to come
  u64 blocked;              // of main's thread, before the trip
  u64 awake;                // trips left out
  u64 next;                 // when the next trip may begin; 0: none waits
  u64 *took;
  u32 sender;
} trip;

static int ask = -1, answer = -1;

static u64 answered(void) {
  return trip.floor ? trip.answers : bench_counted(&trip.node);
}

// How often this thread has given its core away to wait.
static u64 blocked(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return (u64)usage.ru_nvcsw;
}

// Between two trips of a busy scenario, ns: longer than it takes a peer to go to sleep.
#define PAUSE 300000u

// Returns whether it went off.
static bool send_one(void) {
  u64 one = 1;
  u8 payload[BENCH_PAYLOAD] = {0};
  if (trip.floor)
    return write(ask, &one, sizeof one) == sizeof one;
  return corod_api()->send(trip.node.handle, BENCH_PING, payload, sizeof payload) == COROD_SEND_OK;
}

static uword sender(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  uword *data = NULL;
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    while (vlib_process_get_events(vm, &data) != ~0)
      vec_reset_length(data);
    if (trip.flying || trip.count == 0)
      continue;
    trip.seen = answered();
    trip.flying = true;
    trip.blocked = blocked();
    trip.begin = bench_now();
    if (!send_one())
      clib_warning("corod-bench: not sent");
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_bench_sender, static) = {
    .function = sender,
    .name = "corod-bench-sender",
    .type = VLIB_NODE_TYPE_PROCESS,
};

static uword watch(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)frame;
  if (trip.next && bench_now() >= trip.next) {
    trip.next = 0;
    vlib_process_signal_event(vm, corod_bench_sender.index, 1, 0);
  }
  if (!trip.flying || answered() == trip.seen)
    return 0;
  u64 took = bench_now() - trip.begin;
  trip.flying = false;
  if (trip.warmup)
    trip.warmup--;
  else if (trip.pace == BENCH_IDLE && blocked() == trip.blocked)
    trip.awake++;
  else {
    vec_add1(trip.took, took);
    trip.count--;
  }
  if (trip.count && trip.pace == BENCH_BUSY)
    trip.next = bench_now() + PAUSE;
  else if (trip.count)
    vlib_process_signal_event(vm, corod_bench_sender.index, 1, 0);
  else {
    vlib_node_set_state(vm, runtime->node_index, VLIB_NODE_STATE_DISABLED);
    trip.done = true;
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_bench_watch, static) = {
    .function = watch,
    .name = "corod-bench-watch",
    .type = VLIB_NODE_TYPE_PRE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

static clib_error_t *on_answer(struct clib_file *f) {
  u64 n;
  if (read((int)f->file_descriptor, &n, sizeof n) == sizeof n)
    trip.answers += n;
  return NULL;
}

static clib_error_t *open_eventfds(void) {
  if (ask >= 0)
    return NULL;
  ask = eventfd(0, EFD_CLOEXEC); // blocking at the client's end, and never full at ours
  answer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (ask < 0 || answer < 0)
    return clib_error_return_unix(0, "eventfd");
  clib_file_t file = {
      .file_descriptor = (u32)answer,
      .read_function = on_answer,
      .error_function = on_answer,
      .dont_close = 1,
      .description = format(NULL, "corod-bench answers"),
  };
  clib_file_add(&file_main, &file);
  return NULL;
}

// Passes both ends to the client that listens at `path`. The client outlives no run of the benchmark.
clib_error_t *bench_connect(vlib_main_t *vm, const char *path) {
  clib_error_t *error = open_eventfds();
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char byte = 0;
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (error)
    return error;
  strncpy(to.sun_path, path, sizeof to.sun_path - 1);
  control.head =
      (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))};
  memcpy(CMSG_DATA(&control.head), (int[]){ask, answer}, 2 * sizeof(int));
  int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (s < 0 || connect(s, (struct sockaddr *)&to, sizeof to) || sendmsg(s, &message, MSG_NOSIGNAL) != 1)
    error = clib_error_return_unix(0, "%s", path);
  if (s >= 0)
    close(s);
  if (!error)
    vlib_cli_output(vm, "{\"connected\":true}");
  return error;
}

clib_error_t *bench_roundtrip(vlib_main_t *vm, bool floor, bench_pace_t pace, u32 count, u32 warmup) {
  clib_error_t *error = floor ? (ask < 0 ? clib_error_return(0, "no client") : NULL) : bench_find(vm, &trip.node);
  if (error)
    return error;
  if (count == 0)
    return clib_error_return(0, "nothing to do");
  vec_reset_length(trip.took);
  trip.floor = floor;
  trip.pace = pace;
  trip.awake = trip.next = 0;
  trip.flying = trip.done = false;
  trip.warmup = warmup;
  trip.count = count;
  vlib_node_set_state(vm, corod_bench_watch.index, VLIB_NODE_STATE_POLLING);
  vlib_process_signal_event(vm, corod_bench_sender.index, 1, 0);
  error = bench_wait(vm, &trip.done);
  trip.count = 0;
  vlib_node_set_state(vm, corod_bench_watch.index, VLIB_NODE_STATE_DISABLED);
  if (!error)
    bench_print(vm, trip.took, trip.awake);
  return error;
}
