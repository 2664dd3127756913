// host.c: a host with nothing in it but the core and a stopwatch: what both peers of the benchmark attach to.
//
// The same program serves the floor (peer.c, in C) and the candidate (the daemon), so that only the peer differs.
// Reads scenarios from standard input, one per line, answers one JSON line each:
//   nodes N                   waits until N nodes are registered
//   roundtrip COUNT WARMUP    event -> peer -> counter command applied, one at a time; nanoseconds, sorted. It sleeps.
//   polled COUNT WARMUP       the same; it looks at the ready words instead, as a busy VPP does on each pass
//   flood COUNT BYTES NODES   COUNT events of BYTES payload over the first NODES nodes; until each node has counted all
//   quit
#include "../../shim-plugin/core/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_NODES 1024
#define EVENT_CODE 1

struct watch {
  int fd;
  void (*ready)(void *);
  void *arg;
};

static struct {
  struct corod_core *core;
  int epoll;
  struct watch watches[256];
  struct corod_node *nodes[MAX_NODES];
  uint32_t n_nodes;
  uint64_t counted; // by all nodes, since the scenario began
  bool line_ready;
} bench;

static uint64_t now(void *host) {
  struct timespec t;
  (void)host;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void log_line(void *host, enum corod_log_level level, const char *line) {
  (void)host;
  if (level <= COROD_LOG_WARN)
    fprintf(stderr, "bench host: %s\n", line);
}

static int watch(void *host, int fd, void (*ready)(void *), void *arg, const char *what) {
  (void)host;
  (void)what;
  for (int i = 0; i < 256; i++) {
    if (bench.watches[i].ready)
      continue;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    if (epoll_ctl(bench.epoll, EPOLL_CTL_ADD, fd, &event))
      return -1;
    bench.watches[i] = (struct watch){.fd = fd, .ready = ready, .arg = arg};
    return i;
  }
  return -1;
}

static void unwatch(void *host, int token) {
  (void)host;
  epoll_ctl(bench.epoll, EPOLL_CTL_DEL, bench.watches[token].fd, NULL);
  bench.watches[token].ready = NULL;
}

static bool name_taken(void *host, const char *name) {
  (void)host;
  (void)name;
  return false;
}

static void node_create(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host;
  (void)spec;
  if (bench.n_nodes == MAX_NODES) {
    corod_node_created(node, COROD_LIMIT, 0, "the benchmark's host takes 1024 nodes");
    return;
  }
  bench.nodes[bench.n_nodes] = node;
  corod_node_created(node, COROD_OK, bench.n_nodes++, "");
}

static void node_change(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host;
  (void)spec;
  corod_node_created(node, COROD_OK, 0, "");
}

static void node_remove(void *host, struct corod_node *node) {
  (void)host;
  for (uint32_t i = 0; i < bench.n_nodes; i++)
    if (bench.nodes[i] == node) {
      bench.nodes[i] = bench.nodes[--bench.n_nodes];
      return;
    }
}

static void node_wake(void *host, struct corod_node *node) {
  (void)host;
  (void)node;
}

static void count(void *host, struct corod_node *node, uint32_t counter, uint64_t by) {
  (void)host;
  (void)node;
  (void)counter;
  bench.counted += by;
}

static uint32_t enqueue(void *host, struct corod_node *node, const struct corod_enqueue *to, const uint8_t *packet,
                        uint32_t bytes) {
  (void)host;
  (void)node;
  (void)to;
  (void)packet;
  (void)bytes;
  return COROD_UNSUPPORTED;
}

static void cli(void *host, uint64_t job, const char *text) {
  (void)text;
  corod_cli_done(host, job, COROD_UNSUPPORTED);
}

static uint32_t signal_node(void *host, const char *node, uint64_t type, uint64_t data) {
  (void)host;
  (void)node;
  (void)type;
  (void)data;
  return COROD_UNSUPPORTED;
}

static const struct corod_host_ops ops = {
    .name = "bench",
    .release = "1",
    .now = now,
    .log = log_line,
    .watch = watch,
    .unwatch = unwatch,
    .name_taken = name_taken,
    .node_create = node_create,
    .node_change = node_change,
    .node_remove = node_remove,
    .node_wake = node_wake,
    .count = count,
    .enqueue = enqueue,
    .cli = cli,
    .signal = signal_node,
};

static void turn(int timeout_ms) {
  struct epoll_event events[16];
  int n = epoll_wait(bench.epoll, events, 16, timeout_ms);
  for (int i = 0; i < n; i++) {
    struct watch *w = &bench.watches[events[i].data.u32];
    if (w->ready)
      w->ready(w->arg);
  }
}

static void line_ready(void *arg) {
  (void)arg;
  bench.line_ready = true;
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

// As VPP's main loop when an input node polls: descriptors only every so many passes.
static void pass(void) {
  static uint32_t passes;
  corod_core_poll(bench.core);
  if (++passes % 1024 == 0)
    turn(0);
}

static void roundtrip(uint32_t rounds, uint32_t warmup, bool polled) {
  uint64_t *took = calloc(rounds, sizeof *took), seq;
  uint8_t payload[32] = {0};
  for (uint32_t i = 0; i < warmup + rounds; i++) {
    uint64_t begin = now(NULL);
    bench.counted = 0;
    corod_node_send(bench.nodes[0], EVENT_CODE, payload, sizeof payload, &seq);
    while (bench.counted == 0)
      polled ? pass() : turn(-1);
    if (i >= warmup)
      took[i - warmup] = now(NULL) - begin;
  }
  qsort(took, rounds, sizeof *took, compare);
  printf("{\"p50\":%lu,\"p99\":%lu,\"min\":%lu}\n", took[rounds / 2], took[rounds - 1 - rounds / 100], took[0]);
  free(took);
}

static void flood(uint32_t total, uint32_t bytes, uint32_t nodes) {
  static uint8_t payload[COROD_MAX_EVENT];
  uint64_t seq, begin = now(NULL);
  uint32_t sent = 0, at = 0, refused = 0;
  bench.counted = 0;
  while (bench.counted < total) {
    if (sent < total && corod_node_send(bench.nodes[at], EVENT_CODE, payload, bytes, &seq) == COROD_OK)
      sent++, refused = 0;
    else
      refused++;
    at = at + 1 == nodes ? 0 : at + 1;
    // Every node full, or everything sent: now only the peer can go on. In between, look as often as a host would.
    if (sent == total || refused > nodes)
      turn(-1), refused = 0;
    else if ((sent & 255) == 0)
      turn(0);
  }
  printf("{\"ns\":%lu}\n", now(NULL) - begin);
}

int main(int argc, char **argv) {
  struct corod_core_config config;
  char error[256], line[256], word[32];
  if (argc != 2)
    return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  setvbuf(stdin, NULL, _IONBF, 0);
  bench.epoll = epoll_create1(EPOLL_CLOEXEC);
  corod_core_defaults(&config);
  config.socket = argv[1];
  bench.core = corod_core_new(&ops, NULL, &config, error, sizeof error);
  if (!bench.core) {
    fprintf(stderr, "bench host: %s\n", error);
    return 1;
  }
  watch(NULL, 0, line_ready, NULL, "scenarios");
  printf("{\"ready\":true}\n");
  for (;;) {
    while (!bench.line_ready)
      turn(-1);
    bench.line_ready = false;
    if (!fgets(line, sizeof line, stdin))
      break;
    unsigned a = 0, b = 0, c = 0;
    int words = sscanf(line, "%31s %u %u %u", word, &a, &b, &c);
    if (words == 2 && !strcmp(word, "nodes")) {
      while (bench.n_nodes < a)
        turn(-1);
      printf("{\"nodes\":%u}\n", bench.n_nodes);
    } else if (words == 3 && (!strcmp(word, "roundtrip") || !strcmp(word, "polled")))
      roundtrip(a, b, word[0] == 'p');
    else if (words == 4 && !strcmp(word, "flood") && b <= COROD_MAX_EVENT && c >= 1 && c <= bench.n_nodes)
      flood(a, b, c);
    else
      break;
  }
  corod_core_free(bench.core);
  return 0;
}
