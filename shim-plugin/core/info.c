// info.c: what the core knows about the attachment and its nodes, as values: for `show corod` and a host's own API.
#include "internal.h"

static enum corod_node_is is(const struct corod_node *node) {
  if (node->state != COROD_NODE_LIVE)
    return node->state == COROD_NODE_CREATING ? COROD_NODE_IS_CREATING : COROD_NODE_IS_CHANGING;
  if (node->removing)
    return COROD_NODE_IS_REMOVING;
  return node->slot.open ? COROD_NODE_IS_ATTACHED : node->closed ? COROD_NODE_IS_PARKED : COROD_NODE_IS_AWAY;
}

const char *corod_node_state_text(enum corod_node_is state) {
  static const char *const words[] = {"creating", "changing", "attached", "removing", "away", "parked"};
  return words[state];
}

struct corod_node *corod_node_at(struct corod_core *core, uint32_t slot) {
  return slot < COROD_MAX_SLOTS ? core->slots[slot] : NULL;
}

void corod_node_info(struct corod_node *node, struct corod_node_info *info) {
  const struct corod_slot *slot = &node->slot;
  if (slot->open && !node->core->session->failed)
    (void)corod_window_look(node); // what the daemon has released by now is not in flight
  *info = (struct corod_node_info){
      .name = node->spec.name,
      .is = is(node),
      .closed = node->closed,
      .slot = slot->number,
      .generation = node->generation,
      .index = node->known ? node->index : ~0u,
      .executor = slot->executor,
      .event_ring = node->event_ring,
      .reply_ring = node->reply_ring,
      .command_ring = node->command_ring,
      .seq = node->seq,
      .in_flight = node->in_flight,
      .waiting = corod_node_waiting(node),
      .waiting_bytes = node->carried.used + node->backlog.used,
      .backlog = node->backlog_events,
      .backlog_bytes = node->backlog_bytes,
      .overflow = (enum corod_overflow)node->overflow,
      .outcomes_waiting = slot->n_outcomes,
      .cli_waiting = slot->n_cli_waiting + (slot->cli != NULL),
      .n_codes = node->n_codes,
      .codes = node->codes,
      .stats = node->stats,
  };
}

void corod_core_info(struct corod_core *core, struct corod_core_info *info) {
  const struct corod_session *session = core->session;
  *info = (struct corod_core_info){
      .socket = core->config.socket,
      .program = "",
      .all_nodes = core->n_nodes,
      .questions = core->questions.n,
      .stats = core->stats,
  };
  if (session) {
    info->attached = session->fd < 0 ? COROD_ATTACHED_ENDING : COROD_ATTACHED;
    info->pid = session->pid;
    info->program = session->program;
    info->version = session->version;
    info->epoch = session->epoch;
    info->age = corod_now(core) - session->since;
    info->executors = session->n_bells;
    info->nodes = session->n_nodes;
    info->creating = session->creating;
    info->regions = session->memory.n;
    info->memory = session->memory.total;
  }
  for (struct corod_node *node = core->nodes; node; node = node->next) {
    struct corod_node_info of;
    corod_node_info(node, &of);
    info->in_flight += of.in_flight;
    info->waiting += of.waiting;
    info->accepted += of.stats.accepted;
    info->dropped += of.stats.dropped;
    info->redelivered += of.stats.redelivered;
  }
}
