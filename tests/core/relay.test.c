// From acceptance to the event ring: order, the backlog and its bounds, each overflow policy and what it tells.
#include "client.h"

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;
static uint64_t seq;

static struct {
  struct corod_record head;
  uint8_t bytes[8192];
} event;

static void open_node(const struct client_node *node) {
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, node, &slot, &answer) == COROD_MSG_NODE_READY);
}

static void close_node(void) {
  client_close(&daemon_);
  scene_close();
}

static uint32_t send(uint32_t n, uint32_t bytes) {
  static uint8_t payload[4096];
  for (uint32_t i = 0; i < bytes; i++)
    payload[i] = (uint8_t)(n + i);
  return corod_node_send(scene.nodes[0], 1, payload, bytes, &seq);
}

static bool next(void) {
  return client_event(&slot, &event, sizeof event);
}

static struct corod_gap gap(void) {
  struct corod_gap g;
  CHECK_EQUAL(event.head.kind, COROD_KIND_GAP);
  CHECK_EQUAL(event.head.type, COROD_CODE_GAP);
  CHECK_EQUAL(event.head.size, sizeof event.head + sizeof g);
  memcpy(&g, event.bytes, sizeof g);
  return g;
}

// Every size, far more than the ring holds: all arrive whole, in order, through ring and backlog.
static void order(void) {
  enum { TOTAL = 4000 };
  uint32_t sent = 0, got = 0;
  open_node(&(struct client_node){.name = "n", .max_size = 2000, .event_ring = 4096});
  while (got < TOTAL) {
    for (int burst = 0; burst < 37 && sent < TOTAL; burst++, sent++) {
      scene.now += 5;
      CHECK_EQUAL(send(sent, sent % 2001), COROD_OK);
      CHECK_EQUAL(seq, sent + 1);
    }
    for (int n = 0; n < 29 && next(); n++, got++) {
      CHECK_EQUAL(event.head.kind, COROD_KIND_EVENT);
      CHECK_EQUAL(event.head.seq, got + 1);
      CHECK_EQUAL(event.head.type, 1);
      CHECK_EQUAL(event.head.size, sizeof event.head + got % 2001);
      CHECK_EQUAL(event.head.time, 1000000000 + 5 * (got + 1));
      CHECK_EQUAL(event.head.attempts + event.head.flags + event.head.answer, 0);
      for (uint32_t i = 0; i < got % 2001; i++)
        CHECK(event.bytes[i] == (uint8_t)(got + i));
    }
    client_release(&slot);
    scene_settle();
  }
  CHECK(!next());
  close_node();
}

// Full ring: the host asks for space, and the daemon's release brings the rest without any other help.
static void starved(void) {
  open_node(&(struct client_node){.name = "n", .max_size = 1000, .event_ring = 4096});
  for (uint32_t i = 0; i < 20; i++)
    CHECK_EQUAL(send(i, 1000), COROD_OK);
  CHECK_EQUAL(atomic_load(&slot.b->event_starved), 1);
  uint32_t got = 0;
  while (got < 20) {
    CHECK(next());
    got++;
    client_release(&slot);
    scene_settle();
  }
  CHECK(!next());
  CHECK_EQUAL(atomic_load(&slot.b->event_starved), 0);
  close_node();
}

// The bell rings once per sleep, and only then.
static void bells(void) {
  char bytes[16];
  open_node(&(struct client_node){.name = "n", .max_size = 8});
  CHECK(corod_bell_arm(&daemon_.bell[0]->to_daemon));
  for (int i = 0; i < 5; i++)
    send(0, 8);
  CHECK_EQUAL(read(daemon_.wait_fd[0], bytes, sizeof bytes), 1);
  uint64_t ready[COROD_READY_WORDS] = {0};
  CHECK_EQUAL(corod_bell_collect(&daemon_.bell[0]->to_daemon, ready), 1);
  CHECK_EQUAL(ready[0], 1ull << slot.told.slot);
  send(0, 8);
  CHECK(read(daemon_.wait_fd[0], bytes, sizeof bytes) < 0); // awake: not rung
  CHECK(!corod_bell_arm(&daemon_.bell[0]->to_daemon));      // and told when it wants to sleep
  close_node();
}

