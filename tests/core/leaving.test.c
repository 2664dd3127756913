// Nodes that a daemon closes, or lets go of and takes up again: what NODE_CLOSE and NODE_REMOVE's KEEP and PARK
// promise.
#include "client.h"

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;
static uint64_t seq;

static struct {
  struct corod_record head;
  uint8_t bytes[8192];
} event;

static const struct client_node shape = {.name = "n", .max_size = 400, .event_ring = 8192, .n_counters = 1};

static void take(const struct client_node *node) {
  CHECK(client_node(&daemon_, node, &slot, &answer) == COROD_MSG_NODE_READY);
}

static void attach(void) {
  client_attach(&daemon_);
  take(&shape);
}

static void die(void) {
  client_close(&daemon_);
  scene_settle();
}

static void end(void) {
  die();
  scene_close();
}

static uint32_t send(uint32_t bytes) {
  static uint8_t payload[4096];
  return corod_node_send(corod_node_find(scene.core, "n"), 1, payload, bytes, &seq);
}

static void read_records(uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    CHECK(client_event(&slot, &event, sizeof event));
}

static uint32_t leave(uint32_t how) {
  return client_remove(&daemon_, &slot, how).discarded;
}

static uint16_t try_leave(uint32_t how) {
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVE};
  m.node_remove = (struct corod_node_remove){slot.told.slot, slot.told.generation, how, 0};
  return client_ask(&daemon_, &m, &answer);
}

// As delivery.test.c's every step, without a death: what was handed over comes again marked, the rest as if nothing had
// happened, and what is sent meanwhile behind it.
static void kept_at_every_step(void) {
  for (uint32_t handed = 0; handed <= 5; handed++)
    for (uint32_t released = 0; released <= handed; released++) {
      scene_open(NULL);
      attach();
      CHECK_EQUAL(client_executor(&daemon_, 1), COROD_MSG_EXECUTOR);
      for (uint32_t i = 0; i < 5; i++)
        CHECK_EQUAL(send(300), COROD_OK);
      read_records(released);
      client_handed(&slot);
      if (released)
        client_release(&slot);
      read_records(handed - released);
      client_handed(&slot);
      struct client_slot before = slot;
      CHECK_EQUAL(leave(COROD_LEAVE_KEEP), 0);
      CHECK_EQUAL(send(400), COROD_OK);
      struct client_node other = shape;
      other.executor = 1;
      other.max_size = 8; // what waits is larger than its new table
      other.backlog = 3;
      take(&other);
      CHECK_EQUAL(slot.told.slot, before.told.slot);
      CHECK_EQUAL(slot.told.generation, before.told.generation);
      CHECK_EQUAL(slot.told.carried, 6 - released);
      CHECK_EQUAL(slot.told.seq, 6);
      CHECK_EQUAL(send(9), COROD_TOO_BIG);
      CHECK_EQUAL(send(8), COROD_OK);
      for (uint32_t i = released; i < 7; i++) {
        read_records(1);
        CHECK_EQUAL(event.head.seq, i + 1);
        CHECK_EQUAL(event.head.attempts, i < handed);
        CHECK_EQUAL(event.head.flags, i < handed ? COROD_FLAG_REDELIVERED : 0);
        client_release(&slot);
        scene_settle();
      }
      CHECK_EQUAL(scene.created, 1);
      CHECK(scene.changed == 0 && scene.removed == 0);
      end();
    }
}

// Commands that were published before it was let go of run first, however many; the answer comes behind them.
static void commands_first(uint32_t how) {
  scene_open(NULL);
  attach();
  struct corod_count count = {.counter = 0, .by = 2};
  for (uint32_t i = 0; i < 500; i++)
    CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  CHECK_EQUAL(send(1), COROD_OK);
  CHECK_EQUAL(leave(how), how == COROD_LEAVE_KEEP ? 0 : 1);
  CHECK_EQUAL(scene.counted[0], 1000);
  end();
}

// Its backlog fills up meanwhile, by its own rule.
static void senders_go_on(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  struct client_node node = shape;
  node.backlog = 10;
  take(&node);
  leave(COROD_LEAVE_KEEP);
  for (uint32_t i = 0; i < 10; i++)
    CHECK_EQUAL(send(1), COROD_OK);
  CHECK_EQUAL(send(1), COROD_FULL);
  take(&node);
  CHECK_EQUAL(slot.told.carried, 10);
  read_records(10);
  CHECK_EQUAL(send(1), COROD_OK);
  end();
}

