// Process nodes: states, event order, coalesced wakes, suspend, yield, and running in the same turn as the signal.
#include "../core/scene.h"

#include "../../shim-plugin/standalone/process.h"

#include <unistd.h>

static struct corod_loop loop;
static struct corod_process a, b;
static char trace[4096];
static int steps;

static void note(const char *text) {
  CHECK(strlen(trace) + strlen(text) + 2 < sizeof trace);
  strcat(strcat(trace, text), " ");
}

static void drain(struct corod_process *process, const char *who) {
  uint64_t type, datum;
  while (corod_process_event(process, &type, &datum)) {
    char text[64];
    snprintf(text, sizeof text, "%s%lu:%lu", who, (unsigned long)type, (unsigned long)datum);
    note(text);
  }
}

static struct corod_wait run_a(struct corod_process *process) {
  note("a");
  drain(process, "a");
  switch (steps++) {
  case 0: // signals itself and others: kept, and it runs again though it waits for events
    corod_process_signal(process, 5, 1);
    corod_process_signal(&b, 9, 1);
    corod_process_signal(&b, 3, 2);
    corod_process_signal(&b, 9, 3);
    return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK, UINT64_MAX};
  case 1: // suspended: events wait, the clock wakes
    return (struct corod_wait){COROD_WAIT_CLOCK, 3000000};
  case 2:
    return (struct corod_wait){COROD_WAIT_YIELD, UINT64_MAX};
  case 3: // under 10 us: at once
    return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK, 9999};
  case 4:
    return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK, 2000000};
  default:
    corod_loop_stop(&loop);
    return (struct corod_wait){COROD_WAIT_NEVER, UINT64_MAX};
  }
}

static struct corod_wait run_b(struct corod_process *process) {
  note("b");
  drain(process, "b");
  return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK, UINT64_MAX};
}

// While a is suspended: its event does not wake it.
static void poke(void *arg, uint32_t events) {
  char byte;
  (void)arg;
  (void)events;
  CHECK(read(*(int *)arg, &byte, 1) == 1);
  CHECK(a.state == COROD_PROCESS_SUSPENDED);
  corod_process_signal(&a, 5, 7);
  CHECK(a.state == COROD_PROCESS_SUSPENDED);
  for (int i = 0; i < 3; i++)
    corod_process_signal(&b, 1, 4);
  CHECK(b.state == COROD_PROCESS_READY);
}

int main(void) {
  int fds[2];
  CHECK(corod_loop_init(&loop) && pipe(fds) == 0);
  corod_process_init(&a, &loop, run_a, NULL);
  corod_process_init(&b, &loop, run_b, NULL);
  corod_process_start(&a);
  corod_process_start(&a); // once
  corod_process_start(&b);
  struct corod_watch *watch = corod_loop_watch(&loop, fds[0], EPOLLIN, poke, &fds[0]);
  CHECK(watch && write(fds[1], "", 1) == 1);
  // Two turns by hand, so that a is suspended when the poke comes.
  corod_process_run_ready(&loop);
  corod_process_turn_begins(&loop);
  corod_process_run_ready(&loop);
  uint64_t begin = corod_clock();
  CHECK(corod_loop_run(&loop));
  CHECK(corod_clock() - begin >= 4000000);
  // b's events in the same pass, by type in the order of first signal; a's own event before its next wait; suspend ends
  // by the clock alone, with the event still there; then yield, the short wait, the clock.
  CHECK(!strcmp(trace, "a b b9:1 b9:3 b3:2 a a5:1 b b1:4 b1:4 b1:4 a a5:7 a a a "));
  CHECK(a.state == COROD_PROCESS_NOT_STARTED && b.state == COROD_PROCESS_WAIT_EVENT_OR_CLOCK);
  // Very many types are forgotten when nothing is pending.
  uint64_t type, datum;
  for (uint64_t i = 0; i < 5000; i++)
    corod_process_signal(&b, i, i);
  for (uint64_t i = 0; i < 5000; i++)
    CHECK(corod_process_event(&b, &type, &datum));
  CHECK(!corod_process_event(&b, &type, &datum) && b.n_types == 0);
  corod_process_signal(&b, 1, 1);
  corod_process_stop(&b);
  CHECK(loop.ready == NULL && !corod_process_event(&b, &type, &datum));
  corod_process_stop(&a);
  corod_loop_unwatch(&loop, watch);
  corod_loop_free(&loop);
  close(fds[0]);
  close(fds[1]);
  return 0;
}
