// spin.h: whether a reader looks at its ready words for a moment before it sleeps, and for how long.
//
// Waking a halted core costs up to 100 µs on virtual machines, looking at a cache line 0.1 µs. A reader that looks has
// not armed, so writers do not ring it; it arms when it gives up (docs/ring.md). Looking is only worth its processor
// time while events follow each other closely. So a look that finds nothing costs twice as many short sleeps as the one
// before, until the next look is tried: an idle reader looks once and then sleeps, a busy one looks every time, and one
// whose events come a little too late for it looks less and less.
#ifndef COROD_SPIN_H
#define COROD_SPIN_H

#include "doorbell.h"

#define COROD_SPIN_MOST 10000000u // ns: the longest look
#define COROD_SPIN_REST 64u       // short sleeps before another try, at most
#define COROD_SPIN_WAKE 100000u   // ns that a wake from sleep may take: a sleep is short if a look might have done

struct corod_spin {
  uint64_t most;   // ns of a look; 0: never look
  uint64_t slept;  // when it went to sleep
  uint32_t misses; // looks in a row that found nothing
  uint32_t rest;   // short sleeps until another try
};

// Whether to look before the next sleep.
static inline bool corod_spin_worth(const struct corod_spin *s) {
  return s->most != 0 && s->rest == 0;
}

// Looks until something is ready, at least once, and no longer than until `until` (corod_now). True: something is.
bool corod_spin_look(const struct corod_bell_words *b, uint64_t until);

// What a whole look gave.
void corod_spin_looked(struct corod_spin *s, bool found);

// The reader goes to sleep; it was rung.
static inline void corod_spin_sleeps(struct corod_spin *s, uint64_t now) {
  s->slept = now;
}
void corod_spin_woken(struct corod_spin *s, uint64_t now);

#endif