// Other next nodes and counters: the host changes the node it has, and events are accepted all the while.
static void changed(void) {
  scene_open(NULL);
  attach();
  leave(COROD_LEAVE_KEEP);
  struct client_node other = shape;
  other.n_next = 2;
  other.n_counters = 3;
  scene.create_status = COROD_NEXT_UNKNOWN;
  CHECK(client_node(&daemon_, &other, &slot, &answer) == COROD_MSG_FAILED);
  CHECK_EQUAL(answer.status, COROD_NEXT_UNKNOWN);
  CHECK_EQUAL(send(1), COROD_OK);
  scene.create_status = COROD_OK;
  take(&shape); // as it was
  CHECK(scene.changed == 0 && slot.told.carried == 1);
  leave(COROD_LEAVE_KEEP);
  take(&other);
  CHECK(scene.changed == 1 && slot.told.carried == 1);
  CHECK(scene.created == 1 && scene.removed == 0);
  struct corod_count count = {.counter = 2, .by = 5};
  CHECK(client_command(&slot, COROD_OP_COUNT, 1, &count, sizeof count, NULL, 0));
  scene_settle();
  CHECK(client_reply(&slot, &event, sizeof event) && event.head.type == COROD_OK);
  CHECK_EQUAL(scene.counted[2], 5);
  end();
}

// A daemon that dies while the host changes its node, and what the next one may ask for meanwhile.
static void changed_and_dead(void) {
  struct client_node other = shape;
  other.n_next = 2;
  for (int next = 0; next < 4; next++) {
    scene_open(NULL);
    attach();
    CHECK_EQUAL(send(1), COROD_OK);
    leave(COROD_LEAVE_KEEP);
    scene.defer = true;
    struct corod_message m = {.type = COROD_MSG_NODE};
    strcpy(m.node.name, "n");
    m.node.next = 1;
    client_send(&daemon_, &m);
    m = (struct corod_message){.type = COROD_MSG_NEXT};
    strcpy(m.next.name, "next-0");
    client_send(&daemon_, &m);
    m = (struct corod_message){.type = COROD_MSG_NODE_END};
    client_send(&daemon_, &m);
    scene_settle();
    CHECK_EQUAL(scene.n_deferred, 1);
    CHECK_EQUAL(send(2), COROD_OK);
    die();
    scene.create_status = next == 3 ? COROD_NEXT_UNKNOWN : COROD_OK;
    if (next > 0)
      client_attach(&daemon_);
    if (next == 1) {
      CHECK_EQUAL(client_ready(&daemon_).removed, 1);
      CHECK_EQUAL(scene.removed, 1);
    } else if (next == 2) {
      CHECK(client_node(&daemon_, &other, &slot, &answer) == COROD_MSG_FAILED);
      CHECK_EQUAL(answer.status, COROD_NAME_TAKEN);
    }
    scene_create_deferred();
    scene.defer = false;
    scene.create_status = COROD_OK;
    if (next == 0)
      client_attach(&daemon_);
    if (next != 1) {
      take(&other);
      CHECK_EQUAL(slot.told.carried, 2);
    }
    end();
  }
}

// The next daemon asks for the same: the answer that the host still owes is its answer.
static void changed_for_another(void) {
  scene_open(NULL);
  attach();
  leave(COROD_LEAVE_KEEP);
  scene.defer = true;
  struct corod_message parts[] = {{.type = COROD_MSG_NODE}, {.type = COROD_MSG_NEXT}, {.type = COROD_MSG_NODE_END}};
  strcpy(parts[0].node.name, "n");
  parts[0].node.next = 1;
  strcpy(parts[1].next.name, "next-0");
  for (int daemons = 0; daemons < 2; daemons++) {
    for (int i = 0; i < 3; i++)
      client_send(&daemon_, &parts[i]);
    scene_settle();
    CHECK_EQUAL(scene.n_deferred, 1);
    if (daemons == 0) {
      die();
      client_attach(&daemon_);
    }
  }
  scene_create_deferred();
  int fds[COROD_MESSAGE_FDS];
  CHECK(client_receive(&daemon_, &answer, fds));
  CHECK_EQUAL(answer.type, COROD_MSG_NODE_READY);
  CHECK_EQUAL(scene.changed, 1);
  end();
}

