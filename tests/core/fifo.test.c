// The growable ring of records against a plain list, with every size and many wraps.
#include "scene.h"

#include "../../shim-plugin/core/fifo.h"

static uint64_t state = 1;
static uint32_t random_below(uint32_t n) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(state >> 33) % n;
}

static void push(struct corod_fifo *fifo, uint64_t seq) {
  static uint8_t payload[3000];
  uint32_t bytes = (uint32_t)(seq * 37 % 3000);
  struct corod_record head = {
      .size = (uint32_t)sizeof head + bytes, .kind = seq % 5 ? COROD_KIND_EVENT : COROD_KIND_GAP, .seq = seq};
  memset(payload, (int)seq, bytes);
  CHECK(corod_fifo_push(fifo, &head, payload));
}

static void pop(struct corod_fifo *fifo, uint64_t seq, bool keep) {
  static struct {
    struct corod_record head;
    uint8_t bytes[3000];
  } whole;
  struct corod_record head;
  CHECK(corod_fifo_front(fifo, &head));
  CHECK_EQUAL(head.seq, seq);
  CHECK_EQUAL(head.size, sizeof head + seq * 37 % 3000);
  if (!keep) {
    corod_fifo_drop(fifo);
    return;
  }
  corod_fifo_pop(fifo, &whole);
  for (uint32_t i = 0; i < seq * 37 % 3000; i++)
    CHECK(whole.bytes[i] == (uint8_t)seq);
}

int main(void) {
  struct corod_fifo fifo = {0}, more = {0};
  struct corod_record head;
  uint64_t in = 0, out = 0;
  CHECK(!corod_fifo_front(&fifo, &head));
  for (int step = 0; step < 20000; step++) {
    if (random_below(100) < 52)
      push(&fifo, ++in);
    else if (out < in)
      pop(&fifo, ++out, random_below(2));
    CHECK_EQUAL(fifo.records, in - out);
    CHECK_EQUAL(fifo.events, in - out - (in / 5 - out / 5));
  }
  // Appending keeps order, whatever the offsets.
  for (int i = 0; i < 50; i++)
    push(&more, ++in);
  uint32_t before = fifo.records;
  CHECK(corod_fifo_append(&fifo, &more));
  CHECK(fifo.records == before + 50 && more.records == 0 && more.bytes == NULL);
  CHECK(corod_fifo_append(&fifo, &more));
  while (out < in)
    pop(&fifo, ++out, true);
  CHECK(fifo.used == 0 && fifo.bytes == NULL); // a large one gave its memory back
  push(&fifo, 1);
  corod_fifo_free(&fifo);
  return 0;
}
