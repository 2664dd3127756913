// strangers.c: connections that have not said HELLO, or were refused. One attaches; nobody can keep others out.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <stdio.h>
#include <sys/socket.h>

static void ready(void *arg);

static void watch(struct corod_stranger *stranger) {
  struct corod_core *core = stranger->core;
  if (stranger->fd >= 0 && stranger->token < 0)
    stranger->token = core->ops->watch(core->host, stranger->fd, ready, stranger, "corod: connection");
}

static void unwatch(struct corod_stranger *stranger) {
  if (stranger->token >= 0)
    stranger->core->ops->unwatch(stranger->core->host, stranger->token);
  stranger->token = -1;
}

static void drop(struct corod_stranger *stranger) {
  unwatch(stranger);
  if (stranger->fd >= 0)
    close(stranger->fd);
  stranger->fd = -1;
}

static bool paused(struct corod_core *core) {
  return core->session && core->session->fd < 0;
}

void corod_strangers_accept(void *arg) {
  struct corod_core *core = arg;
  for (int i = 0; i < COROD_STRANGERS; i++) {
    struct corod_stranger *place = &core->strangers[0];
    int fd = corod_listener_accept(&core->listener);
    if (fd < 0)
      return;
    for (uint32_t s = 0; s < COROD_STRANGERS && place->fd >= 0; s++)
      if (core->strangers[s].fd < 0 || core->strangers[s].order < place->order)
        place = &core->strangers[s];
    if (place->fd >= 0) {
      core->stats.strangers_dropped++;
      drop(place);
    }
    place->fd = fd;
    place->order = ++core->stranger_order;
    place->refused = false;
    if (!paused(core)) {
      watch(place);
      if (place->token < 0)
        drop(place);
    }
  }
}

static void refuse(struct corod_stranger *stranger, uint32_t call, uint32_t status, uint32_t pid, const char *text) {
  struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_REFUSED, .call = call, .status = status};
  m.refused = (struct corod_refused){.min = COROD_PROTOCOL_MIN, .max = COROD_PROTOCOL, .pid = pid};
  snprintf(m.refused.text, sizeof m.refused.text, "%s", text);
  stranger->core->stats.refused++;
  corod_log(stranger->core, COROD_LOG_WARN, "daemon refused: %s", text);
  corod_wire_send(stranger->fd, &m, NULL);
  // It reads the refusal and then the end. Closing now could reset the connection before it has read.
  shutdown(stranger->fd, SHUT_WR);
  stranger->refused = true;
}

static void hello(struct corod_stranger *stranger, const struct corod_message *m) {
  struct corod_core *core = stranger->core;
  char text[256];
  struct ucred peer = {.pid = 0};
  socklen_t size = sizeof peer;
  // What the kernel says of the peer counts, not what the peer says.
  if (getsockopt(stranger->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
    peer.pid = 0;
  if (m->hello.min > m->hello.max || m->hello.min > COROD_PROTOCOL || m->hello.max < COROD_PROTOCOL_MIN) {
    snprintf(text, sizeof text, "no common protocol version: the daemon speaks %u to %u, the host %u to %u",
             m->hello.min, m->hello.max, COROD_PROTOCOL_MIN, COROD_PROTOCOL);
    refuse(stranger, m->call, COROD_VERSION, 0, text);
    return;
  }
  if (core->session) {
    snprintf(text, sizeof text, "a daemon is attached already: process %u", core->session->pid);
    refuse(stranger, m->call, COROD_BUSY, core->session->pid, text);
    return;
  }
  uint16_t version = m->hello.max < COROD_PROTOCOL ? m->hello.max : COROD_PROTOCOL;
  int fd = stranger->fd;
  unwatch(stranger);
  stranger->fd = -1;
  struct corod_session *session = corod_session_begin(core, fd, (uint32_t)peer.pid, version, m->hello.program);
  if (!session) {
    close(fd);
    corod_log(core, COROD_LOG_ERROR, "no memory for an attachment");
    return;
  }
  struct corod_message welcome = {.type = COROD_MSG_WELCOME, .call = m->call};
  welcome.welcome = (struct corod_welcome){.version = version,
                                           .pid = (uint32_t)getpid(),
                                           .epoch = session->epoch,
                                           .max_nodes = core->config.max_nodes,
                                           .max_executors = COROD_MAX_EXECUTORS,
                                           .max_event = core->config.max_event};
  strncpy(welcome.welcome.host, core->ops->name, COROD_NAME - 1);
  strncpy(welcome.welcome.release, core->ops->release, COROD_NAME - 1);
  corod_wire_answer(session, &welcome, NULL);
  corod_wire_watch(session);
}

static void ready(void *arg) {
  struct corod_stranger *stranger = arg;
  struct corod_core *core = stranger->core;
  struct corod_message m;
  int got = corod_wire_receive(stranger->fd, &m);
  if (got == 0)
    return;
  if (got == -1) {
    drop(stranger);
    return;
  }
  if (stranger->refused) // it may say what it likes until it goes
    return;
  if (got == -2 || m.type != COROD_MSG_HELLO) {
    core->stats.malformed++;
    corod_log(core, COROD_LOG_WARN, "connection closed: its first message is not a HELLO");
    drop(stranger);
    return;
  }
  hello(stranger, &m);
  corod_session_settle(core);
}

void corod_strangers_pause(struct corod_core *core, bool pause) {
  for (uint32_t i = 0; i < COROD_STRANGERS; i++) {
    if (pause)
      unwatch(&core->strangers[i]);
    else
      watch(&core->strangers[i]);
    if (!pause && core->strangers[i].token < 0)
      drop(&core->strangers[i]);
  }
}

void corod_strangers_close(struct corod_core *core) {
  for (uint32_t i = 0; i < COROD_STRANGERS; i++)
    drop(&core->strangers[i]);
}
