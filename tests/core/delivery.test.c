// What happens to events when a daemon dies, at every step it can die at, and what the next one finds.
#include "client.h"

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;
static uint64_t seq;

static struct {
  struct corod_record head;
  uint8_t bytes[8192];
} event;

static const struct client_node small = {.name = "n", .max_size = 900, .event_ring = 4096};
static const struct client_node roomy = {.name = "n", .max_size = 900, .event_ring = 8192};

static void attach(const struct client_node *node) {
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, node, &slot, &answer) == COROD_MSG_NODE_READY);
}

static void die(void) {
  client_close(&daemon_);
  scene_settle();
}

static void send(uint32_t bytes) {
  static uint8_t payload[4096];
  CHECK_EQUAL(corod_node_send(corod_node_find(scene.core, "n"), 1, payload, bytes, &seq), COROD_OK);
}

static void read_records(uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    CHECK(client_event(&slot, &event, sizeof event));
}

// Of ten events `handed` were handed over and of these `released` released; every pair of numbers, with records of
// every size so that the ring wraps with and without padding.
static void every_step(void) {
  for (uint32_t size = 0; size <= 400; size += 57)
    for (uint32_t handed = 0; handed <= 10; handed++)
      for (uint32_t released = 0; released <= handed; released++) {
        scene_open(NULL);
        attach(&roomy);
        for (uint32_t i = 0; i < 15; i++) { // somewhere in the ring
          send(size);
          read_records(1);
          client_handed(&slot);
          client_release(&slot);
        }
        for (uint32_t i = 0; i < 10; i++)
          send(size);
        read_records(released);
        client_handed(&slot);
        if (released)
          client_release(&slot);
        read_records(handed - released);
        client_handed(&slot);
        scene_settle();
        die();
        send(size); // the daemon is away: accepted
        attach(&roomy);
        CHECK_EQUAL(slot.told.carried, 11 - released);
        CHECK_EQUAL(slot.told.seq, 26);
        for (uint32_t i = released; i < 11; i++) {
          read_records(1);
          CHECK_EQUAL(event.head.seq, 16 + i);
          CHECK_EQUAL(event.head.attempts, i < handed);
          CHECK_EQUAL(event.head.flags, i < handed ? COROD_FLAG_REDELIVERED : 0);
          client_handed(&slot);
          client_release(&slot);
          scene_settle();
        }
        CHECK(!client_event(&slot, &event, sizeof event));
        die();
        scene_close();
      }
}

// A daemon that releases without saying what it handed over: the rest was not handed over.
static void released_only(void) {
  scene_open(NULL);
  attach(&small);
  for (uint32_t i = 0; i < 5; i++)
    send(10);
  read_records(2);
  client_release(&slot);
  die();
  attach(&small);
  for (uint32_t i = 3; i <= 5; i++) {
    read_records(1);
    CHECK(event.head.seq == i && event.head.attempts == 0 && event.head.flags == 0);
  }
  die();
  scene_close();
}

// A record that kills its daemon again and again counts its attempts.
static void attempts(void) {
  scene_open(NULL);
  attach(&small);
  send(10);
  for (uint32_t i = 0; i < 5; i++) {
    read_records(1);
    CHECK_EQUAL(event.head.attempts, i);
    CHECK_EQUAL(event.head.seq, 1);
    client_handed(&slot);
    die();
    attach(&small);
  }
  die();
  scene_close();
}

// The ring full, the backlog full, the daemon away: everything arrives, in order, under another ring and table.
static void carry_over(void) {
  scene_open(NULL);
  struct client_node node = small;
  node.backlog = 100;
  attach(&node);
  for (uint32_t i = 0; i < 30; i++)
    send(900);
  die();
  for (uint32_t i = 0; i < 30; i++)
    send(900);
  uint32_t number, generation;
  corod_node_handle(corod_node_find(scene.core, "n"), &number, &generation);
  node.max_size = 1; // a table of smaller messages: what waits still has to fit
  node.n_next = 2;   // and another node for the host
  attach(&node);
  CHECK_EQUAL(scene.changed, 1);
  CHECK_EQUAL(scene.created, 1);
  CHECK_EQUAL(scene.removed, 0);
  CHECK_EQUAL(slot.told.carried, 60);
  CHECK_EQUAL(slot.told.slot, number);
  CHECK_EQUAL(slot.told.generation, generation); // who holds a handle notices nothing
  for (uint32_t i = 1; i <= 60; i++) {
    read_records(1);
    CHECK_EQUAL(event.head.seq, i);
    client_release(&slot);
    scene_settle();
  }
  die();
  scene_close();
}

