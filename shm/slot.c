// slot.c: the daemon's reader of events and replies. Commands and deadlines are in command.c.
#include "slot.h"

#include <stdlib.h>

struct corod_slot *corod_slot_new(struct corod_executor_end *executor, uint32_t index, uint32_t generation,
                                  struct corod_slot_b *b) {
  struct corod_slot *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  s->b = b;
  s->index = index;
  s->generation = generation;
  s->wanted = s->armed = COROD_NEVER;
  corod_slot_join(s, executor);
  return s;
}

void corod_slot_hold(struct corod_slot *s, struct corod_mapping *region) {
  for (uint32_t i = 0; i < COROD_SLOT_PLACES; i++)
    if (!s->regions[i]) {
      s->regions[i] = corod_region_hold(region);
      return;
    }
}

void corod_slot_set_events(struct corod_slot *s, const struct corod_slot_a *a, const void *data, uint32_t size) {
  s->events =
      (struct corod_reader){.data = data, .tail_word = &a->event_tail, .head_word = &s->b->event_head, .size = size};
}

void corod_slot_set_replies(struct corod_slot *s, const struct corod_slot_a *a, const void *data, uint32_t size) {
  s->replies =
      (struct corod_reader){.data = data, .tail_word = &a->reply_tail, .head_word = &s->b->reply_head, .size = size};
}

void corod_slot_set_commands(struct corod_slot *s, const struct corod_slot_a *a, void *data, uint32_t size) {
  s->commands = (struct corod_writer){
      .data = data, .tail_word = &s->b->command_tail, .head_word = &a->command_head, .size = size};
}

void corod_slot_join(struct corod_slot *s, struct corod_executor_end *executor) {
  s->executor = executor;
  executor->slots[s->index] = s;
  corod_executor_add(executor, s->index);
}

void corod_slot_part(struct corod_slot *s) {
  struct corod_executor_end *executor = s->executor;
  if (!executor)
    return;
  corod_executor_remove(executor, s->index);
  executor->slots[s->index] = NULL;
  for (struct corod_slot **at = &executor->unsettled; s->listed && *at; at = &(*at)->next)
    if (*at == s) {
      *at = s->next;
      break;
    }
  s->listed = false;
  s->executor = NULL;
}

void corod_slot_free(struct corod_slot *s) {
  corod_slot_part(s);
  for (uint32_t i = 0; i < COROD_SLOT_PLACES; i++)
    corod_region_let_go(s->regions[i]);
  free(s->ends);
  free(s);
}

// Remembers the cursor behind a copied record until it is handed over.
static bool remember(struct corod_slot *s, uint32_t end) {
  if (s->copied == s->room) {
    uint32_t room = s->room ? s->room * 2 : 64;
    uint32_t *ends = malloc(room * sizeof *ends);
    if (!ends)
      return false;
    for (uint32_t i = 0; i < s->copied; i++)
      ends[i] = s->ends[(s->first + i) & (s->room - 1)];
    free(s->ends);
    s->ends = ends;
    s->room = room;
    s->first = 0;
  }
  s->ends[(s->first + s->copied++) & (s->room - 1)] = end;
  return true;
}

// Whether an event ring may carry such a record: kinds with a payload of ours must have exactly that.
static bool event_valid(const struct corod_record *record) {
  uint32_t payload = record->size - (uint32_t)sizeof *record;
  switch (record->kind) {
  case COROD_KIND_EVENT:
    return true;
  case COROD_KIND_SIGNAL:
    return payload == sizeof(uint64_t);
  case COROD_KIND_GAP:
    return payload == sizeof(struct corod_gap);
  case COROD_KIND_CLOSE:
    return payload == 0;
  default:
    return false;
  }
}

static bool reply_valid(const struct corod_record *record) {
  return record->kind == COROD_KIND_OUTCOME;
}

// Copies records from the reader's `read` cursor on. The tail is looked at once, so a host that writes for ever cannot
// hold us here.
static int64_t copy_records(struct corod_reader *r, uint8_t *into, uint32_t room, uint32_t most, bool whole,
                            bool (*valid)(const struct corod_record *), struct corod_slot *remembers) {
  int64_t done = 0;
  if (corod_reader_look(r) != COROD_RING_SOME)
    return COROD_BROKEN;
  for (;;) {
    struct corod_record record;
    uint32_t at = r->read;
    int got = corod_reader_head(r, &at, &record);
    if (got == COROD_RING_NONE) {
      r->read = at;
      return done;
    }
    if (got != COROD_RING_SOME || !valid(&record))
      return COROD_BROKEN;
    uint32_t span = corod_record_span(record.size);
    if (span > room - (uint32_t)done)
      return done == 0 && whole ? COROD_TOO_SMALL : done;
    if (done && done + span > most)
      return done;
    if (remembers && !remember(remembers, at + span))
      return done ? done : COROD_MEMORY;
    memcpy(into + done, &record, sizeof record);
    memcpy(into + done + sizeof record, r->data + (at & (r->size - 1)) + sizeof record, record.size - sizeof record);
    done += span;
    r->read = at + span;
  }
}

int64_t corod_slot_drain(struct corod_slot *s, uint8_t *into, uint32_t room, bool whole) {
  // A quarter of the ring at a time: while that is worked on, the host fills what was released before.
  return s->events.size ? copy_records(&s->events, into, room, s->events.size / 4, whole, event_valid, s) : 0;
}

// Gives the records before cursor `to` back: the commands that they caused first, so that a death in between repeats
// events and loses nothing. Later, when settled, if a count of theirs still waits for room. Rings if the host waits for
// room.
static void release_to(struct corod_slot *s, uint32_t to) {
  if (s->events.head == to)
    return;
  corod_slot_publish(s);
  if (s->owing)
    return;
  corod_reader_release(&s->events, to);
  if (corod_starved_take(&s->b->event_starved))
    corod_executor_ring(s->executor, s->index);
}

int corod_slot_take(struct corod_slot *s, uint32_t n) {
  if (n == 0 || n > s->copied)
    return COROD_MISUSE;
  s->done = s->handed;
  s->handed = s->ends[(s->first + n - 1) & (s->room - 1)];
  s->first += n;
  s->copied -= n;
  // SYNC handed: read by the host after this process's death, with the head that it is behind.
  atomic_store_explicit(&s->b->event_handed, s->handed, memory_order_release);
  corod_slot_unsettle(s);
  return COROD_DONE;
}

void corod_slot_release(struct corod_slot *s) {
  s->done = s->handed;
  release_to(s, s->handed);
}

void corod_slot_release_done(struct corod_slot *s) {
  release_to(s, s->done);
}

int64_t corod_slot_replies(struct corod_slot *s, uint8_t *into, uint32_t room, bool whole) {
  int64_t done = copy_records(&s->replies, into, room, room, whole, reply_valid, NULL);
  if (s->replies.read != s->replies.head) {
    corod_reader_release(&s->replies, s->replies.read);
    if (corod_starved_take(&s->b->reply_starved))
      corod_executor_ring(s->executor, s->index);
  }
  return done;
}
