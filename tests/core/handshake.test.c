// The conversation on the attach socket: versions, a second daemon, what is refused with a text and what ends it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "client.h"

#include <sys/socket.h>

static struct client first, second;
static struct corod_message answer;
static struct client_slot slot;

static uint16_t hello(struct client *client, uint16_t min, uint16_t max) {
  struct corod_message m = {.type = COROD_MSG_HELLO, .hello = {min, max, 1, "test"}};
  return client_ask(client, &m, &answer);
}

static bool hung_up(struct client *client) {
  struct corod_message m;
  int fds[COROD_MESSAGE_FDS];
  return !client_receive(client, &m, fds);
}

static void versions(void) {
  static const uint16_t bad[][2] = {{2, 3}, {0, 0}, {2, 1}, {UINT16_MAX, UINT16_MAX}};
  scene_open(NULL);
  for (int i = 0; i < 4; i++) {
    client_connect(&first);
    CHECK(hello(&first, bad[i][0], bad[i][1]) == COROD_MSG_REFUSED);
    CHECK_EQUAL(answer.status, COROD_VERSION);
    CHECK_EQUAL(answer.refused.min, COROD_PROTOCOL_MIN);
    CHECK_EQUAL(answer.refused.max, COROD_PROTOCOL);
    char range[64];
    snprintf(range, sizeof range, "the daemon speaks %u to %u, the host %u to %u", bad[i][0], bad[i][1],
             COROD_PROTOCOL_MIN, COROD_PROTOCOL);
    CHECK(strstr(answer.refused.text, range));
    CHECK(hung_up(&first));
    client_close(&first);
  }
  client_connect(&first);
  CHECK(hello(&first, 0, 9) == COROD_MSG_WELCOME);
  CHECK_EQUAL(answer.welcome.version, COROD_PROTOCOL);
  CHECK_EQUAL(answer.welcome.pid, getpid());
  CHECK(!strcmp(answer.welcome.host, "test") && !strcmp(answer.welcome.release, "1"));
  CHECK_EQUAL(answer.welcome.max_nodes, COROD_MAX_SLOTS - 1);
  uint64_t epoch = answer.welcome.epoch;
  client_close(&first);
  client_connect(&first);
  CHECK(hello(&first, 1, 1) == COROD_MSG_WELCOME);
  CHECK(answer.welcome.epoch != epoch);
  client_close(&first);
  scene_close();
}

static void second_daemon(void) {
  scene_open(NULL);
  client_attach(&first);
  for (int i = 0; i < 20; i++) { // more than there are places for strangers
    char pid[32];
    client_connect(&second);
    CHECK(hello(&second, 1, 1) == COROD_MSG_REFUSED);
    CHECK_EQUAL(answer.status, COROD_BUSY);
    CHECK_EQUAL(answer.refused.pid, getpid());
    snprintf(pid, sizeof pid, "process %d", getpid());
    CHECK(strstr(answer.refused.text, pid));
    CHECK(hung_up(&second));
    client_close(&second);
  }
  // The first one noticed nothing.
  struct corod_message ping = {.type = COROD_MSG_PING};
  CHECK(client_ask(&first, &ping, &answer) == COROD_MSG_PONG);
  client_close(&first);
  client_attach(&second);
  client_close(&second);
  scene_close();
}

static void strangers(void) {
  struct client silent[30];
  scene_open(NULL);
  for (int i = 0; i < 30; i++) {
    client_connect(&silent[i]);
    scene_settle();
  }
  client_attach(&first); // thirty who say nothing keep nobody out
  for (int i = 0; i < 30; i++)
    client_close(&silent[i]);
  client_close(&first);
  scene_close();
}

// Bytes that are no HELLO end the connection; bytes that are no message end the attachment; the host goes on.
static void garbage(void) {
  struct corod_message m;
  uint8_t bytes[2048];
  static const size_t sizes[] = {1, 15, 16, 511, 513, 1024, 2048};
  scene_open(NULL);
  for (int attached = 0; attached < 2; attached++)
    for (int i = 0; i < 12; i++) {
      size_t size = i < 7 ? sizes[i] : sizeof m;
      if (attached)
        client_attach(&first);
      else
        client_connect(&first);
      memset(bytes, 0xA5, sizeof bytes);
      m = (struct corod_message){.magic = COROD_MAGIC, .type = attached ? COROD_MSG_PING : COROD_MSG_HELLO};
      m.hello = (struct corod_hello){1, 1, 1, "x"};
      if (i == 7)
        m.magic++;
      if (i == 8)
        m.type = attached ? COROD_MSG_HELLO : COROD_MSG_PING;
      if (i == 9)
        m.type = 4711;
      if (i == 10)
        m.fds = 1;
      if (i == 11) { // a string without end
        m.type = attached ? COROD_MSG_NODE : COROD_MSG_HELLO;
        memset(m.bytes, 'a', sizeof m.bytes);
      }
      CHECK(send(first.fd, i < 7 ? (void *)bytes : (void *)&m, size, MSG_NOSIGNAL) == (ssize_t)size);
      CHECK(hung_up(&first));
      client_close(&first);
      scene_settle();
    }
  client_attach(&first);
  client_close(&first);
  scene_close();
}