// READY of the same attachment leaves it alone; that of the next one removes what nobody wants.
static void unclaimed(uint32_t how) {
  scene_open(NULL);
  attach();
  CHECK_EQUAL(send(1), COROD_OK);
  CHECK_EQUAL(leave(how), how == COROD_LEAVE_PARK);
  CHECK_EQUAL(client_ready(&daemon_).removed, 0);
  CHECK_EQUAL(scene.removed, 0);
  die();
  CHECK_EQUAL(send(1), how == COROD_LEAVE_PARK ? COROD_CLOSED : COROD_OK);
  client_attach(&daemon_);
  struct corod_ready ready = client_ready(&daemon_);
  CHECK_EQUAL(ready.removed, 1);
  CHECK_EQUAL(ready.discarded, how == COROD_LEAVE_PARK ? 0 : 2);
  CHECK_EQUAL(scene.removed, 1);
  CHECK(!corod_node_find(scene.core, "n"));
  end();
}

// A daemon that dies while the commands of a node that it keeps are run.
static void kept_and_dead(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  struct client_node node = shape;
  node.command_ring = 1 << 20;
  take(&node);
  CHECK_EQUAL(send(1), COROD_OK);
  struct corod_count count = {.counter = 0, .by = 1};
  for (uint32_t i = 0; i < 10000; i++)
    CHECK(client_command(&slot, COROD_OP_COUNT, 0, &count, sizeof count, NULL, 0));
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVE};
  m.node_remove = (struct corod_node_remove){slot.told.slot, slot.told.generation, COROD_LEAVE_KEEP, 0};
  client_send(&daemon_, &m);
  scene_turn();
  die();
  CHECK_EQUAL(scene.counted[0], 10000);
  client_attach(&daemon_);
  take(&node);
  CHECK_EQUAL(slot.told.carried, 1);
  end();
}

static void parked(void) {
  scene_open(NULL);
  attach();
  for (uint32_t i = 0; i < 30; i++) // some in the ring, some behind it
    CHECK_EQUAL(send(400), COROD_OK);
  read_records(3);
  client_release(&slot);
  CHECK_EQUAL(leave(COROD_LEAVE_PARK), 27);
  CHECK_EQUAL(send(1), COROD_CLOSED);
  CHECK_EQUAL(corod_node_signal(corod_node_find(scene.core, "n"), 1, 0), COROD_CLOSED);
  CHECK_EQUAL(corod_node_run(corod_node_find(scene.core, "n"), scene.now), UINT64_MAX);
  CHECK_EQUAL(scene.removed, 0);
  take(&shape);
  CHECK_EQUAL(slot.told.carried, 0);
  CHECK_EQUAL(slot.told.seq, 30);
  CHECK_EQUAL(send(1), COROD_OK);
  read_records(1);
  CHECK_EQUAL(event.head.seq, 31);
  leave(COROD_LEAVE_PARK);
  die();
  attach(); // a later attachment opens it too
  CHECK_EQUAL(send(1), COROD_OK);
  CHECK(scene.created == 1 && scene.removed == 0);
  end();
}

// What was let go of can still be removed, closed, kept.
static void once_more(void) {
  scene_open(NULL);
  attach();
  CHECK_EQUAL(send(1), COROD_OK);
  leave(COROD_LEAVE_KEEP);
  CHECK_EQUAL(leave(COROD_LEAVE_KEEP), 0);
  CHECK_EQUAL(leave(COROD_LEAVE_PARK), 1);
  CHECK_EQUAL(send(1), COROD_CLOSED);
  CHECK_EQUAL(leave(COROD_LEAVE_DISCARD), 0);
  CHECK_EQUAL(scene.removed, 1);
  CHECK(try_leave(COROD_LEAVE_DISCARD) == COROD_MSG_FAILED && answer.status == COROD_STALE);
  end();
}

static void unknown_ways(void) {
  scene_open(NULL);
  attach();
  CHECK_EQUAL(send(1), COROD_OK);
  for (int i = 0; i < 2; i++) {
    CHECK(try_leave(i == 0 ? 3 : UINT32_MAX) == COROD_MSG_FAILED);
    CHECK_EQUAL(answer.status, COROD_UNSUPPORTED);
    CHECK(strstr(answer.failed.text, "0 (discard), 1 (keep), 2 (park)"));
  }
  read_records(1); // nothing happened to it
  CHECK_EQUAL(send(1), COROD_OK);
  read_records(1);
  end();
}

