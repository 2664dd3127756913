// memory.h: the shared memory of one attachment: sealed memfds made by the host, carved into places that are told.
#ifndef COROD_MEMORY_H
#define COROD_MEMORY_H

#include "../../shm/handshake.h"

#include <stdbool.h>

#define COROD_MEMORY_REGIONS 64           // each about twice as large as the one before
#define COROD_MEMORY_LARGEST (4ull << 30) // bytes of one attachment, A and B together; pages cost only when touched

// One region as this process sees it. Words are carved from the low end, rings (page-aligned) from the high end, so
// that the words of many slots share pages and an idle ring costs none.
struct corod_region_own {
  uint8_t *a, *b;
  uint64_t a_size, b_size;
  uint64_t a_low, a_high, b_low, b_high;
};

// What a slot has of the regions.
struct corod_plot {
  struct corod_place a_place, b_place, event_place, reply_place, command_place;
  struct corod_slot_a *a;
  struct corod_slot_b *b;
  uint8_t *event, *reply, *command; // `event` is NULL if its size is 0
};

struct corod_memory {
  struct corod_region_own regions[COROD_MEMORY_REGIONS];
  uint32_t n;
  uint64_t total;
  struct corod_plot *spare; // plots that were given back
  uint32_t n_spare;
};

// A region that was just made and that the daemon has to be told of. The descriptors are the caller's to close.
struct corod_region_made {
  bool made;
  int a, b;
  struct corod_region told;
};

// A plot with rings of these sizes (powers of two; event 0: none); cursors 0, deadline none. Returns OK, LIMIT or
// NO_MEMORY. `made` is always set; a region may have been made even if the result is not OK.
uint32_t corod_memory_plot(struct corod_memory *memory, uint32_t event, uint32_t reply, uint32_t command,
                           struct corod_plot *plot, struct corod_region_made *made);

// Gives a plot back for a later slot with rings of the same sizes.
void corod_memory_spare(struct corod_memory *memory, const struct corod_plot *plot);

// The words of an executor's doorbell. Result and `made` as above.
uint32_t corod_memory_bell(struct corod_memory *memory, struct corod_executor_b **words, struct corod_place *place,
                           struct corod_region_made *made);

// Unmaps everything; all plots and words are gone.
void corod_memory_free(struct corod_memory *memory);

#endif
