// Random lives of nodes: registered, closed, kept, parked, changed, discarded, claimed by the next daemon, refused by
// the host, now or later. Whatever happens, every event that was accepted is delivered, waits, or was counted as
// discarded; and none is delivered after its node was said to be without it.
#include "client.h"

#define NODES 3
#define STEPS 400
#define SEEDS 150

static struct client daemon_;
static struct corod_message answer;
static bool attached;
static uint64_t random_state;

static struct {
  struct client_slot slot;
  bool ours; // the daemon has it
  uint64_t released;
} nodes[NODES];
static uint64_t accepted, delivered;

static const char *const names[NODES] = {"a", "b", "c"};

static uint32_t random_number(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(random_state >> 33);
}

static void attach(void) {
  client_attach(&daemon_);
  attached = true;
}

static void die(void) {
  client_close(&daemon_);
  attached = false;
  for (int i = 0; i < NODES; i++)
    nodes[i].ours = false;
  scene_settle();
}

static void send(int i) {
  static const uint8_t payload[700];
  struct corod_node *node = corod_node_find(scene.core, names[i]);
  uint64_t seq;
  for (uint32_t n = random_number() % 8; node && n > 0; n--)
    accepted += corod_node_send(node, 1, payload, random_number() % 700, &seq) == COROD_OK;
}

// Takes some, and releases all of these or none.
static void read_some(int i) {
  static struct {
    struct corod_record head;
    uint8_t bytes[4096];
  } event;
  uint32_t events = 0;
  uint64_t last = nodes[i].released;
  for (uint32_t n = random_number() % 12; n > 0 && client_event(&nodes[i].slot, &event, sizeof event); n--)
    if (event.head.kind == COROD_KIND_EVENT) {
      CHECK(event.head.seq > last); // in order, never one that was released
      last = event.head.seq;
      events++;
    }
  client_handed(&nodes[i].slot);
  if (random_number() % 4 == 0) { // the coroutine has them in hand, and the daemon dies with them
    die();
    return;
  }
  client_release(&nodes[i].slot);
  delivered += events;
  nodes[i].released = last;
}

static void add(int i) {
  struct client_node ask = {.name = names[i],
                            .max_size = 700,
                            .event_ring = 4096u << random_number() % 3,
                            .backlog = 5 + random_number() % 40,
                            .overflow = COROD_OVERFLOW_REJECT,
                            .n_next = (uint16_t)(random_number() % 2),
                            .n_counters = (uint16_t)(random_number() % 2)};
  bool made = corod_node_find(scene.core, names[i]) != NULL;
  scene.create_status = random_number() % 5 ? COROD_OK : COROD_NEXT_UNKNOWN;
  uint16_t type = client_node(&daemon_, &ask, &nodes[i].slot, &answer);
  scene.create_status = COROD_OK;
  nodes[i].ours = type == COROD_MSG_NODE_READY;
  if (type != COROD_MSG_NODE_READY)
    return;
  if (!made) // a new life: it counts from the beginning
    nodes[i].released = 0;
  CHECK(nodes[i].slot.told.seq >= nodes[i].released);
}

static void let_go(int i) {
  uint32_t how = random_number() % 3, waiting = 0;
  struct corod_node_info info;
  corod_node_info(corod_node_find(scene.core, names[i]), &info);
  waiting = info.in_flight + info.waiting;
  uint32_t discarded = client_remove(&daemon_, &nodes[i].slot, how).discarded;
  CHECK_EQUAL(discarded, how == COROD_LEAVE_KEEP ? 0 : waiting);
  nodes[i].ours = false;
  if (how == COROD_LEAVE_DISCARD)
    CHECK(!corod_node_find(scene.core, names[i]));
}

static void close_inbox(int i) {
  struct corod_message m = {.type = COROD_MSG_NODE_CLOSE};
  m.node_close = (struct corod_node_close){nodes[i].slot.told.slot, nodes[i].slot.told.generation};
  CHECK(client_ask(&daemon_, &m, &answer) == COROD_MSG_NODE_CLOSED);
}

static void conserved(void) {
  struct corod_core_info info;
  corod_core_info(scene.core, &info);
  CHECK_EQUAL(accepted, delivered + info.stats.events_discarded + info.in_flight + info.waiting);
}

static void step(void) {
  int i = (int)(random_number() % NODES);
  uint32_t what = random_number() % 20;
  if (what < 7)
    send(i);
  else if (!attached)
    attach();
  else if (what == 7)
    die();
  else if (what == 8)
    (void)client_ready(&daemon_);
  else if (!nodes[i].ours)
    add(i);
  else if (what < 16)
    read_some(i);
  else if (what < 18)
    let_go(i);
  else if (what == 18)
    close_inbox(i);
  scene_settle();
  conserved();
}

int main(void) {
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    random_state = seed;
    accepted = delivered = 0;
    memset(nodes, 0, sizeof nodes);
    scene_open(NULL);
    for (int i = 0; i < STEPS; i++)
      step();
    if (attached)
      die();
    scene_close();
  }
  return 0;
}
