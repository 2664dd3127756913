// registration.c: makes, claims and removes nodes as the daemon asks; the host answers now or later.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t ring_size(uint32_t wanted, uint32_t usual, uint32_t least) {
  uint32_t size = COROD_RING_MIN;
  wanted = wanted ? wanted : usual;
  wanted = wanted > least ? wanted : least;
  while (size < wanted && size < COROD_RING_MAX)
    size *= 2;
  return size;
}

// Takes codes, limits and sizes over from what was asked; `codes` moves.
static void adopt(struct corod_node *node, struct corod_asking *asking) {
  const struct corod_core_config *config = &node->core->config;
  const struct corod_node_ask *ask = &asking->ask;
  uint32_t largest = sizeof(struct corod_record) + sizeof(struct corod_gap);
  free(node->codes);
  node->codes = asking->codes;
  node->n_codes = asking->n_codes;
  asking->codes = NULL;
  for (uint32_t i = 0; i < node->n_codes; i++) {
    uint32_t bytes =
        node->codes[i].code == COROD_CODE_INTERFACE ? sizeof(struct corod_interface) : node->codes[i].max_size;
    uint32_t size = corod_record_span(bytes + (uint32_t)sizeof(struct corod_record));
    largest = size > largest ? size : largest;
  }
  // What an earlier registration let in may wait still and has to fit too.
  node->largest = node->largest > largest ? node->largest : largest;
  node->overflow = ask->overflow;
  node->backlog_events = ask->backlog ? ask->backlog : config->backlog;
  node->backlog_bytes = ask->backlog_bytes ? ask->backlog_bytes : config->backlog_bytes;
  // An empty backlog takes any single record, so that no policy has to drop what could be delivered.
  node->backlog_bytes = node->backlog_bytes > node->largest ? node->backlog_bytes : node->largest;
  node->event_ring = ring_size(ask->event_ring, config->event_ring, 2 * node->largest);
  node->reply_ring = ring_size(ask->reply_ring, config->reply_ring, 0);
  node->command_ring = ring_size(ask->command_ring, config->command_ring, 0);
  node->slot.executor = ask->executor;
  node->closed = false;
}

static bool same_spec(const struct corod_node_spec *spec, const struct corod_asking *asking) {
  return spec->n_next == asking->n_next && spec->n_counters == asking->n_counters &&
         memcmp(spec->next, asking->next, asking->n_next * sizeof *spec->next) == 0 &&
         memcmp(spec->counters, asking->counters, asking->n_counters * sizeof *spec->counters) == 0;
}

// Next nodes and counters move into the node.
static void adopt_spec(struct corod_node *node, struct corod_asking *asking) {
  free(node->spec.next);
  free(node->spec.counters);
  node->spec.next = asking->next;
  node->spec.counters = asking->counters;
  node->spec.n_next = asking->n_next;
  node->spec.n_counters = asking->n_counters;
  asking->next = NULL;
  asking->counters = NULL;
}

static uint32_t discard(struct corod_node *node) {
  struct corod_core *core = node->core;
  uint32_t waiting = corod_node_waiting(node) + node->in_flight;
  core->stats.nodes_discarded++;
  core->stats.events_discarded += waiting;
  core->ops->node_remove(core->host, node);
  corod_node_free(node);
  return waiting;
}

// The host has the node: gives it memory and tells the daemon. If that fails, a node with events stays unclaimed.
static void finish(struct corod_session *session, struct corod_node *node) {
  struct corod_core *core = session->core;
  struct corod_region_made made;
  struct corod_plot plot;
  uint32_t status =
      corod_memory_plot(&session->memory, node->event_ring, node->reply_ring, node->command_ring, &plot, &made);
  corod_wire_region(session, &made);
  if (status != COROD_OK) {
    corod_wire_failed(session, node->call, status, "no shared memory for the node's rings");
    node->epoch = 0;
    if (corod_node_waiting(node) == 0)
      discard(node);
    return;
  }
  corod_slot_open(&node->slot, node->slot.executor, &plot);
  corod_window_open(node);
  node->relayed = 0;
  session->n_nodes++;
  struct corod_message m = {.type = COROD_MSG_NODE_READY, .call = node->call};
  m.node_ready = (struct corod_node_ready){.slot = node->slot.number,
                                           .generation = node->generation,
                                           .node = node->index,
                                           .carried = corod_node_waiting(node),
                                           .a = plot.a_place,
                                           .b = plot.b_place,
                                           .event_ring = plot.event_place,
                                           .reply_ring = plot.reply_place,
                                           .command_ring = plot.command_place,
                                           .seq = node->seq};
  corod_wire_answer(session, &m, NULL);
  corod_log(core, COROD_LOG_DEBUG, "%s: slot %u, %u events carried over", node->spec.name, node->slot.number,
            corod_node_waiting(node));
  corod_relay_pump(node);
}

static void ask_host(struct corod_session *session, struct corod_node *node) {
  node->state = COROD_NODE_CREATING;
  session->creating++;
  session->core->ops->node_create(session->core->host, node, &node->spec);
}

