// hostile-test.c: a thread scribbles over everything the host may write, while the daemon's side reads and writes.
// Every answer is fine but a crash, a record that is not whole inside the caller's buffer, or one byte beyond it (the
// buffer ends at a page that cannot be touched). Argument: how many rounds (default 200,000).
#include "slot-fixture.h"

#include <pthread.h>
#include <sys/mman.h>

static struct fixture f;
static _Atomic bool stop;

// Both rings full of records of 64 bytes, with a head that is good at every 64 bytes.
static void fill(void) {
  for (uint32_t at = 0; at < FIXTURE_RING; at += 64) {
    struct corod_record event = {.size = 64, .kind = COROD_KIND_EVENT},
                        reply = {.size = 64, .kind = COROD_KIND_OUTCOME};
    memcpy(f.event + at, &event, sizeof event);
    memcpy(f.reply + at, &reply, sizeof reply);
  }
}

// One stroke over what the host may write: mostly more good records, sometimes anything.
static void stroke(uint64_t *seed) {
  static const uint32_t sizes[] = {0, 8, 31, 32, 40, 64, 128, 2048, 2049, 4096, 0x7fffffff, 0xffffffff, 0xfffffff8};
  uint64_t r = random_next(seed);
  uint32_t at = (uint32_t)(r >> 8) % (FIXTURE_RING / 64) * 64, value = (uint32_t)(r >> 32);
  switch (r % 64) {
  case 0: // a size; now and then one that fits
    *(volatile uint32_t *)(volatile void *)(f.event + at) = sizes[value % 13];
    *(volatile uint32_t *)(volatile void *)(f.reply + at) = sizes[value / 13 % 13];
    break;
  case 1: // a kind
    ((volatile uint8_t *)f.event)[at + offsetof(struct corod_record, kind)] = (uint8_t)(value % 8);
    ((volatile uint8_t *)f.reply)[at + offsetof(struct corod_record, kind)] = (uint8_t)(value / 8 % 8);
    break;
  case 2: // good again
    fill();
    break;
  case 3: // a cursor
    atomic_store(&f.a->event_tail, value % 3 ? value : atomic_load(&f.a->event_tail) + value % 520 * 8);
    break;
  case 4:
    atomic_store(&f.a->reply_tail, value % 3 ? value : atomic_load(&f.a->reply_tail) + value % 520 * 8);
    break;
  case 5:
    atomic_store(&f.a->command_head, value);
    break;
  case 6:
    atomic_store(&f.b->command_starved, value);
    atomic_store(&f.b->event_starved, value);
    atomic_store(&f.words->to_daemon.summary, r);
    atomic_store(&f.words->to_daemon.ready[r >> 58], r * r);
    atomic_store(&f.words->to_host.sleeping, value);
    break;
  case 7:
  case 8:
    atomic_store(&f.a->command_head, atomic_load(&f.b->command_tail));
    break;
  default: // one more record, if there is room
    if (atomic_load(&f.a->event_tail) - atomic_load(&f.b->event_head) < FIXTURE_RING)
      atomic_fetch_add(&f.a->event_tail, 64);
    if (atomic_load(&f.a->reply_tail) - atomic_load(&f.b->reply_head) < FIXTURE_RING)
      atomic_fetch_add(&f.a->reply_tail, 64);
  }
}

static void *scribble(void *unused) {
  uint64_t seed = 0x1234567;
  (void)unused;
  while (!atomic_load(&stop)) {
    // The records that are read next are enormous, then good again, and again: whoever reads a head twice reads two
    // different ones.
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t event = (atomic_load(&f.b->event_head) + i / 64 * 64) & (FIXTURE_RING - 64);
      uint32_t reply = (atomic_load(&f.b->reply_head) + i / 64 * 64) & (FIXTURE_RING - 64);
      atomic_store((_Atomic uint32_t *)(void *)(f.event + event), i % 2 ? 64 : 0xfffffff8u);
      atomic_store((_Atomic uint32_t *)(void *)(f.reply + reply), i % 2 ? 64 : 0xfffffff8u);
    }
    stroke(&seed);
  }
  return NULL;
}

