// slot-test.c: the daemon's side of a slot: copy, hand over, release, replies, commands.
#include "slot-fixture.h"

static uint8_t buffer[2 * FIXTURE_RING];

static uint64_t seq_at(uint32_t at) {
  uint64_t seq;
  memcpy(&seq, buffer + at + offsetof(struct corod_record, seq), sizeof seq);
  return seq;
}

static void events_are_copied_once_and_released_late(void) {
  struct fixture f;
  fixture_open(&f);
  uint64_t written = 0, copied = 0, handed = 0;
  uint64_t seed = 1;
  for (int round = 0; round < 20000; round++) {
    while (fixture_put(&f.events, COROD_KIND_EVENT, written + 1, (uint32_t)(random_next(&seed) % 300)))
      written++;
    // Copy into a buffer of any size, hand over some of it.
    uint32_t room = (uint32_t)(random_next(&seed) % sizeof buffer);
    int64_t got = corod_slot_drain(f.slot, buffer, room, false);
    CHECK(got >= 0 && got <= room && got % 8 == 0);
    for (uint32_t at = 0; at < got;) {
      uint32_t size;
      memcpy(&size, buffer + at, sizeof size);
      CHECK(seq_at(at) == ++copied);
      for (uint32_t i = sizeof(struct corod_record); i < size; i++)
        CHECK(buffer[at + i] == (copied & 0xff));
      at += corod_record_span(size);
    }
    CHECK(f.slot->copied == copied - handed);
    if (copied > handed) {
      uint32_t n = (uint32_t)(random_next(&seed) % (copied - handed)) + 1;
      uint32_t before = f.slot->handed, head = atomic_load(&f.b->event_head);
      CHECK(corod_slot_take(f.slot, n) == COROD_DONE);
      handed += n;
      // Handed over at once; what was handed over before is done, and released when settled.
      CHECK(atomic_load(&f.b->event_head) == head && atomic_load(&f.b->event_handed) == f.slot->handed);
      if (round % 2 == 0) {
        corod_executor_settle(f.executor);
        CHECK(atomic_load(&f.b->event_head) == before);
      }
    }
    if (round % 7 == 0) {
      corod_slot_release(f.slot);
      CHECK(atomic_load(&f.b->event_head) == f.slot->handed);
    }
    CHECK(corod_slot_take(f.slot, (uint32_t)(copied - handed) + 1) == COROD_MISUSE);
    CHECK(corod_slot_take(f.slot, 0) == COROD_MISUSE);
  }
  CHECK(handed > 10000);
  fixture_close(&f);
}

static void many_small_records_wait(void) {
  struct fixture f;
  fixture_open(&f);
  for (int i = 0; i < FIXTURE_RING / 32; i++)
    CHECK(fixture_put(&f.events, COROD_KIND_EVENT, (uint64_t)i, 0));
  for (int i = 0; i < FIXTURE_RING / 32; i++)
    CHECK(corod_slot_drain(f.slot, buffer, 32, true) == 32 && seq_at(0) == (uint64_t)i);
  CHECK(corod_slot_drain(f.slot, buffer, 32, true) == 0);
  CHECK(f.slot->copied == FIXTURE_RING / 32);
  for (int i = 0; i < FIXTURE_RING / 32; i++)
    CHECK(corod_slot_take(f.slot, 1) == COROD_DONE && f.slot->handed == (uint32_t)(i + 1) * 32);
  corod_executor_settle(f.executor);
  CHECK(atomic_load(&f.b->event_head) == FIXTURE_RING - 32);
  fixture_close(&f);
}

static void buffer_without_room(void) {
  struct fixture f;
  fixture_open(&f);
  CHECK(fixture_put(&f.events, COROD_KIND_EVENT, 1, 9));
  CHECK(corod_slot_drain(f.slot, buffer, 47, true) == COROD_TOO_SMALL);
  CHECK(corod_slot_drain(f.slot, buffer, 47, false) == 0);
  CHECK(corod_slot_drain(f.slot, buffer, 48, true) == 48);
  fixture_close(&f);
}

