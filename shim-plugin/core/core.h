// core.h: what the core offers to its host. Main thread only, all of it.
#ifndef COROD_CORE_H
#define COROD_CORE_H

#include "host.h"

struct corod_core;

struct corod_core_config {
  const char *socket;                            // path of the attach socket
  uint32_t mode;                                 // its file mode, e.g. 0660
  int64_t group;                                 // its gid, or -1
  uint32_t max_nodes;                            // at most COROD_MAX_SLOTS - 1
  uint32_t max_event;                            // payload bytes of the largest event
  uint32_t event_ring, reply_ring, command_ring; // defaults, bytes
  uint32_t backlog, backlog_bytes;               // defaults of a node
  uint32_t budget;                               // commands executed per wake before others get a turn
};

// The defaults; a host then overwrites what its own configuration says.
void corod_core_defaults(struct corod_core_config *config);

// Listens. NULL: `error` says why (bad path, permission, a live host on the socket). A stale socket file is replaced,
// a live one is not stolen; the file appears with its final mode and group. `ops` and `host` must outlive the core.
// NULL also sets errno: EACCES, EADDRINUSE (a live host), or something else.
struct corod_core *corod_core_new(const struct corod_host_ops *ops, void *host, const struct corod_core_config *config,
                                  char *error, size_t error_size);

// Ends the attachment, removes all nodes, unlinks the socket, frees everything.
void corod_core_free(struct corod_core *core);

// ---- nodes, for the host's side of them

const struct corod_node_spec *corod_node_spec(const struct corod_node *node);

// While the host has not answered node_change: what the node is to become. Else NULL.
const struct corod_node_spec *corod_node_wanted(const struct corod_node *node);

struct corod_core *corod_node_core(const struct corod_node *node);

// One pointer of the host's per node.
void *corod_node_host_data(const struct corod_node *node);
void corod_node_set_host_data(struct corod_node *node, void *data);

// The answer to host.node_create or node_change. `index` is the host's node index. status != OK: `text` says why; a
// node that was to be created is freed before this call returns.
void corod_node_created(struct corod_node *node, uint32_t status, uint32_t index, const char *text);

// The body of the process node: call after every return of its wait, whatever the reason ("maybe"). Wakes the daemon
// if the coroutine's deadline has come. Returns nanoseconds to wait at most, UINT64_MAX for no clock. Values under
// 10,000 are never returned: such deadlines are relayed at once.
uint64_t corod_node_run(struct corod_node *node, uint64_t now);

// ---- senders; each returns an enum corod_status

// (a) vlib_process_signal_event: one datum. Undeclared types are counted and dropped.
uint32_t corod_node_signal(struct corod_node *node, uint64_t type, uint64_t datum);

// (b)-(d) a message. OK: it is in the backlog and `*seq` is its place. FULL: it is not, and `*seq` is 0 under the
// policy reject, else the place in which the node is told of a gap. Payload is copied.
uint32_t corod_node_send(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes, uint64_t *seq);

// The answer to corod_node_ask, on main and from the bottom of the stack: OK and the reply; REFUSED and the node's
// reason (UTF-8, not terminated); TIMEOUT; UNANSWERED: the node finished with the event and did not answer; DIED: it
// ended before; FULL: the overflow policy dropped the event later. `bytes` are valid until it returns.
typedef void (*corod_answered)(void *arg, uint32_t status, const void *bytes, uint32_t n);

// The same as corod_node_send by a sender that waits for an answer. OK: `answered` will be called exactly once, not
// before this has returned and at the latest soon after `deadline` (CLOCK_MONOTONIC ns), unless it is cancelled. Any
// other status, LIMIT among them: never. `handle` (may be NULL) is for corod_ask_cancel.
uint32_t corod_node_ask(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes,
                        corod_answered answered, void *arg, uint64_t deadline, uint64_t *seq, uint32_t *handle);

// `answered` is not called any more; the event stays where it is. A handle whose answer was told is none.
void corod_ask_cancel(struct corod_core *core, uint32_t handle);

// (e) an interface transition, to every node that declares COROD_CODE_INTERFACE.
void corod_interface_changed(struct corod_core *core, const struct corod_interface *transition);

// (e) transitions were missed (the kernel or a ring said so): to the same nodes a gap with count 0, which says that
// nobody knows how many; first and last are those of events dropped beside them, or 0.
void corod_interface_missed(struct corod_core *core);

// By name, or NULL. By handle: NULL and *status STALE or NODE_UNKNOWN.
struct corod_node *corod_node_find(struct corod_core *core, const char *name);
struct corod_node *corod_node_by_handle(struct corod_core *core, uint32_t slot, uint32_t generation, uint32_t *status);
void corod_node_handle(const struct corod_node *node, uint32_t *slot, uint32_t *generation);

// A burst: many events may be accepted in a row. Their daemon is told at its end (or every few hundred events, or when
// a ring is full), not once for each, and the clock is read once for all of them. Bursts nest; begin and end belong
// together and no other part of the host's loop may run in between.
void corod_burst_begin(struct corod_core *core);
void corod_burst_end(struct corod_core *core);

// Looks at the ready words of all executors, as a rung doorbell would: for hosts whose loop may be too busy to poll
// descriptors. Cheap when nothing is ready. Returns whether it found something.
bool corod_core_poll(struct corod_core *core);

