// ring.h: the one implementation of corod's rings: single producer, single consumer, records of any length.
//
// Compiled into the plugin, the standalone host and the daemon's addon. Each side keeps its own cursor in private
// memory and only publishes it; the peer's cursor is read once, checked, then used. Cursors are u32, count bytes for
// ever and wrap; ring sizes are powers of two. All memory orders of the rings are in this file; a SYNC name stands at
// both partners of a pair. Neither side waits here: full and empty are return values.
#ifndef COROD_RING_H
#define COROD_RING_H

#include "layout.h"

#include <stdbool.h>
#include <string.h>

// The producer's private half. `data` is the ring's bytes; `tail_word` is ours, `head_word` the peer's.
struct corod_writer {
  uint8_t *data;
  _Atomic uint32_t *tail_word;
  const _Atomic uint32_t *head_word;
  uint32_t size;      // bytes, a power of two
  uint32_t tail;      // claimed and filled, perhaps not published yet
  uint32_t published; // as the peer sees it
  uint32_t head;      // the peer's cursor as last read and checked
};

// The consumer's private half. `tail_word` is the peer's, `head_word` ours.
struct corod_reader {
  const uint8_t *data;
  const _Atomic uint32_t *tail_word;
  _Atomic uint32_t *head_word;
  uint32_t size; // bytes, a power of two
  uint32_t read; // next record to look at
  uint32_t head; // released, as the peer sees it
  uint32_t tail; // the peer's cursor as last read and checked
};

// Results of the calls that look at the peer's cursor or records.
enum corod_ring_result {
  COROD_RING_MALFORMED = -1, // the peer broke the contract: end the attachment
  COROD_RING_NONE = 0,       // full (writer) or empty (reader)
  COROD_RING_SOME = 1,
};

// Largest record (head and payload) a ring of `size` bytes takes wherever its cursors stand: padding included.
static inline uint32_t corod_ring_largest(uint32_t size) {
  return size / 2;
}

// Reads the consumer's cursor. MALFORMED if it claims more than was published or went back.
// SYNC release-of-space: acquire here pairs with the release in corod_reader_release.
static inline int corod_writer_look(struct corod_writer *w) {
  uint32_t head = atomic_load_explicit(w->head_word, memory_order_acquire);
  if ((head & 7u) || (uint32_t)(head - w->head) > (uint32_t)(w->published - w->head))
    return COROD_RING_MALFORMED;
  w->head = head;
  return COROD_RING_SOME;
}

// Room for a record of `size` bytes (head and payload): writes padding if the ring's end is near, sets `*at` to the
// record, whose bytes the caller fills before corod_writer_publish. NONE: no room now. `size` must be at most
// corod_ring_largest, or the answer is MALFORMED. Several claims may precede one publish.
static inline int corod_writer_claim(struct corod_writer *w, uint32_t size, struct corod_record **at) {
  uint32_t span = corod_record_span(size);
  uint32_t offset = w->tail & (w->size - 1);
  uint32_t pad = w->size - offset < span ? w->size - offset : 0;
  if (size > corod_ring_largest(w->size)) // not the span: that wraps for sizes near 2^32
    return COROD_RING_MALFORMED;
  if (w->size - (uint32_t)(w->tail - w->head) < pad + span) {
    int looked = corod_writer_look(w);
    if (looked != COROD_RING_SOME)
      return looked;
    if (w->size - (uint32_t)(w->tail - w->head) < pad + span)
      return COROD_RING_NONE;
  }
  if (pad) {
    // A pad may be as short as 8 bytes: only `size` and `kind` of it exist.
    uint8_t *p = w->data + offset;
    memcpy(p, &pad, sizeof pad);
    p[offsetof(struct corod_record, kind)] = COROD_KIND_PAD;
    w->tail += pad;
    offset = 0;
  }
  *at = (struct corod_record *)(void *)(w->data + offset);
  w->tail += span;
  return COROD_RING_SOME;
}

// Makes all claimed records visible.
// SYNC records: release here pairs with the acquire in corod_reader_look.
static inline void corod_writer_publish(struct corod_writer *w) {
  w->published = w->tail;
  atomic_store_explicit(w->tail_word, w->tail, memory_order_release);
}

// Reads the producer's cursor. MALFORMED if it went back, ran ahead of the ring, or is not on a record boundary.
// SYNC records: acquire here pairs with the release in corod_writer_publish.
static inline int corod_reader_look(struct corod_reader *r) {
  uint32_t tail = atomic_load_explicit(r->tail_word, memory_order_acquire);
  if ((tail & 7u) || (uint32_t)(tail - r->head) > r->size || (uint32_t)(tail - r->head) < (uint32_t)(r->tail - r->head))
    return COROD_RING_MALFORMED;
  r->tail = tail;
  return COROD_RING_SOME;
}

// Copies the head of the record at cursor `at`, skipping a pad, into private memory and checks it against `tail`.
// SOME: `*at` is the record's cursor, `*record` its head (its size is checked, its kind is not a pad and else the
// caller's to check), and the payload lies in one piece behind it. `data` and `*at` are multiples of 8.
static inline int corod_reader_head(const struct corod_reader *r, uint32_t *at, struct corod_record *record) {
  for (int pads = 0;; pads++) {
    uint32_t left = r->tail - *at, offset = *at & (r->size - 1);
    if (left == 0)
      return COROD_RING_NONE;
    // One read of each shared word, volatile so that the compiler cannot read it again: what is checked below is the
    // copy, and the copy is what is used.
    uint32_t size = *(const volatile uint32_t *)(const volatile void *)(r->data + offset);
    uint8_t kind = ((const volatile uint8_t *)r->data)[offset + offsetof(struct corod_record, kind)];
    if (kind == COROD_KIND_PAD) {
      if (pads || size != r->size - offset || size > left)
        return COROD_RING_MALFORMED;
      *at += size;
      continue;
    }
    if (size < sizeof *record || size > corod_ring_largest(r->size) || corod_record_span(size) > left ||
        corod_record_span(size) > r->size - offset)
      return COROD_RING_MALFORMED;
    memcpy(record, r->data + offset, sizeof *record);
    record->size = size;
    record->kind = kind;
    return COROD_RING_SOME;
  }
}

// The next record, copied whole into `into` (`capacity` bytes), and the read cursor moves behind it. Not released.
// NONE: nothing is published. MALFORMED also when the record is larger than `capacity`.
static inline int corod_reader_take(struct corod_reader *r, void *into, uint32_t capacity) {
  struct corod_record record;
  if (r->read == r->tail) {
    int looked = corod_reader_look(r);
    if (looked != COROD_RING_SOME)
      return looked;
  }
  uint32_t at = r->read;
  int got = corod_reader_head(r, &at, &record);
  if (got == COROD_RING_NONE)
    r->read = at;
  if (got != COROD_RING_SOME)
    return got;
  if (record.size > capacity)
    return COROD_RING_MALFORMED;
  memcpy(into, &record, sizeof record);
  memcpy((uint8_t *)into + sizeof record, r->data + (at & (r->size - 1)) + sizeof record, record.size - sizeof record);
  r->read = at + corod_record_span(record.size);
  return COROD_RING_SOME;
}

// Gives the space up to cursor `to` back to the producer.
// SYNC release-of-space: release here pairs with the acquire in corod_writer_look. Ring for space afterwards
// (doorbell.h: corod_starved_take).
static inline void corod_reader_release(struct corod_reader *r, uint32_t to) {
  r->head = to;
  atomic_store_explicit(r->head_word, to, memory_order_release);
}

#endif