static void release_rings_a_host_that_waits_for_room(void) {
  struct fixture f;
  fixture_open(&f);
  while (fixture_put(&f.events, COROD_KIND_EVENT, 1, 96))
    ;
  CHECK(corod_slot_drain(f.slot, buffer, sizeof buffer, true) > 0);
  CHECK(corod_slot_take(f.slot, 1) == COROD_DONE);
  corod_starved_set(&f.b->event_starved);
  corod_executor_settle(f.executor);
  CHECK(!fixture_rung(&f)); // nothing is done yet
  CHECK(corod_slot_take(f.slot, 1) == COROD_DONE);
  CHECK(!fixture_rung(&f));
  corod_executor_settle(f.executor); // releases the first
  CHECK(fixture_rung(&f));
  corod_slot_release(f.slot);
  CHECK(!fixture_rung(&f)); // it was told
  corod_starved_set(&f.b->event_starved);
  corod_slot_release(f.slot); // nothing to release
  CHECK(!fixture_rung(&f));
  fixture_close(&f);
}

static void commands_are_visible_before_their_event_is_released(void) {
  struct fixture f;
  fixture_open(&f);
  for (uint64_t seq = 1; seq < 100; seq++) {
    CHECK(fixture_put(&f.events, COROD_KIND_EVENT, seq, 8));
    CHECK(corod_slot_drain(f.slot, buffer, sizeof buffer, true) == 40);
    CHECK(corod_slot_take(f.slot, 1) == COROD_DONE);
    CHECK(corod_slot_push(f.slot, COROD_OP_ANSWER, 0, NULL, 0, NULL, 0) == COROD_DONE);
    uint32_t commands = f.slot->commands.tail;
    CHECK(atomic_load(&f.b->command_tail) != commands);
    corod_slot_release(f.slot);
    CHECK(atomic_load(&f.b->command_tail) == commands);
    CHECK(!fixture_rung(&f)); // seen if the host looks; it is rung with the turn
    corod_executor_settle(f.executor);
    CHECK(fixture_rung(&f));
    while (corod_reader_take(&f.commands, buffer, sizeof buffer) == COROD_RING_SOME)
      ;
    corod_reader_release(&f.commands, f.commands.read);
  }
  fixture_close(&f);
}

static void replies_are_released_when_copied(void) {
  struct fixture f;
  fixture_open(&f);
  for (uint64_t call = 1; call < 1000; call++) {
    CHECK(fixture_put(&f.replies, COROD_KIND_OUTCOME, call, (uint32_t)call));
    corod_starved_set(&f.b->reply_starved);
    CHECK(corod_slot_replies(f.slot, buffer, sizeof buffer, true) == corod_record_span(32 + (uint32_t)call));
    CHECK(seq_at(0) == call);
    CHECK(atomic_load(&f.b->reply_head) == atomic_load(&f.a->reply_tail));
    CHECK(fixture_rung(&f));
  }
  CHECK(corod_slot_replies(f.slot, buffer, sizeof buffer, true) == 0);
  fixture_close(&f);
}