static void surplus_descriptors(void) {
  scene_open(NULL);
  uint32_t before = 0;
  for (int i = 0; i < 50; i++) {
    struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_PING};
    int fds[253];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)];
    struct iovec part = {&m, sizeof m};
    uint32_t n = i % 2 ? 253 : 1;
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
    client_attach(&first);
    memset(control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * sizeof(int));
    for (uint32_t f = 0; f < n; f++)
      fds[f] = 2;
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    CHECK(sendmsg(first.fd, &header, MSG_NOSIGNAL) == sizeof m);
    CHECK(hung_up(&first));
    client_close(&first);
    scene_settle();
    if (i == 0)
      before = scene_fds();
    CHECK_EQUAL(scene_fds(), before);
  }
  scene_close();
}

static void registrations(void) {
  static const char *const bad_names[] = {"", "a b", "a%b", "a/b", "\xc3\xa4", "a\n"};
  struct corod_core_config config;
  corod_core_defaults(&config);
  config.max_nodes = 2;
  scene_open(&config);
  client_attach(&first);
  for (int i = 0; i < 6; i++) {
    CHECK(client_node(&first, &(struct client_node){.name = bad_names[i], .max_size = 8}, &slot, &answer) ==
          COROD_MSG_FAILED);
    CHECK_EQUAL(answer.status, COROD_NAME_INVALID);
    CHECK(answer.failed.text[0]);
  }
  struct {
    struct client_node ask;
    uint32_t status;
  } bad[] = {
      {{.name = "ip4-lookup", .max_size = 8}, COROD_NAME_TAKEN},
      {{.name = "n", .max_size = COROD_MAX_EVENT + 1}, COROD_TOO_BIG},
      {{.name = "n", .max_size = 8, .executor = 1}, COROD_LIMIT},
      {{.name = "n", .max_size = 8, .executor = 999}, COROD_LIMIT},
      {{.name = "n", .max_size = 8, .overflow = 3}, COROD_UNSUPPORTED},
      {{.name = "n", .max_size = 8, .event_ring = COROD_RING_MAX + 1}, COROD_LIMIT},
      {{.name = "n", .max_size = 8, .command_ring = UINT32_MAX}, COROD_LIMIT},
      {{.name = "n", .max_size = 8, .n_next = COROD_MAX_NEXT + 1}, COROD_LIMIT},
      {{.name = "n", .max_size = 8, .n_counters = COROD_MAX_COUNTERS + 1}, COROD_LIMIT},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK(client_node(&first, &bad[i].ask, &slot, &answer) == COROD_MSG_FAILED);
    CHECK_EQUAL(answer.status, bad[i].status);
  }
  scene.create_status = COROD_NEXT_UNKNOWN;
  CHECK(client_node(&first, &(struct client_node){.name = "n", .max_size = 8}, &slot, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_NEXT_UNKNOWN);
  CHECK(!strcmp(answer.failed.text, "the test's host does not want it"));
  scene.create_status = COROD_OK;
  CHECK(client_node(&first, &(struct client_node){.name = "n", .max_size = 8}, &slot, &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(slot.told.slot, 1);
  CHECK(client_node(&first, &(struct client_node){.name = "n", .max_size = 8}, &slot, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_NAME_TAKEN);
  CHECK(client_node(&first, &(struct client_node){.name = "A.b_c-9", .max_size = 8, .n_next = 64, .n_counters = 128},
                    &slot, &answer) == COROD_MSG_NODE_READY);
  CHECK(client_node(&first, &(struct client_node){.name = "third", .max_size = 8}, &slot, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_LIMIT);
  // Ring sizes are powers of two, and the largest declared message fits wherever the cursors stand.
  client_remove(&first, &slot, COROD_LEAVE_DISCARD);
  CHECK(client_node(&first, &(struct client_node){.name = "third", .max_size = 4096, .event_ring = 5000}, &slot,
                    &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(slot.told.event_ring.size, 16384);
  CHECK(client_executor(&first, 0) == COROD_MSG_FAILED);
  CHECK(client_executor(&first, 16) == COROD_MSG_FAILED);
  CHECK(client_executor(&first, 15) == COROD_MSG_EXECUTOR);
  client_close(&first);
  scene_close();
}

// Parts in a wrong place, of a wrong index, too many or too few, duplicates.
static void parts(void) {
  scene_open(NULL);
  for (int i = 0; i < 6; i++) {
    client_attach(&first);
    struct corod_message node = {.type = COROD_MSG_NODE}, next = {.type = COROD_MSG_NEXT, .next = {.name = "x"}};
    struct corod_message end = {.type = COROD_MSG_NODE_END}, ping = {.type = COROD_MSG_PING};
    strcpy(node.node.name, "n");
    node.node.next = 2;
    if (i == 0) // a part of nothing
      client_send(&first, &next);
    else
      client_send(&first, &node);
    if (i == 1) // something else in between
      client_send(&first, &ping);
    if (i == 2) // the end too early
      client_send(&first, &end);
    if (i == 3) { // an index that is not the next one
      next.next.index = 1;
      client_send(&first, &next);
    }
    if (i == 4) // more than announced
      for (int n = 0; n < 3; n++) {
        next.next.index = (uint32_t)n;
        next.next.name[0] = (char)('a' + n);
        client_send(&first, &next);
      }
    if (i == 5) { // twice the same: a text, and the attachment goes on
      client_send(&first, &next);
      next.next.index = 1;
      client_send(&first, &next);
      CHECK(client_ask(&first, &end, &answer) == COROD_MSG_FAILED);
      CHECK_EQUAL(answer.status, COROD_NAME_TAKEN);
      CHECK(client_ask(&first, &ping, &answer) == COROD_MSG_PONG);
    } else
      CHECK(hung_up(&first));
    client_close(&first);
    scene_settle();
  }
  CHECK_EQUAL(scene.created, 0);
  scene_close();
}

// Answers that cannot be sent wait, requests wait behind them, and nothing spins or gets lost.
static void slow_reader(void) {
  enum { PINGS = 3000 };
  struct corod_message m;
  int fds[COROD_MESSAGE_FDS], sent = 0, got = 0;
  scene_open(NULL);
  client_attach(&first);
  for (int idle = 0; sent < PINGS && idle < 100;) {
    m = (struct corod_message){.magic = COROD_MAGIC, .type = COROD_MSG_PING, .call = (uint32_t)sent};
    if (send(first.fd, &m, sizeof m, MSG_NOSIGNAL) > 0)
      sent++, idle = 0;
    else
      idle++;
    scene_turn();
  }
  CHECK(sent < PINGS); // it has stopped reading
  scene_settle();      // and rests
  while (got < sent) {
    CHECK(client_receive(&first, &m, fds));
    CHECK_EQUAL(m.call, got);
    got++;
  }
  // A daemon that dies while answers wait is noticed too.
  for (int i = 0; i < PINGS; i++) {
    m = (struct corod_message){.magic = COROD_MAGIC, .type = COROD_MSG_PING};
    send(first.fd, &m, sizeof m, MSG_NOSIGNAL);
    scene_turn();
  }
  client_close(&first);
  scene_settle();
  client_attach(&second);
  client_close(&second);
  scene_close();
}

static void late_creation(void) {
  scene_open(NULL);
  scene.defer = true;
  client_attach(&first);
  for (int i = 0; i < 100; i++) { // more than may be under way at once
    struct corod_message node = {.type = COROD_MSG_NODE}, end = {.type = COROD_MSG_NODE_END, .call = (uint32_t)i};
    snprintf(node.node.name, COROD_NAME, "n%d", i);
    client_send(&first, &node);
    client_send(&first, &end);
  }
  scene_settle();
  CHECK(scene.n_deferred > 0 && scene.n_deferred <= 64);
  for (uint32_t i = 0; i < 100; i++) {
    int fds[COROD_MESSAGE_FDS];
    scene_settle();
    scene_create_deferred();
    CHECK(client_receive(&first, &answer, fds));
    CHECK(answer.type == COROD_MSG_NODE_READY);
    CHECK_EQUAL(answer.call, i);
  }
  // The daemon dies with creations under way; the next one claims one of them, the other one goes.
  struct corod_message node = {.type = COROD_MSG_NODE}, end = {.type = COROD_MSG_NODE_END};
  strcpy(node.node.name, "claimed");
  client_send(&first, &node);
  client_send(&first, &end);
  strcpy(node.node.name, "forgotten");
  client_send(&first, &node);
  client_send(&first, &end);
  scene_settle();
  CHECK_EQUAL(scene.n_deferred, 2);
  client_close(&first);
  scene_settle();
  client_attach(&second);
  strcpy(node.node.name, "claimed");
  client_send(&second, &node);
  end.call = 77;
  client_send(&second, &end);
  CHECK_EQUAL(client_ready(&second).removed, 101);
  uint32_t removed = scene.removed;
  scene_create_deferred();
  int fds[COROD_MESSAGE_FDS];
  CHECK(client_receive(&second, &answer, fds));
  CHECK(answer.type == COROD_MSG_NODE_READY && answer.call == 77);
  CHECK_EQUAL(scene.removed, removed + 1);
  CHECK(corod_node_find(scene.core, "claimed") && !corod_node_find(scene.core, "forgotten"));
  client_close(&second);
  scene_close();
}

int main(void) {
  versions();
  second_daemon();
  strangers();
  garbage();
  surplus_descriptors();
  registrations();
  parts();
  slow_reader();
  late_creation();
  return 0;
}
