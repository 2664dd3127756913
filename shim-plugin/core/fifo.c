// fifo.c: a growable ring of records in private memory.
#include "fifo.h"

#include <stdlib.h>
#include <string.h>

#define COROD_FIFO_SMALL 4096u // an empty fifo of this size keeps its memory: 1,000 idle nodes cost 4 MiB at most
#define COROD_FIFO_LARGEST (1u << 31) // bytes

static void copy_in(struct corod_fifo *fifo, uint32_t offset, const void *from, uint32_t bytes) {
  uint32_t at = offset & (fifo->size - 1), first = fifo->size - at < bytes ? fifo->size - at : bytes;
  if (bytes == 0)
    return;
  memcpy(fifo->bytes + at, from, first);
  memcpy(fifo->bytes, (const uint8_t *)from + first, bytes - first);
}

static void copy_out(const struct corod_fifo *fifo, uint32_t offset, void *into, uint32_t bytes) {
  uint32_t at = offset & (fifo->size - 1), first = fifo->size - at < bytes ? fifo->size - at : bytes;
  if (bytes == 0)
    return;
  memcpy(into, fifo->bytes + at, first);
  memcpy((uint8_t *)into + first, fifo->bytes, bytes - first);
}

static bool reserve(struct corod_fifo *fifo, uint64_t bytes) {
  uint64_t wanted = (uint64_t)fifo->used + bytes, size = fifo->size ? fifo->size : COROD_FIFO_SMALL;
  if (wanted <= fifo->size)
    return true;
  while (size < wanted)
    size *= 2;
  if (size > COROD_FIFO_LARGEST)
    return false;
  uint8_t *larger = malloc(size);
  if (!larger)
    return false;
  copy_out(fifo, fifo->head, larger, fifo->used);
  free(fifo->bytes);
  fifo->bytes = larger;
  fifo->size = (uint32_t)size;
  fifo->head = 0;
  return true;
}

bool corod_fifo_push(struct corod_fifo *fifo, const struct corod_record *head, const void *payload) {
  uint32_t span = corod_record_span(head->size);
  if (!reserve(fifo, span))
    return false;
  uint32_t tail = fifo->head + fifo->used;
  copy_in(fifo, tail, head, sizeof *head);
  copy_in(fifo, tail + (uint32_t)sizeof *head, payload, head->size - (uint32_t)sizeof *head);
  fifo->used += span;
  fifo->records++;
  fifo->events += head->kind != COROD_KIND_GAP;
  return true;
}

bool corod_fifo_front(const struct corod_fifo *fifo, struct corod_record *head) {
  if (fifo->records == 0)
    return false;
  copy_out(fifo, fifo->head, head, sizeof *head);
  return true;
}

void corod_fifo_drop(struct corod_fifo *fifo) {
  struct corod_record head = {0};
  corod_fifo_front(fifo, &head);
  uint32_t span = corod_record_span(head.size);
  fifo->head = (fifo->head + span) & (fifo->size - 1);
  fifo->used -= span;
  fifo->records--;
  fifo->events -= head.kind != COROD_KIND_GAP;
  if (fifo->records == 0 && fifo->size > COROD_FIFO_SMALL)
    corod_fifo_free(fifo);
}

void corod_fifo_pop(struct corod_fifo *fifo, void *into) {
  struct corod_record head;
  corod_fifo_front(fifo, &head);
  copy_out(fifo, fifo->head, into, head.size);
  corod_fifo_drop(fifo);
}

bool corod_fifo_append(struct corod_fifo *to, struct corod_fifo *from) {
  if (!reserve(to, from->used))
    return false;
  // Spans are multiples of 8, so the bytes of all records can move as they are.
  for (uint32_t done = 0; done < from->used;) {
    uint32_t at = (from->head + done) & (from->size - 1), piece = from->size - at;
    piece = piece < from->used - done ? piece : from->used - done;
    copy_in(to, to->head + to->used + done, from->bytes + at, piece);
    done += piece;
  }
  to->used += from->used;
  to->records += from->records;
  to->events += from->events;
  corod_fifo_free(from);
  return true;
}

void corod_fifo_free(struct corod_fifo *fifo) {
  free(fifo->bytes);
  memset(fifo, 0, sizeof *fifo);
}