static void wrong_kinds_are_malformed(void) {
  static const struct {
    enum corod_kind kind;
    uint32_t payload;
    bool event, reply;
  } cases[] = {
      {COROD_KIND_EVENT, 0, true, false},
      {COROD_KIND_EVENT, 100, true, false},
      {COROD_KIND_SIGNAL, 8, true, false},
      {COROD_KIND_SIGNAL, 7, false, false},
      {COROD_KIND_SIGNAL, 9, false, false},
      {COROD_KIND_GAP, 24, true, false},
      {COROD_KIND_GAP, 16, false, false},
      {COROD_KIND_CLOSE, 0, true, false},
      {COROD_KIND_CLOSE, 1, false, false},
      {COROD_KIND_COMMAND, 0, false, false},
      {COROD_KIND_OUTCOME, 0, false, true},
      {COROD_KIND_OUTCOME, 50, false, true},
      {7, 0, false, false},
      {255, 0, false, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct fixture f;
    fixture_open(&f);
    CHECK(fixture_put(&f.events, cases[i].kind, 1, cases[i].payload));
    CHECK(fixture_put(&f.replies, cases[i].kind, 1, cases[i].payload));
    int64_t span = corod_record_span(32 + cases[i].payload);
    CHECK(corod_slot_drain(f.slot, buffer, sizeof buffer, true) == (cases[i].event ? span : COROD_BROKEN));
    CHECK(corod_slot_replies(f.slot, buffer, sizeof buffer, true) == (cases[i].reply ? span : COROD_BROKEN));
    fixture_close(&f);
  }
}

static void slot_without_event_ring_has_none(void) {
  struct fixture f;
  fixture_open(&f);
  f.slot->events = (struct corod_reader){0};
  CHECK(corod_slot_drain(f.slot, buffer, sizeof buffer, true) == 0);
  CHECK(corod_slot_take(f.slot, 1) == COROD_MISUSE);
  corod_slot_release(f.slot);
  fixture_close(&f);
}

// ---- commands

static struct {
  struct corod_record head;
  uint8_t payload[FIXTURE_RING];
} command;

static bool next_command(struct fixture *f) {
  int got = corod_reader_take(&f->commands, &command, sizeof command);
  CHECK(got != COROD_RING_MALFORMED);
  return got == COROD_RING_SOME;
}

static void commands_are_seen_after_settling(void) {
  struct fixture f;
  fixture_open(&f);
  CHECK(corod_slot_push(f.slot, COROD_OP_CLI, 7, "ab", 2, "cde", 3) == COROD_DONE);
  CHECK(corod_slot_push(f.slot, COROD_OP_SEND, 8, NULL, 0, NULL, 0) == COROD_DONE);
  CHECK(!next_command(&f) && !fixture_rung(&f));
  corod_executor_settle(f.executor);
  CHECK(fixture_rung(&f));
  CHECK(next_command(&f) && command.head.type == COROD_OP_CLI && command.head.seq == 7 && command.head.size == 37 &&
        memcmp(command.payload, "abcde", 5) == 0);
  CHECK(next_command(&f) && command.head.type == COROD_OP_SEND && command.head.seq == 8 && command.head.size == 32);
  CHECK(!next_command(&f));
  corod_executor_settle(f.executor);
  CHECK(!fixture_rung(&f));
  fixture_close(&f);
}

static void full_ring_is_published_and_starved(void) {
  struct fixture f;
  fixture_open(&f);
  int pushed = 0;
  while (corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 1000) == COROD_DONE)
    pushed++;
  CHECK(pushed == 3);
  CHECK(fixture_rung(&f)); // who waits for room shows what it has
  CHECK(atomic_load(&f.b->command_starved) == 1);
  CHECK(corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 2017) == COROD_TOO_LARGE);
  CHECK(corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, UINT32_MAX, NULL, UINT32_MAX) == COROD_TOO_LARGE);
  for (int i = 0; i < 3; i++)
    CHECK(next_command(&f));
  corod_reader_release(&f.commands, f.commands.read);
  CHECK(corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 1000) == COROD_DONE);
  fixture_close(&f);
}

static void hostile_head_is_malformed(void) {
  static const uint32_t heads[] = {4096, 1040, 8, 1, 0x80000000u, UINT32_MAX, (uint32_t)-8};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
    struct fixture f;
    int got;
    fixture_open(&f);
    CHECK(corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 1000) == COROD_DONE);
    corod_executor_settle(f.executor);
    atomic_store(&f.a->command_head, heads[i]);
    while ((got = corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 1000)) == COROD_DONE)
      ;
    // Published are 1032 bytes: a head up to there may be, on a multiple of 8.
    CHECK(got == (heads[i] == 8 ? COROD_NOT_NOW : COROD_BROKEN));
    fixture_close(&f);
  }
}

static void counts_merge_until_they_are_seen(void) {
  struct fixture f;
  struct corod_count count;
  fixture_open(&f);
  for (int i = 0; i < 1000; i++) {
    CHECK(corod_slot_count(f.slot, 3, 2) == COROD_DONE);
    if (i % 100 == 0)
      CHECK(corod_slot_push(f.slot, COROD_OP_ANSWER, 0, NULL, 0, NULL, 0) == COROD_DONE);
  }
  CHECK(corod_slot_count(f.slot, 4, 1) == COROD_DONE);
  corod_executor_settle(f.executor);
  CHECK(corod_slot_count(f.slot, 4, 5) == COROD_DONE);
  corod_executor_settle(f.executor);
  static const uint64_t expected[][2] = {{3, 2000}, {4, 1}, {4, 5}};
  for (int i = 0; i < 3;) {
    CHECK(next_command(&f));
    if (command.head.type != COROD_OP_COUNT)
      continue;
    memcpy(&count, command.payload, sizeof count);
    CHECK(count.counter == expected[i][0] && count.by == expected[i][1]);
    i++;
  }
  fixture_close(&f);
}

