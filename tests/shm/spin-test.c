// spin-test.c: what a reader learns from its looks: an idle one stops, a busy one goes on, one that just misses gives
// up.
#include "check.h"
#include "slot.h"
#include "spin.h"

#include <pthread.h>

#define MOST 50000u

// A run of `n` sleeps or looks with events that come `gap` ns after the reader has nothing left. How many looks.
static int looks(struct corod_spin *s, uint64_t *now, int n, uint64_t gap) {
  int all = 0;
  for (int i = 0; i < n; i++) {
    if (corod_spin_worth(s)) {
      all++;
      corod_spin_looked(s, gap <= MOST);
      *now += gap <= MOST ? gap : MOST;
      if (gap <= MOST)
        continue;
      corod_spin_sleeps(s, *now);
      *now += gap - MOST;
    } else {
      corod_spin_sleeps(s, *now);
      *now += gap;
    }
    corod_spin_woken(s, *now);
  }
  return all;
}

static void off_is_off(void) {
  struct corod_spin s = {0};
  uint64_t now = 1;
  CHECK(looks(&s, &now, 1000, 1000) == 0);
}

static void idle_looks_once(void) {
  struct corod_spin s = {.most = MOST};
  uint64_t now = 1;
  CHECK(looks(&s, &now, 10000, 1000000) == 1); // an event each millisecond is idle
}

static void busy_looks_always(void) {
  struct corod_spin s = {.most = MOST};
  uint64_t now = 1;
  CHECK(looks(&s, &now, 10000, 5000) == 10000);
}

static void what_just_misses_looks_less_and_less(void) {
  struct corod_spin s = {.most = MOST};
  uint64_t now = 1;
  CHECK(looks(&s, &now, 64, 120000) <= 7);
  CHECK(looks(&s, &now, 6400, 120000) <= 101); // a look for every 64 sleeps: under 1 % of the time
}

static void comes_back_when_events_are_frequent(void) {
  struct corod_spin s = {.most = MOST};
  uint64_t now = 1;
  looks(&s, &now, 10000, 120000); // as far back as it goes
  CHECK(!corod_spin_worth(&s));
  CHECK(looks(&s, &now, 1000, 5000) >= 1000 - 64);
  looks(&s, &now, 1, 1000000);
  CHECK(looks(&s, &now, 1000, 5000) >= 998); // one pause costs one look and one sleep
}

static struct corod_bell_words words;

static void *posts(void *unused) {
  (void)unused;
  corod_bell_post(&words, 9);
  return NULL;
}

static void a_look_ends_when_something_is_ready_or_time_is_up(void) {
  pthread_t thread;
  uint64_t begin = corod_now();
  CHECK(!corod_spin_look(&words, begin + 2000000) && corod_now() >= begin + 2000000);
  CHECK(!corod_spin_look(&words, 0));
  CHECK(pthread_create(&thread, NULL, posts, NULL) == 0);
  CHECK(corod_spin_look(&words, UINT64_MAX));
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(corod_spin_look(&words, 0));
}

int main(void) {
  off_is_off();
  idle_looks_once();
  busy_looks_always();
  what_just_misses_looks_less_and_less();
  comes_back_when_events_are_frequent();
  a_look_ends_when_something_is_ready_or_time_is_up();
  return 0;
}
