// check.h: what the C tests of this folder share: a CHECK that names its place, a random source, rings in plain memory.
#ifndef COROD_TESTS_CHECK_H
#define COROD_TESTS_CHECK_H

#include "ring.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                          \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

// xorshift64*: the seed decides everything.
static inline uint64_t random_next(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545F4914F6CDD1Dull;
}

// A ring between two halves of one process, its cursors starting anywhere.
struct test_ring {
  _Atomic uint32_t tail, head;
  struct corod_writer writer;
  struct corod_reader reader;
  uint8_t *data;
};

static inline void test_ring_open(struct test_ring *r, uint32_t size, uint32_t start) {
  r->data = aligned_alloc(64, size);
  CHECK(r->data);
  memset(r->data, 0xa5, size);
  atomic_init(&r->tail, start);
  atomic_init(&r->head, start);
  r->writer = (struct corod_writer){.data = r->data,
                                    .tail_word = &r->tail,
                                    .head_word = &r->head,
                                    .size = size,
                                    .tail = start,
                                    .published = start,
                                    .head = start};
  r->reader = (struct corod_reader){.data = r->data,
                                    .tail_word = &r->tail,
                                    .head_word = &r->head,
                                    .size = size,
                                    .read = start,
                                    .head = start,
                                    .tail = start};
}

static inline void test_ring_close(struct test_ring *r) {
  free(r->data);
}

// Writes one event with `payload` bytes of the value `seq`; the answer of the claim.
static inline int test_ring_put(struct test_ring *r, uint64_t seq, uint32_t payload) {
  struct corod_record *record;
  int got = corod_writer_claim(&r->writer, (uint32_t)sizeof *record + payload, &record);
  if (got != COROD_RING_SOME)
    return got;
  *record = (struct corod_record){.size = (uint32_t)sizeof *record + payload, .kind = COROD_KIND_EVENT, .seq = seq};
  memset(record + 1, (int)(seq & 0xff), payload);
  return got;
}

#endif
