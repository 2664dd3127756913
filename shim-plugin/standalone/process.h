// process.h: process nodes with VPP's semantics, without stacks: a process is a function that is called again whenever
// its wait is over, and returns what it waits for next.
//
// Events of one type are FIFO; across types the type that was seen first comes first. Signals never get lost; wakes
// coalesce. A process that is signalled by a descriptor, a timer or another process runs in the same turn of the loop.
#ifndef COROD_PROCESS_H
#define COROD_PROCESS_H

#include "loop.h"

#include <stddef.h>

struct corod_process;

// What a process waits for.
enum corod_wait_kind {
  COROD_WAIT_EVENT_OR_CLOCK, // returns at once if an event is pending or the time is under 10 us
  COROD_WAIT_CLOCK,          // suspend: events accumulate but do not wake
  COROD_WAIT_YIELD,          // until the next turn of the loop
  COROD_WAIT_NEVER,          // finished; may be started again
};

struct corod_wait {
  enum corod_wait_kind kind;
  uint64_t ns; // UINT64_MAX: no clock
};

enum corod_process_state {
  COROD_PROCESS_NOT_STARTED,
  COROD_PROCESS_RUNNING,
  COROD_PROCESS_READY, // its wait is over, its turn comes
  COROD_PROCESS_WAIT_EVENT_OR_CLOCK,
  COROD_PROCESS_SUSPENDED,
};

// Pending events of one type.
struct corod_event_type {
  uint64_t opaque;
  uint64_t *data;
  uint32_t first, n, size;
};

typedef struct corod_wait (*corod_process_function)(struct corod_process *process);

struct corod_process {
  struct corod_loop *loop;
  corod_process_function run;
  void *arg;
  enum corod_process_state state;
  struct corod_timer timer;
  struct corod_process *next; // in a ready list
  struct corod_event_type *types;
  uint32_t n_types;
  uint64_t pending;                          // events of all types
  uint64_t calls, suspends, events, dropped; // dropped: no memory for them
};

void corod_process_init(struct corod_process *process, struct corod_loop *loop, corod_process_function run, void *arg);

// Makes a process that is not started ready. It runs in this turn of the loop.
void corod_process_start(struct corod_process *process);

// Ends it wherever it waits, and drops its events. Not from inside its own function.
void corod_process_stop(struct corod_process *process);

// Leaves a datum for it, and wakes it if it waits for events.
void corod_process_signal(struct corod_process *process, uint64_t type, uint64_t datum);

// The wait for event or clock is over, whatever it waited for ("maybe").
void corod_process_wake(struct corod_process *process);

// The oldest event of the type that comes first. False: none is pending.
bool corod_process_event(struct corod_process *process, uint64_t *type, uint64_t *datum);

const char *corod_process_state_text(const struct corod_process *process);

// For the loop.
void corod_process_clock(struct corod_loop *loop, struct corod_timer *timer);
void corod_process_turn_begins(struct corod_loop *loop);
void corod_process_run_ready(struct corod_loop *loop);

#endif
