// Bursts: when the daemon is told of what is accepted in one, and what happens to a bell that is owed meanwhile.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "client.h"

#define BURST 256 // as internal.h: records before the daemon is told in the middle of a burst

static struct client daemon_;
static struct client_slot slot, other;
static struct corod_message answer;
static uint64_t seq;

static struct {
  struct corod_record head;
  uint8_t bytes[8192];
} event;

static const struct client_node shape = {.name = "n", .max_size = 64, .n_counters = 1};
static const struct client_node second = {.name = "m", .max_size = 64, .executor = 1};

static void open_nodes(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK_EQUAL(client_executor(&daemon_, 1), COROD_MSG_EXECUTOR);
  CHECK(client_node(&daemon_, &shape, &slot, &answer) == COROD_MSG_NODE_READY);
  CHECK(client_node(&daemon_, &second, &other, &answer) == COROD_MSG_NODE_READY);
}

static void end(void) {
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

// The daemon goes to sleep: nothing is ready, no byte is in a pipe.
static void sleep_both(void) {
  for (int i = 0; i < 2; i++) {
    uint64_t ready[COROD_READY_WORDS] = {0};
    (void)corod_pipe_drain(daemon_.wait_fd[i]);
    corod_bell_collect(&daemon_.bell[i]->to_daemon, ready);
    CHECK(corod_bell_arm(&daemon_.bell[i]->to_daemon));
  }
}

static uint32_t bytes_in(uint32_t executor) {
  char bytes[64];
  ssize_t n = read(daemon_.wait_fd[executor], bytes, sizeof bytes);
  return n > 0 ? (uint32_t)n : 0;
}

static bool ready(uint32_t executor, uint32_t number) {
  return atomic_load(&daemon_.bell[executor]->to_daemon.ready[number >> 6]) >> (number & 63) & 1;
}

static uint32_t send(const char *name) {
  return corod_node_send(corod_node_find(scene.core, name), 1, "x", 1, &seq);
}

// Alone: told at once. In a burst: at its end, once, also if bursts are inside each other, each executor of its slots.
static void told_at_the_end(void) {
  open_nodes();
  sleep_both();
  CHECK_EQUAL(send("n"), COROD_OK);
  CHECK(ready(0, slot.told.slot));
  CHECK_EQUAL(bytes_in(0), 1);
  sleep_both();
  corod_burst_begin(scene.core);
  for (int i = 0; i < 10; i++) {
    CHECK_EQUAL(send("n"), COROD_OK);
    corod_burst_begin(scene.core);
    CHECK_EQUAL(send("m"), COROD_OK);
    corod_burst_end(scene.core);
  }
  CHECK(!ready(0, slot.told.slot) && !ready(1, other.told.slot));
  CHECK(bytes_in(0) == 0 && bytes_in(1) == 0);
  corod_burst_end(scene.core);
  CHECK(ready(0, slot.told.slot) && !ready(0, other.told.slot));
  CHECK(ready(1, other.told.slot) && !ready(1, slot.told.slot));
  CHECK(bytes_in(0) == 1 && bytes_in(1) == 1);
  for (int i = 0; i < 11; i++)
    CHECK(client_event(&slot, &event, sizeof event));
  sleep_both();
  corod_burst_begin(scene.core); // in which nothing happens
  corod_burst_end(scene.core);
  CHECK(bytes_in(0) == 0 && bytes_in(1) == 0);
  end();
}

// A long one does not keep its first event for ever.
static void told_in_between(void) {
  open_nodes();
  sleep_both();
  corod_burst_begin(scene.core);
  for (int i = 0; i < BURST - 1; i++)
    CHECK_EQUAL(send("n"), COROD_OK);
  CHECK_EQUAL(bytes_in(0), 0);
  CHECK_EQUAL(send("n"), COROD_OK);
  CHECK_EQUAL(bytes_in(0), 1);
  sleep_both();
  CHECK_EQUAL(send("n"), COROD_OK);
  CHECK_EQUAL(bytes_in(0), 0);
  corod_burst_end(scene.core);
  CHECK_EQUAL(bytes_in(0), 1);
  end();
}

// Who waits for room in the ring says so at once: only the daemon can make it.
static void told_when_full(void) {
  open_nodes();
  sleep_both();
  corod_burst_begin(scene.core);
  struct client_slot tiny;
  CHECK(client_node(&daemon_, &(struct client_node){.name = "t", .max_size = 1000, .event_ring = 4096}, &tiny,
                    &answer) == COROD_MSG_NODE_READY);
  static uint8_t payload[1000];
  for (int i = 0; i < 10; i++)
    CHECK_EQUAL(corod_node_send(corod_node_find(scene.core, "t"), 1, payload, sizeof payload, &seq), COROD_OK);
  CHECK(ready(0, tiny.told.slot));
  CHECK_EQUAL(bytes_in(0), 1);
  corod_burst_end(scene.core);
  for (int i = 1; i <= 10; i++) {
    CHECK(client_event(&tiny, &event, sizeof event));
    CHECK_EQUAL(event.head.seq, i);
    client_release(&tiny);
    scene_settle();
  }
  end();
}

// One look at the clock for all of it, and a new one in the next.
static void one_time(void) {
  open_nodes();
  scene.now = 1000;
  corod_burst_begin(scene.core);
  CHECK_EQUAL(send("n"), COROD_OK);
  scene.now = 2000;
  CHECK_EQUAL(send("n"), COROD_OK);
  corod_burst_end(scene.core);
  corod_burst_begin(scene.core);
  CHECK_EQUAL(send("n"), COROD_OK);
  scene.now = 3000;
  corod_burst_end(scene.core);
  CHECK_EQUAL(send("n"), COROD_OK);
  const uint64_t times[] = {1000, 1000, 2000, 3000};
  for (int i = 0; i < 4; i++) {
    CHECK(client_event(&slot, &event, sizeof event));
    CHECK_EQUAL(event.head.time, times[i]);
  }
  end();
}

// The daemon dies, or lets go of the node, while it is owed a bell.
static void gone_meanwhile(void) {
  for (int how = 0; how < 3; how++) {
    open_nodes();
    sleep_both();
    corod_burst_begin(scene.core);
    CHECK_EQUAL(send("n"), COROD_OK);
    CHECK_EQUAL(send("m"), COROD_OK);
    if (how == 0)
      CHECK_EQUAL(client_remove(&daemon_, &slot, COROD_LEAVE_KEEP).discarded, 0);
    else if (how == 1)
      client_close(&daemon_);
    else {
      client_close(&daemon_);
      scene_settle();
      client_attach(&daemon_);
    }
    scene_settle();
    corod_burst_end(scene.core);
    if (how == 0)
      CHECK_EQUAL(bytes_in(1), 1);
    else {
      if (how == 1)
        client_attach(&daemon_);
      CHECK_EQUAL(client_executor(&daemon_, 1), COROD_MSG_EXECUTOR);
      CHECK(client_node(&daemon_, &second, &other, &answer) == COROD_MSG_NODE_READY);
      CHECK(client_event(&other, &event, sizeof event));
    }
    CHECK(client_node(&daemon_, &shape, &slot, &answer) == COROD_MSG_NODE_READY);
    CHECK(client_event(&slot, &event, sizeof event));
    end();
  }
}

static void nobody_is_told(void) {
  CHECK(!ready(0, slot.told.slot) && !ready(1, other.told.slot));
}

// A turn that serves many commands rings once, at its end, for the events and outcomes of all.
static void a_turn(void) {
  open_nodes();
  scene.when_counted = nobody_is_told;
  struct corod_count count = {.counter = 0, .by = 1};
  struct corod_send to = {.slot = other.told.slot, .generation = other.told.generation, .type = 1};
  for (uint64_t i = 1; i <= 50; i++)
    CHECK(client_command(&slot, COROD_OP_SEND, i, &to, sizeof to, "x", 1));
  CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  sleep_both();
  scene_settle();
  CHECK_EQUAL(scene.counted[0], 1);
  CHECK(bytes_in(0) == 1 && bytes_in(1) == 1);
  for (uint64_t i = 1; i <= 50; i++) {
    CHECK(client_event(&other, &event, sizeof event) && event.head.seq == i);
    CHECK(client_reply(&slot, &event, sizeof event) && event.head.seq == i);
  }
  end();
}

int main(void) {
  told_at_the_end();
  told_in_between();
  told_when_full();
  one_time();
  gone_meanwhile();
  a_turn();
  return 0;
}
