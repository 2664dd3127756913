// attach.c: connects to a host, reads what it says, and believes none of it unchecked.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "attach.h"
#include "share.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int corod_attach_open(struct corod_attach **attach, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  struct corod_attach *a = calloc(1, sizeof *a);
  if (!a)
    return -ENOMEM;
  a->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (a->fd < 0 || connect(a->fd, (const struct sockaddr *)&address, sizeof address)) {
    int error = errno;
    if (a->fd >= 0)
      close(a->fd);
    free(a);
    return -error;
  }
  a->number = corod_share_unique();
  *attach = a;
  return 0;
}

void corod_attach_close(struct corod_attach *a) {
  if (a->state == COROD_ATTACH_CLOSED)
    return;
  corod_attach_end(a, "closed");
  a->state = COROD_ATTACH_CLOSED;
  corod_attach_share_end(a);
  for (uint32_t i = 0; i < COROD_MAX_SLOTS; i++)
    if (a->slots[i]) {
      corod_slot_free(a->slots[i]);
      a->slots[i] = NULL;
    }
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (a->executors[i]) {
      corod_executor_free(a->executors[i]);
      a->executors[i] = NULL;
    }
  for (uint32_t i = 0; i < a->n_regions; i++)
    corod_region_let_go(a->regions[i]);
  free(a->regions);
  a->regions = NULL;
  a->n_regions = a->region_room = 0;
  while (a->asked) {
    struct corod_asked *asked = a->asked;
    a->asked = asked->next;
    free(asked);
  }
  a->asked_last = NULL;
  free(a->out);
  a->out = NULL;
  a->out_count = a->out_room = a->out_first = 0;
  close(a->fd);
  a->fd = -1;
}

void corod_attach_free(struct corod_attach *a) {
  corod_attach_close(a);
  free(a);
}

void corod_attach_end(struct corod_attach *a, const char *format, ...) {
  if (a->state >= COROD_ATTACH_ENDED)
    return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(a->why, sizeof a->why, format, arguments);
  va_end(arguments);
  a->state = COROD_ATTACH_ENDED;
}

// ---- answers ------------------------------------------------------------------------------------------------------

// The question that `call` answers, if it was of that type; stays asked.
static struct corod_asked *asked(struct corod_attach *a, uint32_t call, uint16_t type) {
  for (struct corod_asked *q = a->asked; q; q = q->next)
    if (q->call == call && (q->type == type || type == 0))
      return q;
  return NULL;
}

// Takes the question out: it is answered. False: it was not asked.
static bool answered(struct corod_attach *a, uint32_t call, uint16_t type, struct corod_asked *into) {
  struct corod_asked *q = asked(a, call, type), *before = NULL;
  if (!q)
    return false;
  if (q == a->asked)
    a->asked = q->next;
  else {
    for (before = a->asked; before->next != q;)
      before = before->next;
    before->next = q->next;
  }
  if (q == a->asked_last)
    a->asked_last = before;
  *into = *q;
  free(q);
  return true;
}

// Each of these returns NULL, or what is wrong with the message.

static const char *welcome(struct corod_attach *a, const struct corod_message *m) {
  struct corod_asked q;
  const struct corod_welcome *w = &m->welcome;
  if (a->state != COROD_ATTACH_GREETED || !answered(a, m->call, COROD_MSG_HELLO, &q))
    return "WELCOME was not asked for";
  if (w->version < COROD_PROTOCOL_MIN || w->version > COROD_PROTOCOL) {
    corod_attach_end(a, "%s: the host chose %u, corod speaks %u to %u", corod_status_text(COROD_VERSION), w->version,
                     COROD_PROTOCOL_MIN, COROD_PROTOCOL);
    return NULL;
  }
  if (w->max_nodes >= COROD_MAX_SLOTS || w->max_executors > COROD_MAX_EXECUTORS || w->max_executors == 0 ||
      w->max_event > corod_ring_largest(COROD_RING_MAX) - sizeof(struct corod_record) ||
      !memchr(w->host, 0, sizeof w->host) || !memchr(w->release, 0, sizeof w->release))
    return "WELCOME with impossible limits";
  a->state = COROD_ATTACH_WELCOME;
  return NULL;
}

static const char *refused(struct corod_attach *a, const struct corod_message *m) {
  if (a->state > COROD_ATTACH_GREETED || !memchr(m->refused.text, 0, sizeof m->refused.text))
    return "REFUSED too late or without an end";
  a->state = COROD_ATTACH_REFUSED;
  return NULL;
}

