// cli.c: the CLI on a Unix stream socket: one command per line, answers in order, each ended by one byte: ACK (0x06)
// when the command was done, NAK (0x15) when it failed. When the client has closed its side and everything is answered,
// the host closes too. So both `printf 'show errors\n' | socat - UNIX:PATH` and an interactive socat work.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "standalone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 16

// A connection is a process: it runs one command at a time and may suspend in it.
struct connection {
  struct corod_cli_server *server;
  struct corod_process process;
  struct corod_watch *watch;
  int fd;                // -1: free
  bool ended;            // the client sends no more
  bool running;          // a command is suspended
  bool failed;           // how the running command will end
  struct corod_ask *ask; // the running command waits for it; owned
  bool closing;
  char in[COROD_CLI_LINE];
  size_t in_used;
  char *out; // owned
  size_t out_used, out_sent, out_size;
};

struct corod_cli_server {
  struct corod_standalone *host;
  struct corod_listener listener;
  struct corod_watch *watch;
  struct connection connections[CONNECTIONS];
};

static void output(void *arg, const char *bytes, size_t n) {
  struct connection *c = arg;
  if (c->out_used + n > c->out_size) {
    size_t size = c->out_size ? c->out_size : 4096;
    while (size < c->out_used + n)
      size *= 2;
    char *more = realloc(c->out, size);
    if (!more) {
      c->closing = true; // half an answer would look like a whole one
      return;
    }
    c->out = more;
    c->out_size = size;
  }
  memcpy(c->out + c->out_used, bytes, n);
  c->out_used += n;
}

static void hang_up(struct connection *c) {
  corod_ask_forget(c->ask);
  c->ask = NULL;
  corod_loop_unwatch(&c->server->host->loop, c->watch);
  close(c->fd);
  free(c->out);
  c->out = NULL;
  c->out_used = c->out_sent = c->out_size = c->in_used = 0;
  c->fd = -1;
}

