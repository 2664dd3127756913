// peer.c: the floor: what the daemon does, in C. Attaches, registers nodes, takes every event and counts it.
//
// Same rings, same doorbells, same order of fences as the daemon's addon, of which it uses everything but Node.
//   bench-peer SOCKET NODES [LOOK]   LOOK: ns for which it looks at the ready words before it sleeps
#include "../../shm/attach.h"
#include "../../shm/spin.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t n_ready;
static uint64_t look;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "bench peer: %s: %s\n", what, why);
  exit(1);
}

static void register_nodes(struct corod_attach *a, uint32_t nodes) {
  for (uint32_t i = 0; i < nodes; i++) {
    struct corod_node_ask ask = {.counters = 1, .codes = 1};
    snprintf(ask.name, sizeof ask.name, "bench-%u", i);
    corod_attach_node(a, 100 + i, &ask);
    corod_attach_node_counter(a, 100 + i, 0, COROD_SEVERITY_INFO, "seen", "events taken");
    corod_attach_node_code(a, 100 + i, 1, COROD_MAX_EVENT);
    corod_attach_node_end(a, 100 + i);
  }
  corod_attach_ready(a, 3);
}

static void answer(struct corod_attach *a, const struct corod_message *m, uint32_t nodes) {
  switch (m->type) {
  case COROD_MSG_WELCOME:
    corod_attach_executor(a, 2, 0);
    break;
  case COROD_MSG_EXECUTOR:
    register_nodes(a, nodes);
    break;
  case COROD_MSG_NODE_READY:
    n_ready++;
    break;
  case COROD_MSG_REFUSED:
    fail("refused", m->refused.text);
    break;
  case COROD_MSG_FAILED:
    fail("failed", m->failed.text);
    break;
  default:
    break;
  }
}

// Everything of one slot: as many events as there are, one count for each batch, then release.
static void drain(struct corod_slot *s) {
  static uint8_t batch[1 << 18];
  for (;;) {
    int64_t bytes = corod_slot_drain(s, batch, sizeof batch, true);
    if (bytes < 0)
      fail("drain", "the host broke the contract");
    if (bytes == 0)
      return;
    uint32_t n = s->copied;
    corod_slot_take(s, n);
    if (corod_slot_count(s, 0, n) != COROD_DONE)
      fail("count", "the command ring is full");
    corod_slot_release(s);
  }
}

static void wake(struct corod_attach *a, struct corod_executor_end *e) {
  uint32_t slots[256];
  do {
    corod_executor_collect(e);
    for (uint32_t n; (n = corod_executor_list(e, slots, 256));)
      for (uint32_t i = 0; i < n; i++)
        if (a->slots[slots[i]])
          drain(a->slots[slots[i]]);
    corod_executor_settle(e);
  } while ((look && corod_spin_look(&e->words->to_daemon, corod_now() + look)) || !corod_executor_arm(e));
}

int main(int argc, char **argv) {
  if (argc != 3 && argc != 4)
    return 2;
  if (argc == 4)
    look = strtoull(argv[3], NULL, 10);
  uint32_t nodes = (uint32_t)strtoul(argv[2], NULL, 10);
  struct corod_attach *a;
  int got = corod_attach_open(&a, argv[1]);
  if (got)
    fail(argv[1], strerror(-got));
  corod_attach_hello(a, "bench-peer");
  for (;;) {
    bool sent = corod_attach_send(a);
    struct corod_executor_end *e = a->executors[0];
    bool bell = e && e->words;
    if (bell)
      wake(a, e);
    struct pollfd fds[2] = {{.fd = a->fd, .events = (short)(POLLIN | (sent ? 0 : POLLOUT))},
                            {.fd = bell ? e->wake : -1, .events = POLLIN}};
    if (poll(fds, bell ? 2 : 1, -1) < 0)
      continue;
    if (bell && fds[1].revents)
      corod_pipe_drain(e->wake);
    if (fds[0].revents) {
      struct corod_message m;
      int received;
      while ((received = corod_attach_receive(a, &m)) == 1)
        answer(a, &m, nodes);
      if (received < 0)
        return 0; // the host has ended: the run is over
    }
  }
}