// ---- CLI jobs, answers to host.cli

void corod_cli_output(struct corod_core *core, uint64_t job, const char *bytes, size_t n);
void corod_cli_done(struct corod_core *core, uint64_t job, uint32_t status);

// ---- what is known about it

// Each is counted from the start of the host on.
#define foreach_corod_core_stat(_)                                                                                     \
  _(attachments)       /* daemons that were let in */                                                                  \
  _(refused)           /* daemons that were not: another one was attached, or speaks another version */                \
  _(malformed)         /* attachments that ended because the daemon broke the contract */                              \
  _(strangers_dropped) /* connections that never said who they are */                                                  \
  _(messages)          /* on the attach socket */                                                                      \
  _(commands)          /* through command rings */                                                                     \
  _(command_faults)    /* of these, refused or failed */                                                               \
  _(outcomes_dropped)  /* that nobody was there to read */                                                             \
  _(asked)             /* events whose senders wait for an answer */                                                   \
  _(answered)                                                                                                          \
  _(unanswered_in_time)                                                                                                \
  _(answers_unwanted)  /* that nobody waited for any more */                                                           \
  _(interface_changes) /* transitions told */                                                                          \
  _(interface_gaps)    /* times that transitions were missed */                                                        \
  _(nodes_discarded)                                                                                                   \
  _(events_discarded) /* with them, or when they were parked */                                                        \
  _(cli_jobs)                                                                                                          \
  _(cli_cut) /* of these, output too long */

// Each is counted from the making of the node on.
#define foreach_corod_node_stat(_)                                                                                     \
  _(accepted)    /* events */                                                                                          \
  _(rejected)    /* senders that were told that the backlog is full */                                                 \
  _(dropped)     /* by the overflow policy; the node is told */                                                        \
  _(undeclared)  /* of a type that the node does not have */                                                           \
  _(too_big)     /* refused */                                                                                         \
  _(after_close) /* refused: the node was closed to senders */                                                         \
  _(redelivered) /* events that come again */                                                                          \
  _(runs)        /* returns of its process from a wait */                                                              \
  _(relays)      /* deadlines relayed */                                                                               \
  _(commands)    /* of its daemon */                                                                                   \
  _(refused)     /* of these, refused or failed */

struct corod_core_stats {
#define _(name) uint64_t name;
  foreach_corod_core_stat(_)
#undef _
};

struct corod_node_stats {
#define _(name) uint64_t name;
  foreach_corod_node_stat(_)
#undef _
};

enum corod_attached {
  COROD_ATTACHED_NOT,
  COROD_ATTACHED,
  COROD_ATTACHED_ENDING, // the daemon is gone; its last commands are being run
};

struct corod_core_info {
  const char *socket;
  enum corod_attached attached; // NOT: the fields up to `memory` are 0 and ""
  uint32_t pid;
  const char *program;
  uint32_t version; // of the protocol
  uint64_t epoch;
  uint64_t age;                        // ns since it attached
  uint32_t executors, nodes, creating; // nodes that it has registered; those the host is making or changing for it
  uint32_t regions;
  uint64_t memory; // bytes of the regions
  // Of all nodes, whoever registered them.
  uint32_t all_nodes;
  uint32_t in_flight, waiting; // events that the daemon has not released; that wait for room behind them
  uint64_t accepted, dropped, redelivered;
  uint32_t questions; // events whose senders wait for an answer now
  struct corod_core_stats stats;
};

enum corod_node_is {
  COROD_NODE_IS_CREATING, // the host is making it
  COROD_NODE_IS_CHANGING, // the host is giving it other next nodes or counters
  COROD_NODE_IS_ATTACHED,
  COROD_NODE_IS_REMOVING, // its last commands are being run
  COROD_NODE_IS_AWAY,     // no daemon has it; events queue up
  COROD_NODE_IS_PARKED,   // no daemon has it, and it takes no events
};

struct corod_node_info {
  const char *name;
  enum corod_node_is is;
  bool closed;                      // to senders
  uint32_t slot, generation, index; // index: the host's; ~0 while it is being created
  uint32_t executor;
  uint32_t event_ring, reply_ring, command_ring; // bytes
  uint64_t seq;                                  // the last one assigned
  uint32_t in_flight, waiting;                   // as of all nodes, above
  uint32_t waiting_bytes;
  uint32_t backlog, backlog_bytes; // at most
  enum corod_overflow overflow;
  uint32_t outcomes_waiting, cli_waiting; // for room in the reply ring; CLI commands, with the one that runs
  uint32_t n_codes;
  const struct corod_code_ask *codes; // valid until something else of the core is called
  struct corod_node_stats stats;
};

void corod_core_info(struct corod_core *core, struct corod_core_info *info);
void corod_node_info(struct corod_node *node, struct corod_node_info *info);

// The node of a slot, 1 to COROD_MAX_SLOTS - 1, also while it is being created; or NULL.
struct corod_node *corod_node_at(struct corod_core *core, uint32_t slot);

// ---- showing

typedef void (*corod_print)(void *arg, const char *format, ...) __attribute__((format(printf, 2, 3)));

// `show corod [nodes|node NAME|attachment]`; `what` is the rest of the line, may be empty. false: not understood.
bool corod_show(struct corod_core *core, const char *what, corod_print print, void *arg);

#endif