// As the daemon does when the attachment is broken: the private halves are made afresh.
static void reset(void) {
  corod_slot_free(f.slot);
  f.slot = corod_slot_new(f.executor, FIXTURE_SLOT, 1, f.b);
  CHECK(f.slot);
  fill();
  atomic_store(&f.b->event_head, 0);
  atomic_store(&f.b->reply_head, 0);
  atomic_store(&f.b->command_tail, 0);
  atomic_store(&f.a->event_tail, 0);
  atomic_store(&f.a->reply_tail, 0);
  atomic_store(&f.a->command_head, 0);
  corod_slot_set_events(f.slot, f.a, f.event, FIXTURE_RING);
  corod_slot_set_replies(f.slot, f.a, f.reply, FIXTURE_RING);
  corod_slot_set_commands(f.slot, f.a, f.command, FIXTURE_RING);
}

// Walks the copy: it must be whole records, whatever the ring holds by now.
static uint64_t whole(const uint8_t *bytes, int64_t n) {
  uint64_t records = 0;
  for (int64_t at = 0; at < n; records++) {
    struct corod_record head;
    CHECK(n - at >= (int64_t)sizeof head);
    memcpy(&head, bytes + at, sizeof head);
    CHECK(head.size >= sizeof head && head.size <= FIXTURE_RING / 2 && head.kind != COROD_KIND_PAD);
    at += corod_record_span(head.size);
    CHECK(at <= n);
  }
  return records;
}

int main(int argc, char **argv) {
  uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000, seed = 99, records = 0, broken = 0, pushed = 0;
  pthread_t thread;
  uint8_t *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED && mprotect(pages, 4096, PROT_NONE) == 0 && mprotect(pages + 8192, 4096, PROT_NONE) == 0);
  fixture_open(&f);
  fill();
  CHECK(pthread_create(&thread, NULL, scribble, NULL) == 0);
  for (uint64_t round = 0; round < total; round++) {
    uint32_t room = (uint32_t)(random_next(&seed) % 4096);
    uint8_t *into = pages + 8192 - room;
    uint32_t list[8];
    for (int i = 0; i < 4; i++) // the other thread may not run for a while
      stroke(&seed);
    int64_t events = corod_slot_drain(f.slot, into, room, false);
    records += events > 0 ? whole(into, events) : 0;
    uint32_t copied = f.slot->copied;
    if (copied)
      CHECK(corod_slot_take(f.slot, (uint32_t)(random_next(&seed) % copied) + 1) == COROD_DONE);
    int64_t replies = corod_slot_replies(f.slot, into, room, false);
    records += replies > 0 ? whole(into, replies) : 0;
    int push = corod_slot_push(f.slot, COROD_OP_CLI, 1, NULL, 0, pages + 4096, (uint32_t)(random_next(&seed) % 500));
    pushed += push == COROD_DONE;
    CHECK(f.slot->commands.tail - f.slot->commands.head <= FIXTURE_RING);
    corod_executor_settle(f.executor);
    if (corod_executor_collect(f.executor))
      CHECK(corod_executor_list(f.executor, list, 8) == 1 && list[0] == FIXTURE_SLOT);
    if (events == COROD_BROKEN || replies == COROD_BROKEN || push == COROD_BROKEN) {
      broken++;
      reset();
    }
  }
  atomic_store(&stop, true);
  CHECK(pthread_join(thread, NULL) == 0);
  fprintf(stderr, "%lu rounds, %lu records, %lu times broken, %lu pushed\n", total, records, broken, pushed);
  // Neither so wild nor so tame that nothing was tested.
  CHECK(records > total / 100 && broken > total / 100 && pushed > total / 100);
  fixture_close(&f);
  munmap(pages, 3 * 4096);
  return 0;
}
