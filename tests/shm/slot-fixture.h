// slot-fixture.h: one slot of the daemon over plain memory, and the host's halves of its rings.
#ifndef COROD_TESTS_SLOT_FIXTURE_H
#define COROD_TESTS_SLOT_FIXTURE_H

#include "check.h"
#include "slot.h"

#define FIXTURE_RING 4096
#define FIXTURE_SLOT 70

struct fixture {
  struct corod_slot_a *a;
  struct corod_slot_b *b;
  uint8_t *event, *reply, *command;
  struct corod_executor_b *words;
  struct corod_executor_end *executor;
  struct corod_slot *slot;
  struct corod_writer events, replies; // the host's
  struct corod_reader commands;
};

static inline void *fixture_lines(size_t size) {
  void *at = aligned_alloc(COROD_LINE, (size + COROD_LINE - 1) / COROD_LINE * COROD_LINE);
  CHECK(at);
  return memset(at, 0, size);
}

static inline void fixture_open(struct fixture *f) {
  f->a = fixture_lines(sizeof *f->a);
  f->b = fixture_lines(sizeof *f->b);
  f->words = fixture_lines(sizeof *f->words);
  f->event = fixture_lines(FIXTURE_RING);
  f->reply = fixture_lines(FIXTURE_RING);
  f->command = fixture_lines(FIXTURE_RING);
  atomic_store(&f->b->deadline, COROD_NEVER);
  atomic_store(&f->words->to_host.sleeping, 1);
  f->executor = corod_executor_new(0);
  CHECK(f->executor);
  f->executor->words = f->words;
  f->slot = corod_slot_new(f->executor, FIXTURE_SLOT, 1, f->b);
  CHECK(f->slot);
  corod_slot_set_events(f->slot, f->a, f->event, FIXTURE_RING);
  corod_slot_set_replies(f->slot, f->a, f->reply, FIXTURE_RING);
  corod_slot_set_commands(f->slot, f->a, f->command, FIXTURE_RING);
  f->events = (struct corod_writer){
      .data = f->event, .tail_word = &f->a->event_tail, .head_word = &f->b->event_head, .size = FIXTURE_RING};
  f->replies = (struct corod_writer){
      .data = f->reply, .tail_word = &f->a->reply_tail, .head_word = &f->b->reply_head, .size = FIXTURE_RING};
  f->commands = (struct corod_reader){
      .data = f->command, .tail_word = &f->b->command_tail, .head_word = &f->a->command_head, .size = FIXTURE_RING};
}

static inline void fixture_close(struct fixture *f) {
  corod_slot_free(f->slot);
  corod_executor_free(f->executor);
  free(f->a);
  free(f->b);
  free(f->words);
  free(f->event);
  free(f->reply);
  free(f->command);
}

// The host writes one record and publishes it. False: full.
static inline bool fixture_put(struct corod_writer *w, enum corod_kind kind, uint64_t seq, uint32_t payload) {
  struct corod_record *record;
  if (corod_writer_claim(w, (uint32_t)sizeof *record + payload, &record) != COROD_RING_SOME)
    return false;
  *record = (struct corod_record){.size = (uint32_t)sizeof *record + payload, .kind = (uint8_t)kind, .seq = seq};
  memset(record + 1, (int)(seq & 0xff), payload);
  corod_writer_publish(w);
  return true;
}

// Whether the daemon rang for the slot since this was asked last. The host asks to be rung again.
static inline bool fixture_rung(struct fixture *f) {
  uint64_t ready[COROD_READY_WORDS] = {0};
  corod_bell_collect(&f->words->to_host, ready);
  bool asked = atomic_exchange(&f->words->to_host.sleeping, 1) == 0;
  bool set = (ready[FIXTURE_SLOT / 64] & 1ull << FIXTURE_SLOT % 64) != 0;
  CHECK(asked == set);
  return set;
}

#endif
