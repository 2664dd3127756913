// host.h: what a host must offer so that the core can own process nodes in it.
//
// The core runs on one thread, the host's main thread, and is never entered from another. It never blocks, never
// sleeps, and calls nothing of the host but this table. Every function gets the `host` pointer of corod_core_new.
#ifndef COROD_HOST_H
#define COROD_HOST_H

#include "../../shm/handshake.h"

#include <stdbool.h>

struct corod_node;

enum corod_log_level { COROD_LOG_ERROR, COROD_LOG_WARN, COROD_LOG_INFO, COROD_LOG_DEBUG };

// What a node wants to be; owned by the core and valid as long as the node is.
struct corod_counter_spec {
  char name[COROD_NAME];
  char text[COROD_TEXT];
  enum corod_severity severity;
};

struct corod_node_spec {
  char name[COROD_NAME];
  uint32_t n_next, n_counters;
  char (*next)[COROD_NAME];
  struct corod_counter_spec *counters;
};

struct corod_host_ops {
  // "vpp" or "standalone", and the host's version text.
  const char *name, *release;

  // CLOCK_MONOTONIC, nanoseconds.
  uint64_t (*now)(void *host);

  // One line, no newline. The core limits its own rate.
  void (*log)(void *host, enum corod_log_level level, const char *line);

  // Calls `ready(arg)` on the main thread while `fd` is readable (level-triggered). The core owns and closes `fd`,
  // after unwatch. Returns a token, or -1.
  int (*watch)(void *host, int fd, void (*ready)(void *arg), void *arg, const char *what);
  void (*unwatch)(void *host, int token);

  // Whether the host has a node of that name that is not ours (VPP aborts on duplicates).
  bool (*name_taken)(void *host, const char *name);

  // Makes or recycles the real process node. Answers at once or later with corod_node_created. The process, once
  // running, calls corod_node_run after every return of its wait. Must not call corod_node_run before it answered.
  void (*node_create)(void *host, struct corod_node *node, const struct corod_node_spec *spec);

  // Gives a node that was answered with OK other next nodes and counters; everything else stays, its process goes on.
  // Answers at once or later with corod_node_created; any status but OK says that nothing was changed. `spec` is valid
  // until the answer or node_remove, and later to be had from corod_node_wanted.
  void (*node_change)(void *host, struct corod_node *node, const struct corod_node_spec *spec);

  // The node is going: forget the pointer now, also if a change has not been answered. The parked process drains and
  // discards what still comes. Only for nodes that were answered with OK.
  void (*node_remove)(void *host, struct corod_node *node);

  // The node's deadline moved nearer: let its process run soon so that it waits for less.
  void (*node_wake)(void *host, struct corod_node *node);

  // `counter` is below the spec's n_counters: checked by the core.
  void (*count)(void *host, struct corod_node *node, uint32_t counter, uint64_t by);

  // Sends a packet to next node `next` (below n_next). `flags` are hostile. Returns an enum corod_status.
  uint32_t (*enqueue)(void *host, struct corod_node *node, const struct corod_enqueue *to, const uint8_t *packet,
                      uint32_t bytes);

  // Starts one CLI command (`text`, NUL-terminated copy owned by the callee until it returns) on behalf of `job`.
  // The host answers, at once or later, with corod_cli_output (any number) and then corod_cli_done exactly once.
  void (*cli)(void *host, uint64_t job, const char *text);

  // Signals a process node that is not ours; the core has checked the list. Returns an enum corod_status.
  uint32_t (*signal)(void *host, const char *node, uint64_t type, uint64_t data);
};

#endif
