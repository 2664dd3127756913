// wire.c: messages on the attach socket: receiving, checking, sending, and waiting until more can be sent.
//
// A host only tells when a descriptor is readable. An epoll instance that holds the socket for EPOLLOUT is readable
// while the socket is writable: so the core waits for room without asking its hosts for more.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// All descriptors a message may carry (253 is the kernel's limit): they must be seen to be closed.
#define COROD_CONTROL_BYTES CMSG_SPACE(253 * sizeof(int))

static bool ends(const char *text, size_t size) {
  return memchr(text, 0, size) != NULL;
}

static bool strings_end(const struct corod_message *m) {
  switch (m->type) {
  case COROD_MSG_HELLO:
    return ends(m->hello.program, sizeof m->hello.program);
  case COROD_MSG_NODE:
    return ends(m->node.name, sizeof m->node.name);
  case COROD_MSG_NEXT:
  case COROD_MSG_SIGNALS:
    return ends(m->next.name, sizeof m->next.name);
  case COROD_MSG_COUNTER:
    return ends(m->counter.name, sizeof m->counter.name) && ends(m->counter.text, sizeof m->counter.text);
  default:
    return true;
  }
}

int corod_wire_receive(int fd, struct corod_message *message) {
  _Alignas(struct cmsghdr) char control[COROD_CONTROL_BYTES];
  struct iovec part = {.iov_base = message, .iov_len = sizeof *message};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t n;
  do
    n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
  bool gift = header.msg_flags & (MSG_CTRUNC | MSG_TRUNC);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
      continue;
    gift = true;
    for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int given;
      memcpy(&given, CMSG_DATA(c) + at, sizeof given);
      close(given);
    }
  }
  if (n == 0 && !gift)
    return -1; // end of file; an empty packet reads the same and is no message either
  if (gift || n != (ssize_t)sizeof *message || message->magic != COROD_MAGIC || message->fds != 0 ||
      !strings_end(message))
    return -2;
  return 1;
}

int corod_wire_send(int fd, const struct corod_message *message, const int *fds) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(COROD_MESSAGE_FDS * sizeof(int))] = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof *message};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (message->fds) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(message->fds * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(message->fds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, message->fds * sizeof(int));
  }
  ssize_t n;
  do
    n = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n == (ssize_t)sizeof *message)
    return 1;
  // ETOOMANYREFS: descriptors in flight reached the limit; it passes like a full socket.
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS) ? 0 : -1;
}

static void close_fds(const struct corod_message *message, const int *fds) {
  for (uint16_t i = 0; i < message->fds; i++)
    close(fds[i]);
}

void corod_wire_answer(struct corod_session *session, struct corod_message *message, const int *fds) {
  message->magic = COROD_MAGIC;
  // A failing send is left to the end of file that follows it.
  if (session->fd < 0 || (!session->letters && corod_wire_send(session->fd, message, fds) != 0)) {
    close_fds(message, fds);
    return;
  }
  struct corod_letter *letter = calloc(1, sizeof *letter);
  if (!letter) {
    close_fds(message, fds);
    corod_session_fail(session, "no memory for an answer");
    return;
  }
  letter->message = *message;
  for (uint16_t i = 0; i < message->fds; i++)
    letter->fds[i] = fds[i];
  *session->letters_end = letter;
  session->letters_end = &letter->next;
  session->n_letters++;
}

void corod_wire_failed(struct corod_session *session, uint32_t call, uint32_t status, const char *text) {
  struct corod_message m = {.type = COROD_MSG_FAILED, .call = call, .status = status};
  strncpy(m.failed.text, text && text[0] ? text : corod_status_text(status), sizeof m.failed.text - 1);
  corod_wire_answer(session, &m, NULL);
}

void corod_wire_region(struct corod_session *session, const struct corod_region_made *made) {
  if (!made->made)
    return;
  struct corod_message m = {.type = COROD_MSG_REGION, .fds = 2, .region = made->told};
  int fds[] = {made->a, made->b};
  corod_wire_answer(session, &m, fds);
}

static void drop_letter(struct corod_session *session) {
  struct corod_letter *letter = session->letters;
  session->letters = letter->next;
  if (!session->letters)
    session->letters_end = &session->letters;
  session->n_letters--;
  close_fds(&letter->message, letter->fds);
  free(letter);
}

static void unwatch(struct corod_session *session) {
  if (session->token >= 0)
    session->core->ops->unwatch(session->core->host, session->token);
  session->token = -1;
}

static void writable(void *arg) {
  struct corod_session *session = arg;
  struct corod_core *core = session->core;
  while (session->letters) {
    int sent = corod_wire_send(session->fd, &session->letters->message, session->letters->fds);
    if (sent == 0)
      return;
    if (sent < 0) {
      corod_session_fail(session, "the daemon is gone");
      break;
    }
    drop_letter(session);
  }
  corod_wire_watch(session);
  corod_session_settle(core);
}

static bool watch_writable(struct corod_session *session) {
  struct corod_core *core = session->core;
  struct epoll_event wanted = {.events = EPOLLOUT};
  if (session->writable_fd >= 0)
    return true;
  unwatch(session);
  session->writable_fd = epoll_create1(EPOLL_CLOEXEC);
  if (session->writable_fd < 0 || epoll_ctl(session->writable_fd, EPOLL_CTL_ADD, session->fd, &wanted))
    return false;
  session->token = core->ops->watch(core->host, session->writable_fd, writable, session, "corod: room to answer");
  return session->token >= 0;
}

void corod_wire_watch(struct corod_session *session) {
  struct corod_core *core = session->core;
  if (session->fd < 0)
    return;
  if (session->letters) { // requests wait until their answers can be sent
    if (!watch_writable(session))
      corod_session_fail(session, "cannot wait for room to answer");
    return;
  }
  if (session->writable_fd >= 0) {
    unwatch(session);
    close(session->writable_fd);
    session->writable_fd = -1;
  }
  if (session->creating >= COROD_ANSWERS_WAITING) { // until the host has made some of these nodes
    unwatch(session);
    return;
  }
  if (session->token < 0)
    session->token = core->ops->watch(core->host, session->fd, corod_conversation_ready, session, "corod: daemon");
  if (session->token < 0)
    corod_session_fail(session, "cannot watch the daemon's socket");
}

void corod_wire_free(struct corod_session *session) {
  unwatch(session);
  while (session->letters)
    drop_letter(session);
  if (session->writable_fd >= 0)
    close(session->writable_fd);
  if (session->fd >= 0)
    close(session->fd);
  session->fd = session->writable_fd = -1;
}
