// region.h: memory that a host gives to this process, verified before it is believed.
//
// A region is two memfds: A, which only the host can write, and B, which both write. The seals are the protection:
// without them the host could shrink a memfd and end this process with SIGBUS.
//
// A region is mapped once in a process. Who uses it holds it: the attachment, and every slot and executor end with
// words in it, whatever thread they are on. The last one to let go unmaps it.
#ifndef COROD_REGION_H
#define COROD_REGION_H

#include "handshake.h"

#include <stdbool.h>

// One mapped region. `a` is read-only memory.
struct corod_mapping {
  const uint8_t *a;
  uint8_t *b;
  uint64_t a_size, b_size; // bytes
  _Atomic uint32_t holds;
};

// Verifies seals, kind and size of both descriptors and maps them. The descriptors stay the caller's. NULL: mapped, and
// the caller holds `*map`; else a sentence that says what is wrong, and `*map` is NULL.
const char *corod_region_map(struct corod_mapping **map, int a, int b, const struct corod_region *told);

// One hold more; any thread.
struct corod_mapping *corod_region_hold(struct corod_mapping *map);

// One hold less; any thread. NULL is fine.
void corod_region_let_go(struct corod_mapping *map);

// The memory at `place`, or NULL if it is not wholly inside the region, not of `size` bytes at least, or not on a cache
// line. `regions` has `n` elements.
const void *corod_place_a(struct corod_mapping *const *regions, uint32_t n, const struct corod_place *place,
                          uint64_t size);
void *corod_place_b(struct corod_mapping *const *regions, uint32_t n, const struct corod_place *place, uint64_t size);

// Whether `size` is one that a ring may have.
bool corod_ring_size_valid(uint32_t size);

#endif
