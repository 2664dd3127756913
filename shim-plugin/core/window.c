// window.c: the event ring, seen from the host: a window on the node's queue.
//
// Region A is written by the host alone, so what stands in the ring between the release cursor and the tail is the
// host's own copy of what is in flight. The daemon's cursors (region B) are read once and must fall on the boundary of
// a record in there; walking the records is what proves it, one step per record ever sent.
#include "internal.h"

void corod_window_open(struct corod_node *node) {
  const struct corod_plot *plot = &node->slot.plot;
  node->events = (struct corod_writer){.data = plot->event,
                                       .tail_word = &plot->a->event_tail,
                                       .head_word = &plot->b->event_head,
                                       .size = plot->event_place.size};
  node->in_flight = 0;
}

// Bytes of the record or pad at cursor `at`, and its kind. Our own memory: no check.
static uint32_t step(const struct corod_writer *w, uint32_t at, enum corod_kind *kind) {
  struct corod_record head; // of a pad only `size` and `kind` exist
  const uint8_t *p = w->data + (at & (w->size - 1));
  memcpy(&head.size, p, sizeof head.size);
  *kind = p[offsetof(struct corod_record, kind)];
  return *kind == COROD_KIND_PAD ? head.size : corod_record_span(head.size);
}

bool corod_window_look(struct corod_node *node) {
  struct corod_writer *w = &node->events;
  // SYNC release-of-space: acquire here pairs with the release in corod_reader_release.
  uint32_t head = atomic_load_explicit(w->head_word, memory_order_acquire), at = w->head;
  uint32_t released = head - w->head, events = 0;
  bool valid = released <= w->published - w->head;
  while (valid && at != head) {
    enum corod_kind kind;
    at += step(w, at, &kind);
    events += kind == COROD_KIND_EVENT || kind == COROD_KIND_SIGNAL;
    valid = (uint32_t)(at - w->head) <= released;
  }
  if (!valid) {
    corod_session_fail(node->core->session, "an event cursor that is none");
    return false;
  }
  w->head = head;
  node->in_flight -= events;
  return true;
}

static bool room(const struct corod_writer *w, uint32_t size) {
  uint32_t span = corod_record_span(size), left = w->size - (w->tail & (w->size - 1));
  return w->size - (uint32_t)(w->tail - w->head) >= span + (left < span ? left : 0);
}

struct corod_record *corod_window_claim(struct corod_node *node, uint32_t size) {
  struct corod_writer *w = &node->events;
  struct corod_record *record;
  // The cursor is looked at here, where it is walked, so that corod_writer_claim never needs to.
  if (!room(w, size) && (!corod_window_look(node) || !room(w, size)))
    return NULL;
  if (corod_writer_claim(w, size, &record) != COROD_RING_SOME)
    return NULL;
  return record;
}

void corod_window_publish(struct corod_node *node) {
  corod_writer_publish(&node->events);
  corod_bell_ring(node->core, &node->slot);
}

bool corod_window_starve(struct corod_node *node) {
  uint32_t head = node->events.head;
  corod_starved_set(&node->slot.plot.b->event_starved);
  corod_bells_flush(node->core); // only who looks at the ring makes room
  return corod_window_look(node) && node->events.head != head;
}

void corod_window_close(struct corod_node *node) {
  struct corod_writer *w = &node->events;
  struct corod_fifo back = {0};
  // A cursor that is none leaves the last good one: rather delivered twice than never.
  (void)corod_window_look(node);
  uint32_t handed = atomic_load_explicit(&node->slot.plot.b->event_handed, memory_order_relaxed) - w->head;
  uint32_t in_flight = w->published - w->head;
  if (handed > in_flight) // it never published one since the last release, or it is none
    handed = (int32_t)handed < 0 ? 0 : in_flight;
  for (uint32_t at = w->head; at != w->published;) {
    struct corod_record head;
    const uint8_t *bytes = w->data + (at & (w->size - 1));
    enum corod_kind kind;
    uint32_t before = at - w->head;
    at += step(w, at, &kind);
    if (kind == COROD_KIND_PAD || kind == COROD_KIND_CLOSE) // who comes next finds it open
      continue;
    memcpy(&head, bytes, sizeof head);
    if (before < handed) {
      head.flags |= COROD_FLAG_REDELIVERED;
      head.attempts = head.attempts == UINT16_MAX ? UINT16_MAX : (uint16_t)(head.attempts + 1);
      head.answer = 0; // who waits for it learns of the death
      node->stats.redelivered++;
    } else
      corod_question_returned(node->core, head.answer);
    if (!corod_fifo_push(&back, &head, bytes + sizeof head)) {
      node->stats.dropped++;
      corod_log(node->core, COROD_LOG_ERROR, "%s: no memory to keep an event in flight", node->spec.name);
    }
  }
  if (!corod_fifo_append(&back, &node->carried))
    corod_log(node->core, COROD_LOG_ERROR, "%s: no memory to keep %u events", node->spec.name, node->carried.events);
  corod_fifo_free(&node->carried);
  node->carried = back;
  node->events = (struct corod_writer){0};
  node->in_flight = 0;
}
