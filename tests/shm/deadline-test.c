// deadline-test.c: which deadlines are published and rung for; and that none is lost, whatever the order in which the
// host looks, relays early, and the daemon changes its mind.
#include "slot-fixture.h"

#define MS 1000000ull

// The clock of slot.h, in place of clock.c.
static uint64_t virtual_now = 1000 * MS;

uint64_t corod_now(void) {
  return virtual_now;
}

static uint64_t published(struct fixture *f) {
  return atomic_load(&f->b->deadline);
}

static void earlier_rings_and_later_waits(void) {
  struct fixture f;
  fixture_open(&f);
  uint64_t now = corod_now(), far = now + 1000 * MS;
  corod_slot_deadline(f.slot, far, now);
  CHECK(published(&f) == far && fixture_rung(&f));
  corod_slot_deadline(f.slot, far, now);
  CHECK(!fixture_rung(&f));
  corod_slot_deadline(f.slot, far - MS, now);
  CHECK(published(&f) == far - MS && fixture_rung(&f));
  corod_slot_deadline(f.slot, far + MS, now);
  CHECK(published(&f) == far - MS && !fixture_rung(&f));
  corod_slot_deadline(f.slot, COROD_NEVER, now);
  CHECK(published(&f) == far - MS && !fixture_rung(&f));
  corod_slot_woken(f.slot, now);
  CHECK(published(&f) == far - MS && !fixture_rung(&f));
  // The host relays it: the wake finds nothing due, and the word is brought up to date.
  corod_slot_deadline(f.slot, far + MS, now);
  virtual_now = far - MS;
  corod_slot_woken(f.slot, virtual_now);
  CHECK(published(&f) == far + MS && fixture_rung(&f));
  corod_slot_deadline(f.slot, COROD_NEVER, virtual_now);
  virtual_now = far + MS;
  corod_slot_woken(f.slot, virtual_now);
  CHECK(published(&f) == COROD_NEVER && !fixture_rung(&f));
  fixture_close(&f);
}

static void passed_one_is_followed_by_a_bell(void) {
  struct fixture f;
  fixture_open(&f);
  uint64_t now = corod_now();
  corod_slot_deadline(f.slot, now + MS, now);
  CHECK(fixture_rung(&f));
  corod_slot_deadline(f.slot, now + 9 * MS, now + 2 * MS); // later, but the host waits for nothing now
  CHECK(published(&f) == now + 9 * MS && fixture_rung(&f));
  corod_slot_deadline(f.slot, COROD_NEVER, now + 10 * MS);
  CHECK(published(&f) == COROD_NEVER && !fixture_rung(&f));
  corod_slot_deadline(f.slot, now + 11 * MS, now + 10 * MS);
  CHECK(fixture_rung(&f));
  fixture_close(&f);
}

static void early_relay_makes_ready_again(void) {
  struct fixture f;
  uint32_t list[4];
  fixture_open(&f);
  CHECK(corod_executor_collect(f.executor) && corod_executor_list(f.executor, list, 4) == 1);
  uint64_t before = corod_now();
  corod_slot_deadline(f.slot, before + 10000, before);
  CHECK(fixture_rung(&f));
  corod_slot_woken(f.slot, before); // the coroutines looked before it was due
  CHECK(corod_executor_collect(f.executor) && corod_executor_list(f.executor, list, 4) == 1);
  CHECK(!fixture_rung(&f));
  virtual_now += 10000;
  corod_slot_woken(f.slot, corod_now()); // they looked after it was due, and left it
  CHECK(!corod_executor_collect(f.executor) && !fixture_rung(&f));
  fixture_close(&f);
}

// ---- none is lost
// ----------------------------------------------------------------------------------------------------
//
// A host that reads the word when it is rung and when its wait ends, acts on what it read some time later, and relays
// each value once and up to 10 µs early. Coroutines that change their mind at any time. Whatever happens in between:
// once they stop, the deadline that they want is the end of some chain of waits and wakes.

static struct {
  struct fixture f;
  uint64_t wanted;              // what the coroutines wait for
  uint64_t waits;               // until when the host sleeps
  uint64_t read, relayed;       // what it has read and not acted on, or NEVER; what it relayed last
  bool reading, rung, relaying; // it has read; it was rung; its ready bit is on the way
} w;

static void host_reads(void) {
  w.rung = false;
  w.read = published(&w.f);
  w.reading = true;
}

static void host_acts(void) {
  w.reading = false;
  if (w.read <= virtual_now + 10000) {
    w.waits = COROD_NEVER;
    w.relaying |= w.read != w.relayed;
    w.relayed = w.read;
  } else
    w.waits = w.read;
}

// The coroutines run: what is due is over; perhaps they want another one. Then the executor settles, as the addon does.
static void daemon_wakes(uint64_t *seed) {
  uint64_t before = virtual_now;
  uint32_t list[4];
  w.relaying = false;
  if (w.wanted <= virtual_now) {
    w.wanted = seed && random_next(seed) % 2 ? virtual_now + random_next(seed) % 60000 : COROD_NEVER;
    corod_slot_deadline(w.f.slot, w.wanted, virtual_now);
  }
  virtual_now += 300;
  corod_slot_woken(w.f.slot, before);
  corod_executor_settle(w.f.executor);
  w.relaying |= corod_executor_list(w.f.executor, list, 4) > 0; // told again
  w.rung |= fixture_rung(&w.f);
}

static void none_is_lost(uint64_t seed) {
  memset(&w, 0, sizeof w);
  fixture_open(&w.f);
  w.wanted = w.waits = w.relayed = COROD_NEVER;
  for (int step = 0; step < 200; step++) {
    switch (random_next(&seed) % 6) {
    case 0:
      w.wanted = random_next(&seed) % 4 == 0 ? COROD_NEVER : virtual_now + random_next(&seed) % 60000;
      corod_slot_deadline(w.f.slot, w.wanted, virtual_now);
      w.rung |= fixture_rung(&w.f);
      break;
    case 1: // a wake for another reason, or for what the host relayed
      daemon_wakes(&seed);
      break;
    case 2:
      if (w.rung || w.waits <= virtual_now + random_next(&seed) % 10000)
        host_reads();
      break;
    case 3:
      if (w.reading)
        host_acts();
      break;
    case 4:
      if (w.relaying)
        daemon_wakes(&seed);
      break;
    default:
      virtual_now += random_next(&seed) % 20000;
    }
  }
  // The coroutines change nothing any more: everything runs out.
  for (int step = 0; step < 1000 && w.wanted != COROD_NEVER; step++) {
    if (w.relaying)
      daemon_wakes(NULL);
    else if (w.reading)
      host_acts();
    else if (w.rung || w.waits <= virtual_now)
      host_reads();
    else if (w.waits != COROD_NEVER)
      virtual_now = w.waits;
    else
      break; // everybody sleeps for ever
  }
  CHECK(w.wanted == COROD_NEVER);
  fixture_close(&w.f);
}

int main(void) {
  earlier_rings_and_later_waits();
  passed_one_is_followed_by_a_bell();
  early_relay_makes_ready_again();
  for (uint64_t seed = 1; seed < 20000; seed++)
    none_is_lost(seed * 0x9E3779B97F4A7C15ull);
  return 0;
}
