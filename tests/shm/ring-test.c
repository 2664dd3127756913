// ring-test.c: the ring at its edges: full, wrap, padding, cursors at 2^32, and everything a peer can write wrongly.
#include "check.h"

static const uint32_t starts[] = {0, 8, 4088, 0x7ffffff8u, 0xfffffff8u, 0xfffff000u, 0xffffffe0u};
#define STARTS (sizeof starts / sizeof *starts)

// Takes one record and checks it.
static void take(struct test_ring *r, uint64_t seq, uint32_t payload) {
  union {
    struct corod_record record;
    uint8_t bytes[8192];
  } got;
  CHECK(corod_reader_take(&r->reader, &got, sizeof got) == COROD_RING_SOME);
  CHECK(got.record.seq == seq && got.record.size == sizeof got.record + payload);
  for (uint32_t i = 0; i < payload; i++)
    CHECK(got.bytes[sizeof got.record + i] == (seq & 0xff));
}

static void empty(struct test_ring *r) {
  uint8_t bytes[64];
  CHECK(corod_reader_take(&r->reader, bytes, sizeof bytes) == COROD_RING_NONE);
}

static void full_to_the_last_byte(uint32_t start) {
  struct test_ring r;
  test_ring_open(&r, 4096, start);
  // 32 records of 128 bytes fill the ring exactly when it starts at a multiple of 128; else one pad may be needed.
  uint32_t put = 0;
  while (test_ring_put(&r, put, 96) == COROD_RING_SOME)
    put++;
  CHECK(put == (start % 128 == 0 ? 32 : 31));
  empty(&r); // nothing was published
  corod_writer_publish(&r.writer);
  for (uint32_t i = 0; i < put; i++)
    take(&r, i, 96);
  empty(&r);
  CHECK(test_ring_put(&r, 0, 96) == COROD_RING_NONE); // not released
  corod_reader_release(&r.reader, r.reader.read);
  CHECK(test_ring_put(&r, 0, 96) == COROD_RING_SOME);
  test_ring_close(&r);
}

// Records of every size at every offset: each arrives whole, in one piece, with one pad at most before it.
static void every_size_at_every_offset(uint32_t start) {
  struct test_ring r;
  test_ring_open(&r, 256, start & ~255u);
  uint64_t seq = 0;
  for (uint32_t offset = 0; offset < 256; offset += 8)
    for (uint32_t payload = 0; payload <= corod_ring_largest(256) - sizeof(struct corod_record); payload++) {
      // Move to the offset: in an empty ring both cursors may stand anywhere.
      r.writer.tail = r.writer.published = r.writer.head = (start & ~255u) + offset;
      r.reader.read = r.reader.tail = r.reader.head = r.writer.tail;
      atomic_store(&r.tail, r.writer.tail);
      atomic_store(&r.head, r.writer.tail);
      CHECK(test_ring_put(&r, seq, payload) == COROD_RING_SOME);
      corod_writer_publish(&r.writer);
      take(&r, seq++, payload);
      empty(&r);
      corod_reader_release(&r.reader, r.reader.read);
      CHECK(atomic_load(&r.head) == atomic_load(&r.tail));
    }
  test_ring_close(&r);
}

static void too_large(void) {
  struct test_ring r;
  struct corod_record *record;
  test_ring_open(&r, 4096, 0);
  CHECK(corod_writer_claim(&r.writer, 2048, &record) == COROD_RING_SOME);
  for (uint32_t size = 2049; size < 2049 + 64; size++)
    CHECK(corod_writer_claim(&r.writer, size, &record) == COROD_RING_MALFORMED);
  for (uint32_t size = UINT32_MAX; size > UINT32_MAX - 64; size--)
    CHECK(corod_writer_claim(&r.writer, size, &record) == COROD_RING_MALFORMED);
  test_ring_close(&r);
}

