// session.c: begin and end of an attachment. The nodes stay; what was in flight goes back to their queues.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <stdlib.h>
#include <sys/random.h>

struct corod_session *corod_session_begin(struct corod_core *core, int fd, uint32_t pid, uint16_t version,
                                          const char *program) {
  struct corod_session *session = calloc(1, sizeof *session);
  uint32_t random = 0;
  if (!session)
    return NULL;
  // Without entropy the lower half alone keeps epochs of one host apart.
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
    random = (uint32_t)corod_now(core);
  session->core = core;
  session->fd = fd;
  session->token = session->writable_fd = -1;
  session->pid = pid;
  session->version = version;
  session->epoch = (uint64_t)random << 32 | ++core->attachments;
  session->since = corod_now(core);
  session->letters_end = &session->letters;
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    session->bells[i] = (struct corod_bell){.core = core, .ring_fd = -1, .wait_fd = -1, .kept_fd = -1, .token = -1};
  for (uint32_t i = 0; program[i] && i < COROD_NAME - 1; i++) // it is shown and logged
    session->program[i] = program[i] >= ' ' && program[i] < 127 ? program[i] : '?';
  core->session = session;
  core->stats.attachments++;
  corod_log(core, COROD_LOG_INFO, "daemon attached: process %u (%s), protocol %u, epoch %016lx", pid, session->program,
            version, (unsigned long)session->epoch);
  return session;
}

void corod_session_fail(struct corod_session *session, const char *why) {
  struct corod_core *core = session->core;
  if (session->failed || session->fd < 0)
    return;
  session->failed = true;
  core->stats.malformed++;
  corod_log(core, COROD_LOG_WARN, "attachment of process %u ends: %s", session->pid, why);
  corod_again(core); // wherever we are, settle comes soon
}

// Memory and doorbells go when the last command that was published has run.
static void finish(struct corod_session *session) {
  struct corod_core *core = session->core;
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    corod_bell_close(&session->bells[i]);
  corod_wire_free(session);
  corod_registration_forget(&session->asking);
  corod_memory_free(&session->memory);
  free(session->signals);
  free(session);
  core->session = NULL;
}

void corod_session_end(struct corod_session *session, const char *why) {
  struct corod_core *core = session->core;
  if (session->fd < 0)
    return;
  if (!session->failed)
    corod_log(core, COROD_LOG_INFO, "daemon detached: process %u: %s", session->pid, why);
  // The daemon learns it first: from here on nothing it writes counts.
  corod_wire_free(session);
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    corod_bell_close(&session->bells[i]);
  for (struct corod_node *node = core->nodes; node; node = node->next) {
    if (!node->slot.open)
      continue;
    corod_window_close(node);
    corod_slot_leave(core, &node->slot);
  }
  if (core->own.open)
    corod_slot_leave(core, &core->own);
  corod_strangers_pause(core, true); // the next daemon waits until these commands have run
  if (!corod_slots_leave_turn(core))
    corod_again(core);
}

void corod_session_settle(struct corod_core *core) {
  struct corod_session *session = core->session;
  if (!session)
    return;
  if (session->failed && session->fd >= 0)
    corod_session_end(session, "");
  if (session->fd < 0 && !core->leaving) {
    finish(session);
    corod_strangers_pause(core, false);
  }
}

void corod_session_abandon(struct corod_core *core) {
  struct corod_session *session = core->session;
  if (!session)
    return;
  corod_wire_free(session);
  for (struct corod_node *node = core->nodes; node; node = node->next) {
    node->slot.open = node->slot.leaving = false;
    node->events = (struct corod_writer){0};
    corod_questions_drop_asker(core, &node->slot);
    corod_replies_drop(core, &node->slot);
  }
  core->own.open = core->own.leaving = false;
  corod_questions_drop_asker(core, &core->own);
  corod_replies_drop(core, &core->own);
  core->leaving = NULL;
  core->leaving_end = &core->leaving;
  finish(session);
}
