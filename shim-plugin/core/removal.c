// removal.c: nodes that a daemon closes (NODE_CLOSE) or lets go of, now (NODE_REMOVE) or by not claiming them (READY).
#include "internal.h"

uint32_t corod_registration_discard(struct corod_node *node) {
  struct corod_core *core = node->core;
  uint32_t waited = corod_node_discard(node);
  core->stats.nodes_discarded++;
  core->stats.events_discarded += waited;
  core->ops->node_remove(core->host, node);
  corod_node_free(node);
  return waited;
}

// Nothing of the node's runs any more. Returns how many events were discarded with it.
static uint32_t let_go(struct corod_node *node, uint32_t how) {
  uint32_t discarded = 0;
  if (how == COROD_LEAVE_DISCARD)
    return corod_registration_discard(node);
  if (how == COROD_LEAVE_PARK) {
    discarded = corod_node_discard(node);
    node->core->stats.events_discarded += discarded;
    node->closed = true;
  }
  node->removing = false;
  node->kept = true;
  return discarded;
}

static void answer(struct corod_session *session, uint32_t call, uint32_t slot, uint32_t discarded) {
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVED, .call = call};
  m.node_removed = (struct corod_node_removed){.slot = slot, .discarded = discarded};
  corod_wire_answer(session, &m, NULL);
}

void corod_registration_close(struct corod_session *session, const struct corod_message *m) {
  struct corod_message answer = {.type = COROD_MSG_NODE_CLOSED, .call = m->call};
  uint32_t status;
  struct corod_node *node = corod_node_by_handle(session->core, m->node_close.slot, m->node_close.generation, &status);
  if (!node || !node->slot.open) {
    corod_wire_failed(session, m->call, node ? COROD_NODE_UNKNOWN : status, "");
    return;
  }
  if (!corod_window_look(node))
    return;
  answer.node_closed.slot = m->node_close.slot;
  answer.node_closed.waiting = corod_node_waiting(node) + node->in_flight;
  corod_wire_answer(session, &answer, NULL);
  if (node->closed)
    return;
  node->closed = node->ending = true;
  corod_relay_pump(node);
}

void corod_registration_remove(struct corod_session *session, const struct corod_message *m) {
  uint32_t status, how = m->node_remove.how;
  struct corod_node *node =
      corod_node_by_handle(session->core, m->node_remove.slot, m->node_remove.generation, &status);
  if (how > COROD_LEAVE_PARK) {
    corod_wire_failed(session, m->call, COROD_UNSUPPORTED,
                      "a node is removed with how 0 (discard), 1 (keep), 2 (park)");
    return;
  }
  if (node && node->kept && node->epoch == session->epoch && node->state == COROD_NODE_LIVE) {
    answer(session, m->call, m->node_remove.slot, let_go(node, how)); // it was let go of before
    return;
  }
  if (!node || !node->slot.open) {
    corod_wire_failed(session, m->call, node ? COROD_NODE_UNKNOWN : status, "");
    return;
  }
  if (!corod_window_look(node)) // what was released is not discarded
    return;
  node->closed = how != COROD_LEAVE_KEEP;
  node->removing = true;
  node->how = how;
  node->call = m->call;
  session->n_nodes--;
  if (how == COROD_LEAVE_KEEP)
    corod_window_close(node);
  corod_slot_leave(session->core, &node->slot);
  // Commands that it published before it asked run first.
  if (!corod_slots_leave_turn(session->core))
    corod_again(session->core);
}

void corod_registration_left(struct corod_node *node) {
  struct corod_session *session = node->core->session;
  uint32_t call = node->call, slot = node->slot.number;
  corod_memory_spare(&session->memory, &node->slot.plot);
  answer(session, call, slot, let_go(node, node->how));
  corod_wire_watch(session);
}

void corod_registration_ready(struct corod_session *session, const struct corod_message *m) {
  struct corod_core *core = session->core;
  struct corod_message answer = {.type = COROD_MSG_READY, .call = m->call};
  struct corod_node *next;
  for (struct corod_node *node = core->nodes; node; node = next) {
    next = node->next;
    if (node->slot.open &&
        node->events.published != node->events.head) // posted perhaps before the daemon knew the slot
      corod_bell_ring(core, &node->slot);
    if (node->slot.open || node->slot.leaving || node->epoch == session->epoch || node->doomed)
      continue;
    answer.ready.removed++;
    if (node->state == COROD_NODE_CREATING)
      node->doomed = true;
    else
      answer.ready.discarded += corod_registration_discard(node);
  }
  if (answer.ready.removed)
    corod_log(core, COROD_LOG_INFO, "%u nodes of an earlier daemon were not claimed: removed, %u events discarded",
              answer.ready.removed, answer.ready.discarded);
  corod_wire_answer(session, &answer, NULL);
}
