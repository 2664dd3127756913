// commands.c: runs what the daemon asks through command rings. Everything in a command is hostile until checked here.
#include "internal.h"

// Where a command came from, and its private copy.
struct command {
  struct corod_core *core;
  struct corod_slot *slot;
  const struct corod_record *head;
  const uint8_t *payload;
  uint32_t bytes;
};

static void end(const struct command *c, uint32_t status, const void *bytes, uint32_t size) {
  if (status != COROD_OK) {
    c->core->stats.command_faults++;
    if (c->slot->node)
      c->slot->node->stats.refused++;
  }
  corod_reply(c->core, c->slot, c->head->seq, status, bytes, size);
}

static void run_count(const struct command *c) {
  struct corod_node *node = c->slot->node;
  uint32_t status = !node ? COROD_NODE_UNKNOWN : c->bytes % sizeof(struct corod_count) ? COROD_MALFORMED : COROD_OK;
  for (uint32_t at = 0; status == COROD_OK && at < c->bytes; at += sizeof(struct corod_count)) {
    struct corod_count count;
    memcpy(&count, c->payload + at, sizeof count);
    if (count.counter < node->spec.n_counters)
      c->core->ops->count(c->core->host, node, count.counter, count.by);
    else
      status = COROD_COUNTER_UNKNOWN;
  }
  end(c, status, NULL, 0);
}

static void run_enqueue(const struct command *c) {
  struct corod_node *node = c->slot->node;
  struct corod_enqueue to;
  uint32_t status = COROD_OK;
  if (!node)
    status = COROD_NODE_UNKNOWN;
  else if (c->bytes <= sizeof to)
    status = COROD_MALFORMED;
  else if (c->bytes - sizeof to > COROD_MAX_PACKET)
    status = COROD_TOO_BIG;
  else {
    memcpy(&to, c->payload, sizeof to);
    status = to.next >= node->spec.n_next ? COROD_NEXT_UNKNOWN
                                          : c->core->ops->enqueue(c->core->host, node, &to, c->payload + sizeof to,
                                                                  c->bytes - (uint32_t)sizeof to);
  }
  end(c, status, NULL, 0);
}

static void run_cli(const struct command *c) {
  static const char fault[] = "one command, without control characters\n";
  bool clean = c->bytes > 0;
  for (uint32_t i = 0; i < c->bytes && clean; i++)
    clean = (c->payload[i] >= ' ' && c->payload[i] != 127) || c->payload[i] == '\t';
  if (clean)
    corod_job_add(c->core, c->slot, c->head->seq, (const char *)c->payload, c->bytes);
  else
    end(c, COROD_CLI_FAILED, fault, sizeof fault - 1);
}

static bool listed(const struct corod_session *session, const char *name) {
  for (uint32_t i = 0; i < session->n_signals; i++)
    if (!strcmp(session->signals[i], name))
      return true;
  return false;
}

static void run_signal(const struct command *c) {
  struct corod_core *core = c->core;
  struct corod_signal signal;
  uint32_t status = COROD_MALFORMED;
  if (c->bytes == sizeof signal) {
    memcpy(&signal, c->payload, sizeof signal);
    if (corod_name_valid(signal.node)) {
      struct corod_node *node = corod_node_find(core, signal.node);
      status = node ? corod_node_signal(node, signal.type, signal.data)
               : listed(core->session, signal.node)
                   ? core->ops->signal(core->host, signal.node, signal.type, signal.data)
                   : (uint32_t)COROD_NOT_LISTED;
    }
  }
  end(c, status, NULL, 0);
}

static void run_send(const struct command *c) {
  struct corod_send to;
  struct corod_accepted accepted = {0};
  uint32_t status = COROD_MALFORMED;
  if (c->bytes >= sizeof to) {
    const uint8_t *message = c->payload + sizeof to;
    uint32_t n = c->bytes - (uint32_t)sizeof to;
    memcpy(&to, c->payload, sizeof to);
    struct corod_node *node = corod_node_by_handle(c->core, to.slot, to.generation, &status);
    // Of a slot that nobody reads any more nobody waits.
    if (node && to.wants && c->head->seq && c->slot->open) {
      struct corod_asker asker = {
          .slot = c->slot, .call = c->head->seq, .deadline = corod_now(c->core) + to.wants * (uint64_t)1000000};
      status = corod_node_send_asking(node, to.type, message, n, &asker, &accepted.seq, NULL);
      if (status == COROD_OK)
        return; // the answer is its outcome
    } else if (node)
      status = corod_node_send(node, to.type, message, n, &accepted.seq);
  }
  // Dropped by the policy, it has a place in the order all the same: the sender learns it, and is not to send it again.
  end(c, status, &accepted, accepted.seq != 0 ? sizeof accepted : 0);
}

