// ring-stress.c: two threads, one ring, records of all sizes: order and contents, at full speed and at every full and
// empty edge. Under TSan it also proves the order of every byte. Arguments: how many records (default 200,000).
#include "check.h"

#include <pthread.h>
#include <sched.h>

static struct test_ring ring;
static uint64_t total;

static uint32_t payload_of(uint64_t seq, uint32_t size) {
  uint64_t state = seq * 2 + 1, r = random_next(&state);
  uint32_t largest = corod_ring_largest(size) - (uint32_t)sizeof(struct corod_record);
  // Mostly small ones, as events are; every 64th of any size that fits.
  return (uint32_t)(r >> 8) % (r % 64 && largest > 128 ? 128 : largest + 1);
}

static void *produce(void *unused) {
  (void)unused;
  for (uint64_t seq = 0; seq < total;) {
    // A batch becomes visible with one publish.
    for (uint64_t batch = seq % 5 + 1; batch && seq < total; batch--) {
      int got = test_ring_put(&ring, seq, payload_of(seq, ring.writer.size));
      CHECK(got != COROD_RING_MALFORMED);
      if (got == COROD_RING_NONE) {
        corod_writer_publish(&ring.writer);
        sched_yield();
        break;
      }
      seq++;
    }
    corod_writer_publish(&ring.writer);
    if (seq % 64 == 0)
      sched_yield(); // on one core the other thread gets its turn
  }
  return NULL;
}

static void consume(void) {
  uint32_t size = ring.reader.size;
  uint8_t *record = malloc(size);
  CHECK(record);
  for (uint64_t seq = 0; seq < total;) {
    struct corod_record head;
    int got = corod_reader_take(&ring.reader, record, size);
    CHECK(got != COROD_RING_MALFORMED);
    if (got == COROD_RING_NONE) {
      if (ring.reader.head != ring.reader.read) // else a producer that needs more room than is left waits for ever
        corod_reader_release(&ring.reader, ring.reader.read);
      sched_yield();
      continue;
    }
    memcpy(&head, record, sizeof head);
    CHECK(head.seq == seq && head.kind == COROD_KIND_EVENT);
    CHECK(head.size == sizeof head + payload_of(seq, size));
    for (uint32_t i = sizeof head; i < head.size; i++)
      CHECK(record[i] == (seq & 0xff));
    // Records are released some time after they were read, as events are.
    if (++seq % 3 == 0)
      corod_reader_release(&ring.reader, ring.reader.read);
  }
  free(record);
}

int main(int argc, char **argv) {
  static const uint32_t sizes[] = {128, 4096, 65536};
  total = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
  for (size_t i = 0; i < 3; i++) {
    pthread_t producer;
    if (sizes[i] == 65536)
      total /= 10;                                // its records are large
    test_ring_open(&ring, sizes[i], 0xffff0000u); // wraps soon
    CHECK(pthread_create(&producer, NULL, produce, NULL) == 0);
    consume();
    CHECK(pthread_join(producer, NULL) == 0);
    test_ring_close(&ring);
  }
  return 0;
}