static const char *region(struct corod_attach *a, const struct corod_message *m, const int *fds) {
  if (a->state != COROD_ATTACH_WELCOME || m->region.index != a->n_regions || a->n_regions == COROD_MAX_REGIONS)
    return "REGION out of turn";
  if (a->n_regions == a->region_room) {
    uint32_t room = a->region_room ? a->region_room * 2 : 4;
    struct corod_mapping **regions = realloc(a->regions, room * sizeof *regions);
    if (!regions)
      return "out of memory";
    a->regions = regions;
    a->region_room = room;
  }
  const char *wrong = corod_region_map(&a->regions[a->n_regions], fds[0], fds[1], &m->region);
  if (!wrong)
    a->n_regions++;
  return wrong;
}

// Whether `fd` is the end of a pipe that was promised; makes it non-blocking.
static bool pipe_end(int fd, int mode) {
  struct stat status;
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) == mode && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
         fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static const char *executor(struct corod_attach *a, const struct corod_message *m, int *fds) {
  struct corod_asked q;
  if (!answered(a, m->call, COROD_MSG_EXECUTOR, &q) || m->executor.id != q.id)
    return "EXECUTOR was not asked for";
  struct corod_executor_end *e = a->executors[q.id];
  if (!a->slots[0])
    return "EXECUTOR before the daemon's own slot";
  if (!pipe_end(fds[0], O_RDONLY) || !pipe_end(fds[1], O_WRONLY))
    return "EXECUTOR without its two pipes";
  e->words = corod_place_b(a->regions, a->n_regions, &m->executor.words, sizeof *e->words);
  if (!e->words)
    return "EXECUTOR with words outside its region";
  e->region = corod_region_hold(a->regions[m->executor.words.region]);
  e->wake = fds[0];
  e->ring = fds[1];
  fds[0] = fds[1] = -1;
  return NULL;
}

static const char *node_ready(struct corod_attach *a, const struct corod_message *m) {
  struct corod_asked q = {0};
  const struct corod_node_ready *r = &m->node_ready;
  struct corod_asked *first = asked(a, m->call, COROD_MSG_EXECUTOR);
  if (first && r->slot == 0)
    q = *first;
  else if (r->slot == 0 || !answered(a, m->call, COROD_MSG_NODE, &q))
    return "NODE_READY was not asked for";
  if (r->slot >= COROD_MAX_SLOTS || a->slots[r->slot] || a->away[r->slot].token)
    return "NODE_READY with a slot that is taken";
  const struct corod_slot_a *words_a = corod_place_a(a->regions, a->n_regions, &r->a, sizeof *words_a);
  struct corod_slot_b *words_b = corod_place_b(a->regions, a->n_regions, &r->b, sizeof *words_b);
  const void *replies = corod_place_a(a->regions, a->n_regions, &r->reply_ring, COROD_RING_MIN);
  void *commands = corod_place_b(a->regions, a->n_regions, &r->command_ring, COROD_RING_MIN);
  const void *events = NULL;
  bool has_events = r->slot != 0 || r->event_ring.size != 0;
  if (has_events)
    events = corod_place_a(a->regions, a->n_regions, &r->event_ring, COROD_RING_MIN);
  if (!words_a || !words_b || !replies || !commands || (has_events && !events) ||
      !corod_ring_size_valid(r->reply_ring.size) || !corod_ring_size_valid(r->command_ring.size) ||
      (has_events && !corod_ring_size_valid(r->event_ring.size)))
    return "NODE_READY with a place outside its region";
  struct corod_slot *s = corod_slot_new(a->executors[q.id], r->slot, r->generation, words_b);
  if (!s)
    return "out of memory";
  const struct corod_place *places[COROD_SLOT_PLACES] = {&r->a, &r->b, &r->reply_ring, &r->command_ring,
                                                         has_events ? &r->event_ring : &r->a};
  for (uint32_t i = 0; i < COROD_SLOT_PLACES; i++)
    corod_slot_hold(s, a->regions[places[i]->region]);
  if (has_events)
    corod_slot_set_events(s, words_a, events, r->event_ring.size);
  corod_slot_set_replies(s, words_a, replies, r->reply_ring.size);
  corod_slot_set_commands(s, words_a, commands, r->command_ring.size);
  a->slots[r->slot] = s;
  a->away[r->slot] = (struct corod_away){0};
  return NULL;
}

