// region.h: memory that a host gives to this process, verified before it is believed.
//
// A region is two memfds: A, which only the host can write, and B, which both write. The seals are the protection:
// without them the host could shrink a memfd and end this process with SIGBUS. Owner of a mapping: its attachment.
#ifndef COROD_REGION_H
#define COROD_REGION_H

#include "handshake.h"

#include <stdbool.h>

// One mapped region. `a` is read-only memory.
struct corod_mapping {
  const uint8_t *a;
  uint8_t *b;
  uint64_t a_size, b_size; // bytes
};

// Verifies seals, kind and size of both descriptors and maps them. The descriptors stay the caller's. NULL: mapped;
// else a sentence that says what is wrong, and `map` is empty.
const char *corod_region_map(struct corod_mapping *map, int a, int b, const struct corod_region *told);

// Gives both mappings back. An empty `map` is fine.
void corod_region_unmap(struct corod_mapping *map);

// The memory at `place`, or NULL if it is not wholly inside the region, not of `size` bytes at least, or not on a cache
// line. `regions` has `n` elements.
const void *corod_place_a(const struct corod_mapping *regions, uint32_t n, const struct corod_place *place,
                          uint64_t size);
void *corod_place_b(const struct corod_mapping *regions, uint32_t n, const struct corod_place *place, uint64_t size);

// Whether `size` is one that a ring may have.
bool corod_ring_size_valid(uint32_t size);

#endif