// What there is to send. False: the client is gone.
static bool flush(struct connection *c) {
  while (c->out_sent < c->out_used) {
    ssize_t n = send(c->fd, c->out + c->out_sent, c->out_used - c->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK;
    c->out_sent += (size_t)n;
  }
  c->out_used = c->out_sent = 0;
  return true;
}

static void answer_ends(struct connection *c, bool failed) {
  char end = failed ? COROD_CLI_FAULT : COROD_CLI_DONE;
  output(c, &end, 1);
}

// Takes the first line out of the input; the last one may lack its newline.
static bool take_line(struct connection *c, char *line) {
  char *newline = memchr(c->in, '\n', c->in_used);
  size_t n = newline ? (size_t)(newline - c->in) : c->in_used, with = newline ? n + 1 : n;
  if (!newline && (!c->ended || n == 0))
    return false;
  memcpy(line, c->in, n);
  line[n] = 0;
  memmove(c->in, c->in + with, c->in_used - with);
  c->in_used -= with;
  return true;
}

// The process: commands as long as their answers can be sent. It ends, and readable or writable starts it again.
static struct corod_wait body(struct corod_process *process) {
  static const struct corod_wait idle = {COROD_WAIT_NEVER, UINT64_MAX};
  static const struct corod_wait idle_until_answer = {COROD_WAIT_EVENT_OR_CLOCK, UINT64_MAX};
  struct connection *c = process->arg;
  char line[COROD_CLI_LINE + 1];
  if (c->ask) {
    if (!corod_ask_ended(c->ask, &c->failed))
      return idle_until_answer;
    c->ask = NULL;
  }
  if (c->running) {
    c->running = false;
    answer_ends(c, c->failed);
  }
  while (!c->closing && flush(c) && c->out_used == 0 && take_line(c, line)) {
    struct corod_run run = {.host = c->server->host, .output = output, .arg = c, .process = process};
    uint64_t ns = corod_command(&run, line);
    if (ns) {
      c->running = true;
      c->failed = run.failed;
      c->ask = run.ask;
      flush(c);
      if (c->ask)
        return idle_until_answer;
      return (struct corod_wait){COROD_WAIT_CLOCK, ns};
    }
    answer_ends(c, run.failed);
  }
  if (c->closing || !flush(c) || (c->ended && c->out_used == 0 && c->in_used == 0)) {
    hang_up(c);
    return idle;
  }
  bool full = c->in_used == sizeof c->in;
  // No reading while answers wait: a client that never reads cannot make us keep more than one of them.
  corod_loop_want(&c->server->host->loop, c->watch, c->out_used ? EPOLLOUT : c->ended || full ? 0 : EPOLLIN);
  return idle;
}

static void receive(struct connection *c) {
  ssize_t n = recv(c->fd, c->in + c->in_used, sizeof c->in - c->in_used, MSG_DONTWAIT);
  if (n > 0)
    c->in_used += (size_t)n;
  else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
    c->ended = true;
  if (c->in_used == sizeof c->in && !memchr(c->in, '\n', c->in_used)) {
    static const char text[] = "command line too long\n";
    output(c, text, sizeof text - 1);
    answer_ends(c, true);
    flush(c);
    c->closing = true;
  }
}

static void ready(void *arg, uint32_t events) {
  struct connection *c = arg;
  if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
    c->closing = true;
  if (events & EPOLLIN && c->in_used < sizeof c->in)
    receive(c);
  if (c->running) { // the command goes on; only its end is noticed
    if (c->closing) {
      c->running = false;
      corod_process_stop(&c->process);
      hang_up(c);
    } else
      corod_loop_want(&c->server->host->loop, c->watch, 0);
    return;
  }
  corod_process_start(&c->process);
}

static void accept_one(void *arg, uint32_t events) {
  struct corod_cli_server *server = arg;
  struct connection *c = NULL;
  (void)events;
  int fd = corod_listener_accept(&server->listener);
  if (fd < 0)
    return;
  for (int i = 0; i < CONNECTIONS && !c; i++)
    if (server->connections[i].fd < 0 && server->connections[i].process.state == COROD_PROCESS_NOT_STARTED)
      c = &server->connections[i];
  if (c) {
    *c = (struct connection){.server = server, .fd = fd};
    corod_process_init(&c->process, &server->host->loop, body, c);
    c->watch = corod_loop_watch(&server->host->loop, fd, EPOLLIN, ready, c);
  }
  if (!c || !c->watch) {
    static const char text[] = "too many connections\n\x15";
    send(fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
    if (c)
      c->fd = -1;
  }
}

int corod_cli_open(struct corod_standalone *host, char *error, size_t error_size) {
  struct corod_cli_server *server = calloc(1, sizeof *server);
  if (!server) {
    snprintf(error, error_size, "out of memory");
    return COROD_EXIT_FAILED;
  }
  server->host = host;
  for (int i = 0; i < CONNECTIONS; i++)
    server->connections[i].fd = -1;
  enum corod_listen_result result = corod_listen(&server->listener, host->options.cli, SOCK_STREAM, host->options.mode,
                                                 host->options.group, error, error_size);
  if (result == COROD_LISTEN_OK)
    server->watch = corod_loop_watch(&host->loop, server->listener.fd, EPOLLIN, accept_one, server);
  if (!server->watch) {
    corod_listener_close(&server->listener);
    free(server);
    return result == COROD_LISTEN_DENIED ? COROD_EXIT_DENIED : COROD_EXIT_CANNOT_CREATE;
  }
  host->cli = server;
  return 0;
}

void corod_cli_close(struct corod_standalone *host) {
  struct corod_cli_server *server = host->cli;
  if (!server)
    return;
  for (int i = 0; i < CONNECTIONS; i++) {
    struct connection *c = &server->connections[i];
    if (c->fd < 0)
      continue;
    corod_process_stop(&c->process);
    hang_up(c);
  }
  corod_loop_unwatch(&host->loop, server->watch);
  corod_listener_close(&server->listener);
  free(server);
  host->cli = NULL;
}