static void reject(void) {
  open_node(&(struct client_node){.name = "n", .max_size = 1000, .event_ring = 4096, .backlog = 5});
  uint32_t accepted = 0;
  while (send(accepted, 1000) == COROD_OK)
    accepted++;
  CHECK_EQUAL(send(0, 1000), COROD_FULL);
  CHECK_EQUAL(seq, 0);
  // Who cannot be told is dropped, with a place, and the node is told before the next event.
  uint64_t lost = accepted;
  for (int i = 0; i < 3; i++)
    CHECK_EQUAL(corod_node_signal(scene.nodes[0], 2, 7), COROD_FULL);
  struct corod_interface transition = {.index = 1};
  corod_interface_changed(scene.core, &transition);
  for (uint32_t i = 0; i < accepted; i++) {
    CHECK(next());
    CHECK_EQUAL(event.head.seq, i + 1);
    client_release(&slot);
    scene_settle();
  }
  CHECK_EQUAL(send(0, 10), COROD_OK);
  CHECK_EQUAL(seq, lost + 5);
  CHECK(next());
  struct corod_gap g = gap();
  CHECK(g.first == lost + 1 && g.last == lost + 4 && g.count == 4);
  CHECK(next());
  CHECK_EQUAL(event.head.seq, lost + 5);
  close_node();
}

static void drop_oldest(void) {
  open_node(&(struct client_node){
      .name = "n", .max_size = 1000, .event_ring = 4096, .backlog = 5, .overflow = COROD_OVERFLOW_DROP_OLDEST});
  uint32_t in_ring = 0;
  for (uint32_t i = 0; i < 50; i++)
    CHECK_EQUAL(send(i, 1000), COROD_OK);
  // What is in the ring stays; of the others the last five remain.
  for (; next() && event.head.kind == COROD_KIND_EVENT; in_ring++) {
    CHECK_EQUAL(event.head.seq, in_ring + 1);
    client_release(&slot);
    scene_settle();
  }
  struct corod_gap g = gap();
  CHECK(g.first == in_ring + 1 && g.last == 45 && g.count == 45 - in_ring);
  client_release(&slot);
  scene_settle();
  for (uint32_t i = 46; i <= 50; i++) {
    CHECK(next());
    CHECK_EQUAL(event.head.seq, i);
    client_release(&slot);
    scene_settle();
  }
  CHECK(!next());
  close_node();
}

static void drop_newest(void) {
  open_node(&(struct client_node){
      .name = "n", .max_size = 1000, .event_ring = 4096, .backlog = 5, .overflow = COROD_OVERFLOW_DROP_NEWEST});
  uint32_t kept = 0, got = 0;
  while (send(kept, 1000) == COROD_OK)
    kept++;
  CHECK_EQUAL(seq, kept + 1); // dropped ones have a place
  for (uint32_t i = 0; i < 9; i++)
    CHECK_EQUAL(send(i, 1000), COROD_FULL);
  CHECK_EQUAL(seq, kept + 10);
  // Room again: the notice, then the next one, and another loss after that.
  CHECK(next());
  got++;
  client_release(&slot);
  scene_settle();
  CHECK_EQUAL(send(0, 1000), COROD_OK);
  CHECK_EQUAL(seq, kept + 11);
  CHECK_EQUAL(send(0, 1000), COROD_FULL);
  for (; got < kept; got++) {
    CHECK(next());
    CHECK_EQUAL(event.head.seq, got + 1);
    client_release(&slot);
    scene_settle();
  }
  CHECK(next());
  struct corod_gap g = gap();
  CHECK(g.first == kept + 1 && g.last == kept + 10 && g.count == 10);
  CHECK(next());
  CHECK_EQUAL(event.head.seq, kept + 11);
  client_release(&slot);
  scene_settle();
  // The queue is empty: the last loss is told though no further event came.
  CHECK(next());
  g = gap();
  CHECK(g.first == kept + 12 && g.last == kept + 12 && g.count == 1);
  close_node();
}

