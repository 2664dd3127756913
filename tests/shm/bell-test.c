// bell-test.c: doorbell and starved, step by step.
#include "check.h"
#include "doorbell.h"

#include <fcntl.h>
#include <signal.h>

static struct corod_bell_words words;

static void bell_is_asked_for_once(void) {
  CHECK(!corod_bell_post(&words, 5)); // awake
  CHECK(corod_bell_any(&words));
  CHECK(!corod_bell_arm(&words)); // something is ready: no sleep
  CHECK(atomic_load(&words.sleeping) == 0);
  uint64_t ready[COROD_READY_WORDS] = {0};
  CHECK(corod_bell_collect(&words, ready) == 1 && ready[0] == 1ull << 5);
  CHECK(!corod_bell_any(&words));
  CHECK(corod_bell_arm(&words));
  CHECK(corod_bell_post(&words, 5));
  CHECK(!corod_bell_post(&words, 6)); // rung already
  corod_bell_disarm(&words);
  CHECK(!corod_bell_post(&words, 4095));
  memset(ready, 0, sizeof ready);
  CHECK(corod_bell_collect(&words, ready) == (1ull | 1ull << 63));
  CHECK(ready[0] == 3ull << 5 && ready[63] == 1ull << 63);
}

static void every_slot_has_its_bit(void) {
  uint64_t ready[COROD_READY_WORDS] = {0};
  for (uint32_t slot = 0; slot < COROD_MAX_SLOTS; slot++)
    corod_bell_post(&words, slot);
  CHECK(corod_bell_collect(&words, ready) == UINT64_MAX);
  for (uint32_t i = 0; i < COROD_READY_WORDS; i++)
    CHECK(ready[i] == UINT64_MAX);
  CHECK(corod_bell_collect(&words, ready) == 0);
}

static void starved_is_told_once(void) {
  _Atomic uint32_t starved = 0;
  CHECK(!corod_starved_take(&starved));
  corod_starved_set(&starved);
  CHECK(corod_starved_take(&starved));
  CHECK(!corod_starved_take(&starved));
}

static void pipe_is_a_hint(void) {
  int fds[2];
  CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
  CHECK(corod_pipe_drain(fds[0])); // empty is no end
  for (int i = 0; i < 100000; i++)
    corod_pipe_ring(fds[1]); // full is rung
  CHECK(corod_pipe_drain(fds[0]));
  while (read(fds[0], (char[4096]){0}, 4096) > 0)
    ;
  close(fds[1]);
  CHECK(!corod_pipe_drain(fds[0])); // nobody rings any more
  close(fds[0]);
  CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
  close(fds[0]);
  corod_pipe_ring(fds[1]); // nobody listens any more
  close(fds[1]);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  bell_is_asked_for_once();
  every_slot_has_its_bit();
  starved_is_told_once();
  pipe_is_a_hint();
  return 0;
}
