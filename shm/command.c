// command.c: the daemon's writer of commands. They are claimed one by one and published, with one bell, when settled.
#include "slot.h"

void corod_slot_unsettle(struct corod_slot *s) {
  if (s->listed)
    return;
  s->listed = true;
  s->next = s->executor->unsettled;
  s->executor->unsettled = s;
}

void corod_slot_publish(struct corod_slot *s) {
  if (s->commands.published == s->commands.tail)
    return;
  s->counting = NULL;
  s->unrung = true;
  corod_writer_publish(&s->commands);
}

static bool ring_wanted(struct corod_slot *s) {
  bool wanted = s->unrung;
  s->unrung = false;
  return wanted;
}

// Claims room for a record. When the ring is full the host must see all of it, and know that we wait.
static int claim(struct corod_slot *s, uint32_t size, struct corod_record **record) {
  int got = corod_writer_claim(&s->commands, size, record);
  if (got == COROD_RING_NONE) {
    corod_slot_publish(s);
    if (ring_wanted(s))
      corod_executor_ring(s->executor, s->index);
    corod_starved_set(&s->b->command_starved);
    got = corod_writer_claim(&s->commands, size, record);
  }
  return got == COROD_RING_SOME ? COROD_DONE : got == COROD_RING_NONE ? COROD_NOT_NOW : COROD_BROKEN;
}

int corod_slot_push(struct corod_slot *s, enum corod_op op, uint64_t call, const void *head, uint32_t head_size,
                    const void *body, uint32_t body_size) {
  struct corod_record *record;
  uint64_t size = (uint64_t)sizeof *record + head_size + body_size;
  if (size > corod_ring_largest(s->commands.size))
    return COROD_TOO_LARGE;
  int got = claim(s, (uint32_t)size, &record);
  if (got != COROD_DONE)
    return got;
  *record =
      (struct corod_record){.size = (uint32_t)size, .kind = COROD_KIND_COMMAND, .type = op, .seq = call, .time = 0};
  uint8_t *payload = (uint8_t *)(record + 1);
  if (head_size)
    memcpy(payload, head, head_size);
  if (body_size)
    memcpy(payload + head_size, body, body_size);
  corod_slot_unsettle(s);
  return COROD_DONE;
}

int corod_slot_count(struct corod_slot *s, uint32_t counter, uint64_t by) {
  if (s->counting && s->counted.counter == counter) {
    s->counted.by += by;
    memcpy(s->counting, &s->counted, sizeof s->counted);
    return COROD_DONE;
  }
  struct corod_count count = {.counter = counter, .by = by};
  int got = corod_slot_push(s, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0);
  s->owing = got == COROD_NOT_NOW;
  if (got == COROD_DONE) {
    // The record just written ends at the tail, with `count` as its last 16 bytes.
    uint32_t at = (s->commands.tail - (uint32_t)sizeof count) & (s->commands.size - 1);
    s->counting = (struct corod_count *)(void *)(s->commands.data + at);
    s->counted = count;
  }
  return got;
}

void corod_executor_settle(struct corod_executor_end *e) {
  while (e->unsettled) {
    struct corod_slot *s = e->unsettled;
    e->unsettled = s->next;
    s->listed = false;
    corod_slot_publish(s);
    corod_slot_release_done(s);
    if (ring_wanted(s))
      corod_executor_ring(e, s->index);
  }
}
