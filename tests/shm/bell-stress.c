// bell-stress.c: two threads that sleep: a wake-up that gets lost is a hang, which the test runner ends. One direction
// has a ring so small that it is full all the time, so the bell for space is rung as often as the bell for records.
// Each is run with ends that sleep at once, and with ends that look for a moment before (spin.h). Arguments: how many
// records (default 100,000).
#include "check.h"
#include "doorbell.h"
#include "slot.h"
#include "spin.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

// One end sleeps on `wake`; the other end rings it.
struct end {
  struct corod_bell_words words;
  int wake, ring;
};

static struct end to_reader, to_writer;
static struct test_ring ring;
static _Atomic uint32_t starved;
static uint64_t total;
static bool looks;

static void open_end(struct end *end) {
  int fds[2];
  CHECK(pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
  memset(end, 0, sizeof *end);
  end->wake = fds[0];
  end->ring = fds[1];
}

static void close_end(struct end *end) {
  close(end->wake);
  close(end->ring);
}

static void ring_bell(struct end *end) {
  if (corod_bell_post(&end->words, 77))
    corod_pipe_ring(end->ring);
}

// Sleeps unless something is ready, then takes over the ready bits.
static void sleep_for(struct end *end) {
  uint64_t ready[COROD_READY_WORDS] = {0};
  bool found = looks && corod_spin_look(&end->words, corod_now() + 2000);
  if (!found && corod_bell_arm(&end->words)) {
    struct pollfd fd = {.fd = end->wake, .events = POLLIN};
    while (poll(&fd, 1, -1) < 0)
      CHECK(errno == EINTR);
    corod_pipe_drain(end->wake);
    corod_bell_disarm(&end->words);
  }
  corod_bell_collect(&end->words, ready);
}

static void *write_all(void *unused) {
  (void)unused;
  for (uint64_t seq = 0; seq < total; seq++) {
    int got;
    while ((got = test_ring_put(&ring, seq, 8)) == COROD_RING_NONE) {
      corod_starved_set(&starved);
      if ((got = test_ring_put(&ring, seq, 8)) != COROD_RING_NONE)
        break;
      sleep_for(&to_writer);
    }
    CHECK(got == COROD_RING_SOME);
    corod_writer_publish(&ring.writer);
    ring_bell(&to_reader);
  }
  return NULL;
}

static void read_all(void) {
  uint8_t record[64];
  for (uint64_t seq = 0; seq < total;) {
    int got = corod_reader_take(&ring.reader, record, sizeof record);
    CHECK(got != COROD_RING_MALFORMED);
    if (got == COROD_RING_NONE) {
      sleep_for(&to_reader);
      continue;
    }
    uint64_t read;
    memcpy(&read, record + offsetof(struct corod_record, seq), sizeof read);
    CHECK(read == seq++);
    corod_reader_release(&ring.reader, ring.reader.read);
    if (corod_starved_take(&starved))
      ring_bell(&to_writer);
  }
}

int main(int argc, char **argv) {
  static const uint32_t sizes[] = {128, 4096};
  total = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
  signal(SIGPIPE, SIG_IGN);
  for (size_t i = 0; i < 4; i++) {
    pthread_t writer;
    looks = i & 1;
    open_end(&to_reader);
    open_end(&to_writer);
    test_ring_open(&ring, sizes[i / 2], 0xfffffe00u);
    CHECK(pthread_create(&writer, NULL, write_all, NULL) == 0);
    read_all();
    CHECK(pthread_join(writer, NULL) == 0);
    test_ring_close(&ring);
    close_end(&to_reader);
    close_end(&to_writer);
  }
  return 0;
}