static uint32_t shut(void) {
  struct corod_message m = {.type = COROD_MSG_NODE_CLOSE};
  m.node_close = (struct corod_node_close){slot.told.slot, slot.told.generation};
  CHECK(client_ask(&daemon_, &m, &answer) == COROD_MSG_NODE_CLOSED);
  CHECK_EQUAL(answer.node_closed.slot, slot.told.slot);
  return answer.node_closed.waiting;
}

// The end comes behind everything that was accepted, in the ring or far behind it, and once.
static void closed(uint32_t events) {
  struct corod_interface transition = {0};
  scene_open(NULL);
  attach();
  for (uint32_t i = 0; i < events; i++)
    CHECK_EQUAL(send(400), COROD_OK);
  CHECK_EQUAL(shut(), events);
  CHECK_EQUAL(send(1), COROD_CLOSED);
  CHECK_EQUAL(corod_node_signal(corod_node_find(scene.core, "n"), 1, 0), COROD_CLOSED);
  corod_interface_changed(scene.core, &transition);
  corod_interface_missed(scene.core);
  for (uint32_t i = 1; i <= events; i++) {
    read_records(1);
    CHECK(event.head.kind == COROD_KIND_EVENT && event.head.seq == i);
    if (i == events / 2)
      CHECK_EQUAL(shut(), events - i + 1); // twice is no other end
    client_release(&slot);
    scene_settle();
  }
  read_records(1);
  CHECK_EQUAL(event.head.kind, COROD_KIND_CLOSE);
  CHECK_EQUAL(event.head.seq, events);
  CHECK_EQUAL(event.head.size, sizeof event.head);
  CHECK(!client_event(&slot, &event, sizeof event));
  CHECK_EQUAL(leave(COROD_LEAVE_PARK), 0); // the end was not released, and is no event
  end();
}

// What was dropped is told before the end.
static void closed_behind_a_gap(void) {
  scene_open(NULL);
  client_attach(&daemon_);
  struct client_node node = shape;
  node.backlog = 1;
  node.event_ring = 4096;
  node.overflow = COROD_OVERFLOW_DROP_NEWEST;
  take(&node);
  uint32_t sent = 0;
  while (send(400) == COROD_OK)
    sent++;
  CHECK_EQUAL(shut(), sent);
  for (uint32_t i = 0; i < sent; i++) {
    read_records(1);
    client_release(&slot);
    scene_settle();
  }
  read_records(1);
  CHECK(event.head.kind == COROD_KIND_GAP && event.head.seq == sent + 1);
  read_records(1);
  CHECK(event.head.kind == COROD_KIND_CLOSE && event.head.seq == sent + 1);
  end();
}

// The end is of one daemon's coroutine: the next one's inbox is open, whether the end was in the ring or not.
static void closed_and_dead(uint32_t events) {
  scene_open(NULL);
  attach();
  for (uint32_t i = 0; i < events; i++)
    CHECK_EQUAL(send(400), COROD_OK);
  shut();
  die();
  CHECK_EQUAL(send(1), COROD_CLOSED);
  attach();
  CHECK_EQUAL(slot.told.carried, events);
  CHECK_EQUAL(send(1), COROD_OK);
  for (uint32_t i = 1; i <= events + 1; i++) {
    read_records(1);
    CHECK(event.head.kind == COROD_KIND_EVENT && event.head.seq == i);
    client_release(&slot);
    scene_settle();
  }
  CHECK(!client_event(&slot, &event, sizeof event));
  end();
}

static void closed_in_vain(void) {
  scene_open(NULL);
  attach();
  leave(COROD_LEAVE_KEEP);
  struct corod_message m = {.type = COROD_MSG_NODE_CLOSE};
  m.node_close = (struct corod_node_close){slot.told.slot, slot.told.generation};
  CHECK(client_ask(&daemon_, &m, &answer) == COROD_MSG_FAILED && answer.status == COROD_NODE_UNKNOWN);
  m = (struct corod_message){.type = COROD_MSG_NODE_CLOSE};
  m.node_close = (struct corod_node_close){77, 1};
  CHECK(client_ask(&daemon_, &m, &answer) == COROD_MSG_FAILED && answer.status == COROD_NODE_UNKNOWN);
  end();
}

