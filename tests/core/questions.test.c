// Questions: events whose senders wait. Every end of one: reply, refusal, silence, timeout, death, a dropped event; who
// is told, once; and what a daemon that lies can do.
#include "client.h"

#define MS 1000000ull

static struct client daemon_;
static struct client_slot asker, node;
static struct corod_message answer;

static struct {
  struct corod_record head;
  uint8_t bytes[70000];
} record, event;

static struct {
  uint32_t calls, status, n;
  char bytes[64];
} told;

static void answered(void *arg, uint32_t status, const void *bytes, uint32_t n) {
  CHECK(arg == &told);
  told.calls++;
  told.status = status;
  told.n = n;
  memcpy(told.bytes, bytes ? bytes : "", n);
}

static const struct client_node shape = {.name = "n", .max_size = 64};

static void open_with(const struct client_node *of_node) {
  scene_open(NULL);
  memset(&told, 0, sizeof told);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "asker", .max_size = 64}, &asker, &answer) ==
        COROD_MSG_NODE_READY);
  CHECK(client_node(&daemon_, of_node, &node, &answer) == COROD_MSG_NODE_READY);
}

static void close_all(void) {
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

static void ask(struct client_slot *from, uint64_t call, uint32_t ms, const char *text) {
  struct corod_send to = {.slot = node.told.slot, .generation = node.told.generation, .type = 1, .wants = ms};
  CHECK(client_command(from, COROD_OP_SEND, call, &to, sizeof to, text, (uint32_t)strlen(text)));
  scene_settle();
}

// By the host's own sender.
static uint32_t ask_here(uint64_t ms, uint32_t *handle) {
  uint64_t seq;
  return corod_node_ask(corod_node_find(scene.core, "n"), 1, "here", 4, answered, &told, scene.now + ms * MS, &seq,
                        handle);
}

// The handle in the node's next event.
static uint32_t next_event(void) {
  CHECK(client_event(&node, &event, sizeof event));
  return event.head.answer;
}

static void reply_with(struct client_slot *from, uint32_t handle, uint32_t status, const void *bytes, uint32_t n) {
  struct corod_answer to = {handle, status};
  CHECK(client_command(from, COROD_OP_ANSWER, 0, &to, sizeof to, bytes, n));
  scene_settle();
}

// Its outcome is there: that status, that place in the order, that text.
static void expect(struct client_slot *from, uint64_t call, uint32_t status, uint64_t seq, const char *text) {
  struct corod_accepted accepted;
  CHECK(client_reply(from, &record, sizeof record));
  CHECK_EQUAL(record.head.seq, call);
  CHECK_EQUAL(record.head.type, status);
  CHECK_EQUAL(record.head.size, sizeof record.head + sizeof accepted + strlen(text));
  memcpy(&accepted, record.bytes, sizeof accepted);
  CHECK_EQUAL(accepted.seq, seq);
  CHECK(!memcmp(record.bytes + sizeof accepted, text, strlen(text)));
  CHECK(!client_reply(from, &record, sizeof record));
}

static void ends(void) {
  open_with(&shape);
  ask(&asker, 7, 1000, "one");
  CHECK(!client_reply(&asker, &record, sizeof record)); // accepted is not answered
  uint32_t first = next_event();
  CHECK(first != 0);
  reply_with(&node, first, COROD_OK, "yes", 3);
  expect(&asker, 7, COROD_OK, 1, "yes");
  // A second answer finds nobody.
  reply_with(&node, first, COROD_OK, "again", 5);
  CHECK(!client_reply(&asker, &record, sizeof record));

  ask(&daemon_.own, 8, 1000, "two");
  uint32_t second = next_event();
  CHECK(second != first);
  reply_with(&node, second, COROD_REFUSED, "no such key", 11);
  expect(&daemon_.own, 8, COROD_REFUSED, 2, "no such key");

  ask(&asker, 9, 1000, "three");
  reply_with(&node, next_event(), COROD_UNANSWERED, NULL, 0);
  expect(&asker, 9, COROD_UNANSWERED, 3, "");
  ask(&asker, 10, 1000, "four");
  reply_with(&node, next_event(), COROD_DIED, NULL, 0);
  expect(&asker, 10, COROD_DIED, 4, "");

  // Who does not ask gets the place at once, and its event has no handle. Neither has that of one who cannot be told.
  ask(&asker, 11, 0, "five");
  expect(&asker, 11, COROD_OK, 5, "");
  CHECK_EQUAL(next_event(), 0);
  ask(&asker, 0, 1000, "six");
  CHECK_EQUAL(next_event(), 0);
  // The event may be released first.
  ask(&asker, 12, 1000, "seven");
  uint32_t late = next_event();
  client_release(&node);
  scene_settle();
  reply_with(&node, late, COROD_OK, "", 0);
  expect(&asker, 12, COROD_OK, 7, "");
  close_all();
}

static void refused_at_once(void) {
  struct client_node small = shape;
  open_with(&small);
  struct corod_send to = {.slot = node.told.slot, .generation = node.told.generation, .type = 9, .wants = 5};
  static uint8_t big[65];
  CHECK(client_command(&asker, COROD_OP_SEND, 1, &to, sizeof to, NULL, 0));
  to.type = 1;
  CHECK(client_command(&asker, COROD_OP_SEND, 2, &to, sizeof to, big, sizeof big));
  to.generation++;
  CHECK(client_command(&asker, COROD_OP_SEND, 3, &to, sizeof to, NULL, 0));
  scene_settle();
  static const uint32_t wanted[] = {COROD_TYPE_UNKNOWN, COROD_TOO_BIG, COROD_NODE_UNKNOWN};
  for (uint32_t i = 0; i < 3; i++) {
    CHECK(client_reply(&asker, &record, sizeof record));
    CHECK(record.head.seq == i + 1 && record.head.type == wanted[i] && record.head.size == sizeof record.head);
  }
  CHECK_EQUAL(corod_node_ask(corod_node_find(scene.core, "n"), 9, "", 0, answered, &told, 0, &(uint64_t){0}, NULL),
              COROD_TYPE_UNKNOWN);
  scene_settle();
  CHECK_EQUAL(told.calls, 0);
  close_all();
}

// Lets virtual time pass until the outcome is there; the timer itself is real.
static void pass(uint64_t ms) {
  scene.now += ms * MS;
}

static void timeouts(void) {
  open_with(&shape);
  ask(&asker, 1, 30, "late");
  ask(&asker, 2, 10, "later");
  ask(&asker, 3, 20, "latest");
  uint32_t first = next_event();
  pass(10);
  while (!client_reply(&asker, &record, sizeof record))
    scene_turn();
  CHECK(record.head.seq == 2 && record.head.type == COROD_TIMEOUT);
  pass(20);
  for (uint64_t call = 3; call; call = call == 3 ? 1 : 0) {
    while (!client_reply(&asker, &record, sizeof record))
      scene_turn();
    CHECK(record.head.seq == call && record.head.type == COROD_TIMEOUT);
  }
  reply_with(&node, first, COROD_OK, "too late", 8);
  CHECK(!client_reply(&asker, &record, sizeof record));
  // An event that waits in the queue, and nobody waits for its answer any more, tells the node so.
  CHECK_EQUAL(ask_here(1, NULL), COROD_OK);
  pass(1);
  while (!told.calls)
    scene_turn();
  CHECK_EQUAL(told.status, COROD_TIMEOUT);
  close_all();
}

static void lies(void) {
  static uint8_t big[COROD_MAX_EVENT + 1];
  open_with(&shape);
  ask(&asker, 1, 1000, "x");
  uint32_t handle = next_event();
  reply_with(&asker, handle, COROD_OK, "mine", 4);        // not its event
  reply_with(&daemon_.own, handle, COROD_OK, "mine", 4);  // no node at all
  reply_with(&node, handle ^ 1, COROD_OK, "other", 5);    // another place
  reply_with(&node, handle + (1 << 14), COROD_OK, "", 0); // another use of it
  reply_with(&node, 0, COROD_OK, "", 0);
  reply_with(&node, UINT32_MAX, COROD_OK, "", 0);
  reply_with(&node, handle, COROD_FULL, "", 0); // no way to answer
  reply_with(&node, handle, COROD_OK, big, sizeof big);
  CHECK(client_command(&node, COROD_OP_ANSWER, 0, &handle, sizeof handle, NULL, 0));
  scene_settle();
  CHECK(!client_reply(&asker, &record, sizeof record));
  reply_with(&node, handle, COROD_OK, big, COROD_MAX_EVENT);
  uint32_t bytes = 0;
  do {
    CHECK(client_reply(&asker, &record, sizeof record));
    bytes += record.head.size - (uint32_t)sizeof record.head;
  } while (record.head.flags & COROD_FLAG_MORE);
  CHECK_EQUAL(bytes, COROD_MAX_EVENT + sizeof(struct corod_accepted));
  close_all();
}

// Told from the bottom of the stack, exactly once; never once it is cancelled.
static void functions(void) {
  uint32_t handle, other;
  open_with(&shape);
  CHECK_EQUAL(ask_here(1000, &handle), COROD_OK);
  CHECK_EQUAL(next_event(), handle);
  struct corod_answer to = {handle, COROD_OK};
  CHECK(client_command(&node, COROD_OP_ANSWER, 0, &to, sizeof to, "fine", 4));
  scene_settle();
  CHECK(told.calls == 1 && told.status == COROD_OK && told.n == 4 && !memcmp(told.bytes, "fine", 4));

  CHECK_EQUAL(ask_here(1000, &handle), COROD_OK);
  corod_ask_cancel(scene.core, handle);
  corod_ask_cancel(scene.core, handle);
  reply_with(&node, next_event(), COROD_OK, "late", 4);
  CHECK_EQUAL(told.calls, 1);

  // Ended, and cancelled before it was told: the others are told all the same.
  CHECK_EQUAL(ask_here(1, &handle), COROD_OK);
  CHECK_EQUAL(ask_here(1, &other), COROD_OK);
  uint32_t n[] = {next_event(), next_event()};
  CHECK(n[0] == handle && n[1] == other);
  client_remove(&daemon_, &node, COROD_LEAVE_DISCARD);
  CHECK(told.calls <= 3);
  scene_settle();
  CHECK(told.calls == 3 && told.status == COROD_DIED);
  close_all();
}

static void removal(void) {
  open_with(&shape);
  ask(&asker, 1, 1000, "in hand");
  ask(&asker, 2, 1000, "in the ring");
  (void)next_event();
  client_handed(&node);
  client_remove(&daemon_, &node, COROD_LEAVE_DISCARD);
  scene_settle();
  for (int i = 0; i < 2; i++) {
    CHECK(client_reply(&asker, &record, sizeof record));
    CHECK_EQUAL(record.head.type, COROD_DIED);
  }
  close_all();
}

// The daemon dies: who asked about an event that a coroutine had learns of the death, and the event comes again with
// nobody waiting. Who asked about one that no coroutine has seen waits on, for the next daemon.
static void death(void) {
  uint32_t handles[3];
  open_with(&shape);
  for (int i = 0; i < 3; i++)
    CHECK_EQUAL(ask_here(1000, &handles[i]), COROD_OK);
  CHECK(next_event() == handles[0] && next_event() == handles[1]);
  client_handed(&node);
  // Its last words count.
  struct corod_answer to = {handles[0], COROD_OK};
  CHECK(client_command(&node, COROD_OP_ANSWER, 0, &to, sizeof to, "last", 4));
  client_close(&daemon_);
  scene_settle();
  CHECK_EQUAL(told.calls, 2);
  CHECK_EQUAL(told.status, COROD_DIED);

  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &shape, &node, &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(answer.node_ready.carried, 3);
  for (int i = 0; i < 2; i++) {
    CHECK_EQUAL(next_event(), 0);
    CHECK(event.head.flags & COROD_FLAG_REDELIVERED);
  }
  CHECK_EQUAL(next_event(), handles[2]);
  CHECK(!(event.head.flags & COROD_FLAG_REDELIVERED));
  reply_with(&node, handles[2], COROD_OK, "second life", 11);
  CHECK(told.calls == 3 && told.status == COROD_OK && !memcmp(told.bytes, "second life", 11));

  // Nobody waits any more for one that was carried over.
  CHECK_EQUAL(ask_here(1, &handles[0]), COROD_OK);
  client_close(&daemon_);
  scene_settle();
  pass(1);
  while (told.calls < 4)
    scene_turn();
  CHECK_EQUAL(told.status, COROD_TIMEOUT);
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &shape, &node, &answer) == COROD_MSG_NODE_READY);
  do
    CHECK_EQUAL(next_event(), 0);
  while (event.head.seq < 4);
  close_all();
}

