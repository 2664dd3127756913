// fifo.h: records in private memory that wait for room in an event ring. Knows records, not nodes or policies.
#ifndef COROD_FIFO_H
#define COROD_FIFO_H

#include "../../shm/layout.h"

#include <stdbool.h>

// Whole records, oldest first, in one growable ring of bytes. All zero is an empty one. Records may wrap inside it.
struct corod_fifo {
  uint8_t *bytes;
  uint32_t size; // of `bytes`: 0 or a power of two
  uint32_t head; // offset of the oldest record
  uint32_t used; // bytes of all records
  uint32_t records;
  uint32_t events; // records that are not gap notices
};

// Appends head and payload (`head->size - sizeof *head` bytes). False: out of memory, nothing changed.
bool corod_fifo_push(struct corod_fifo *fifo, const struct corod_record *head, const void *payload);

// The head of the oldest record. False: empty.
bool corod_fifo_front(const struct corod_fifo *fifo, struct corod_record *head);

// Copies the oldest record whole (head->size bytes) to `into`, and takes it off. It must exist.
void corod_fifo_pop(struct corod_fifo *fifo, void *into);

// Takes the oldest record off; it must exist. Memory of an emptied fifo goes back unless it is small.
void corod_fifo_drop(struct corod_fifo *fifo);

// Moves all of `from` behind what is in `to`; `from` is empty then. False: out of memory, both still whole.
bool corod_fifo_append(struct corod_fifo *to, struct corod_fifo *from);

// Drops everything and gives all memory back.
void corod_fifo_free(struct corod_fifo *fifo);

#endif
