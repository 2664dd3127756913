// A thousand attachments and a thousand nodes: descriptors and memory return to where they were.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "client.h"

#include <malloc.h>

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;

static uint64_t resident_kib(void) {
  unsigned long size, resident;
  FILE *f = fopen("/proc/self/statm", "r");
  CHECK(f && fscanf(f, "%lu %lu", &size, &resident) == 2);
  fclose(f);
  return resident * 4;
}

static void attachments(void) {
  uint32_t fds = 0;
  scene_open(NULL);
  for (int i = 0; i < 1000; i++) {
    uint64_t seq;
    uint8_t payload[64] = {0};
    client_attach(&daemon_);
    CHECK(client_node(&daemon_, &(struct client_node){.name = "n", .max_size = 64, .event_ring = 4096, .backlog = 10},
                      &slot, &answer) == COROD_MSG_NODE_READY);
    for (int n = 0; n < 100; n++)
      corod_node_send(corod_node_find(scene.core, "n"), 1, payload, 64, &seq);
    CHECK(client_command(&slot, COROD_OP_CLI, 1, "x", 1, NULL, 0));
    scene.n_jobs = 0;
    scene_settle();
    if (i % 3 == 0)
      client_remove(&daemon_, &slot, COROD_LEAVE_DISCARD);
    client_close(&daemon_);
    scene_settle();
    if (scene.n_jobs)
      corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
    if (i == 10)
      fds = scene_fds();
    if (i > 10)
      CHECK_EQUAL(scene_fds(), fds);
  }
  scene_close();
}

// Nodes that do nothing cost next to nothing, and the attachment's memory is not touched for them.
static void thousand_nodes(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  uint64_t before = resident_kib();
  for (int i = 0; i < 1000; i++) {
    char name[16];
    snprintf(name, sizeof name, "n%d", i);
    CHECK(client_node(&daemon_, &(struct client_node){.name = name, .max_size = 64}, &slot, &answer) ==
          COROD_MSG_NODE_READY);
    CHECK_EQUAL(slot.told.slot, i + 1);
  }
  CHECK(resident_kib() - before < 16 << 10); // with ASan's own cost
  // Every one of them gets its events, from one wake.
  uint64_t seq, ready[COROD_READY_WORDS] = {0};
  for (int i = 0; i < 1000; i++)
    CHECK_EQUAL(corod_node_send(scene.nodes[i], 1, "", 1, &seq), COROD_OK);
  corod_bell_collect(&daemon_.bell[0]->to_daemon, ready);
  for (int i = 1; i <= 1000; i++)
    CHECK(ready[i / 64] & 1ull << i % 64);
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

// A backlog that was large gives its memory back when it is empty.
static void backlog_memory(void) {
  struct {
    struct corod_record head;
    uint8_t bytes[4096];
  } event;
  uint64_t seq;
  static uint8_t payload[4000];
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "n", .max_size = 4000, .backlog_bytes = 64 << 20}, &slot,
                    &answer) == COROD_MSG_NODE_READY);
  size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  uint32_t sent = 0, got = 0;
  while (corod_node_send(scene.nodes[0], 1, payload, 4000, &seq) == COROD_OK)
    sent++;
  CHECK(sent > 16000);
  while (got < sent) {
    CHECK(client_event(&slot, &event, sizeof event));
    CHECK_EQUAL(event.head.seq, ++got);
    client_release(&slot);
    scene_settle();
  }
  CHECK(mallinfo2().uordblks + mallinfo2().hblkhd <= before + 65536);
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

static uint16_t add_big(const char *name, struct client_slot *into) {
  return client_node(&daemon_,
                     &(struct client_node){.name = name,
                                           .max_size = 8,
                                           .event_ring = COROD_RING_MAX,
                                           .reply_ring = COROD_RING_MAX,
                                           .command_ring = COROD_RING_MAX},
                     into, &answer);
}

// The limit of an attachment's memory is told, and what was given back is used again.
static void memory_limit(void) {
  struct client_slot slots[128];
  uint64_t seq;
  uint32_t n = 0;
  uint16_t type = COROD_MSG_NODE_READY;
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "waits", .max_size = 8}, &slot, &answer) ==
        COROD_MSG_NODE_READY);
  CHECK_EQUAL(corod_node_send(scene.nodes[0], 1, "", 1, &seq), COROD_OK);
  client_close(&daemon_);
  scene_settle();
  client_attach(&daemon_);
  for (; n < 128 && type == COROD_MSG_NODE_READY; n++) {
    char name[16];
    snprintf(name, sizeof name, "n%u", n);
    type = add_big(name, &slots[n]);
  }
  CHECK(type == COROD_MSG_FAILED && n > 20);
  CHECK_EQUAL(answer.status, COROD_LIMIT);
  CHECK_EQUAL(scene.removed, 1); // the node that got no memory did not stay
  // One that has events stays, and can be claimed when there is room.
  CHECK(add_big("waits", &slot) == COROD_MSG_FAILED);
  CHECK_EQUAL(scene.removed, 1);
  CHECK_EQUAL(client_ready(&daemon_).removed, 0);
  client_remove(&daemon_, &slots[0], COROD_LEAVE_DISCARD);
  CHECK(add_big("waits", &slot) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(slot.told.carried, 1);
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

int main(void) {
  attachments();
  thousand_nodes();
  backlog_memory();
  memory_limit();
  return 0;
}
