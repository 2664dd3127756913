// relay.c: from acceptance to the event ring: order, bounds, and what is told about events that were dropped.
//
// The queue of a node, oldest first: the event ring (in flight), `carried`, the gap `oldest`, `backlog`, the gap
// `newest`, and behind the last event of a node that is closed, its end. An event that finds all of it but the ring
// empty goes into the ring at once.
#include "internal.h"

#define COROD_PUMP_ROUNDS 4 // rings full of records that one call moves

static void miss(struct corod_missing *missing, const struct corod_gap *gap) {
  bool known = gap->count != 0;
  if (known && missing->gap.count == 0)
    missing->gap.first = gap->first;
  if (known)
    missing->gap.last = gap->last;
  missing->gap.count += gap->count;
  missing->unknown |= !known;
  missing->any = true;
}

// Takes the notice out of `missing`. count 0 says that nobody knows how many.
static void notice(struct corod_node *node, struct corod_missing *missing, struct corod_record *head,
                   struct corod_gap *gap) {
  *gap = missing->gap;
  if (missing->unknown)
    gap->count = 0;
  *head = (struct corod_record){.size = sizeof *head + sizeof *gap,
                                .kind = COROD_KIND_GAP,
                                .type = COROD_CODE_GAP,
                                .seq = gap->last,
                                .time = corod_stamp(node->core)};
  memset(missing, 0, sizeof *missing);
}

void corod_relay_missed(struct corod_node *node) {
  struct corod_gap unknown = {0};
  miss(&node->newest, &unknown);
  corod_relay_pump(node);
}

static bool ring_open(const struct corod_node *node) {
  return node->slot.open && !node->core->session->failed;
}

static bool queue_empty(const struct corod_node *node) {
  return node->carried.records == 0 && node->backlog.records == 0 && !node->oldest.any && !node->newest.any &&
         !node->ending;
}

// One record from the queue into the ring. 1: moved; 0: no room; -1: nothing waits.
static int move_one(struct corod_node *node) {
  struct corod_fifo *from = node->carried.records ? &node->carried : node->oldest.any ? NULL : &node->backlog;
  struct corod_missing *missing = node->oldest.any ? &node->oldest : node->newest.any ? &node->newest : NULL;
  struct corod_record head, *at;
  if (from && corod_fifo_front(from, &head)) {
    if (!(at = corod_window_claim(node, head.size)))
      return 0;
    corod_fifo_pop(from, at);
    node->in_flight += head.kind != COROD_KIND_GAP;
    at->answer = corod_question_delivered(node->core, at->answer);
    return 1;
  }
  if (!missing && !node->ending)
    return -1;
  if (!missing) {
    if (!(at = corod_window_claim(node, sizeof *at)))
      return 0;
    *at = (struct corod_record){
        .size = sizeof *at, .kind = COROD_KIND_CLOSE, .seq = node->seq, .time = corod_stamp(node->core)};
    node->ending = false;
    return 1;
  }
  if (!(at = corod_window_claim(node, sizeof *at + sizeof(struct corod_gap))))
    return 0;
  struct corod_gap gap;
  notice(node, missing, at, &gap);
  memcpy(at + 1, &gap, sizeof gap);
  return 1;
}

void corod_relay_pump(struct corod_node *node) {
  for (int round = 0; ring_open(node) && !queue_empty(node); round++) {
    int moved;
    bool any = false;
    if (round == COROD_PUMP_ROUNDS) { // the daemon empties the ring as fast as we fill it: others first
      corod_bell_later(node->core, &node->slot);
      return;
    }
    while ((moved = move_one(node)) > 0)
      any = true;
    if (any)
      corod_window_publish(node);
    // Room is a wake too: say that it is wanted, look once more, then wait for the bell.
    if (moved < 0 || !ring_open(node) || !corod_window_starve(node))
      return;
  }
}

// Makes room for `span` more bytes by dropping the oldest that never were in a ring.
static void drop_oldest(struct corod_node *node, uint32_t span) {
  while (node->backlog.records &&
         (node->backlog.events >= node->backlog_events || node->backlog.used + span > node->backlog_bytes)) {
    struct corod_record head;
    struct corod_gap gap;
    corod_fifo_front(&node->backlog, &head);
    if (head.kind == COROD_KIND_GAP) {
      uint8_t whole[sizeof head + sizeof gap];
      corod_fifo_pop(&node->backlog, whole);
      memcpy(&gap, whole + sizeof head, sizeof gap);
    } else {
      struct corod_question *question = corod_question_find(node->core, head.answer);
      gap = (struct corod_gap){.first = head.seq, .last = head.seq, .count = 1};
      corod_fifo_drop(&node->backlog);
      if (question)
        corod_question_end(node->core, question, COROD_FULL, NULL, 0);
      node->stats.dropped++;
    }
    miss(&node->oldest, &gap);
  }
}

static uint32_t drop_newest(struct corod_node *node, uint64_t *seq, uint32_t status) {
  struct corod_gap gap = {.first = node->seq + 1, .last = node->seq + 1, .count = 1};
  *seq = ++node->seq;
  miss(&node->newest, &gap);
  node->stats.dropped++;
  return status;
}

// Behind what waits. The notice of what was dropped after that comes first.
static bool append(struct corod_node *node, const struct corod_record *head, const void *payload) {
  if (node->newest.any) {
    struct corod_missing kept = node->newest;
    struct corod_record gap_head;
    struct corod_gap gap;
    notice(node, &node->newest, &gap_head, &gap);
    if (!corod_fifo_push(&node->backlog, &gap_head, &gap)) {
      node->newest = kept;
      return false;
    }
  }
  return corod_fifo_push(&node->backlog, head, payload);
}

uint32_t corod_relay_accept(struct corod_node *node, enum corod_kind kind, uint32_t type, const void *payload,
                            uint32_t bytes, enum corod_told told, struct corod_question *question, uint64_t *seq) {
  struct corod_record head = {.size = (uint32_t)sizeof head + bytes,
                              .kind = (uint8_t)kind,
                              .type = type,
                              .answer = question ? question->handle : 0,
                              .seq = node->seq + 1,
                              .time = corod_stamp(node->core)};
  uint32_t span = corod_record_span(head.size);
  *seq = 0;
  bool waited = !queue_empty(node);
  if (!waited && ring_open(node)) {
    struct corod_record *at = corod_window_claim(node, head.size);
    if (at) {
      *at = head;
      if (bytes)
        memcpy(at + 1, payload, bytes);
      if (question)
        question->in_ring = true;
      node->in_flight++;
      corod_window_publish(node);
      *seq = ++node->seq;
      node->stats.accepted++;
      return COROD_OK;
    }
  }
  bool full = node->backlog.events >= node->backlog_events || node->backlog.used + span > node->backlog_bytes;
  if (full && node->overflow == COROD_OVERFLOW_REJECT && told == COROD_TOLD) {
    node->stats.rejected++;
    return COROD_FULL;
  }
  if (full && node->overflow == COROD_OVERFLOW_DROP_OLDEST)
    drop_oldest(node, span);
  else if (full)
    return drop_newest(node, seq, COROD_FULL);
  if (!append(node, &head, payload))
    return drop_newest(node, seq, COROD_NO_MEMORY);
  *seq = ++node->seq;
  node->stats.accepted++;
  // Only the first one that has to wait finds `starved` unset: it says that room is wanted.
  if (!waited)
    corod_relay_pump(node);
  return COROD_OK;
}
