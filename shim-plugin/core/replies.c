// replies.c: outcomes on their way to the daemon: straight into the reply ring, or queued until there is room.
#include "internal.h"

#include <stdlib.h>

#define COROD_REPLY_ROUNDS 4 // rings full of replies that one call moves

static bool readers(const struct corod_core *core, const struct corod_slot *slot) {
  return slot->open && !core->session->failed;
}

// The next chunk of an outcome into the ring. Quarters of a ring: the daemon copies one while the next is written.
static int put(struct corod_core *core, struct corod_slot *slot, struct corod_outcome *outcome) {
  uint32_t most = slot->replies.size / 4 - (uint32_t)sizeof(struct corod_record), left = outcome->size - outcome->sent;
  uint32_t bytes = left < most ? left : most;
  struct corod_record *at;
  int got = corod_writer_claim(&slot->replies, (uint32_t)sizeof *at + bytes, &at);
  if (got == COROD_RING_MALFORMED)
    corod_session_fail(core->session, "a reply cursor that is none");
  if (got != COROD_RING_SOME)
    return got;
  *at = (struct corod_record){.size = (uint32_t)sizeof *at + bytes,
                              .kind = COROD_KIND_OUTCOME,
                              .flags = left > bytes ? COROD_FLAG_MORE : 0,
                              .type = outcome->status,
                              .seq = outcome->seq,
                              .time = corod_stamp(core)};
  if (bytes)
    memcpy(at + 1, outcome->bytes + outcome->sent, bytes);
  outcome->sent += bytes;
  return COROD_RING_SOME;
}

static void publish(struct corod_core *core, struct corod_slot *slot) {
  corod_writer_publish(&slot->replies);
  corod_bell_ring(core, slot);
}

static void drop_first(struct corod_core *core, struct corod_slot *slot) {
  struct corod_outcome *outcome = slot->outcomes;
  slot->outcomes = outcome->next;
  slot->n_outcomes--;
  core->cli_memory -= outcome->size;
  free(outcome->bytes);
  free(outcome);
}

void corod_replies_pump(struct corod_core *core, struct corod_slot *slot) {
  for (int round = 0; slot->outcomes && readers(core, slot); round++) {
    int got = COROD_RING_SOME;
    bool any = false;
    if (round == COROD_REPLY_ROUNDS) {
      corod_bell_later(core, slot);
      return;
    }
    while (slot->outcomes && (got = put(core, slot, slot->outcomes)) == COROD_RING_SOME) {
      any = true;
      if (slot->outcomes->sent == slot->outcomes->size)
        drop_first(core, slot);
    }
    if (any)
      publish(core, slot);
    if (!slot->outcomes || got == COROD_RING_MALFORMED)
      return;
    uint32_t head = slot->replies.head;
    corod_starved_set(&slot->plot.b->reply_starved);
    if (corod_writer_look(&slot->replies) == COROD_RING_MALFORMED)
      corod_session_fail(core->session, "a reply cursor that is none");
    else if (slot->replies.head == head)
      return; // the daemon's next release rings
  }
}

void corod_reply_owned(struct corod_core *core, struct corod_slot *slot, uint64_t seq, uint32_t status, uint8_t *bytes,
                       uint32_t size) {
  struct corod_outcome now = {.seq = seq, .status = status, .size = size, .bytes = bytes};
  if (seq == 0 || !readers(core, slot)) {
    core->stats.outcomes_dropped += seq != 0;
    free(bytes);
    return;
  }
  if (!slot->outcomes && size <= slot->replies.size / 4 - sizeof(struct corod_record) &&
      put(core, slot, &now) == COROD_RING_SOME) {
    publish(core, slot);
    free(bytes);
    return;
  }
  struct corod_outcome *outcome = malloc(sizeof *outcome), **last = &slot->outcomes;
  if (!outcome) {
    free(bytes);
    corod_session_fail(core->session, "no memory for an outcome");
    return;
  }
  *outcome = now;
  if (slot->outcomes)
    last = slot->outcomes_end;
  *last = outcome;
  slot->outcomes_end = &outcome->next;
  slot->n_outcomes++;
  core->cli_memory += size;
  corod_replies_pump(core, slot);
}

void corod_reply(struct corod_core *core, struct corod_slot *slot, uint64_t seq, uint32_t status, const void *bytes,
                 uint32_t size) {
  uint8_t *copy = NULL;
  if (seq == 0)
    return;
  if (size && !(copy = malloc(size))) {
    size = 0;
    status = COROD_NO_MEMORY;
  }
  if (size)
    memcpy(copy, bytes, size);
  corod_reply_owned(core, slot, seq, status, copy, size);
}

void corod_replies_drop(struct corod_core *core, struct corod_slot *slot) {
  while (slot->outcomes) {
    core->stats.outcomes_dropped++;
    drop_first(core, slot);
  }
}
