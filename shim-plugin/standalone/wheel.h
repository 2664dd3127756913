// wheel.h: a hierarchical timer wheel of 10 us ticks. Start and stop cost the same however many timers there are.
#ifndef COROD_WHEEL_H
#define COROD_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define COROD_TICK 10000u // nanoseconds
#define COROD_WHEEL_LEVELS 5
#define COROD_WHEEL_SLOTS 256 // a level's slot spans all slots of the level below: 5 levels reach 127 days

struct corod_timer {
  struct corod_timer *next, **previous; // `previous` NULL: not started
  uint64_t tick;                        // at which it expires
};

struct corod_wheel {
  uint64_t tick; // everything up to here has expired
  uint32_t started;
  struct corod_timer *slots[COROD_WHEEL_LEVELS][COROD_WHEEL_SLOTS];
  uint64_t occupied[COROD_WHEEL_LEVELS][COROD_WHEEL_SLOTS / 64];
};

void corod_wheel_init(struct corod_wheel *wheel, uint64_t now);

// Starts `timer` for the first tick at or after `at` (nanoseconds of the clock that `now` is read from). A started
// timer is moved.
void corod_timer_start(struct corod_wheel *wheel, struct corod_timer *timer, uint64_t at);

// Nothing happens to a timer that is not started.
void corod_timer_stop(struct corod_wheel *wheel, struct corod_timer *timer);

// Stops the timers that are due at `now` and calls `expired` for each, earliest tick first. `expired` may start and
// stop timers.
void corod_wheel_advance(struct corod_wheel *wheel, uint64_t now, void (*expired)(struct corod_timer *timer, void *arg),
                         void *arg);

// When to advance next, in nanoseconds; UINT64_MAX if no timer is started. May be earlier than the next timer, never
// later.
uint64_t corod_wheel_next(const struct corod_wheel *wheel);

#endif
