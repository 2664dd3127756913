// Commands: what each does, how each ends, budgets, death of the daemon, the reply ring and CLI jobs.
#include "client.h"

static struct client daemon_;
static struct client_slot slot, other;
static struct corod_message answer;

static struct {
  struct corod_record head;
  uint8_t bytes[70000];
} reply;

static void open_nodes(uint32_t budget) {
  struct corod_core_config config;
  corod_core_defaults(&config);
  config.budget = budget;
  scene_open(&config);
  client_attach(&daemon_);
  CHECK(
      client_node(&daemon_,
                  &(struct client_node){.name = "n", .max_size = 64, .n_next = 2, .n_counters = 2, .reply_ring = 4096},
                  &slot, &answer) == COROD_MSG_NODE_READY);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "other", .max_size = 64, .event_ring = 4096, .backlog = 3},
                    &other, &answer) == COROD_MSG_NODE_READY);
}

static void close_nodes(void) {
  client_close(&daemon_);
  scene_settle();
  scene_close();
}

// Runs a command and returns the status of its outcome, whose payload is in `reply`.
static uint32_t run(struct client_slot *from, uint32_t op, const void *head, uint32_t head_bytes, const void *bytes,
                    uint32_t n) {
  static uint64_t calls;
  CHECK(client_command(from, op, ++calls, head, head_bytes, bytes, n));
  scene_settle();
  CHECK(client_reply(from, &reply, sizeof reply));
  CHECK_EQUAL(reply.head.kind, COROD_KIND_OUTCOME);
  CHECK_EQUAL(reply.head.seq, calls);
  return reply.head.type;
}

static void counts(void) {
  open_nodes(256);
  struct corod_count two[2] = {{.counter = 1, .by = 5}, {.counter = 0, .by = 1}};
  CHECK_EQUAL(run(&slot, COROD_OP_COUNT, two, sizeof two, NULL, 0), COROD_OK);
  CHECK(scene.counted[0] == 1 && scene.counted[1] == 5);
  two[1].counter = 2;
  CHECK_EQUAL(run(&slot, COROD_OP_COUNT, two, sizeof two, NULL, 0), COROD_COUNTER_UNKNOWN);
  two[1].counter = UINT32_MAX;
  CHECK_EQUAL(run(&slot, COROD_OP_COUNT, two, sizeof two, NULL, 0), COROD_COUNTER_UNKNOWN);
  CHECK_EQUAL(run(&slot, COROD_OP_COUNT, two, sizeof two - 1, NULL, 0), COROD_MALFORMED);
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_COUNT, two, sizeof two, NULL, 0), COROD_NODE_UNKNOWN);
  // Without a correlation id nothing comes back.
  CHECK(client_command(&slot, COROD_OP_COUNT, 0, two, sizeof two[0], NULL, 0));
  scene_settle();
  CHECK(!client_reply(&slot, &reply, sizeof reply));
  close_nodes();
}

static void packets(void) {
  static uint8_t packet[COROD_MAX_PACKET + 1];
  open_nodes(256);
  for (uint32_t i = 0; i < sizeof packet; i++)
    packet[i] = (uint8_t)(i * 7);
  struct corod_enqueue to = {.next = 1, .rx = 3, .tx = ~0u};
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, COROD_MAX_PACKET), COROD_OK);
  CHECK(scene.last_packet_bytes == COROD_MAX_PACKET && !memcmp(scene.last_packet, packet, COROD_MAX_PACKET));
  CHECK(scene.last_enqueue.next == 1 && scene.last_enqueue.rx == 3 && scene.last_enqueue.tx == ~0u);
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, 1), COROD_OK);
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, COROD_MAX_PACKET + 1), COROD_TOO_BIG);
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, NULL, 0), COROD_MALFORMED);
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, 3, NULL, 0), COROD_MALFORMED);
  to.flags = 1;
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, 8), COROD_UNSUPPORTED);
  to.next = 2;
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, 8), COROD_NEXT_UNKNOWN);
  to.next = UINT32_MAX;
  CHECK_EQUAL(run(&slot, COROD_OP_ENQUEUE, &to, sizeof to, packet, 8), COROD_NEXT_UNKNOWN);
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_ENQUEUE, &to, sizeof to, packet, 8), COROD_NODE_UNKNOWN);
  CHECK_EQUAL(run(&slot, 99, NULL, 0, NULL, 0), COROD_UNSUPPORTED);
  close_nodes();
}