// Released without an answer, as one that is answered later: the node's death ends it.
static void death_of_a_promise(void) {
  open_with(&shape);
  CHECK_EQUAL(ask_here(1000, NULL), COROD_OK);
  (void)next_event();
  client_handed(&node);
  client_release(&node);
  scene_settle();
  CHECK_EQUAL(told.calls, 0);
  client_close(&daemon_);
  scene_settle();
  CHECK(told.calls == 1 && told.status == COROD_DIED);
  scene_close();
}

// A host that ends tells those who wait.
static void end_of_the_host(void) {
  open_with(&shape);
  CHECK_EQUAL(ask_here(1000, NULL), COROD_OK);
  ask(&asker, 1, 1000, "x");
  corod_core_free(scene.core);
  CHECK(told.calls == 1 && told.status == COROD_DIED);
  client_close(&daemon_);
  close(scene.epoll);
  CHECK(rmdir(scene.folder) == 0);
}

static void overflow(void) {
  struct client_node oldest = shape;
  oldest.event_ring = 4096;
  oldest.backlog = 2;
  oldest.overflow = COROD_OVERFLOW_DROP_OLDEST;
  open_with(&oldest);
  uint64_t seq, before;
  do
    CHECK_EQUAL(corod_node_send(corod_node_find(scene.core, "n"), 1, "fill", 4, &seq), COROD_OK);
  while (seq < 200);
  ask(&asker, 1, 1000, "x");
  CHECK(!client_reply(&asker, &record, sizeof record));
  for (int i = 0; i < 2; i++)
    corod_node_send(corod_node_find(scene.core, "n"), 1, "fill", 4, &before);
  scene_settle();
  expect(&asker, 1, COROD_FULL, seq + 1, "");
  close_all();

  struct client_node newest = oldest;
  newest.overflow = COROD_OVERFLOW_DROP_NEWEST;
  open_with(&newest);
  while (corod_node_send(corod_node_find(scene.core, "n"), 1, "fill", 4, &seq) == COROD_OK)
    ;
  ask(&asker, 1, 1000, "x");
  expect(&asker, 1, COROD_FULL, seq + 1, "");
  close_all();

  newest.overflow = COROD_OVERFLOW_REJECT;
  open_with(&newest);
  while (corod_node_send(corod_node_find(scene.core, "n"), 1, "fill", 4, &seq) == COROD_OK)
    ;
  ask(&asker, 1, 1000, "x");
  CHECK(client_reply(&asker, &record, sizeof record));
  CHECK(record.head.type == COROD_FULL && record.head.size == sizeof record.head);
  close_all();
}

