// ask.c: the daemon's questions to the host, and the queue in which they wait for the socket.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "attach.h"
#include "share.h"

#include <stdlib.h>
#include <sys/socket.h>

// Messages that may wait: a daemon of 4,095 nodes with 30 details each.
#define COROD_OUT_MAX (1u << 17)

static struct corod_message *out_at(struct corod_attach *a, uint32_t i) {
  return &a->out[(a->out_first + i) & (a->out_room - 1)];
}

static bool out_grow(struct corod_attach *a) {
  uint32_t room = a->out_room ? a->out_room * 2 : 16;
  if (room > COROD_OUT_MAX)
    return false;
  struct corod_message *out = malloc((size_t)room * sizeof *out);
  if (!out)
    return false;
  for (uint32_t i = 0; i < a->out_count; i++)
    out[i] = *out_at(a, i);
  free(a->out);
  a->out = out;
  a->out_room = room;
  a->out_first = 0;
  return true;
}

bool corod_attach_send(struct corod_attach *a) {
  while (a->out_count && !a->send_error && a->state < COROD_ATTACH_ENDED) {
    ssize_t n = send(a->fd, out_at(a, 0), COROD_MESSAGE, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
      return false;
    // The host is gone or going. What it still said is read first; the end of it says why.
    if (n < 0)
      a->send_error = errno;
    a->out_first = (a->out_first + 1) & (a->out_room - 1);
    a->out_count--;
  }
  if (a->out_count == 0 || a->send_error) {
    // An attachment lives long and asks rarely.
    free(a->out);
    a->out = NULL;
    a->out_room = a->out_first = a->out_count = 0;
  }
  return true;
}

static int queue(struct corod_attach *a, const struct corod_message *m) {
  if (a->send_error)
    return COROD_DONE;
  if (a->out_count == a->out_room && !out_grow(a))
    return COROD_MEMORY;
  *out_at(a, a->out_count++) = *m;
  return COROD_DONE;
}

// A message of ours, all bytes that are not set zero.
static struct corod_message message(enum corod_message_type type, uint32_t call) {
  struct corod_message m;
  memset(&m, 0, sizeof m);
  m.magic = COROD_MAGIC;
  m.type = (uint16_t)type;
  m.call = call;
  return m;
}

// Copies text with its NUL. False: too long.
static bool text(char *into, size_t room, const char *from) {
  size_t n = strlen(from);
  if (n >= room)
    return false;
  memcpy(into, from, n + 1);
  return true;
}

static bool ended(const struct corod_attach *a) {
  return a->state >= COROD_ATTACH_REFUSED;
}

// Queues a question and remembers that an answer must come.
static int ask(struct corod_attach *a, const struct corod_message *m, uint32_t id) {
  if (a->state != (m->type == COROD_MSG_HELLO ? COROD_ATTACH_NEW : COROD_ATTACH_WELCOME))
    return COROD_MISUSE;
  for (const struct corod_asked *other = a->asked; other; other = other->next)
    if (other->call == m->call)
      return COROD_MISUSE;
  struct corod_asked *asked = malloc(sizeof *asked);
  if (!asked)
    return COROD_MEMORY;
  int done = queue(a, m);
  if (done != COROD_DONE) {
    free(asked);
    return done;
  }
  *asked = (struct corod_asked){.type = m->type, .call = m->call, .id = id};
  if (a->asked)
    a->asked_last->next = asked;
  else
    a->asked = asked;
  a->asked_last = asked;
  return COROD_DONE;
}

// Queues a detail of the question that was asked last.
static int detail(struct corod_attach *a, const struct corod_message *m) {
  const struct corod_asked *last = a->asked_last;
  return last && last->call == m->call && last->type == COROD_MSG_NODE ? queue(a, m) : COROD_MISUSE;
}

int corod_attach_hello(struct corod_attach *a, const char *program) {
  struct corod_message m = message(COROD_MSG_HELLO, 0);
  m.hello.min = COROD_PROTOCOL_MIN;
  m.hello.max = COROD_PROTOCOL;
  m.hello.pid = (uint32_t)getpid();
  if (ended(a))
    return COROD_DONE;
  if (!text(m.hello.program, sizeof m.hello.program, program))
    return COROD_MISUSE;
  int done = ask(a, &m, 0);
  if (done == COROD_DONE)
    a->state = COROD_ATTACH_GREETED;
  return done;
}

int corod_attach_executor(struct corod_attach *a, uint32_t call, uint32_t id) {
  struct corod_message m = message(COROD_MSG_EXECUTOR, call);
  m.executor.id = id;
  if (ended(a))
    return COROD_DONE;
  if (id >= COROD_MAX_EXECUTORS || a->executors[id])
    return COROD_MISUSE;
  struct corod_executor_end *e = corod_executor_new(id);
  if (!e)
    return COROD_MEMORY;
  int done = ask(a, &m, id);
  if (done == COROD_DONE)
    a->executors[id] = e;
  else
    corod_executor_free(e);
  return done;
}

int corod_attach_node(struct corod_attach *a, uint32_t call, const struct corod_node_ask *node) {
  struct corod_message m = message(COROD_MSG_NODE, call);
  if (ended(a))
    return COROD_DONE;
  if (node->executor >= COROD_MAX_EXECUTORS || !a->executors[node->executor] || !a->executors[node->executor]->words)
    return COROD_MISUSE;
  m.node = *node;
  return ask(a, &m, node->executor);
}

int corod_attach_node_next(struct corod_attach *a, uint32_t call, uint32_t index, const char *name) {
  struct corod_message m = message(COROD_MSG_NEXT, call);
  m.next.index = index;
  if (ended(a))
    return COROD_DONE;
  return text(m.next.name, sizeof m.next.name, name) ? detail(a, &m) : COROD_MISUSE;
}

int corod_attach_node_counter(struct corod_attach *a, uint32_t call, uint32_t index, uint32_t severity,
                              const char *name, const char *description) {
  struct corod_message m = message(COROD_MSG_COUNTER, call);
  m.counter.index = index;
  m.counter.severity = severity;
  if (ended(a))
    return COROD_DONE;
  if (!text(m.counter.name, sizeof m.counter.name, name) || !text(m.counter.text, sizeof m.counter.text, description))
    return COROD_MISUSE;
  return detail(a, &m);
}

int corod_attach_node_code(struct corod_attach *a, uint32_t call, uint32_t code, uint32_t max_size) {
  struct corod_message m = message(COROD_MSG_CODE, call);
  m.code.code = code;
  m.code.max_size = max_size;
  return ended(a) ? COROD_DONE : detail(a, &m);
}

int corod_attach_node_end(struct corod_attach *a, uint32_t call) {
  struct corod_message m = message(COROD_MSG_NODE_END, call);
  return ended(a) ? COROD_DONE : detail(a, &m);
}

// Whether the host has the slot with a node of this attachment, wherever the slot's words are used.
static bool has_node(const struct corod_attach *a, uint32_t slot, uint32_t generation) {
  if (slot == 0 || slot >= COROD_MAX_SLOTS)
    return false;
  const struct corod_slot *s = a->slots[slot];
  const struct corod_away *away = &a->away[slot];
  return s ? s->generation == generation : (away->token || away->left) && away->generation == generation;
}

int corod_attach_node_close(struct corod_attach *a, uint32_t call, uint32_t slot, uint32_t generation) {
  struct corod_message m = message(COROD_MSG_NODE_CLOSE, call);
  m.node_close.slot = slot;
  m.node_close.generation = generation;
  if (ended(a))
    return COROD_DONE;
  return has_node(a, slot, generation) && !a->away[slot].left ? ask(a, &m, slot) : COROD_MISUSE;
}

int corod_attach_node_remove(struct corod_attach *a, uint32_t call, uint32_t slot, uint32_t generation,
                             enum corod_leave how) {
  struct corod_message m = message(COROD_MSG_NODE_REMOVE, call);
  m.node_remove.slot = slot;
  m.node_remove.generation = generation;
  m.node_remove.how = how;
  if (ended(a))
    return COROD_DONE;
  if (!has_node(a, slot, generation))
    return COROD_MISUSE;
  struct corod_slot *s = a->slots[slot];
  struct corod_away *away = &a->away[slot];
  // After the question the slot's memory may be another node's: no view has it then, and none may take it.
  if (away->token && !corod_share_withdraw(away->token))
    return COROD_MISUSE;
  // Commands already given are the host's to execute.
  if (s)
    corod_executor_settle(s->executor);
  int done = ask(a, &m, slot);
  if (done != COROD_DONE)
    return done;
  if (s)
    corod_slot_free(s);
  a->slots[slot] = NULL;
  *away = (struct corod_away){.generation = generation, .left = how != COROD_LEAVE_DISCARD};
  return COROD_DONE;
}

int corod_attach_signals(struct corod_attach *a, uint32_t call, const char *node) {
  struct corod_message m = message(COROD_MSG_SIGNALS, call);
  if (ended(a))
    return COROD_DONE;
  return text(m.next.name, sizeof m.next.name, node) ? ask(a, &m, 0) : COROD_MISUSE;
}

int corod_attach_ready(struct corod_attach *a, uint32_t call) {
  struct corod_message m = message(COROD_MSG_READY, call);
  return ended(a) ? COROD_DONE : ask(a, &m, 0);
}

int corod_attach_ping(struct corod_attach *a, uint32_t call) {
  struct corod_message m = message(COROD_MSG_PING, call);
  return ended(a) ? COROD_DONE : ask(a, &m, 0);
}
