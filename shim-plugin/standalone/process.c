// process.c: states, events and ready lists of process nodes.
#include "process.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_LEAST 10000u // nanoseconds: a shorter wait for event or clock returns at once
#define TYPES_KEPT 64u    // event types that a process remembers when nothing is pending

static void append(struct corod_process **list, struct corod_process ***end, struct corod_process *process) {
  process->next = NULL;
  if (!*list)
    *end = list;
  **end = process;
  *end = &process->next;
}

static void remove_from(struct corod_process **list, struct corod_process ***end, struct corod_process *process) {
  *end = list;
  for (struct corod_process **at = list; *at;) {
    if (*at == process) {
      *at = process->next;
      continue;
    }
    *end = &(*at)->next;
    at = &(*at)->next;
  }
}

void corod_process_init(struct corod_process *process, struct corod_loop *loop, corod_process_function run, void *arg) {
  *process = (struct corod_process){.loop = loop, .run = run, .arg = arg};
}

static void make_ready(struct corod_process *process) {
  corod_timer_stop(&process->loop->wheel, &process->timer);
  process->state = COROD_PROCESS_READY;
  append(&process->loop->ready, &process->loop->ready_end, process);
}

void corod_process_start(struct corod_process *process) {
  if (process->state == COROD_PROCESS_NOT_STARTED)
    make_ready(process);
}

void corod_process_stop(struct corod_process *process) {
  struct corod_loop *loop = process->loop;
  if (process->state == COROD_PROCESS_READY) {
    remove_from(&loop->ready, &loop->ready_end, process);
    remove_from(&loop->later, &loop->later_end, process);
  }
  corod_timer_stop(&loop->wheel, &process->timer);
  process->state = COROD_PROCESS_NOT_STARTED;
  for (uint32_t i = 0; i < process->n_types; i++)
    free(process->types[i].data);
  free(process->types);
  process->types = NULL;
  process->n_types = 0;
  process->pending = 0;
}

static struct corod_event_type *type_of(struct corod_process *process, uint64_t opaque) {
  for (uint32_t i = 0; i < process->n_types; i++)
    if (process->types[i].opaque == opaque)
      return &process->types[i];
  struct corod_event_type *types = realloc(process->types, (process->n_types + 1) * sizeof *types);
  if (!types)
    return NULL;
  process->types = types;
  types[process->n_types] = (struct corod_event_type){.opaque = opaque};
  return &types[process->n_types++];
}

void corod_process_signal(struct corod_process *process, uint64_t type, uint64_t datum) {
  struct corod_event_type *events = type_of(process, type);
  if (events && events->n == events->size) {
    uint32_t size = events->size ? events->size * 2 : 4;
    uint64_t *data = realloc(events->data, size * sizeof *data);
    if (data) {
      events->data = data;
      events->size = size;
    }
  }
  if (!events || events->n == events->size) {
    process->dropped++;
    return;
  }
  events->data[events->n++] = datum;
  process->pending++;
  process->events++;
  if (process->state == COROD_PROCESS_WAIT_EVENT_OR_CLOCK)
    make_ready(process);
}

void corod_process_wake(struct corod_process *process) {
  if (process->state == COROD_PROCESS_WAIT_EVENT_OR_CLOCK)
    make_ready(process);
}

// Types are found again in the order of their first signal; a process that saw very many forgets them while idle.
static void forget_types(struct corod_process *process) {
  for (uint32_t i = 0; i < process->n_types; i++)
    free(process->types[i].data);
  free(process->types);
  process->types = NULL;
  process->n_types = 0;
}

bool corod_process_event(struct corod_process *process, uint64_t *type, uint64_t *datum) {
  for (uint32_t i = 0; i < process->n_types && process->pending; i++) {
    struct corod_event_type *events = &process->types[i];
    if (events->first == events->n)
      continue;
    *type = events->opaque;
    *datum = events->data[events->first++];
    process->pending--;
    if (events->first == events->n)
      events->first = events->n = 0;
    if (process->pending == 0 && process->n_types > TYPES_KEPT)
      forget_types(process);
    return true;
  }
  return false;
}

const char *corod_process_state_text(const struct corod_process *process) {
  switch (process->state) {
  case COROD_PROCESS_NOT_STARTED:
    return "done";
  case COROD_PROCESS_RUNNING:
    return "running";
  case COROD_PROCESS_READY:
    return "ready";
  case COROD_PROCESS_SUSPENDED:
    return "suspended";
  default:
    return process->timer.previous ? "any wait" : "event wait";
  }
}

void corod_process_clock(struct corod_loop *loop, struct corod_timer *timer) {
  (void)loop;
  make_ready((struct corod_process *)(void *)((char *)timer - offsetof(struct corod_process, timer)));
}

static void wait_for(struct corod_process *process, struct corod_wait wait) {
  struct corod_loop *loop = process->loop;
  bool at_once = wait.ns < WAIT_LEAST || (wait.kind == COROD_WAIT_EVENT_OR_CLOCK && process->pending);
  process->suspends++;
  if (wait.kind == COROD_WAIT_NEVER) {
    process->state = COROD_PROCESS_NOT_STARTED;
    return;
  }
  // A wait that is over at once takes the next turn too, so that no process can hold the loop.
  if (wait.kind == COROD_WAIT_YIELD || at_once) {
    process->state = COROD_PROCESS_READY;
    append(&loop->later, &loop->later_end, process);
    return;
  }
  process->state = wait.kind == COROD_WAIT_CLOCK ? COROD_PROCESS_SUSPENDED : COROD_PROCESS_WAIT_EVENT_OR_CLOCK;
  if (wait.ns != UINT64_MAX)
    corod_timer_start(&loop->wheel, &process->timer, corod_clock() + wait.ns);
}

void corod_process_turn_begins(struct corod_loop *loop) {
  if (!loop->later)
    return;
  if (!loop->ready)
    loop->ready_end = &loop->ready;
  *loop->ready_end = loop->later;
  loop->ready_end = loop->later_end;
  loop->later = NULL;
  loop->later_end = &loop->later;
}

void corod_process_run_ready(struct corod_loop *loop) {
  while (loop->ready) {
    struct corod_process *process = loop->ready;
    loop->ready = process->next;
    if (!loop->ready)
      loop->ready_end = &loop->ready;
    process->state = COROD_PROCESS_RUNNING;
    process->calls++;
    wait_for(process, process->run(process));
  }
}
