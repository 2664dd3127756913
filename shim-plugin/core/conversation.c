// conversation.c: what an attached daemon asks on its socket, one message after the other.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define COROD_MESSAGES_PER_TURN 64 // then the host's loop gets a turn

static void executor(struct corod_session *session, const struct corod_message *m) {
  struct corod_core *core = session->core;
  struct corod_message answer = {.type = COROD_MSG_EXECUTOR, .call = m->call, .fds = 2};
  struct corod_region_made made;
  int fds[2];
  uint32_t id = m->executor.id;
  if (id >= COROD_MAX_EXECUTORS || session->bells[id].words) {
    char text[128];
    snprintf(text, sizeof text, "executor %u: there are executors 0 to %d, each once", id, COROD_MAX_EXECUTORS - 1);
    corod_wire_failed(session, m->call, COROD_LIMIT, text);
    return;
  }
  if (!core->own.open) { // the first executor serves slot 0 too
    struct corod_plot plot;
    uint32_t status =
        corod_memory_plot(&session->memory, 0, core->config.reply_ring, core->config.command_ring, &plot, &made);
    corod_wire_region(session, &made);
    if (status != COROD_OK) {
      corod_wire_failed(session, m->call, status, "");
      return;
    }
    corod_slot_open(&core->own, id, &plot);
  }
  uint32_t status = corod_bell_open(session, id, &answer.executor.words, fds, &made);
  corod_wire_region(session, &made);
  if (status != COROD_OK) {
    corod_wire_failed(session, m->call, status, "");
    return;
  }
  if (session->n_bells++ == 0) {
    const struct corod_plot *plot = &core->own.plot;
    struct corod_message own = {.type = COROD_MSG_NODE_READY, .call = m->call};
    own.node_ready = (struct corod_node_ready){.node = ~0u,
                                               .a = plot->a_place,
                                               .b = plot->b_place,
                                               .reply_ring = plot->reply_place,
                                               .command_ring = plot->command_place};
    core->own.executor = id;
    corod_wire_answer(session, &own, NULL);
  }
  answer.executor.id = id;
  corod_wire_answer(session, &answer, fds);
}

static void allow_signals(struct corod_session *session, const struct corod_message *m) {
  struct corod_message answer = {.type = COROD_MSG_READY, .call = m->call};
  if (!corod_name_valid(m->next.name)) {
    corod_wire_failed(session, m->call, COROD_NAME_INVALID, "");
    return;
  }
  for (uint32_t i = 0; i < session->n_signals; i++)
    if (!strcmp(session->signals[i], m->next.name)) {
      corod_wire_answer(session, &answer, NULL);
      return;
    }
  char(*more)[COROD_NAME] = NULL;
  if (session->n_signals < COROD_SIGNALS_LISTED)
    more = realloc(session->signals, (session->n_signals + 1) * sizeof *more);
  if (!more) {
    corod_wire_failed(session, m->call, session->n_signals < COROD_SIGNALS_LISTED ? COROD_NO_MEMORY : COROD_LIMIT, "");
    return;
  }
  session->signals = more;
  memcpy(session->signals[session->n_signals++], m->next.name, COROD_NAME);
  corod_wire_answer(session, &answer, NULL);
}

static void handle(struct corod_session *session, const struct corod_message *m) {
  struct corod_message pong = {.type = COROD_MSG_PONG, .call = m->call};
  // The parts of a NODE come in one piece: anything else between them is a mistake.
  bool part = m->type == COROD_MSG_NEXT || m->type == COROD_MSG_COUNTER || m->type == COROD_MSG_CODE ||
              m->type == COROD_MSG_NODE_END;
  if (part != session->asking.active) {
    corod_session_fail(session, "a message that does not belong there");
    return;
  }
  switch (m->type) {
  case COROD_MSG_EXECUTOR:
    executor(session, m);
    break;
  case COROD_MSG_NODE:
    corod_registration_begin(session, m);
    break;
  case COROD_MSG_NEXT:
  case COROD_MSG_COUNTER:
  case COROD_MSG_CODE:
    corod_registration_part(session, m);
    break;
  case COROD_MSG_NODE_END:
    corod_registration_end(session, m);
    break;
  case COROD_MSG_NODE_CLOSE:
    corod_registration_close(session, m);
    break;
  case COROD_MSG_NODE_REMOVE:
    corod_registration_remove(session, m);
    break;
  case COROD_MSG_READY:
    corod_registration_ready(session, m);
    break;
  case COROD_MSG_SIGNALS:
    allow_signals(session, m);
    break;
  case COROD_MSG_PING:
    corod_wire_answer(session, &pong, NULL);
    break;
  default:
    corod_session_fail(session, "a message of unknown type");
  }
}

void corod_conversation_ready(void *arg) {
  struct corod_session *session = arg;
  struct corod_core *core = session->core;
  for (int i = 0; i < COROD_MESSAGES_PER_TURN && !session->failed && !session->letters &&
                  session->creating < COROD_ANSWERS_WAITING;
       i++) {
    struct corod_message m;
    int got = corod_wire_receive(session->fd, &m);
    if (got == 0)
      break;
    if (got == -1) {
      corod_session_end(session, "the daemon closed the connection");
      break;
    }
    core->stats.messages++;
    if (got == -2)
      corod_session_fail(session, "a malformed message");
    else
      handle(session, &m);
  }
  if (!session->failed && session->fd >= 0)
    corod_wire_watch(session);
  corod_session_settle(core);
}
