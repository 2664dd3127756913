// doorbell.h: who wakes whom. Ready bits say which slots have something; the pipe only ends a sleep.
//
// A doorbell is always a hint: it may be spurious, merged or muted; the truth is in the rings. The order below is the
// whole protocol; both full fences are needed (store-load on both sides: Dekker). docs/ring.md has the model.
//
//   reader: drain; corod_bell_arm (sleeping = 1, full fence, look again); sleep
//           on wake: corod_pipe_drain; corod_bell_disarm; corod_bell_collect; drain those slots
//   writer: publish records; corod_bell_post (ready bit, full fence, exchange sleeping); corod_pipe_ring if told so
//
//   who finds a ring full: corod_starved_set (starved = 1, full fence), look again, then wait
//   who releases space:    publish the cursor; corod_starved_take (full fence, exchange starved); post if told so
#ifndef COROD_DOORBELL_H
#define COROD_DOORBELL_H

#include "layout.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

// Marks `slot` ready and says whether the reader asked to be rung. The caller then writes the pipe.
// SYNC ready: the release on `ready` and `summary` pairs with the exchanges in corod_bell_collect.
// SYNC sleep: the fence pairs with the fence in corod_bell_arm.
static inline bool corod_bell_post(struct corod_bell_words *b, uint32_t slot) {
  uint64_t bit = 1ull << (slot & 63u), word = 1ull << (slot >> 6);
  if (!(atomic_fetch_or_explicit(&b->ready[slot >> 6], bit, memory_order_release) & bit) ||
      !(atomic_load_explicit(&b->summary, memory_order_relaxed) & word))
    atomic_fetch_or_explicit(&b->summary, word, memory_order_release);
  atomic_thread_fence(memory_order_seq_cst);
  return atomic_load_explicit(&b->sleeping, memory_order_relaxed) &&
         atomic_exchange_explicit(&b->sleeping, 0, memory_order_relaxed);
}

// Asks to be rung. True: nothing was ready, sleep. False: something is; the reader is disarmed again and goes on.
// SYNC sleep: the fence pairs with the fence in corod_bell_post.
static inline bool corod_bell_arm(struct corod_bell_words *b) {
  atomic_store_explicit(&b->sleeping, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&b->summary, memory_order_relaxed) == 0)
    return true;
  atomic_store_explicit(&b->sleeping, 0, memory_order_relaxed);
  return false;
}

static inline void corod_bell_disarm(struct corod_bell_words *b) {
  atomic_store_explicit(&b->sleeping, 0, memory_order_relaxed);
}

// Whether a look is worth it: one load of one line, for pollers.
static inline bool corod_bell_any(const struct corod_bell_words *b) {
  return atomic_load_explicit(&b->summary, memory_order_relaxed) != 0;
}

// Moves all ready bits into the private bitmap `into` (COROD_READY_WORDS words, or-ed) and returns the words touched.
// The bits are hints from the peer: mask them with the slots that exist.
// SYNC ready: pairs with the releases in corod_bell_post.
static inline uint64_t corod_bell_collect(struct corod_bell_words *b, uint64_t *into) {
  uint64_t words = atomic_exchange_explicit(&b->summary, 0, memory_order_acq_rel);
  for (uint64_t rest = words; rest; rest &= rest - 1) {
    int w = __builtin_ctzll(rest);
    into[w] |= atomic_exchange_explicit(&b->ready[w], 0, memory_order_acq_rel);
  }
  return words;
}

// Says that space is wanted; look at the peer's cursor once more after this call, before waiting.
// SYNC space: the fence pairs with the fence in corod_starved_take.
static inline void corod_starved_set(_Atomic uint32_t *starved) {
  atomic_store_explicit(starved, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
}

// After space was released: true once if the peer wants to know.
// SYNC space: the fence pairs with the fence in corod_starved_set.
static inline bool corod_starved_take(_Atomic uint32_t *starved) {
  atomic_thread_fence(memory_order_seq_cst);
  return atomic_load_explicit(starved, memory_order_relaxed) &&
         atomic_exchange_explicit(starved, 0, memory_order_relaxed);
}

// Writes one byte to a non-blocking pipe. A full pipe is a rung bell. A pipe without reader (the peer is gone) is not
// an error here: its socket says so. SIGPIPE must be ignored by the process.
static inline void corod_pipe_ring(int fd) {
  ssize_t n;
  do
    n = write(fd, "", 1);
  while (n < 0 && errno == EINTR);
}

// One bounded read, never more: a peer that rings for ever cannot hold the reader here. False: nobody has the write
// end any more, so the descriptor stays readable for ever; stop watching it.
static inline bool corod_pipe_drain(int fd) {
  char bytes[256];
  ssize_t n;
  do
    n = read(fd, bytes, sizeof bytes);
  while (n < 0 && errno == EINTR);
  return n > 0 || (n < 0 && errno == EAGAIN);
}

#endif
