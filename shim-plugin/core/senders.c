// senders.c: what the host's code may send to a node, and its interface transitions.
#include "internal.h"

uint32_t corod_node_signal(struct corod_node *node, uint64_t type, uint64_t datum) {
  uint32_t max_size;
  uint64_t seq;
  if (node->closed) {
    node->stats.after_close++;
    return COROD_CLOSED;
  }
  if (type >= COROD_CODE_RESERVED || !corod_node_declares(node, (uint32_t)type, &max_size)) {
    node->stats.undeclared++;
    return COROD_TYPE_UNKNOWN;
  }
  return corod_relay_accept(node, COROD_KIND_SIGNAL, (uint32_t)type, &datum, sizeof datum, COROD_NOT_TOLD, NULL, &seq);
}

// Whether the node takes such a message at all.
static uint32_t admit(struct corod_node *node, uint32_t type, uint32_t bytes) {
  uint32_t max_size;
  if (node->closed) {
    node->stats.after_close++;
    return COROD_CLOSED;
  }
  if (type >= COROD_CODE_RESERVED || !corod_node_declares(node, type, &max_size)) {
    node->stats.undeclared++;
    return COROD_TYPE_UNKNOWN;
  }
  if (bytes > max_size) {
    node->stats.too_big++;
    return COROD_TOO_BIG;
  }
  return COROD_OK;
}

uint32_t corod_node_send(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes, uint64_t *seq) {
  uint32_t status = admit(node, type, bytes);
  *seq = 0;
  return status == COROD_OK ? corod_relay_accept(node, COROD_KIND_EVENT, type, payload, bytes, COROD_TOLD, NULL, seq)
                            : status;
}

uint32_t corod_node_send_asking(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes,
                                const struct corod_asker *asker, uint64_t *seq, uint32_t *handle) {
  uint32_t status = admit(node, type, bytes);
  struct corod_question *question = status == COROD_OK ? corod_question_new(node, asker, &status) : NULL;
  *seq = 0;
  if (!question)
    return status;
  status = corod_relay_accept(node, COROD_KIND_EVENT, type, payload, bytes, COROD_TOLD, question, seq);
  question->seq = *seq;
  if (handle)
    *handle = question->handle;
  if (status != COROD_OK)
    corod_question_drop(node->core, question);
  return status;
}

uint32_t corod_node_ask(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes,
                        corod_answered answered, void *arg, uint64_t deadline, uint64_t *seq, uint32_t *handle) {
  struct corod_asker asker = {.answered = answered, .arg = arg, .deadline = deadline};
  return corod_node_send_asking(node, type, payload, bytes, &asker, seq, handle);
}

static bool listens(const struct corod_node *node) {
  uint32_t max_size;
  return node->known && !node->closed && corod_node_declares(node, COROD_CODE_INTERFACE, &max_size);
}

void corod_interface_changed(struct corod_core *core, const struct corod_interface *transition) {
  uint64_t seq;
  core->stats.interface_changes++;
  corod_burst_begin(core);
  for (struct corod_node *node = core->nodes; node; node = node->next)
    if (listens(node))
      corod_relay_accept(node, COROD_KIND_EVENT, COROD_CODE_INTERFACE, transition, sizeof *transition, COROD_NOT_TOLD,
                         NULL, &seq);
  corod_burst_end(core);
}

void corod_interface_missed(struct corod_core *core) {
  core->stats.interface_gaps++;
  corod_burst_begin(core);
  for (struct corod_node *node = core->nodes; node; node = node->next)
    if (listens(node))
      corod_relay_missed(node);
  corod_burst_end(core);
}
