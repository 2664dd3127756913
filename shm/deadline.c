// deadline.c: tells the host until when a node may sleep, with as few bells as possible.
//
// The host's process node waits until the deadline it last read, and then relays a bare ready bit. It reads the word
// when it is rung and when its wait ends; nothing else makes it look. So an earlier deadline needs a bell at once. A
// later one does not: the host wakes at the earlier one, reads the later one and goes on waiting. But it may read the
// earlier one just before the later one is published, relay, and wait for nothing: so `armed` remembers until when the
// host waits at most, and once that has passed the next deadline is rung for, whatever the word says.
#include "slot.h"

// A deadline this near counts as passed: the host relays one up to 10 µs early, and its look may be under way.
#define COROD_SPENT_NS 20000u

static bool spent(uint64_t deadline, uint64_t now) {
  return deadline <= now || deadline - now <= COROD_SPENT_NS;
}

static void publish(struct corod_slot *s) {
  s->published = s->wanted;
  atomic_store_explicit(&s->b->deadline, s->wanted, memory_order_release);
}

static bool settle(struct corod_slot *s, uint64_t now, bool later) {
  bool passed = spent(s->armed, now);
  if (passed)
    s->armed = COROD_NEVER;
  if (s->wanted < s->armed) {
    publish(s);
    s->armed = s->wanted;
    return true;
  }
  if (s->published != s->wanted && (later || passed))
    publish(s);
  return false;
}

bool corod_slot_settle_deadline(struct corod_slot *s, uint64_t now) {
  return settle(s, now, true);
}

void corod_slot_deadline(struct corod_slot *s, uint64_t at, uint64_t now) {
  s->wanted = at;
  if (settle(s, now, false))
    corod_executor_ring(s->executor, s->index);
  else if (s->published != s->wanted)
    corod_slot_unsettle(s);
}

void corod_slot_woken(struct corod_slot *s, uint64_t before) {
  if (s->armed == COROD_NEVER)
    return;
  uint64_t now = corod_now();
  if (s->wanted > before && spent(s->wanted, now))
    // The relay came a little early: the coroutines looked at the clock before the deadline. No one will wake them
    // again for it, so they are told again until it has come.
    corod_executor_add(s->executor, s->index);
  else if (s->wanted > now && settle(s, now, true))
    corod_executor_ring(s->executor, s->index);
}