// The bound in bytes holds too, and gaps that drop-oldest meets are merged, not lost.
static void bytes_and_merging(void) {
  open_node(&(struct client_node){.name = "n",
                                  .max_size = 1000,
                                  .event_ring = 4096,
                                  .backlog_bytes = 4000,
                                  .overflow = COROD_OVERFLOW_DROP_OLDEST});
  for (uint32_t i = 0; i < 6; i++)
    send(i, 1000);
  corod_interface_missed(scene.core); // a gap of unknown length somewhere in the backlog
  for (uint32_t i = 0; i < 60; i++)
    CHECK_EQUAL(send(i, 1000), COROD_OK);
  uint64_t expected = 0, missing = 0;
  bool unknown = false;
  while (next()) {
    if (event.head.kind == COROD_KIND_GAP) {
      struct corod_gap g = gap();
      unknown |= g.count == 0;
      CHECK_EQUAL(g.first, expected + 1);
      missing += g.last - g.first + 1;
      expected = g.last;
    } else
      CHECK_EQUAL(event.head.seq, ++expected);
    client_release(&slot);
    scene_settle();
  }
  CHECK_EQUAL(expected, 66);
  CHECK(unknown && missing > 50);
  close_node();
}

static void missed(void) {
  open_node(&(struct client_node){.name = "n", .max_size = 8});
  struct corod_interface up = {.index = 3, .change = COROD_CHANGE_LINK, .link = 1, .name = "eth3"};
  corod_interface_changed(scene.core, &up);
  corod_interface_missed(scene.core);
  corod_interface_missed(scene.core);
  up.change = COROD_CHANGE_RESYNC;
  corod_interface_changed(scene.core, &up);
  CHECK(next());
  CHECK(event.head.type == COROD_CODE_INTERFACE && event.head.size == sizeof event.head + sizeof up);
  up.change = COROD_CHANGE_LINK;
  CHECK(!memcmp(event.bytes, &up, sizeof up));
  for (int i = 0; i < 2; i++) {
    CHECK(next());
    struct corod_gap g = gap();
    CHECK(g.first == 0 && g.last == 0 && g.count == 0);
  }
  CHECK(next());
  CHECK_EQUAL(((struct corod_interface *)(void *)event.bytes)->change, COROD_CHANGE_RESYNC);
  close_node();
}

static void refused(void) {
  open_node(&(struct client_node){.name = "n", .max_size = 8});
  struct corod_node *node = scene.nodes[0];
  uint8_t payload[16] = {0};
  CHECK_EQUAL(corod_node_send(node, 3, payload, 1, &seq), COROD_TYPE_UNKNOWN);
  CHECK_EQUAL(corod_node_send(node, COROD_CODE_INTERFACE, payload, 1, &seq), COROD_TYPE_UNKNOWN);
  CHECK_EQUAL(corod_node_send(node, 1, payload, 9, &seq), COROD_TOO_BIG);
  CHECK_EQUAL(corod_node_send(node, 1, payload, UINT32_MAX, &seq), COROD_TOO_BIG);
  CHECK_EQUAL(corod_node_signal(node, 3, 0), COROD_TYPE_UNKNOWN);
  CHECK_EQUAL(corod_node_signal(node, 0x100000001, 0), COROD_TYPE_UNKNOWN);
  CHECK_EQUAL(corod_node_signal(node, UINT64_MAX, 0), COROD_TYPE_UNKNOWN);
  CHECK(!next());
  CHECK_EQUAL(corod_node_signal(node, 1, 0x1122334455667788), COROD_OK);
  CHECK(next());
  CHECK(event.head.kind == COROD_KIND_SIGNAL && event.head.seq == 1 && event.head.type == 1);
  CHECK_EQUAL(*(uint64_t *)(void *)event.bytes, 0x1122334455667788);
  // Handles: of this life, of an earlier one, of nobody.
  uint32_t number, generation, status;
  corod_node_handle(node, &number, &generation);
  CHECK(corod_node_by_handle(scene.core, number, generation, &status) == node && status == COROD_OK);
  CHECK(!corod_node_by_handle(scene.core, number, generation + 1, &status) && status == COROD_NODE_UNKNOWN);
  CHECK(!corod_node_by_handle(scene.core, 2, 1, &status) && status == COROD_NODE_UNKNOWN);
  CHECK(!corod_node_by_handle(scene.core, UINT32_MAX, 1, &status) && status == COROD_NODE_UNKNOWN);
  client_remove(&daemon_, &slot, COROD_LEAVE_DISCARD);
  CHECK(!corod_node_by_handle(scene.core, number, generation, &status) && status == COROD_STALE);
  CHECK(!corod_node_find(scene.core, "n"));
  close_node();
}

int main(void) {
  order();
  starved();
  bells();
  reject();
  drop_oldest();
  drop_newest();
  bytes_and_merging();
  missed();
  refused();
  return 0;
}