static void run_answer(const struct command *c) {
  struct corod_answer to;
  uint32_t status = COROD_MALFORMED;
  if (c->bytes >= sizeof to) {
    memcpy(&to, c->payload, sizeof to);
    status = corod_question_answer(c->core, c->slot->node, to.handle, to.status, c->payload + sizeof to,
                                   c->bytes - (uint32_t)sizeof to);
  }
  end(c, status, NULL, 0);
}

static void run(const struct command *c) {
  c->core->stats.commands++;
  if (c->slot->node)
    c->slot->node->stats.commands++;
  switch (c->head->type) {
  case COROD_OP_COUNT:
    run_count(c);
    break;
  case COROD_OP_ENQUEUE:
    run_enqueue(c);
    break;
  case COROD_OP_CLI:
    run_cli(c);
    break;
  case COROD_OP_SIGNAL:
    run_signal(c);
    break;
  case COROD_OP_SEND:
    run_send(c);
    break;
  case COROD_OP_ANSWER:
    run_answer(c);
    break;
  default:
    end(c, COROD_UNSUPPORTED, NULL, 0);
  }
}

// Copies the next command into private memory and runs it. NONE: only a pad was left.
static int run_next(struct corod_core *core, struct corod_slot *slot) {
  struct corod_reader *r = &slot->commands;
  struct corod_record head;
  uint32_t at = r->read;
  int got = corod_reader_head(r, &at, &head);
  if (got == COROD_RING_NONE)
    r->read = at;
  if (got != COROD_RING_SOME)
    return got;
  if (head.kind != COROD_KIND_COMMAND)
    return COROD_RING_MALFORMED;
  struct command c = {.core = core, .slot = slot, .head = &head, .bytes = head.size - (uint32_t)sizeof head};
  c.payload = (const uint8_t *)core->command;
  r->read = at + corod_record_span(head.size);
  if (c.bytes > sizeof core->command) {
    end(&c, COROD_TOO_BIG, NULL, 0);
    return COROD_RING_SOME;
  }
  memcpy(core->command, r->data + (at & (r->size - 1)) + sizeof head, c.bytes);
  run(&c);
  return COROD_RING_SOME;
}

// Whether another command is published. A slot that leaves takes no further look at the daemon's cursor.
static int more(struct corod_slot *slot) {
  struct corod_reader *r = &slot->commands;
  if (r->read == r->tail && !slot->leaving) {
    int looked = corod_reader_look(r);
    if (looked != COROD_RING_SOME)
      return looked;
  }
  return r->read != r->tail;
}

bool corod_commands_run(struct corod_core *core, struct corod_slot *slot, uint32_t *budget) {
  struct corod_reader *r = &slot->commands;
  uint32_t begin = r->read;
  bool left = false;
  int got;
  while ((got = more(slot)) == COROD_RING_SOME) {
    if (!slot->leaving && (core->session->failed || slot->n_outcomes >= COROD_OUTCOMES_WAITING))
      break; // the room that its reply ring gets brings us back
    if (*budget == 0) {
      left = true;
      break;
    }
    --*budget;
    if ((got = run_next(core, slot)) == COROD_RING_MALFORMED)
      break;
  }
  if (got == COROD_RING_MALFORMED) {
    if (slot->leaving) {
      core->stats.malformed++;
      r->read = r->tail; // nothing behind it can be found
    } else
      corod_session_fail(core->session, "a malformed command");
  }
  if (r->read != begin) {
    corod_reader_release(r, r->read);
    if (corod_starved_take(&slot->plot.b->command_starved) && slot->open)
      corod_bell_ring(core, slot);
  }
  return !left;
}
