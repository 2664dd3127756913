// host.c: the host's table for the core.
#include "standalone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The one buffer flag a packet may come with: VPP's VNET_BUFFER_F_LOCALLY_ORIGINATED.
#define FLAGS_ALLOWED (1u << 25)

static uint64_t now(void *host) {
  (void)host;
  return corod_clock();
}

static void log_line(void *host, enum corod_log_level level, const char *line) {
  corod_say(host, level, "%s", line);
}

static void readable(void *arg, uint32_t events) {
  struct corod_core_watch *watch = arg;
  (void)events;
  watch->ready(watch->arg);
}

static int watch(void *host, int fd, void (*ready)(void *arg), void *arg, const char *what) {
  struct corod_standalone *standalone = host;
  (void)what;
  for (int token = 0; token < COROD_CORE_WATCHES; token++) {
    struct corod_core_watch *free = &standalone->watches[token];
    if (free->watch)
      continue;
    free->ready = ready;
    free->arg = arg;
    free->watch = corod_loop_watch(&standalone->loop, fd, EPOLLIN, readable, free);
    return free->watch ? token : -1;
  }
  return -1;
}

static void unwatch(void *host, int token) {
  struct corod_standalone *standalone = host;
  corod_loop_unwatch(&standalone->loop, standalone->watches[token].watch);
  standalone->watches[token].watch = NULL;
}

static bool name_taken(void *host, const char *name) {
  struct corod_standalone *standalone = host;
  const struct corod_entry *entry = corod_nodes_find(&standalone->nodes, name);
  return entry && !entry->parked;
}

static void node_create(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  struct corod_standalone *standalone = host;
  char text[256];
  uint32_t status;
  struct corod_entry *entry = corod_nodes_create(&standalone->nodes, node, spec, &status, text, sizeof text);
  if (!entry) {
    corod_node_created(node, status, 0, text);
    return;
  }
  corod_node_set_host_data(node, entry);
  corod_node_created(node, COROD_OK, entry->index, "");
}

static void node_change(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  struct corod_standalone *standalone = host;
  struct corod_entry *entry = corod_node_host_data(node);
  char text[256];
  uint32_t status = corod_nodes_change(&standalone->nodes, entry, spec, text, sizeof text);
  corod_node_created(node, status, entry->index, text);
}

static void node_remove(void *host, struct corod_node *node) {
  struct corod_standalone *standalone = host;
  corod_nodes_park(&standalone->nodes, corod_node_host_data(node));
}

static void node_wake(void *host, struct corod_node *node) {
  struct corod_entry *entry = corod_node_host_data(node);
  (void)host;
  corod_process_wake(&entry->process);
}

static void count(void *host, struct corod_node *node, uint32_t counter, uint64_t by) {
  struct corod_entry *entry = corod_node_host_data(node);
  (void)host;
  entry->counters[counter].value += by;
}

// local0, VPP's interface that is always there, has index 0; the kernel has none.
static bool interface_exists(const struct corod_standalone *host, uint32_t index) {
  return index == 0 || index == ~0u || host->kernel.fd < 0 || corod_kernel_link(&host->kernel, index);
}

static uint32_t enqueue(void *host, struct corod_node *node, const struct corod_enqueue *to, const uint8_t *packet,
                        uint32_t bytes) {
  struct corod_standalone *standalone = host;
  struct corod_entry *entry = corod_node_host_data(node);
  struct corod_entry *next = standalone->nodes.entries[entry->next[to->next]];
  char remark[COROD_NAME + 64];
  if ((to->flags & ~FLAGS_ALLOWED) || (next->sink->needs_interface && to->tx == ~0u))
    return COROD_UNSUPPORTED;
  if (!interface_exists(standalone, to->rx) || (next->sink->needs_interface && !interface_exists(standalone, to->tx)))
    return COROD_INTERFACE_UNKNOWN;
  next->packets++;
  if (next->sink->captured && standalone->capture.fd >= 0) {
    snprintf(remark, sizeof remark, "from %s rx %d tx %d", entry->name, (int)to->rx, (int)to->tx);
    corod_capture_add(&standalone->capture, (uint32_t)(next->sink - corod_sinks), packet, bytes, remark);
  }
  return COROD_OK;
}

static void cli(void *host, uint64_t job, const char *text) {
  corod_runners_start(host, job, text);
}

static uint32_t signal_process(void *host, const char *name, uint64_t type, uint64_t data) {
  struct corod_standalone *standalone = host;
  struct corod_entry *entry = corod_nodes_find(&standalone->nodes, name);
  if (!entry || entry->sink)
    return COROD_NODE_UNKNOWN;
  corod_process_signal(&entry->process, type, data);
  return COROD_OK;
}

const struct corod_host_ops corod_standalone_ops = {
    .name = "standalone",
    .release = COROD_RELEASE,
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
    .signal = signal_process,
};
