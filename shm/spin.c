// spin.c: looks, and learns from what it saw.
#include "spin.h"

#include "slot.h"

#define LOOKS 32 // between two looks at the clock

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

bool corod_spin_look(const struct corod_bell_words *b, uint64_t until) {
  do {
    for (int i = 0; i < LOOKS; i++) {
      if (corod_bell_any(b))
        return true;
      relax();
    }
  } while (corod_now() < until);
  return false;
}

void corod_spin_looked(struct corod_spin *s, bool found) {
  if (found) {
    s->misses = s->rest = 0;
    return;
  }
  // 1, 3, 7, ... 63
  uint32_t rest = (1u << ++s->misses) - 1;
  if (rest >= COROD_SPIN_REST) {
    rest = COROD_SPIN_REST - 1;
    s->misses--;
  }
  s->rest = rest;
}

void corod_spin_woken(struct corod_spin *s, uint64_t now) {
  if (s->rest && now - s->slept <= s->most + COROD_SPIN_WAKE)
    s->rest--;
}
