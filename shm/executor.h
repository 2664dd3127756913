// executor.h: the daemon's end of one executor's doorbell: which slots are ready, and when the host is rung.
//
// One thread at a time uses an end and the slots on it. Owner: the attachment, or the view of another thread.
#ifndef COROD_EXECUTOR_H
#define COROD_EXECUTOR_H

#include "doorbell.h"
#include "region.h"

struct corod_slot;

struct corod_executor_end {
  struct corod_executor_b *words; // NULL until the host has told them
  struct corod_mapping *region;   // held: `words` are in it
  int wake;                       // read end of the pipe that the host rings, -1 for none
  int ring;                       // write end of the pipe that rings the host, -1 for none
  uint32_t id;
  struct corod_slot *unsettled;              // slots with commands that the host was not told of
  uint64_t summary;                          // words of `ready` that may have bits
  uint64_t ready[COROD_READY_WORDS];         // private: slots to tell of
  uint64_t exists[COROD_READY_WORDS];        // slots of this executor: the host's bits are masked with it
  struct corod_slot *slots[COROD_MAX_SLOTS]; // the same; kept by slot.c
};

// A new end without words. NULL: out of memory.
struct corod_executor_end *corod_executor_new(uint32_t id);

// Another end of the same executor for another thread, without slots: duplicates of the pipes. One of the two must be
// idle. NULL: out of memory or descriptors.
struct corod_executor_end *corod_executor_twin(const struct corod_executor_end *e);

// Closes the pipes and frees it. Its slots must be gone.
void corod_executor_free(struct corod_executor_end *e);

// A slot is or is no longer on this executor. A new one is ready at once: the host may have rung for it before it was
// known here, and that hint was masked away.
void corod_executor_add(struct corod_executor_end *e, uint32_t slot);
void corod_executor_remove(struct corod_executor_end *e, uint32_t slot);

// Reader, after the pipe was drained: takes over the ready words. Whether any slot is ready.
bool corod_executor_collect(struct corod_executor_end *e);

// Moves ready slots into `into` (`room` elements); those that do not fit stay ready. How many.
uint32_t corod_executor_list(struct corod_executor_end *e, uint32_t *into, uint32_t room);

// Reader, before it sleeps. True: sleep, the host will ring. False: something is ready already.
bool corod_executor_arm(struct corod_executor_end *e);

// Tells the host to look at `slot`.
static inline void corod_executor_ring(struct corod_executor_end *e, uint32_t slot) {
  if (corod_bell_post(&e->words->to_host, slot))
    corod_pipe_ring(e->ring);
}

#endif