// What waits was larger than anything the next daemon declares, and than half the ring it asks for.
static void smaller_ring(void) {
  scene_open(NULL);
  attach(&(struct client_node){.name = "n", .max_size = 4000, .event_ring = 16384});
  for (uint32_t i = 0; i < 6; i++)
    send(4000);
  die();
  attach(&(struct client_node){.name = "n", .max_size = 1, .event_ring = 4096});
  for (uint32_t i = 1; i <= 6; i++) {
    read_records(1);
    CHECK_EQUAL(event.head.seq, i);
    client_release(&slot);
    scene_settle();
  }
  die();
  scene_close();
}

static void unclaimed(void) {
  struct client_slot other;
  scene_open(NULL);
  attach(&small);
  struct client_node second = small;
  second.name = "second";
  CHECK(client_node(&daemon_, &second, &other, &answer) == COROD_MSG_NODE_READY);
  for (uint32_t i = 0; i < 10; i++)
    send(900);
  die();
  CHECK(corod_node_find(scene.core, "n") && corod_node_find(scene.core, "second"));
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &second, &other, &answer) == COROD_MSG_NODE_READY);
  struct corod_ready ready = client_ready(&daemon_);
  CHECK_EQUAL(ready.removed, 1);
  CHECK_EQUAL(ready.discarded, 10);
  CHECK(!corod_node_find(scene.core, "n") && corod_node_find(scene.core, "second"));
  CHECK_EQUAL(scene.removed, 1);
  ready = client_ready(&daemon_);
  CHECK_EQUAL(ready.removed, 0);
  die();
  scene_close();
}

// Removal: senders are told, commands that were published first run first, the rest is counted.
static void removal(void) {
  scene_open(NULL);
  struct client_node node = small;
  node.n_counters = 1;
  attach(&node);
  for (uint32_t i = 0; i < 12; i++)
    send(900);
  read_records(2);
  client_release(&slot);
  struct corod_count count = {.counter = 0, .by = 3};
  for (uint32_t i = 0; i < 500; i++) // more than the budget of a turn
    CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  CHECK_EQUAL(client_remove(&daemon_, &slot, COROD_LEAVE_DISCARD).discarded, 10);
  CHECK_EQUAL(scene.counted[0], 1500);
  CHECK_EQUAL(scene.removed, 1);
  struct corod_message again = {.type = COROD_MSG_NODE_REMOVE};
  again.node_remove = (struct corod_node_remove){.slot = slot.told.slot, .generation = slot.told.generation};
  CHECK(client_ask(&daemon_, &again, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_STALE);
  again.node_remove.slot = 4000;
  CHECK(client_ask(&daemon_, &again, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_NODE_UNKNOWN);
  // Its place and memory are used again, from the beginning.
  struct client_slot fresh;
  CHECK(client_node(&daemon_, &node, &fresh, &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(fresh.told.slot, slot.told.slot);
  CHECK_EQUAL(fresh.told.generation, slot.told.generation + 1);
  CHECK_EQUAL(fresh.told.event_ring.offset, slot.told.event_ring.offset);
  CHECK_EQUAL(fresh.told.seq, 0);
  CHECK_EQUAL(
      atomic_load(&fresh.a->event_tail) | atomic_load(&fresh.b->event_head) | atomic_load(&fresh.b->command_tail), 0);
  CHECK(atomic_load(&fresh.b->deadline) == UINT64_MAX);
  die();
  scene_close();
}

// A removal whose daemon dies before the answer.
static void removal_and_death(void) {
  scene_open(NULL);
  struct client_node node = small;
  node.n_counters = 1;
  node.command_ring = 1 << 20;
  attach(&node);
  struct corod_count count = {.counter = 0, .by = 1};
  for (uint32_t i = 0; i < 10000; i++)
    CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  struct corod_message remove = {.type = COROD_MSG_NODE_REMOVE};
  remove.node_remove = (struct corod_node_remove){.slot = slot.told.slot, .generation = slot.told.generation};
  client_send(&daemon_, &remove);
  client_close(&daemon_);
  scene_settle();
  CHECK_EQUAL(scene.counted[0], 10000);
  CHECK_EQUAL(scene.removed, 1);
  CHECK(!corod_node_find(scene.core, "n"));
  scene_close();
}

// A daemon that asks for what the host does not have loses nothing by it: the node waits for a better one.
static void failed_change(void) {
  scene_open(NULL);
  attach(&small);
  send(1);
  die();
  struct client_node node = small;
  node.n_next = 1;
  node.max_size = 7;
  scene.create_status = COROD_NEXT_UNKNOWN;
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &node, &slot, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_NEXT_UNKNOWN);
  CHECK_EQUAL(client_ready(&daemon_).removed, 0);
  send(900); // the table it had
  scene.create_status = COROD_OK;
  CHECK(client_node(&daemon_, &node, &slot, &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(slot.told.carried, 2);
  CHECK_EQUAL(scene.changed, 1);
  die();
  scene_close();
}

int main(void) {
  every_step();
  released_only();
  attempts();
  carry_over();
  smaller_ring();
  unclaimed();
  removal();
  removal_and_death();
  failed_change();
  return 0;
}