static void sends(void) {
  open_nodes(256);
  struct corod_send to = {.slot = other.told.slot, .generation = other.told.generation, .type = 1};
  struct corod_accepted accepted;
  uint8_t payload[65] = "hello";
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_SEND, &to, sizeof to, payload, 5), COROD_OK);
  CHECK_EQUAL(reply.head.size, sizeof reply.head + sizeof accepted);
  memcpy(&accepted, reply.bytes, sizeof accepted);
  CHECK_EQUAL(accepted.seq, 1);
  CHECK(client_event(&other, &reply, sizeof reply));
  CHECK(reply.head.size == sizeof reply.head + 5 && !memcmp(reply.bytes, "hello", 5));
  CHECK_EQUAL(run(&slot, COROD_OP_SEND, &to, sizeof to, payload, 65), COROD_TOO_BIG);
  CHECK_EQUAL(run(&slot, COROD_OP_SEND, &to, sizeof to - 1, NULL, 0), COROD_MALFORMED);
  to.type = 9;
  CHECK_EQUAL(run(&slot, COROD_OP_SEND, &to, sizeof to, payload, 5), COROD_TYPE_UNKNOWN);
  to.type = 1;
  uint32_t status;
  while ((status = run(&daemon_.own, COROD_OP_SEND, &to, sizeof to, payload, 64)) == COROD_OK)
    ;
  CHECK_EQUAL(status, COROD_FULL);
  client_remove(&daemon_, &other, COROD_LEAVE_DISCARD);
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_SEND, &to, sizeof to, payload, 5), COROD_STALE);
  to.slot = UINT32_MAX;
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_SEND, &to, sizeof to, payload, 5), COROD_NODE_UNKNOWN);
  to.slot = 0;
  CHECK_EQUAL(run(&daemon_.own, COROD_OP_SEND, &to, sizeof to, payload, 5), COROD_NODE_UNKNOWN);
  struct corod_answer to_nobody = {.handle = 1};
  CHECK_EQUAL(run(&slot, COROD_OP_ANSWER, &to_nobody, sizeof to_nobody, payload, 5), COROD_STALE);
  CHECK_EQUAL(run(&slot, COROD_OP_ANSWER, &to_nobody, 7, NULL, 0), COROD_MALFORMED);
  close_nodes();
}

static void signals(void) {
  open_nodes(256);
  struct corod_signal signal = {.node = "other", .type = 2, .data = 99};
  CHECK_EQUAL(run(&slot, COROD_OP_SIGNAL, &signal, sizeof signal, NULL, 0), COROD_OK);
  CHECK(client_event(&other, &reply, sizeof reply));
  CHECK(reply.head.kind == COROD_KIND_SIGNAL && reply.head.type == 2);
  strcpy(signal.node, "native");
  CHECK_EQUAL(run(&slot, COROD_OP_SIGNAL, &signal, sizeof signal, NULL, 0), COROD_NOT_LISTED);
  CHECK_EQUAL(scene.signals, 0);
  struct corod_message allow = {.type = COROD_MSG_SIGNALS, .next.name = "native"};
  for (int i = 0; i < 2; i++)
    CHECK(client_ask(&daemon_, &allow, &answer) == COROD_MSG_READY);
  CHECK_EQUAL(run(&slot, COROD_OP_SIGNAL, &signal, sizeof signal, NULL, 0), COROD_OK);
  CHECK(scene.signals == 1 && !strcmp(scene.last_signal, "native") && scene.last_type == 2 && scene.last_data == 99);
  memset(signal.node, 'a', sizeof signal.node); // without end
  CHECK_EQUAL(run(&slot, COROD_OP_SIGNAL, &signal, sizeof signal, NULL, 0), COROD_MALFORMED);
  CHECK_EQUAL(run(&slot, COROD_OP_SIGNAL, &signal, sizeof signal - 8, NULL, 0), COROD_MALFORMED);
  strcpy(allow.next.name, "a b");
  CHECK(client_ask(&daemon_, &allow, &answer) == COROD_MSG_FAILED);
  close_nodes();
}

// A node that always has commands leaves others their turns; a turn never runs more than the budget.
static void budget(void) {
  open_nodes(3);
  struct corod_count count = {.counter = 0, .by = 1};
  for (int i = 0; i < 100; i++)
    CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  struct corod_signal signal = {.node = "n", .type = 2};
  CHECK(client_command(&other, COROD_OP_SIGNAL, 0, &signal, sizeof signal, NULL, 0));
  uint64_t most = 0, before = 0, when_other = 0;
  for (int turn = 0; scene_turn(); turn++) {
    most = scene.counted[0] - before > most ? scene.counted[0] - before : most;
    before = scene.counted[0];
    if (!when_other && atomic_load(&slot.a->event_tail))
      when_other = before;
  }
  CHECK_EQUAL(scene.counted[0], 100);
  CHECK(most <= 6); // a turn of the loop may serve both the bell and work left over
  CHECK(when_other && when_other < 20);
  CHECK_EQUAL(corod_bell_any(&daemon_.bell[0]->to_host), 0);
  CHECK_EQUAL(atomic_load(&daemon_.bell[0]->to_host.sleeping), 1);
  close_nodes();
}

