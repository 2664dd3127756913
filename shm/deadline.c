// deadline.c: tells the host until when a node may sleep, with as few bells as possible.
//
// The host's process node waits until the deadline it last read, and then relays a bare ready bit. It reads the word
// when it is rung and when its wait ends; nothing else makes it look. So the word only ever changes together with a
// bell, but when it becomes "none": to an earlier deadline at once, to a later one when the one that stands there has
// passed. (To put a later one there silently is not enough: it may overwrite one that the host was rung for and has not
// read, and then nobody looks any more.) A deadline that was moved on or cleared costs one wake that finds nothing due.
#include "slot.h"

// A deadline this near counts as passed: the host relays one up to 10 µs early, and its look may be under way.
#define COROD_SPENT_NS 20000u

static bool spent(uint64_t deadline, uint64_t now) {
  return deadline <= now || deadline - now <= COROD_SPENT_NS;
}

// Brings the word up to date and rings for it.
static void refresh(struct corod_slot *s, uint64_t now) {
  if (s->wanted == s->armed || (s->wanted > s->armed && !spent(s->armed, now)))
    return;
  s->armed = s->wanted;
  atomic_store_explicit(&s->b->deadline, s->wanted, memory_order_release);
  if (s->wanted != COROD_NEVER)
    corod_executor_ring(s->executor, s->index);
}

void corod_slot_deadline(struct corod_slot *s, uint64_t at, uint64_t now) {
  s->wanted = at;
  refresh(s, now);
}

void corod_slot_woken(struct corod_slot *s, uint64_t before) {
  if (s->armed == COROD_NEVER)
    return;
  uint64_t now = corod_now();
  if (s->wanted > before && spent(s->wanted, now))
    // The relay came a little early: the coroutines looked at the clock before the deadline. No one will wake them
    // again for it, so they are told again until it has come.
    corod_executor_add(s->executor, s->index);
  else
    refresh(s, now);
}