static const char *failed(struct corod_attach *a, const struct corod_message *m) {
  struct corod_asked q;
  if (a->state != COROD_ATTACH_WELCOME || !memchr(m->failed.text, 0, sizeof m->failed.text) ||
      !answered(a, m->call, 0, &q))
    return "FAILED was not asked for";
  if (q.type == COROD_MSG_EXECUTOR) {
    if (a->slots[0] && a->slots[0]->executor == a->executors[q.id])
      return "FAILED after the daemon's own slot";
    corod_executor_free(a->executors[q.id]);
    a->executors[q.id] = NULL;
  }
  return NULL;
}

static const char *handle(struct corod_attach *a, const struct corod_message *m, int *fds) {
  struct corod_asked q;
  switch (m->type) {
  case COROD_MSG_WELCOME:
    return welcome(a, m);
  case COROD_MSG_REFUSED:
    return refused(a, m);
  case COROD_MSG_REGION:
    return region(a, m, fds);
  case COROD_MSG_EXECUTOR:
    return executor(a, m, fds);
  case COROD_MSG_NODE_READY:
    return node_ready(a, m);
  case COROD_MSG_FAILED:
    return failed(a, m);
  case COROD_MSG_NODE_REMOVED:
    return answered(a, m->call, COROD_MSG_NODE_REMOVE, &q) && m->node_removed.slot == q.id
               ? NULL
               : "NODE_REMOVED was not asked for";
  case COROD_MSG_NODE_CLOSED:
    return answered(a, m->call, COROD_MSG_NODE_CLOSE, &q) && m->node_closed.slot == q.id
               ? NULL
               : "NODE_CLOSED was not asked for";
  case COROD_MSG_READY:
    return answered(a, m->call, COROD_MSG_READY, &q) || answered(a, m->call, COROD_MSG_SIGNALS, &q)
               ? NULL
               : "READY was not asked for";
  case COROD_MSG_PONG:
    return answered(a, m->call, COROD_MSG_PING, &q) ? NULL : "PONG was not asked for";
  default:
    return "a message of unknown type";
  }
}

// ---- receiving ----------------------------------------------------------------------------------------------------

static uint32_t fds_expected(uint16_t type) {
  return type == COROD_MSG_REGION || type == COROD_MSG_EXECUTOR ? 2 : 0;
}

// One message with its descriptors. 1, 0: none now, -1: ended. `fds` gets `*n` descriptors that are the caller's.
static int receive(struct corod_attach *a, struct corod_message *m, int *fds, uint32_t *n) {
  union {
    char bytes[CMSG_SPACE(COROD_MESSAGE_FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = m, .iov_len = sizeof *m};
  struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got;
  *n = 0;
  do
    got = recvmsg(a->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) {
    if (!a->send_error)
      return 0;
    corod_attach_end(a, "cannot send to the host: %s", strerror(a->send_error));
    return -1;
  }
  if (got <= 0) {
    corod_attach_end(a, got == 0 || errno == ECONNRESET ? "the host closed the connection" : "cannot receive: %s",
                     strerror(errno));
    return -1;
  }
  // Whatever came is ours to close, also when the message is refused.
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
      for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        if (*n < COROD_MESSAGE_FDS)
          fds[(*n)++] = fd;
        else
          close(fd);
      }
  const char *wrong = got != sizeof *m || (header.msg_flags & MSG_TRUNC) ? "a message of another size"
                      : m->magic != COROD_MAGIC                          ? "a message without the magic number"
                      : header.msg_flags & MSG_CTRUNC                    ? "more descriptors than allowed"
                      : m->fds != *n || fds_expected(m->type) != *n      ? "another number of descriptors than due"
                                                                         : NULL;
  if (!wrong)
    return 1;
  corod_attach_end(a, "malformed message from the host: %s", wrong);
  return -1;
}

int corod_attach_receive(struct corod_attach *a, struct corod_message *m) {
  for (;;) {
    int fds[COROD_MESSAGE_FDS] = {-1, -1};
    uint32_t n;
    if (a->state >= COROD_ATTACH_ENDED)
      return -1;
    int got = receive(a, m, fds, &n);
    if (got > 0) {
      const char *wrong = handle(a, m, fds);
      if (wrong)
        corod_attach_end(a, "malformed message from the host: %s", wrong);
      if (a->state == COROD_ATTACH_ENDED)
        got = -1;
    }
    for (uint32_t i = 0; i < n; i++)
      if (fds[i] >= 0)
        close(fds[i]);
    if (got <= 0 || m->type != COROD_MSG_REGION)
      return got;
  }
}
