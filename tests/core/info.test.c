// What the core tells of the attachment and its nodes, as values and as `show corod` prints them: true now, not as last
// looked at.
#include "client.h"

#include <stdarg.h>

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;
static uint64_t seq;

static struct {
  struct corod_record head;
  uint8_t bytes[8192];
} event;

static char printed[65536];

__attribute__((format(printf, 2, 3))) static void print(void *arg, const char *format, ...) {
  size_t used = strlen(printed);
  va_list args;
  (void)arg;
  va_start(args, format);
  vsnprintf(printed + used, sizeof printed - used, format, args);
  va_end(args);
}

static const char *show(const char *what) {
  printed[0] = 0;
  CHECK(corod_show(scene.core, what, print, NULL));
  return printed;
}

static struct corod_node_info node(void) {
  struct corod_node_info info;
  corod_node_info(corod_node_find(scene.core, "n"), &info);
  return info;
}

static struct corod_core_info core(void) {
  struct corod_core_info info;
  corod_core_info(scene.core, &info);
  return info;
}

static const struct client_node shape = {
    .name = "n", .max_size = 400, .event_ring = 4096, .backlog = 9, .backlog_bytes = 8192, .n_next = 2};

static void open_node(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &shape, &slot, &answer) == COROD_MSG_NODE_READY);
}

static void send(uint32_t n) {
  static const uint8_t payload[400];
  for (uint32_t i = 0; i < n; i++)
    (void)corod_node_send(corod_node_find(scene.core, "n"), 1, payload, sizeof payload, &seq);
}

static void attachment(void) {
  scene_open(NULL);
  struct corod_core_info i = core();
  CHECK(i.attached == COROD_ATTACHED_NOT && i.pid == 0 && i.epoch == 0 && i.all_nodes == 0);
  CHECK(!strcmp(i.socket, scene.socket) && !strcmp(i.program, ""));
  CHECK(strstr(show("attachment"), "no daemon is attached to"));
  scene.now += 1000000000;
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &shape, &slot, &answer) == COROD_MSG_NODE_READY);
  scene.now += 2500000000;
  i = core();
  CHECK(i.attached == COROD_ATTACHED && i.pid == (uint32_t)getpid() && i.epoch == daemon_.welcome.epoch);
  CHECK(!strcmp(i.program, "test") && i.version == COROD_PROTOCOL);
  CHECK_EQUAL(i.age, 2500000000);
  CHECK(i.executors == 1 && i.nodes == 1 && i.all_nodes == 1 && i.creating == 0);
  CHECK(i.regions == daemon_.n_regions && i.memory >= 4096);
  CHECK(i.stats.attachments == 1 && i.stats.messages > 0);
  CHECK(strstr(show(""), "(test) for 2.5 s"));
  client_close(&daemon_);
  scene_settle();
  i = core();
  CHECK(i.attached == COROD_ATTACHED_NOT && i.nodes == 0 && i.all_nodes == 1);
  scene_close();
}

// The daemon releases without a word: nobody wants room. Who asks is told all the same.
static void in_flight(void) {
  open_node();
  send(5);
  CHECK_EQUAL(node().in_flight, 5);
  for (int i = 0; i < 2; i++)
    CHECK(client_event(&slot, &event, sizeof event));
  client_release(&slot);
  struct corod_node_info i = node();
  CHECK(i.in_flight == 3 && i.waiting == 0);
  CHECK(strstr(show("node n"), "in flight 3 of the ring"));
  CHECK(client_event(&slot, &event, sizeof event));
  client_release(&slot);
  CHECK(strstr(show("nodes"), " attached          2         0            5 "));
  CHECK(client_event(&slot, &event, sizeof event));
  client_release(&slot);
  CHECK_EQUAL(core().in_flight, 1);
  client_close(&daemon_);
  scene_close();
}

static void queue(void) {
  open_node();
  send(40);
  struct corod_node_info i = node();
  CHECK(i.is == COROD_NODE_IS_ATTACHED && !i.closed && i.slot == slot.told.slot && i.index == slot.told.node);
  CHECK_EQUAL(i.generation, slot.told.generation);
  CHECK(i.event_ring == 4096 && i.backlog == 9 && i.backlog_bytes == 8192 && i.overflow == COROD_OVERFLOW_REJECT);
  CHECK(i.in_flight > 0 && i.waiting == 9 && i.waiting_bytes == 9 * 432);
  CHECK_EQUAL(i.stats.accepted, i.in_flight + i.waiting);
  CHECK_EQUAL(i.stats.rejected, 40 - i.stats.accepted);
  CHECK_EQUAL(i.seq, i.stats.accepted);
  CHECK(i.n_codes == 3 && i.codes[0].code == 1 && i.codes[0].max_size == 400);
  struct corod_core_info c = core();
  CHECK(c.in_flight == i.in_flight && c.waiting == i.waiting && c.accepted == i.stats.accepted);
  CHECK(client_event(&slot, &event, sizeof event));
  client_handed(&slot);
  client_close(&daemon_);
  scene_settle();
  i = node();
  CHECK(i.is == COROD_NODE_IS_AWAY && i.in_flight == 0 && i.waiting == i.stats.accepted);
  CHECK(i.stats.redelivered == 1 && core().redelivered == 1);
  scene_close();
}

static void states(void) {
  open_node();
  CHECK(client_remove(&daemon_, &slot, COROD_LEAVE_PARK).discarded == 0);
  CHECK(node().is == COROD_NODE_IS_PARKED && node().closed);
  scene.defer = true;
  struct corod_message m = {.type = COROD_MSG_NODE};
  strcpy(m.node.name, "n");
  client_send(&daemon_, &m);
  m = (struct corod_message){.type = COROD_MSG_NODE_END};
  client_send(&daemon_, &m);
  scene_settle();
  CHECK(node().is == COROD_NODE_IS_CHANGING && core().creating == 1);
  scene_create_deferred();
  CHECK(node().is == COROD_NODE_IS_ATTACHED && core().creating == 0);
  m = (struct corod_message){.type = COROD_MSG_NODE};
  strcpy(m.node.name, "new");
  client_send(&daemon_, &m);
  m = (struct corod_message){.type = COROD_MSG_NODE_END};
  client_send(&daemon_, &m);
  scene_settle();
  struct corod_node_info i;
  CHECK(corod_node_at(scene.core, 0) == NULL && corod_node_at(scene.core, 3) == NULL);
  CHECK(corod_node_at(scene.core, COROD_MAX_SLOTS) == NULL);
  corod_node_info(corod_node_at(scene.core, 2), &i);
  CHECK(!strcmp(i.name, "new") && i.is == COROD_NODE_IS_CREATING && i.index == UINT32_MAX);
  scene_create_deferred();
  client_close(&daemon_);
  scene_settle();
  CHECK_EQUAL(core().attached, COROD_ATTACHED_NOT);
  scene_close();
}

// Who asks finds a cursor that is none, and the attachment ends as if the daemon had been asked.
static void lying(void) {
  open_node();
  send(2);
  atomic_store(&slot.b->event_head, 4);
  CHECK_EQUAL(node().in_flight, 2);
  scene_settle();
  struct corod_core_info i = core();
  CHECK(i.attached == COROD_ATTACHED_NOT && i.stats.malformed == 1 && i.waiting == 2);
  client_close(&daemon_);
  scene_close();
}

int main(void) {
  attachment();
  in_flight();
  queue();
  states();
  lying();
  return 0;
}
