// slot.h: the daemon's side of one slot: events in, replies in, commands out, and the nearest deadline.
//
// One thread at a time. Nothing here calls the operating system but to ring the host. Whatever the host writes is
// checked before it is used; COROD_BROKEN means that the host broke the contract and the attachment must end.
#ifndef COROD_SLOT_H
#define COROD_SLOT_H

#include "executor.h"
#include "ring.h"

// Answers of the calls below; TypeScript sees the numbers.
enum corod_answer_code {
  COROD_DONE = 1,
  COROD_NOT_NOW = 0,    // a full command ring, or nothing to give
  COROD_BROKEN = -1,    // the host broke the contract
  COROD_MISUSE = -2,    // the caller did: more records asked for than were copied
  COROD_TOO_LARGE = -3, // it would never fit into the ring
  COROD_TOO_SMALL = -4, // the next record does not even fit into an empty buffer of the caller's
  COROD_MEMORY = -5,    // out of memory
  COROD_GONE = -6,      // what was shared with this thread was used already, given back, or has ended
};

#define COROD_NEVER UINT64_MAX
#define COROD_SLOT_PLACES 5 // a, b, three rings

struct corod_slot {
  struct corod_reader events; // `read`: copied up to here; `head`: released
  uint32_t handed;            // as published in event_handed
  uint32_t done;              // handed over and finished: released when the slot is settled, at the latest
  uint32_t first, copied;     // records that were copied and not handed over: their ends, oldest first, in a circle
  uint32_t room;              // elements of `ends`, a power of two
  uint32_t *ends;             // cursor behind each of them: private, so that no record is measured twice
  struct corod_slot_b *b;
  struct corod_executor_end *executor; // NULL while it is on its way to another thread
  uint32_t index, generation;
  struct corod_mapping *regions[COROD_SLOT_PLACES]; // held: its words and rings are in them

  struct corod_reader replies;

  struct corod_writer commands;
  struct corod_count *counting; // in the ring: the newest COUNT that is not published yet, or NULL
  struct corod_count counted;   // what it says
  bool owing;                   // a COUNT found the ring full: nothing is released before the caller got it in
  bool unrung;                  // published, and the host was not rung for it

  uint64_t wanted; // ns: the deadline asked for
  uint64_t armed;  // ns: the deadline that the host reads and was rung for

  bool listed;             // on executor->unsettled
  struct corod_slot *next; // there
};

// A slot without rings yet; registers itself with the executor. NULL: out of memory. The words and rings given to it
// are verified memory that outlives it; cursors start at 0. A slot without an event ring (slot 0) never has events.
struct corod_slot *corod_slot_new(struct corod_executor_end *executor, uint32_t index, uint32_t generation,
                                  struct corod_slot_b *b);
void corod_slot_set_events(struct corod_slot *s, const struct corod_slot_a *a, const void *data, uint32_t size);
void corod_slot_set_replies(struct corod_slot *s, const struct corod_slot_a *a, const void *data, uint32_t size);
void corod_slot_set_commands(struct corod_slot *s, const struct corod_slot_a *a, void *data, uint32_t size);

// Holds the region of one of its places until it is freed. At most COROD_SLOT_PLACES times.
void corod_slot_hold(struct corod_slot *s, struct corod_mapping *region);

// Leaves its executor, without a word to the host: what was not published stays so. Then it is on none, may be passed
// to another thread, and joins an executor end there.
void corod_slot_part(struct corod_slot *s);
void corod_slot_join(struct corod_slot *s, struct corod_executor_end *executor);

// Leaves the executor and frees it; touches no shared word.
void corod_slot_free(struct corod_slot *s);

// Copies whole event records that were not copied yet into `into` (`room` bytes), without pads, each in a multiple of 8
// bytes. How many bytes, 0 for none; or BROKEN, MEMORY, TOO_SMALL (nothing fits and `whole`: `into` is an empty
// buffer).
int64_t corod_slot_drain(struct corod_slot *s, uint8_t *into, uint32_t room, bool whole);

// Hands over the next `n` copied records: publishes event_handed before the caller looks at them. What was handed over
// before is done; it is released by the next corod_slot_release or corod_executor_settle. DONE, or MISUSE.
int corod_slot_take(struct corod_slot *s, uint32_t n);

// Everything that was handed over is done: releases it, after the commands pushed so far.
void corod_slot_release(struct corod_slot *s);

// For corod_executor_settle: releases what is done.
void corod_slot_release_done(struct corod_slot *s);

// Makes the commands pushed so far visible to the host, without ringing it: corod_executor_settle does.
void corod_slot_publish(struct corod_slot *s);

// As corod_slot_drain for the reply ring; what was copied is released.
int64_t corod_slot_replies(struct corod_slot *s, uint8_t *into, uint32_t room, bool whole);

// Appends a command whose payload is `head`, then `body`. The host sees it after corod_executor_settle. DONE, NOT_NOW
// (the ring is full; the slot becomes ready when there is room), TOO_LARGE, BROKEN.
int corod_slot_push(struct corod_slot *s, enum corod_op op, uint64_t call, const void *head, uint32_t head_size,
                    const void *body, uint32_t body_size);

// Adds to an error counter; merges with a count of the same counter that the host has not seen yet. As push. After a
// NOT_NOW no event is released until a count has found room: the caller keeps what it could not push, and pushes that
// first. So a death in between repeats events and loses no count of a finished one.
int corod_slot_count(struct corod_slot *s, uint32_t counter, uint64_t by);

// Publishes the commands of all slots of an executor, releases what is done, and rings the host if it sleeps.
void corod_executor_settle(struct corod_executor_end *e);

// The node's nearest deadline is now `at` (CLOCK_MONOTONIC ns; COROD_NEVER: none) and the time is `now`. The host is
// rung if it would wait too long.
void corod_slot_deadline(struct corod_slot *s, uint64_t at, uint64_t now);

// The slot was told to the coroutines as ready, at `before`, and they are done: sees to it that somebody still wakes
// them for the deadline they want.
void corod_slot_woken(struct corod_slot *s, uint64_t before);

// Puts the slot on its executor's list of those to settle.
void corod_slot_unsettle(struct corod_slot *s);

// CLOCK_MONOTONIC, ns.
uint64_t corod_now(void);

#endif