// The consumer's cursor is accepted when it lies from where it was to what was published, and nowhere else.
static void consumer_cursors(uint32_t start) {
  uint64_t seed = start + 1;
  for (int i = 0; i < 200000; i++) {
    struct corod_writer w = {.size = 4096};
    _Atomic uint32_t head;
    uint32_t released = (uint32_t)(random_next(&seed) % 512) * 8, published = (uint32_t)(random_next(&seed) % 512) * 8;
    w.head = start;
    w.published = start + released + published;
    w.tail = w.published + 64;
    w.head_word = &head;
    static const uint32_t edges[] = {0, 1, 7, 8, 0xffffffffu, 0xfffffff8u, 4096, 0x80000000u};
    uint32_t pick = (uint32_t)random_next(&seed);
    uint32_t value = pick % 4 == 0   ? w.published + edges[pick / 4 % 8]
                     : pick % 4 == 1 ? w.head + edges[pick / 4 % 8]
                     : pick % 4 == 2 ? w.head + pick / 4 % 8192
                                     : pick;
    atomic_init(&head, value);
    // The oracle counts in 64 bits.
    uint64_t from = (uint64_t)start + (1ull << 32), to = from + released + published;
    bool good = false;
    for (uint64_t lap = 0; lap < 3; lap++) {
      uint64_t at = value + (lap << 32);
      good |= at >= from && at <= to && at % 8 == 0;
    }
    CHECK(corod_writer_look(&w) == (good ? COROD_RING_SOME : COROD_RING_MALFORMED));
    CHECK(w.head == (good ? value : start));
  }
}

static void producer_cursors(uint32_t start) {
  uint64_t seed = start + 7;
  for (int i = 0; i < 200000; i++) {
    _Atomic uint32_t tail;
    uint32_t seen = (uint32_t)(random_next(&seed) % 513) * 8, pick = (uint32_t)random_next(&seed);
    struct corod_reader r = {.size = 4096, .head = start, .read = start, .tail = start + seen, .tail_word = &tail};
    uint32_t value = pick % 3 == 0 ? start + pick / 3 % 8192 : pick % 3 == 1 ? start + seen + pick / 3 % 64 - 32 : pick;
    atomic_init(&tail, value);
    uint32_t ahead = value - start;
    bool good = value % 8 == 0 && ahead >= seen && ahead <= 4096;
    CHECK(corod_reader_look(&r) == (good ? COROD_RING_SOME : COROD_RING_MALFORMED));
  }
}

// Every size and kind that a head can claim, at several offsets and distances to the tail, against an oracle.
static void heads(void) {
  static uint8_t data[256] __attribute__((aligned(64)));
  for (uint32_t offset = 0; offset < 256; offset += 24)
    for (uint32_t left = 8; left <= 256; left += 8)
      for (uint32_t size = 0; size <= 300; size++)
        for (int kind = 0; kind < 3; kind++) {
          uint32_t at = offset / 8 * 8, sized = size == 300 ? UINT32_MAX - 3 : size;
          struct corod_reader r = {.data = data, .size = 256, .head = at, .read = at, .tail = at + left};
          struct corod_record record;
          memset(data, 0, sizeof data);
          memcpy(data + at, &sized, sizeof sized);
          data[at + offsetof(struct corod_record, kind)] = (uint8_t)kind;
          uint32_t moved = at;
          int got = corod_reader_head(&r, &moved, &record);
          if (kind == COROD_KIND_PAD) {
            // Behind a pad to the end there is nothing, or zeros: a second pad, which is malformed.
            bool good = sized == 256 - at && sized <= left;
            CHECK(got == (good && sized == left ? COROD_RING_NONE : COROD_RING_MALFORMED));
            continue;
          }
          bool good = sized >= 32 && sized <= 128 && (sized + 7) / 8 * 8 <= left && (sized + 7) / 8 * 8 <= 256 - at;
          CHECK(got == (good ? COROD_RING_SOME : COROD_RING_MALFORMED));
          if (good)
            CHECK(moved == at && record.size == sized && record.kind == kind);
        }
}

static void taker_too_small(void) {
  struct test_ring r;
  uint8_t small[63];
  test_ring_open(&r, 4096, 0);
  CHECK(test_ring_put(&r, 1, 32) == COROD_RING_SOME);
  corod_writer_publish(&r.writer);
  CHECK(corod_reader_take(&r.reader, small, sizeof small) == COROD_RING_MALFORMED);
  test_ring_close(&r);
}

int main(void) {
  for (size_t i = 0; i < STARTS; i++) {
    full_to_the_last_byte(starts[i]);
    every_size_at_every_offset(starts[i]);
    consumer_cursors(starts[i]);
    producer_cursors(starts[i]);
  }
  too_large();
  heads();
  taker_too_small();
  return 0;
}
