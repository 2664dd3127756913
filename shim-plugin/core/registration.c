// registration.c: makes and claims nodes as the daemon asks; the host answers now or later.
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
  node->closed = node->ending = false;
}

static bool same_spec(const struct corod_node_spec *a, const struct corod_node_spec *b) {
  return a->n_next == b->n_next && a->n_counters == b->n_counters &&
         memcmp(a->next, b->next, a->n_next * sizeof *a->next) == 0 &&
         memcmp(a->counters, b->counters, a->n_counters * sizeof *a->counters) == 0;
}

// Next nodes and counters move into the node.
static void adopt_spec(struct corod_node *node, struct corod_node_spec *spec) {
  free(node->spec.next);
  free(node->spec.counters);
  node->spec = *spec;
  *spec = (struct corod_node_spec){0};
}

// The host has the node: gives it memory and tells the daemon. If that fails, a node with events can be claimed again.
static void finish(struct corod_session *session, struct corod_node *node) {
  struct corod_core *core = session->core;
  struct corod_region_made made;
  struct corod_plot plot;
  uint32_t status =
      corod_memory_plot(&session->memory, node->event_ring, node->reply_ring, node->command_ring, &plot, &made);
  corod_wire_region(session, &made);
  if (status != COROD_OK) {
    corod_wire_failed(session, node->call, status, "no shared memory for the node's rings");
    node->kept = true;
    if (corod_node_waiting(node) == 0)
      corod_registration_discard(node);
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
  adopt_spec(node, &asking->spec);
  session->creating++;
  core->ops->node_create(core->host, node, &node->spec);
}

// A node that no daemon uses: its queue stays, whatever else changes.
static void claim(struct corod_session *session, struct corod_node *node, uint32_t call) {
  struct corod_core *core = session->core;
  struct corod_asking *asking = &session->asking;
  bool same = same_spec(node->state == COROD_NODE_CHANGING ? &node->wanted.spec : &node->spec, &asking->spec);
  if (node->state != COROD_NODE_LIVE && !same) {
    corod_wire_failed(session, call, COROD_NAME_TAKEN, "the host is still making the node of an earlier daemon");
    return;
  }
  node->call = call;
  node->epoch = session->epoch;
  node->doomed = node->kept = false;
  if (node->state == COROD_NODE_LIVE && same) {
    adopt(node, asking);
    finish(session, node);
    return;
  }
  session->creating++;
  if (node->state == COROD_NODE_CREATING) { // its answer is ours then
    adopt(node, asking);
    return;
  }
  bool asked = node->state == COROD_NODE_CHANGING;
  corod_registration_forget(&node->wanted);
  node->wanted = *asking;
  memset(asking, 0, sizeof *asking);
  node->state = COROD_NODE_CHANGING;
  if (!asked)
    core->ops->node_change(core->host, node, &node->wanted.spec);
}

void corod_registration_end(struct corod_session *session, const struct corod_message *m) {
  struct corod_asking *asking = &session->asking;
  struct corod_node *node = corod_node_by_name(session->core, asking->ask.name);
  if (asking->spec.n_next != asking->ask.next || asking->spec.n_counters != asking->ask.counters ||
      asking->n_codes != asking->ask.codes)
    corod_session_fail(session, "a node whose parts did not all come");
  else if (asking->status != COROD_OK)
    corod_wire_failed(session, m->call, asking->status, asking->text);
  else if (!node)
    make(session, m->call);
  else if (node->slot.open || node->slot.leaving || (node->epoch == session->epoch && !node->kept))
    corod_wire_failed(session, m->call, COROD_NAME_TAKEN, "this daemon has registered a node of that name already");
  else
    claim(session, node, m->call);
  corod_registration_forget(asking);
}

// The host refused. A new node is gone; one that was to change is as it was and can be claimed again.
static void refused(struct corod_session *asker, struct corod_node *node, uint32_t status, const char *text) {
  struct corod_core *core = node->core;
  corod_log(core, COROD_LOG_WARN, "%s: not %s: %s", node->spec.name,
            node->state == COROD_NODE_CREATING ? "created" : "changed", text);
  if (asker)
    corod_wire_failed(asker, node->call, status, text);
  if (node->state == COROD_NODE_CREATING) {
    core->stats.events_discarded += corod_node_discard(node);
    corod_node_free(node);
    return;
  }
  node->state = COROD_NODE_LIVE;
  node->kept = true;
  corod_registration_forget(&node->wanted);
}

void corod_node_created(struct corod_node *node, uint32_t status, uint32_t index, const char *text) {
  struct corod_core *core = node->core;
  struct corod_session *session = core->session;
  struct corod_session *asker = session && session->fd >= 0 && node->epoch == session->epoch ? session : NULL;
  if (asker)
    asker->creating--;
  if (status != COROD_OK)
    refused(asker, node, status, text ? text : "");
  else {
    if (node->state == COROD_NODE_CHANGING) {
      adopt_spec(node, &node->wanted.spec);
      if (asker)
        adopt(node, &node->wanted);
      corod_registration_forget(&node->wanted);
    }
    node->state = COROD_NODE_LIVE;
    node->known = true;
    node->index = index;
    if (node->doomed)
      corod_registration_discard(node);
    else if (asker)
      finish(asker, node);
  }
  if (asker && !asker->failed)
    corod_wire_watch(asker);
}
