// executor.c: collects ready slots and arms the doorbell. The protocol's order is in doorbell.h.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "executor.h"

#include <fcntl.h>
#include <stdlib.h>

struct corod_executor_end *corod_executor_new(uint32_t id) {
  struct corod_executor_end *e = calloc(1, sizeof *e);
  if (!e)
    return NULL;
  e->id = id;
  e->wake = e->ring = -1;
  return e;
}

struct corod_executor_end *corod_executor_twin(const struct corod_executor_end *e) {
  struct corod_executor_end *twin = corod_executor_new(e->id);
  if (!twin)
    return NULL;
  twin->wake = fcntl(e->wake, F_DUPFD_CLOEXEC, 0);
  twin->ring = fcntl(e->ring, F_DUPFD_CLOEXEC, 0);
  if (twin->wake < 0 || twin->ring < 0) {
    corod_executor_free(twin);
    return NULL;
  }
  twin->words = e->words;
  twin->region = corod_region_hold(e->region);
  return twin;
}

void corod_executor_free(struct corod_executor_end *e) {
  if (e->wake >= 0)
    close(e->wake);
  if (e->ring >= 0)
    close(e->ring);
  corod_region_let_go(e->region);
  free(e);
}

void corod_executor_add(struct corod_executor_end *e, uint32_t slot) {
  uint64_t bit = 1ull << (slot & 63u);
  e->exists[slot >> 6] |= bit;
  e->ready[slot >> 6] |= bit;
  e->summary |= 1ull << (slot >> 6);
}

void corod_executor_remove(struct corod_executor_end *e, uint32_t slot) {
  uint64_t bit = 1ull << (slot & 63u);
  e->exists[slot >> 6] &= ~bit;
  e->ready[slot >> 6] &= ~bit;
}

bool corod_executor_collect(struct corod_executor_end *e) {
  corod_bell_disarm(&e->words->to_daemon);
  uint64_t any = 0;
  e->summary |= corod_bell_collect(&e->words->to_daemon, e->ready);
  for (uint64_t rest = e->summary; rest; rest &= rest - 1) {
    int w = __builtin_ctzll(rest);
    e->ready[w] &= e->exists[w];
    // A slot that is gone may be all there was: a word left in `summary` would keep arm from sleeping, for ever.
    if (e->ready[w] == 0)
      e->summary &= ~(1ull << w);
    any |= e->ready[w];
  }
  return any != 0;
}

uint32_t corod_executor_list(struct corod_executor_end *e, uint32_t *into, uint32_t room) {
  uint32_t n = 0;
  for (uint64_t rest = e->summary; rest; rest &= rest - 1) {
    uint32_t w = (uint32_t)__builtin_ctzll(rest);
    while (e->ready[w]) {
      if (n == room)
        return n;
      into[n++] = w * 64 + (uint32_t)__builtin_ctzll(e->ready[w]);
      e->ready[w] &= e->ready[w] - 1;
    }
    e->summary &= ~(1ull << w);
  }
  return n;
}

bool corod_executor_arm(struct corod_executor_end *e) {
  return e->summary == 0 && corod_bell_arm(&e->words->to_daemon);
}
