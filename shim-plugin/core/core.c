// core.c: makes and ends the core; its own log, clock and way to get another turn.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define COROD_LOG_WINDOW 10000000000ull // nanoseconds
#define COROD_LOG_LINES 50u             // lines in a window; more are counted

uint64_t corod_now(struct corod_core *core) {
  return core->ops->now(core->host);
}

void corod_log(struct corod_core *core, enum corod_log_level level, const char *format, ...) {
  char line[512];
  uint64_t now = corod_now(core);
  if (now - core->log_window > COROD_LOG_WINDOW) {
    uint32_t suppressed = core->log_suppressed;
    core->log_window = now;
    core->log_lines = core->log_suppressed = 0;
    if (suppressed) {
      snprintf(line, sizeof line, "%u more lines were not logged", suppressed);
      core->ops->log(core->host, COROD_LOG_WARN, line);
    }
  }
  if (core->log_lines == COROD_LOG_LINES) {
    core->log_suppressed++;
    return;
  }
  core->log_lines++;
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  core->ops->log(core->host, level, line);
}

void corod_again(struct corod_core *core) {
  if (core->again_rung)
    return;
  core->again_rung = true;
  corod_pipe_ring(core->again[1]);
}

static void turn(void *arg) {
  struct corod_core *core = arg;
  (void)corod_pipe_drain(core->again[0]);
  core->again_rung = false;
  if (core->leaving && !corod_slots_leave_turn(core))
    corod_again(core);
  if (core->session && core->session->fd >= 0)
    for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
      if (core->session->bells[i].words)
        corod_bell_turn(&core->session->bells[i], false);
  corod_session_settle(core);
  corod_questions_tell(core);
}

bool corod_core_poll(struct corod_core *core) {
  // Work left over: a host that polls may be too busy to look at our pipe soon.
  bool found = core->again_rung;
  if (found)
    turn(core);
  if (!core->session || core->session->fd < 0)
    return found;
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++) {
    struct corod_bell *bell = &core->session->bells[i];
    if (bell->words && corod_bell_any(&bell->words->to_host))
      found |= corod_bell_turn(bell, false);
  }
  if (found)
    corod_session_settle(core);
  return found;
}

void corod_core_defaults(struct corod_core_config *config) {
  *config = (struct corod_core_config){
      .mode = 0660,
      .group = -1,
      .max_nodes = COROD_MAX_SLOTS - 1,
      .max_event = COROD_MAX_EVENT,
      .event_ring = 64u << 10,
      .reply_ring = 16u << 10,
      .command_ring = 32u << 10,
      .backlog = 65536,
      .backlog_bytes = 16u << 20,
      .budget = 256,
  };
}

static bool configure(struct corod_core_config *config, char *error, size_t size) {
  if (config->max_nodes == 0 || config->max_nodes > COROD_MAX_SLOTS - 1)
    snprintf(error, size, "max_nodes is %u: must be 1 to %u", config->max_nodes, COROD_MAX_SLOTS - 1);
  else if (config->max_event < 256 || config->max_event > COROD_RING_MAX / 2 - sizeof(struct corod_record))
    snprintf(error, size, "max_event is %u: must be 256 to %zu", config->max_event,
             COROD_RING_MAX / 2 - sizeof(struct corod_record));
  else if (config->mode > 0777)
    snprintf(error, size, "mode is %o: must be at most 0777", config->mode);
  else
    return true;
  return false;
}

struct corod_core *corod_core_new(const struct corod_host_ops *ops, void *host, const struct corod_core_config *config,
                                  char *error, size_t error_size) {
  struct corod_core *core = calloc(1, sizeof *core);
  int reason = EINVAL;
  if (!core) {
    snprintf(error, error_size, "out of memory");
    return NULL;
  }
  core->ops = ops;
  core->host = host;
  core->config = *config;
  core->config.budget = config->budget ? config->budget : 1;
  core->leaving_end = &core->leaving;
  core->log_window = corod_now(core);
  core->again[0] = core->again[1] = -1;
  core->listener_token = core->again_token = -1;
  core->questions.fd = core->questions.token = -1;
  core->listener.fd = core->listener.lock = core->listener.spare = -1;
  corod_jobs_init(&core->own);
  for (uint32_t i = 0; i < COROD_STRANGERS; i++)
    core->strangers[i] = (struct corod_stranger){.core = core, .fd = -1, .token = -1};
  if (!configure(&core->config, error, error_size))
    goto failed;
  if (pipe2(core->again, O_NONBLOCK | O_CLOEXEC)) {
    snprintf(error, error_size, "cannot make a pipe");
    goto failed;
  }
  enum corod_listen_result listening =
      corod_listen(&core->listener, config->socket, SOCK_SEQPACKET, config->mode, config->group, error, error_size);
  if (listening != COROD_LISTEN_OK) {
    reason = listening == COROD_LISTEN_DENIED ? EACCES : listening == COROD_LISTEN_LIVE ? EADDRINUSE : EIO;
    goto failed;
  }
  if (!corod_questions_open(core)) {
    snprintf(error, error_size, "cannot make a timer");
    goto failed;
  }
  core->again_token = ops->watch(host, core->again[0], turn, core, "corod: work left for another turn");
  core->listener_token = ops->watch(host, core->listener.fd, corod_strangers_accept, core, "corod: attach socket");
  if (core->again_token < 0 || core->listener_token < 0) {
    snprintf(error, error_size, "the host cannot watch the attach socket");
    goto failed;
  }
  return core;
failed:
  corod_core_free(core);
  errno = reason;
  return NULL;
}

void corod_core_free(struct corod_core *core) {
  corod_session_abandon(core);
  while (core->nodes) {
    struct corod_node *node = core->nodes;
    if (node->state != COROD_NODE_CREATING)
      core->ops->node_remove(core->host, node);
    corod_node_free(node);
  }
  corod_jobs_drop(core, &core->own);
  corod_questions_tell(core);
  corod_questions_close(core);
  corod_strangers_close(core);
  if (core->listener_token >= 0)
    core->ops->unwatch(core->host, core->listener_token);
  if (core->again_token >= 0)
    core->ops->unwatch(core->host, core->again_token);
  corod_listener_close(&core->listener);
  for (int i = 0; i < 2; i++)
    if (core->again[i] >= 0)
      close(core->again[i]);
  free(core);
}