static void release_waits_for_counts(void) {
  struct fixture f;
  struct corod_count count;
  fixture_open(&f);
  while (corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, buffer, 1000) == COROD_DONE)
    ;
  for (uint64_t seq = 1; seq <= 3; seq++)
    CHECK(fixture_put(&f.events, COROD_KIND_EVENT, seq, 8));
  CHECK(corod_slot_drain(f.slot, buffer, sizeof buffer, true) == 3 * 40);
  CHECK(corod_slot_take(f.slot, 1) == COROD_DONE);
  while (corod_slot_push(f.slot, COROD_OP_ANSWER, 0, NULL, 0, NULL, 0) == COROD_DONE)
    ;
  CHECK(corod_slot_count(f.slot, 3, 2) == COROD_NOT_NOW);
  // However the event is said to be done, it stays with the host.
  corod_slot_release(f.slot);
  CHECK(corod_slot_take(f.slot, 1) == COROD_DONE);
  corod_executor_settle(f.executor);
  CHECK(atomic_load(&f.b->event_head) == 0 && atomic_load(&f.b->event_handed) == 2 * 40);
  while (next_command(&f))
    ;
  corod_reader_release(&f.commands, f.commands.read);
  corod_executor_settle(f.executor);
  CHECK(atomic_load(&f.b->event_head) == 0); // room alone is not enough
  CHECK(corod_slot_count(f.slot, 3, 2) == COROD_DONE);
  CHECK(atomic_load(&f.b->event_head) == 0);
  corod_executor_settle(f.executor);
  CHECK(atomic_load(&f.b->event_head) == 40);
  CHECK(next_command(&f) && command.head.type == COROD_OP_COUNT);
  memcpy(&count, command.payload, sizeof count);
  CHECK(count.counter == 3 && count.by == 2);
  corod_slot_release(f.slot);
  CHECK(atomic_load(&f.b->event_head) == 2 * 40);
  fixture_close(&f);
}

static void slot_leaves_its_executor(void) {
  struct fixture f;
  uint32_t list[COROD_MAX_SLOTS];
  fixture_open(&f);
  CHECK(corod_executor_collect(f.executor)); // a new slot is ready
  CHECK(corod_executor_list(f.executor, list, COROD_MAX_SLOTS) == 1 && list[0] == FIXTURE_SLOT);
  CHECK(!corod_executor_collect(f.executor) && corod_executor_arm(f.executor));
  for (uint32_t slot = 0; slot < COROD_MAX_SLOTS; slot++)
    corod_bell_post(&f.words->to_daemon, slot);
  CHECK(!corod_executor_arm(f.executor));
  CHECK(corod_executor_collect(f.executor));
  CHECK(corod_executor_list(f.executor, list, COROD_MAX_SLOTS) == 1 && list[0] == FIXTURE_SLOT);
  CHECK(corod_executor_arm(f.executor));
  CHECK(corod_slot_count(f.slot, 1, 1) == COROD_DONE);
  corod_bell_post(&f.words->to_daemon, FIXTURE_SLOT);
  corod_slot_free(f.slot);
  corod_executor_settle(f.executor); // knows it no more
  CHECK(!corod_executor_collect(f.executor) && corod_executor_arm(f.executor));
  f.slot = corod_slot_new(f.executor, FIXTURE_SLOT, 2, f.b);
  fixture_close(&f);
}

static void list_goes_on_where_room_ended(void) {
  struct corod_executor_end *e = corod_executor_new(0);
  uint32_t list[3], next = 0;
  CHECK(e);
  e->words = fixture_lines(sizeof *e->words);
  for (uint32_t slot = 0; slot < 200; slot++)
    corod_executor_add(e, slot);
  for (uint32_t n; (n = corod_executor_list(e, list, 3)) > 0;)
    for (uint32_t i = 0; i < n; i++)
      CHECK(list[i] == next++);
  CHECK(next == 200 && corod_executor_arm(e));
  free(e->words);
  corod_executor_free(e);
}

int main(void) {
  events_are_copied_once_and_released_late();
  many_small_records_wait();
  buffer_without_room();
  release_rings_a_host_that_waits_for_room();
  commands_are_visible_before_their_event_is_released();
  replies_are_released_when_copied();
  wrong_kinds_are_malformed();
  slot_without_event_ring_has_none();
  commands_are_seen_after_settling();
  full_ring_is_published_and_starved();
  hostile_head_is_malformed();
  counts_merge_until_they_are_seen();
  release_waits_for_counts();
  slot_leaves_its_executor();
  list_goes_on_where_room_ended();
  return 0;
}
