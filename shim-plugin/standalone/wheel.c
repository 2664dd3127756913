// wheel.c: level 0 has a slot per tick; a slot of level n spans 256^n ticks and is dealt to the level below when the
// time comes to it.
#include "wheel.h"

#include <stddef.h>
#include <string.h>

#define MASK (COROD_WHEEL_SLOTS - 1)

static uint32_t shift(uint32_t level) {
  return 8 * level;
}

void corod_wheel_init(struct corod_wheel *wheel, uint64_t now) {
  memset(wheel, 0, sizeof *wheel);
  wheel->tick = now / COROD_TICK;
}

// The level whose slot distinguishes `tick` from now: the highest in which the two differ.
static void insert(struct corod_wheel *wheel, struct corod_timer *timer) {
  uint64_t tick = timer->tick, reach = 1ull << shift(COROD_WHEEL_LEVELS);
  uint32_t level = 0;
  if (tick - wheel->tick >= reach - (reach >> 8)) // as far as the wheel reaches; it is dealt again there
    tick = wheel->tick + reach - (reach >> 8) - 1;
  while (level + 1 < COROD_WHEEL_LEVELS && (tick >> shift(level + 1)) != (wheel->tick >> shift(level + 1)))
    level++;
  uint32_t slot = (tick >> shift(level)) & MASK;
  struct corod_timer **head = &wheel->slots[level][slot];
  timer->next = *head;
  timer->previous = head;
  if (timer->next)
    timer->next->previous = &timer->next;
  *head = timer;
  wheel->occupied[level][slot / 64] |= 1ull << (slot % 64);
}

void corod_timer_stop(struct corod_wheel *wheel, struct corod_timer *timer) {
  if (!timer->previous)
    return;
  *timer->previous = timer->next;
  if (timer->next)
    timer->next->previous = timer->previous;
  timer->previous = NULL;
  wheel->started--;
  // The bit of a slot that became empty stays: at worst one wake too early.
}

void corod_timer_start(struct corod_wheel *wheel, struct corod_timer *timer, uint64_t at) {
  corod_timer_stop(wheel, timer);
  timer->tick = at / COROD_TICK + (at % COROD_TICK != 0);
  if (timer->tick <= wheel->tick)
    timer->tick = wheel->tick + 1;
  insert(wheel, timer);
  wheel->started++;
}

static struct corod_timer *take_slot(struct corod_wheel *wheel, uint32_t level, uint32_t slot) {
  struct corod_timer *list = wheel->slots[level][slot];
  wheel->slots[level][slot] = NULL;
  wheel->occupied[level][slot / 64] &= ~(1ull << (slot % 64));
  return list;
}

// The first occupied slot of `level` at or after `from`, or COROD_WHEEL_SLOTS.
static uint32_t next_slot(const struct corod_wheel *wheel, uint32_t level, uint32_t from) {
  for (uint32_t w = from / 64; w < COROD_WHEEL_SLOTS / 64; w++) {
    uint64_t bits = wheel->occupied[level][w];
    if (w == from / 64)
      bits &= ~0ull << (from % 64);
    if (bits)
      return w * 64 + (uint32_t)__builtin_ctzll(bits);
  }
  return COROD_WHEEL_SLOTS;
}

// The tick at which something is to be done next: a timer of level 0, or a slot above that is to be dealt.
static uint64_t next_tick(const struct corod_wheel *wheel) {
  uint64_t nearest = UINT64_MAX;
  for (uint32_t level = 0; level < COROD_WHEEL_LEVELS; level++) {
    uint64_t now = wheel->tick >> shift(level);
    uint32_t slot = next_slot(wheel, level, (uint32_t)(now & MASK) + 1);
    // The top level has no level above that would bring the timers of its lower slots back: it goes round.
    uint64_t round = 0;
    if (slot == COROD_WHEEL_SLOTS && level == COROD_WHEEL_LEVELS - 1) {
      slot = next_slot(wheel, level, 0);
      round = COROD_WHEEL_SLOTS;
    }
    if (slot == COROD_WHEEL_SLOTS)
      continue;
    uint64_t tick = ((now & ~(uint64_t)MASK) + slot + round) << shift(level);
    nearest = tick < nearest ? tick : nearest;
  }
  return nearest;
}

static void deal(struct corod_wheel *wheel, uint32_t level) {
  struct corod_timer *list = take_slot(wheel, level, (wheel->tick >> shift(level)) & MASK), *next;
  for (; list; list = next) {
    next = list->next;
    insert(wheel, list);
  }
}

void corod_wheel_advance(struct corod_wheel *wheel, uint64_t now, void (*expired)(struct corod_timer *timer, void *arg),
                         void *arg) {
  uint64_t until = now / COROD_TICK, tick;
  while ((tick = next_tick(wheel)) <= until) {
    wheel->tick = tick;
    for (uint32_t level = COROD_WHEEL_LEVELS - 1; level > 0; level--)
      if ((tick & ((1ull << shift(level)) - 1)) == 0)
        deal(wheel, level);
    // One by one, because `expired` may stop any of them.
    struct corod_timer **due = &wheel->slots[0][tick & MASK];
    while (*due) {
      struct corod_timer *timer = *due;
      corod_timer_stop(wheel, timer);
      expired(timer, arg);
    }
    wheel->occupied[0][(tick & MASK) / 64] &= ~(1ull << (tick & MASK) % 64);
  }
  if (until > wheel->tick)
    wheel->tick = until;
}

uint64_t corod_wheel_next(const struct corod_wheel *wheel) {
  uint64_t tick = wheel->started ? next_tick(wheel) : UINT64_MAX;
  return tick == UINT64_MAX ? UINT64_MAX : tick * COROD_TICK;
}