static void make(struct corod_session *session, uint32_t call) {
  struct corod_core *core = session->core;
  struct corod_asking *asking = &session->asking;
  const char *name = asking->ask.name;
  char text[128];
  if (core->n_nodes >= core->config.max_nodes) {
    snprintf(text, sizeof text, "the host takes %u nodes", core->config.max_nodes);
    corod_wire_failed(session, call, COROD_LIMIT, text);
    return;
  }
  if (core->ops->name_taken(core->host, name)) {
    snprintf(text, sizeof text, "%s: %s", name, corod_status_text(COROD_NAME_TAKEN));
    corod_wire_failed(session, call, COROD_NAME_TAKEN, text);
    return;
  }
  struct corod_node *node = corod_node_new(core, name);
  if (!node) {
    corod_wire_failed(session, call, COROD_NO_MEMORY, "");
    return;
  }
  node->call = call;
  node->epoch = session->epoch;
  adopt(node, asking);
  adopt_spec(node, asking);
  ask_host(session, node);
}

// A node of an earlier attachment: its queue stays, whatever else changes.
static void claim(struct corod_session *session, struct corod_node *node, uint32_t call) {
  struct corod_core *core = session->core;
  bool same = same_spec(&node->spec, &session->asking);
  if (node->state == COROD_NODE_CREATING && !same) {
    corod_wire_failed(session, call, COROD_NAME_TAKEN, "the host is still making the node of an earlier daemon");
    return;
  }
  node->call = call;
  node->epoch = session->epoch;
  node->doomed = false;
  adopt(node, &session->asking);
  if (node->state == COROD_NODE_CREATING) { // its answer is ours then
    session->creating++;
    return;
  }
  if (same) {
    finish(session, node);
    return;
  }
  core->ops->node_remove(core->host, node);
  adopt_spec(node, &session->asking);
  ask_host(session, node);
}

void corod_registration_end(struct corod_session *session, const struct corod_message *m) {
  struct corod_asking *asking = &session->asking;
  struct corod_node *node = corod_node_by_name(session->core, asking->ask.name);
  if (asking->n_next != asking->ask.next || asking->n_counters != asking->ask.counters ||
      asking->n_codes != asking->ask.codes)
    corod_session_fail(session, "a node whose parts did not all come");
  else if (asking->status != COROD_OK)
    corod_wire_failed(session, m->call, asking->status, asking->text);
  else if (!node)
    make(session, m->call);
  else if (node->slot.open || node->slot.leaving || node->epoch == session->epoch)
    corod_wire_failed(session, m->call, COROD_NAME_TAKEN, "this daemon has registered a node of that name already");
  else
    claim(session, node, m->call);
  corod_registration_forget(asking);
}

void corod_node_created(struct corod_node *node, uint32_t status, uint32_t index, const char *text) {
  struct corod_core *core = node->core;
  struct corod_session *session = core->session;
  bool asked = session && session->fd >= 0 && node->epoch == session->epoch;
  text = text ? text : "";
  if (asked)
    session->creating--;
  if (status != COROD_OK) {
    uint32_t waiting = corod_node_waiting(node);
    corod_log(core, COROD_LOG_WARN, "%s: not created: %s", node->spec.name, text);
    core->stats.events_discarded += waiting;
    if (asked)
      corod_wire_failed(session, node->call, status, text);
    corod_node_free(node);
  } else {
    node->state = COROD_NODE_LIVE;
    node->known = true;
    node->index = index;
    if (node->doomed)
      discard(node);
    else if (asked)
      finish(session, node);
  }
  if (asked && !session->failed)
    corod_wire_watch(session);
}

void corod_registration_remove(struct corod_session *session, const struct corod_message *m) {
  uint32_t status;
  struct corod_node *node =
      corod_node_by_handle(session->core, m->node_remove.slot, m->node_remove.generation, &status);
  if (!node || !node->slot.open) {
    corod_wire_failed(session, m->call, node ? COROD_NODE_UNKNOWN : status, "");
    return;
  }
  node->closed = true;
  node->removing = true;
  node->call = m->call;
  if (!corod_window_look(node)) // what was released is not discarded
    return;
  corod_slot_leave(session->core, &node->slot);
  // Commands that it published before it asked run first.
  if (!corod_slots_leave_turn(session->core))
    corod_again(session->core);
}

void corod_registration_left(struct corod_node *node) {
  struct corod_session *session = node->core->session;
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVED, .call = node->call};
  if (session->fd >= 0 && node->epoch == session->epoch)
    session->n_nodes--;
  corod_memory_spare(&session->memory, &node->slot.plot);
  m.node_removed.slot = node->slot.number;
  m.node_removed.discarded = discard(node);
  corod_wire_answer(session, &m, NULL);
  corod_wire_watch(session);
}

void corod_registration_ready(struct corod_session *session, const struct corod_message *m) {
  struct corod_core *core = session->core;
  struct corod_message answer = {.type = COROD_MSG_READY, .call = m->call};
  struct corod_node *next;
  for (struct corod_node *node = core->nodes; node; node = next) {
    next = node->next;
    if (node->slot.open && node->in_flight) // posted perhaps before the daemon knew the slot
      corod_bell_ring(core, &node->slot);
    if (node->slot.open || node->slot.leaving || node->epoch == session->epoch || node->doomed)
      continue;
    answer.ready.removed++;
    if (node->state == COROD_NODE_CREATING)
      node->doomed = true;
    else
      answer.ready.discarded += discard(node);
  }
  if (answer.ready.removed)
    corod_log(core, COROD_LOG_INFO, "%u nodes of an earlier daemon were not claimed: removed, %u events discarded",
              answer.ready.removed, answer.ready.discarded);
  corod_wire_answer(session, &answer, NULL);
}