static struct { uint32_t calls, status; } told[4];

static void answered(void *arg, uint32_t status, const void *bytes, uint32_t n) {
  uint32_t *i = arg;
  (void)bytes;
  (void)n;
  told[*i].calls++;
  told[*i].status = status;
}

// Who asked what a coroutine has seen learns that it ended; who asked what nobody has seen gets its answer.
static void questions(uint32_t how) {
  static uint32_t numbers[] = {0, 1, 2, 3};
  memset(told, 0, sizeof told);
  scene_open(NULL);
  attach();
  for (uint32_t i = 0; i < 4; i++)
    CHECK_EQUAL(
        corod_node_ask(corod_node_find(scene.core, "n"), 1, "q", 1, answered, &numbers[i], UINT64_MAX, &seq, NULL),
        COROD_OK);
  read_records(1);
  client_release(&slot); // seen and finished with; its answer may still have come
  read_records(1);
  client_handed(&slot);
  leave(how);
  scene_settle();
  for (uint32_t i = 0; i < 4; i++) {
    bool died = how == COROD_LEAVE_PARK || i < 2;
    CHECK_EQUAL(told[i].calls, died);
    CHECK(!died || told[i].status == COROD_DIED);
  }
  if (how == COROD_LEAVE_KEEP) {
    take(&shape);
    for (uint32_t i = 1; i < 4; i++) {
      read_records(1);
      CHECK_EQUAL(event.head.seq, i + 1);
      CHECK_EQUAL(event.head.answer != 0, i > 1);
      if (i == 1)
        continue;
      struct corod_answer to = {.handle = event.head.answer, .status = COROD_OK};
      CHECK(client_command(&slot, COROD_OP_ANSWER, 0, &to, sizeof to, "a", 1));
      scene_settle();
      CHECK(told[i].calls == 1 && told[i].status == COROD_OK);
    }
  }
  end();
}

// What it had asked for itself is nobody's any more: not the next one's under a number that it may use again.
static void late_outcomes(void) {
  scene_open(NULL);
  attach();
  CHECK(client_command(&slot, COROD_OP_CLI, 7, "slow", 4, NULL, 0));
  scene_settle();
  CHECK_EQUAL(scene.n_jobs, 1);
  leave(COROD_LEAVE_KEEP);
  take(&shape);
  corod_cli_output(scene.core, scene.jobs[0], "late", 4);
  corod_cli_done(scene.core, scene.jobs[0], COROD_OK);
  scene_settle();
  CHECK(!client_reply(&slot, &event, sizeof event));
  CHECK(client_command(&slot, COROD_OP_CLI, 7, "next", 4, NULL, 0));
  scene_settle();
  corod_cli_done(scene.core, scene.jobs[1], COROD_OK);
  scene_settle();
  CHECK(client_reply(&slot, &event, sizeof event) && event.head.seq == 7);
  end();
}

// A cursor that is none ends the attachment; the last good one decides what comes again.
static void lying(void) {
  scene_open(NULL);
  attach();
  CHECK_EQUAL(send(1), COROD_OK);
  atomic_store(&slot.b->event_head, 8);
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVE};
  m.node_remove = (struct corod_node_remove){slot.told.slot, slot.told.generation, COROD_LEAVE_KEEP, 0};
  client_send(&daemon_, &m);
  scene_settle();
  client_close(&daemon_);
  attach();
  CHECK_EQUAL(slot.told.carried, 1);
  end();
}

int main(void) {
  kept_at_every_step();
  commands_first(COROD_LEAVE_KEEP);
  commands_first(COROD_LEAVE_PARK);
  senders_go_on();
  changed();
  changed_and_dead();
  changed_for_another();
  unclaimed(COROD_LEAVE_KEEP);
  unclaimed(COROD_LEAVE_PARK);
  kept_and_dead();
  parked();
  once_more();
  unknown_ways();
  closed(0);
  closed(2);
  closed(60);
  closed_behind_a_gap();
  closed_and_dead(2);
  closed_and_dead(60);
  closed_in_vain();
  questions(COROD_LEAVE_KEEP);
  questions(COROD_LEAVE_PARK);
  late_outcomes();
  lying();
  return 0;
}
