// The process node's wait: how long, when it is relayed, when its process is woken.
#include "client.h"

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;

static void set(uint64_t at) {
  atomic_store(&slot.b->deadline, at);
  client_ring(&slot);
  scene_settle();
}

// Whether the daemon was told of its slot since the last call.
static bool told(void) {
  uint64_t ready[COROD_READY_WORDS] = {0};
  corod_bell_collect(&daemon_.bell[0]->to_daemon, ready);
  return ready[0] & 1ull << slot.told.slot;
}

int main(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "n", .max_size = 8}, &slot, &answer) ==
        COROD_MSG_NODE_READY);
  struct corod_node *node = scene.nodes[0];
  uint64_t now = scene.now;
  told();
  CHECK(corod_node_run(node, now) == UINT64_MAX); // none
  CHECK_EQUAL(scene.woken, 0);
  // Nearer than what the process waits for: woken. Later: not.
  set(now + 50000000);
  CHECK_EQUAL(scene.woken, 1);
  CHECK_EQUAL(corod_node_run(node, now), 50000000);
  set(now + 60000000);
  CHECK_EQUAL(scene.woken, 1);
  set(now + 20000000);
  CHECK_EQUAL(scene.woken, 2);
  CHECK_EQUAL(corod_node_run(node, now), 20000000);
  CHECK(!told());
  // Due: relayed once, and looked at again, less and less often, until it changes.
  CHECK_EQUAL(corod_node_run(node, now += 20000000), 1000000);
  CHECK(told());
  CHECK_EQUAL(corod_node_run(node, now += 1000000), 2000000);
  CHECK(told());
  CHECK_EQUAL(corod_node_run(node, now += 2000000), 4000000);
  for (int i = 0; i < 20; i++)
    now += corod_node_run(node, now);
  CHECK_EQUAL(corod_node_run(node, now), 1024000000);
  uint32_t woken = scene.woken;
  client_ring(&slot);
  scene_settle();
  CHECK_EQUAL(scene.woken, woken); // the deadline that was relayed wakes nobody
  set(now + 5000000);
  CHECK_EQUAL(scene.woken, woken + 1);
  CHECK_EQUAL(corod_node_run(node, now), 5000000);
  // Under 10 us: a host could not wait for it. Relayed at once, and again when it is truly due.
  told();
  set(now + 9999);
  CHECK_EQUAL(corod_node_run(node, now), 10000);
  CHECK(told());
  CHECK_EQUAL(corod_node_run(node, now += 10000), 1000000);
  CHECK(told());
  set(now + 10000);
  CHECK_EQUAL(corod_node_run(node, now), 10000);
  CHECK(!told());
  // Garbage is a deadline like any other.
  set(0);
  CHECK_EQUAL(corod_node_run(node, now), 1000000);
  set(UINT64_MAX - 1);
  CHECK_EQUAL(corod_node_run(node, now), UINT64_MAX - 1 - now);
  set(UINT64_MAX);
  CHECK(corod_node_run(node, now) == UINT64_MAX);
  // Without a daemon there is nothing to wait for.
  set(now + 50000000);
  client_close(&daemon_);
  scene_settle();
  CHECK(corod_node_run(node, now) == UINT64_MAX);
  scene_close();
  return 0;
}