// A full command ring: the daemon says that it wants space and is rung when there is some.
static void command_space(void) {
  uint8_t packet[2000] = {0};
  open_nodes(256);
  struct corod_enqueue to = {.next = 0};
  uint32_t n = 0;
  while (client_command(&slot, COROD_OP_ENQUEUE, 0, &to, sizeof to, packet, sizeof packet))
    n++;
  corod_starved_set(&slot.b->command_starved);
  CHECK(corod_bell_arm(&daemon_.bell[0]->to_daemon));
  scene_settle();
  CHECK_EQUAL(scene.enqueued, n);
  char rung;
  CHECK_EQUAL(read(daemon_.wait_fd[0], &rung, 1), 1);
  CHECK(atomic_load(&daemon_.bell[0]->to_daemon.ready[0]) & 1ull << slot.told.slot);
  CHECK(client_command(&slot, COROD_OP_ENQUEUE, 0, &to, sizeof to, packet, sizeof packet));
  close_nodes();
}

// The daemon dies: what it had published is run, over as many turns as that takes; what it writes later is not; the
// next daemon waits until then.
static void death(void) {
  struct client next, early;
  open_nodes(10);
  client_connect(&early); // has not said who it is when the other one dies
  scene_settle();
  struct corod_count count = {.counter = 0, .by = 1};
  for (int i = 0; i < 400; i++)
    CHECK(client_command(&slot, COROD_OP_COUNT, 1, &count, sizeof count, NULL, 0));
  CHECK(client_command(&daemon_.own, COROD_OP_CLI, 5, "show", 4, NULL, 0));
  close(daemon_.fd);
  CHECK(scene_turn());
  CHECK(scene.counted[0] < 400);
  for (int i = 0; i < 100; i++)
    client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0);
  client_connect(&next);
  struct corod_message hello = {.magic = COROD_MAGIC, .type = COROD_MSG_HELLO, .hello = {1, 1, 1, "next"}};
  client_send(&early, &hello);
  int fds[2];
  CHECK(client_receive(&early, &answer, fds));
  CHECK(answer.type == COROD_MSG_WELCOME);
  CHECK_EQUAL(scene.counted[0], 400);
  CHECK_EQUAL(scene.n_jobs, 1);
  daemon_.fd = dup(2);
  client_close(&daemon_);
  // Its outcome comes when nobody is there for it.
  corod_cli_output(scene.core, scene.jobs[0], "text", 4);
  corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
  client_close(&early);
  scene_settle();
  client_send(&next, &hello);
  CHECK(client_receive(&next, &answer, fds));
  CHECK(answer.type == COROD_MSG_WELCOME);
  client_close(&next);
  scene_settle();
  scene_close();
}

// Longer than its ring: chunks under the room that the daemon gives, all of them, in order.
static void long_reply(void) {
  enum { SIZE = 1 << 20 };
  char *text = malloc(SIZE);
  open_nodes(256);
  CHECK(client_command(&slot, COROD_OP_CLI, 7, "show all", 8, NULL, 0));
  scene_settle();
  CHECK(!strcmp(scene.job_text[0], "show all"));
  for (int i = 0; i < SIZE; i++)
    text[i] = (char)(i * 31 >> 3);
  for (int i = 0; i < SIZE; i += SIZE / 16)
    corod_cli_output(scene.core, scene.jobs[0], text + i, SIZE / 16);
  CHECK(!client_reply(&slot, &reply, sizeof reply)); // nothing before it is done
  corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
  uint32_t got = 0;
  bool more = true;
  while (more) {
    while (!client_reply(&slot, &reply, sizeof reply))
      CHECK(scene_turn());
    CHECK(reply.head.seq == 7 && reply.head.type == COROD_OK);
    uint32_t bytes = reply.head.size - (uint32_t)sizeof reply.head;
    CHECK(got + bytes <= SIZE && !memcmp(reply.bytes, text + got, bytes));
    got += bytes;
    more = reply.head.flags & COROD_FLAG_MORE;
  }
  CHECK_EQUAL(got, SIZE);
  free(text);
  close_nodes();
}

static void cut(void) {
  enum { PIECE = 1 << 20 };
  char *text = calloc(1, PIECE);
  uint64_t got = 0;
  open_nodes(256);
  CHECK(client_command(&slot, COROD_OP_CLI, 7, "x", 1, NULL, 0));
  scene_settle();
  for (int i = 0; i < 20; i++)
    corod_cli_output(scene.core, scene.jobs[0], text, PIECE);
  corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
  do {
    while (!client_reply(&slot, &reply, sizeof reply))
      CHECK(scene_turn());
    CHECK_EQUAL(reply.head.type, COROD_CUT);
    got += reply.head.size - sizeof reply.head;
  } while (reply.head.flags & COROD_FLAG_MORE);
  CHECK_EQUAL(got, 16 << 20);
  free(text);
  close_nodes();
}

