// plugin.h: what the files of the plugin share. Everything here belongs to VPP's main thread unless it says otherwise.
#ifndef COROD_VPP_PLUGIN_H
#define COROD_VPP_PLUGIN_H

#include "../core/core.h"

#include <vlib/vlib.h>
#include <vnet/vnet.h>

// Event types (vlib's "type opaque") that corod's own processes send each other; senders' codes are below.
#define COROD_EVENT_WAKE 0xFFFF0000u

// Process nodes the plugin ever makes: vlib cannot unregister one.
#define COROD_VPP_NODES 8192

// A process node of VPP that is or was one of ours. Never freed: vlib keeps the node, and other code may have cached
// its index. Without a core node it is parked: it drains and discards.
typedef struct corod_vpp_node {
  struct corod_node *core; // NULL: parked
  u32 id;                  // its place in corod_vpp.nodes
  u32 generation;          // counts its lives; part of a C sender's handle
  u32 index;               // vlib's node index
  u32 n_counters;
  char name[COROD_NAME];
  u32 *next;                   // node index of each next node, a vector
  u8 *tx;                      // what `tx` of a packet means to each of them: enum corod_vpp_tx, a vector
  vlib_error_desc_t *counters; // vlib keeps pointers into it
  u8 *stalled;                 // records of other threads that found the backlog full, a vector
  u32 stalled_head;            // bytes of it already sent
  u64 discarded;               // signals while parked
  u64 late[32];                // by status: events of other threads that were refused after the sender had gone on
  u64 parked;                  // order of parking, 0 while it lives
} corod_vpp_node_t;

// What vnet_buffer(b)->sw_if_index[VLIB_TX] means to a node.
enum corod_vpp_tx {
  COROD_TX_NONE,      // must not be given
  COROD_TX_ETHERNET,  // must not be given; `rx` must be an Ethernet interface
  COROD_TX_INTERFACE, // the interface to send on, required
  COROD_TX_TABLE4,    // the IPv4 table of that interface, optional
  COROD_TX_TABLE6,    // the IPv6 table of that interface, optional
};

typedef struct corod_vpp {
  vlib_main_t *vm; // of the main thread
  struct corod_core *core;
  struct corod_core_config config;
  vlib_log_class_t log;
  char *failed; // why there is no core, for `show corod`

  // startup.conf, beyond the core's
  u32 runners;       // processes that run CLI commands, at most
  u32 lane_bytes;    // ring of each thread that sends
  char **cli_refuse; // paths of commands not to run, a vector
  char **next;       // next nodes that may be asked for, a vector; empty: any

  corod_vpp_node_t **nodes;             // by id, a vector
  struct corod_node **pending, **batch; // to be made or changed; being so. NULL entries were removed meanwhile
  u32 input;                            // node index of corod-input
  u32 manager;                          // node index of corod-manager
} corod_vpp_t;

extern corod_vpp_t corod_vpp;

#define corod_err(...) vlib_log_err(corod_vpp.log, __VA_ARGS__)
#define corod_warn(...) vlib_log_warn(corod_vpp.log, __VA_ARGS__)
#define corod_notice(...) vlib_log_notice(corod_vpp.log, __VA_ARGS__)

// CLOCK_MONOTONIC, nanoseconds. VPP's own clock follows real time and never crosses to the daemon.
u64 corod_vpp_now(void *host);

// Keeps main from sleeping before its next pass: frames, yields and batches do not do that by themselves.
static inline void corod_vpp_poke(void) {
  vlib_node_set_interrupt_pending(corod_vpp.vm, corod_vpp.input);
}

// file.c
int corod_vpp_watch(void *host, int fd, void (*ready)(void *arg), void *arg, const char *what);
void corod_vpp_unwatch(void *host, int token);

// process.c
bool corod_vpp_name_taken(void *host, const char *name);
void corod_vpp_node_create(void *host, struct corod_node *node, const struct corod_node_spec *spec);
void corod_vpp_node_change(void *host, struct corod_node *node, const struct corod_node_spec *spec);
void corod_vpp_node_remove(void *host, struct corod_node *node);
void corod_vpp_node_wake(void *host, struct corod_node *node);
void corod_vpp_count(void *host, struct corod_node *node, uint32_t counter, uint64_t by);
uint32_t corod_vpp_signal(void *host, const char *name, uint64_t type, uint64_t data);
corod_vpp_node_t *corod_vpp_node_of(const struct corod_node *node);
// Hands all events that wait in the current process to the core (or discards them: `node` NULL).
void corod_vpp_drain(vlib_main_t *vm, corod_vpp_node_t *node);
uword corod_vpp_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame);

// registry.c
// Makes or changes at most ten of the pending nodes under one barrier. Returns whether more wait. Process context.
bool corod_vpp_make_batch(vlib_main_t *vm);
u8 corod_vpp_tx_of(const char *name);

// packets.c
uint32_t corod_vpp_enqueue(void *host, struct corod_node *node, const struct corod_enqueue *to, const uint8_t *packet,
                           uint32_t bytes);
void corod_vpp_flush_frames(vlib_main_t *vm);

// runner.c
void corod_vpp_cli(void *host, uint64_t job, const char *text);
void corod_vpp_make_runner(vlib_main_t *vm); // if one is wanted; process context
void corod_vpp_watch_runners(vlib_main_t *vm);
// Notes that the current process, if it is a runner, enters the command of that path, which runs under the worker
// barrier; NULL: none, or it has left it. Returns whether it is a runner.
bool corod_vpp_runner_barrier(vlib_main_t *vm, char *path);

// guard.c: keeps commands that suspend under the worker barrier out of the runners
void corod_vpp_guard_init(void);
// Whether a command was refused since the last call.
bool corod_vpp_guard_refused(void);

// cli.c
// A corod_print that appends to the vector at `arg`.
void corod_vpp_print(void *arg, const char *format_text, ...) __attribute__((format(printf, 2, 3)));

// interface.c
void corod_vpp_interfaces_init(void);
void corod_vpp_interfaces_check(void);

// worker.c
clib_error_t *corod_vpp_lanes_init(void);
void corod_vpp_lanes_pass(void);
void corod_vpp_lanes_publish(const corod_vpp_node_t *node, bool live);
void corod_vpp_lanes_show(vlib_main_t *vm);
// The core did something: a full backlog may have room again.
void corod_vpp_lanes_retry(void);

#endif