// An asker that is gone takes its questions with it.
static void gone_asker(void) {
  open_with(&shape);
  ask(&asker, 1, 1000, "x");
  client_remove(&daemon_, &asker, COROD_LEAVE_DISCARD);
  reply_with(&node, next_event(), COROD_OK, "nobody", 6);
  uint64_t seq;
  for (int i = 0; i < 50000 && corod_node_send(corod_node_find(scene.core, "n"), 1, "", 0, &seq) == COROD_OK; i++)
    ;
  ask(&daemon_.own, 2, 1000, "queued");
  close_all();
}

static int by_number(const void *a, const void *b) {
  uint32_t left, right;
  memcpy(&left, a, sizeof left);
  memcpy(&right, b, sizeof right);
  return left < right ? -1 : left > right;
}

// Bounded for one asker, and in all; a handle is not used again soon.
static void limits(void) {
  struct client_node wide = shape;
  static uint32_t used[100000];
  uint32_t n = 0;
  wide.backlog = 200000;
  wide.event_ring = 1 << 24;
  open_with(&wide);
  for (uint64_t call = 1; call <= 4096; call++)
    ask(&asker, call, 100000, "");
  CHECK(!client_reply(&asker, &record, sizeof record));
  ask(&asker, 5000, 100000, "");
  CHECK(client_reply(&asker, &record, sizeof record));
  CHECK(record.head.seq == 5000 && record.head.type == COROD_LIMIT);
  ask(&daemon_.own, 1, 100000, "");
  CHECK(!client_reply(&daemon_.own, &record, sizeof record));
  while (ask_here(100000, NULL) == COROD_OK)
    n++;
  CHECK_EQUAL(n, 16384 - 4096 - 1);
  client_remove(&daemon_, &asker, COROD_LEAVE_DISCARD);
  // Random ends of random ones leave the order of deadlines whole.
  uint32_t some[64] = {0}, ends = 0;
  for (uint32_t i = 0; i < 20000; i++) {
    uint32_t *one = &some[(i * 2654435761u) >> 26];
    if (*one) {
      corod_ask_cancel(scene.core, *one);
      ends++;
    }
    CHECK_EQUAL(ask_here(1000 + (i * 40503u) % 5000, one), COROD_OK);
  }
  CHECK(ends > 19000);
  uint32_t before = told.calls;
  pass(6000);
  while (told.calls < before + 64)
    scene_turn();
  CHECK_EQUAL(told.status, COROD_TIMEOUT);
  for (uint32_t i = 0; i < 100000; i++) {
    CHECK_EQUAL(ask_here(1000, &used[i]), COROD_OK);
    corod_ask_cancel(scene.core, used[i]);
  }
  qsort(used, 100000, sizeof used[0], by_number);
  for (uint32_t i = 1; i < 100000; i++)
    CHECK(used[i] != used[i - 1] && used[i] != 0);
  close_all();
}

int main(void) {
  ends();
  refused_at_once();
  timeouts();
  lies();
  functions();
  removal();
  death();
  death_of_a_promise();
  end_of_the_host();
  overflow();
  gone_asker();
  limits();
  return 0;
}