// One CLI command of a node at a time, in order; others do not wait for it; too many are refused.
static void jobs(void) {
  open_nodes(1000);
  for (uint64_t i = 1; i <= 70; i++) {
    char text[16];
    int n = snprintf(text, sizeof text, "job %d", (int)i);
    CHECK(client_command(&slot, COROD_OP_CLI, i, text, (uint32_t)n, NULL, 0));
  }
  CHECK(client_command(&other, COROD_OP_CLI, 100, "other", 5, NULL, 0));
  scene_settle();
  CHECK_EQUAL(scene.n_jobs, 2);
  CHECK(!strcmp(scene.job_text[0], "job 1") && !strcmp(scene.job_text[1], "other"));
  for (uint64_t i = 66; i <= 70; i++) { // one runs, 64 wait
    CHECK(client_reply(&slot, &reply, sizeof reply));
    CHECK(reply.head.seq == i && reply.head.type == COROD_CLI_BUSY);
  }
  corod_cli_done(scene.core, 12345, COROD_OK); // nobody's
  corod_cli_done(scene.core, scene.jobs[1], COROD_CLI_FAILED);
  CHECK(client_reply(&other, &reply, sizeof reply));
  CHECK(reply.head.seq == 100 && reply.head.type == COROD_CLI_FAILED);
  scene.answer_jobs = true; // from now on done before cli returns
  corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
  for (uint64_t i = 1; i <= 65; i++) {
    while (!client_reply(&slot, &reply, sizeof reply))
      CHECK(scene_turn());
    CHECK_EQUAL(reply.head.seq, i);
  }
  static const char *const bad[] = {"", "a\nb", "a\x01", "a\x7f"};
  for (int i = 0; i < 4; i++)
    CHECK_EQUAL(run(&slot, COROD_OP_CLI, bad[i], (uint32_t)strlen(bad[i]), NULL, 0), COROD_CLI_FAILED);
  CHECK_EQUAL(run(&slot, COROD_OP_CLI, "a\0b", 3, NULL, 0), COROD_CLI_FAILED);
  // Waiting jobs of a removed node go with it.
  scene.answer_jobs = false;
  for (uint64_t i = 1; i <= 3; i++)
    CHECK(client_command(&slot, COROD_OP_CLI, i, "x", 1, NULL, 0));
  scene_settle();
  uint64_t running = scene.jobs[scene.n_jobs - 1];
  client_remove(&daemon_, &slot, COROD_LEAVE_DISCARD);
  corod_cli_output(scene.core, running, "late", 4);
  corod_cli_done(scene.core, running, COROD_OK);
  close_nodes();
}

// A daemon that asks and never reads: commands stay in their ring, memory stays bounded, and reading sets it going.
static void unread(void) {
  open_nodes(100000);
  struct corod_count count = {.counter = 0, .by = 1};
  uint64_t asked = 0, got = 0;
  for (int idle = 0; idle < 3;) {
    if (client_command(&slot, COROD_OP_COUNT, asked + 1, &count, sizeof count, NULL, 0)) {
      asked++;
      idle = 0;
    } else {
      scene_settle();
      idle++;
    }
  }
  CHECK(scene.counted[0] < asked);
  while (got < asked) {
    while (!client_reply(&slot, &reply, sizeof reply))
      CHECK(scene_turn());
    CHECK_EQUAL(reply.head.seq, ++got);
  }
  CHECK_EQUAL(scene.counted[0], asked);
  close_nodes();
}

// Too large to be copied: an outcome, and the next command runs.
static void too_large(void) {
  static uint8_t bytes[200000];
  struct client_slot big;
  open_nodes(256);
  CHECK(client_node(&daemon_, &(struct client_node){.name = "big", .max_size = 8, .command_ring = 1 << 20}, &big,
                    &answer) == COROD_MSG_NODE_READY);
  CHECK_EQUAL(run(&big, COROD_OP_CLI, bytes, sizeof bytes, NULL, 0), COROD_TOO_BIG);
  CHECK_EQUAL(run(&big, 99, bytes, 60000, NULL, 0), COROD_UNSUPPORTED);
  close_nodes();
}

int main(void) {
  counts();
  packets();
  sends();
  signals();
  budget();
  command_space();
  death();
  long_reply();
  cut();
  jobs();
  unread();
  too_large();
  return 0;
}
