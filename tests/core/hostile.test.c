// A daemon that breaks the contract in shared memory: every cursor at every boundary, every field of a record, random
// bytes everywhere. The attachment ends, is counted and logged once; the host stays whole and serves the next one.
#include "client.h"

#include <pthread.h>
#include <sys/socket.h>

static struct client daemon_;
static struct client_slot slot;
static struct corod_message answer;
static uint64_t seq;

static const struct client_node node = {.name = "n",
                                        .max_size = 900,
                                        .event_ring = 4096,
                                        .reply_ring = 4096,
                                        .command_ring = 4096,
                                        .n_next = 1,
                                        .n_counters = 1};

static void begin(void) {
  client_attach(&daemon_);
  CHECK(client_node(&daemon_, &node, &slot, &answer) == COROD_MSG_NODE_READY);
}

static void give(uint32_t n) {
  static uint8_t payload[900];
  for (uint32_t i = 0; i < n; i++)
    corod_node_send(corod_node_find(scene.core, "n"), 1, payload, 900, &seq);
}

// Whether the host has ended the attachment.
static bool ended(void) {
  char byte;
  scene_settle();
  return recv(daemon_.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void finish(void) {
  client_close(&daemon_);
  scene_settle();
}

// After whatever happened: nothing that was accepted is lost, everything comes in order.
static void expect_rest(uint64_t first) {
  struct {
    struct corod_record head;
    uint8_t bytes[1000];
  } event;
  uint64_t last = seq;
  begin();
  uint64_t expected = 0;
  while (expected < last) {
    CHECK(client_event(&slot, &event, sizeof event));
    if (expected == 0)
      CHECK(event.head.seq <= first);
    else
      CHECK_EQUAL(event.head.seq, expected + 1);
    expected = event.head.seq;
    client_release(&slot);
    scene_settle();
  }
  finish();
}

static const uint32_t offsets[] = {1,    4,    7,    8,    0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8, 0xfffffff0,
                                   4096, 4104, 4088, 8192, 65536,      932,        944,        0xfffff000, 0xffffefff};

// event_head at every wrong place, with the ring full so that the host has to look.
static void event_head(void) {
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    scene_open(NULL), seq = 0;
    begin();
    give(20);
    uint32_t tail = atomic_load(&slot.a->event_tail), logs = scene.logs;
    uint32_t wrong = i % 2 ? tail + offsets[i] : offsets[i];
    bool boundary = wrong <= tail && wrong % 936 == 0; // records of 936 bytes, no pad yet
    atomic_store(&slot.b->event_head, wrong);
    client_ring(&slot);
    CHECK_EQUAL(ended(), !boundary);
    CHECK_EQUAL(scene.logs, logs + 1);
    CHECK(strstr(scene.last_log, "an event cursor that is none"));
    finish();
    expect_rest(1);
    scene_close();
  }
}

// event_handed is looked at when the daemon is gone; a wrong one marks too many rather than too few.
static void event_handed(void) {
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    scene_open(NULL), seq = 0;
    begin();
    give(3);
    atomic_store(&slot.b->event_handed, offsets[i]);
    finish();
    expect_rest(1);
    scene_close();
  }
}

static void reply_head(void) {
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    uint8_t bytes[64] = {0};
    scene_open(NULL), seq = 0;
    begin();
    scene.answer_jobs = true;
    uint32_t n = 0;
    for (; n < 30; n++)
      client_command(&slot, COROD_OP_CLI, n + 1, bytes, 0, "some text that takes room", 25);
    scene_settle();
    atomic_store(&slot.b->reply_head, atomic_load(&slot.a->reply_tail) + offsets[i]);
    for (; n < 200 && !ended(); n++)
      client_command(&slot, COROD_OP_CLI, n + 1, bytes, 0, "some text that takes room", 25);
    // What claims no more than has been written by the time the host looks hurts the daemon alone.
    CHECK(ended() || ((offsets[i] >= 0xfffff000 || offsets[i] < 4096) && offsets[i] % 8 == 0));
    finish();
    scene_close();
  }
}

static void command_tail(void) {
  for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
    scene_open(NULL), seq = 0;
    begin();
    atomic_store(&slot.b->command_tail, offsets[i]);
    client_ring(&slot);
    CHECK(ended()); // wrong by itself, or zeros where a record should be
    CHECK_EQUAL(scene.enqueued + scene.n_jobs, 0);
    finish();
    expect_rest(1);
    scene_close();
  }
}

// Each field of a command's head at each boundary, alone and in front of a good command.
static void command_head(void) {
  static const uint32_t sizes[] = {0,    1,    8,    31,         32,         33,         2048,      2049,
                                   4095, 4096, 4097, 0x7fffffff, 0x80000000, 0xffffffe0, 0xffffffff};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int kind = 0; kind < 9; kind++) {
      scene_open(NULL), seq = 0;
      begin();
      struct corod_count count = {.by = 1};
      struct corod_record *at;
      CHECK(corod_writer_claim(&slot.commands, sizeof *at + sizeof count, &at) == COROD_RING_SOME);
      *at = (struct corod_record){.size = sizes[i], .kind = (uint8_t)(kind == 8 ? 255 : kind), .type = COROD_OP_COUNT};
      memcpy(at + 1, &count, sizeof count);
      corod_writer_publish(&slot.commands);
      client_ring(&slot);
      // 32 and 33 are heads with nothing or one byte behind them: commands that are answered or refused.
      bool good = kind == COROD_KIND_COMMAND && (sizes[i] == 32 || sizes[i] == 33);
      bool over = ended();
      CHECK(over || good);
      CHECK_EQUAL(scene.counted[0], 0);
      finish();
      expect_rest(1);
      scene_close();
    }
}

static uint64_t state = 88172645463325252ull;
static uint64_t random_number(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// Random words and bytes all over B, at random moments of an otherwise working attachment.
static void scribble(void) {
  scene_open(NULL);
  uint64_t survived = 0;
  for (int life = 0; life < 400; life++) {
    begin();
    for (int step = 0; step < 50 && !ended(); step++) {
      struct corod_count count = {.counter = (uint32_t)random_number() % 2, .by = 1};
      give((uint32_t)random_number() % 8);
      client_command(&slot, (uint32_t)random_number() % 8, random_number() % 2, &count, sizeof count, NULL, 0);
      uint8_t *b = daemon_.regions[0].b;
      uint64_t at = slot.told.b.offset + random_number() % sizeof *slot.b;
      switch (random_number() % 8) {
      case 0:
        b[at] = (uint8_t)random_number();
        break;
      case 1:
        memset(b + slot.told.command_ring.offset, (int)random_number(), slot.told.command_ring.size);
        break;
      case 2:
        b[slot.told.command_ring.offset + random_number() % 512] = (uint8_t)random_number();
        break;
      case 3:
        for (uint32_t i = 0; i < sizeof(struct corod_executor_b); i++)
          ((uint8_t *)daemon_.bell[0])[i] = (uint8_t)random_number();
        corod_pipe_ring(daemon_.ring_fd[0]);
        break;
      case 4:
        atomic_store(&slot.b->deadline, random_number());
        break;
      default:
        client_ring(&slot);
      }
      if (corod_node_find(scene.core, "n"))
        corod_node_run(corod_node_find(scene.core, "n"), scene.now += random_number() % 100000);
      survived++;
    }
    finish();
  }
  CHECK(survived > 1000);
  begin();
  finish();
  scene_close();
}

// The daemon's ends of the pipes: without O_NONBLOCK, filled, closed. The host neither blocks nor spins.
static void pipes(void) {
  char bytes[65536] = {0};
  scene_open(NULL);
  begin();
  while (write(daemon_.ring_fd[0], bytes, sizeof bytes) > 0)
    ;
  scene_settle();
  client_ring(&slot);
  close(daemon_.ring_fd[0]); // nobody writes any more: not readable for ever
  close(daemon_.wait_fd[0]); // nobody reads: ringing is no error
  daemon_.wait_fd[0] = -1;
  corod_bell_arm(&daemon_.bell[0]->to_daemon);
  scene_settle();
  give(3);
  for (int i = 0; i < 70000; i++) {
    atomic_store(&daemon_.bell[0]->to_daemon.sleeping, 1);
    corod_node_signal(corod_node_find(scene.core, "n"), 2, 0);
  }
  scene_settle();
  CHECK(!ended());
  finish();
  scene_close();
}

static uint32_t odd(void) {
  static const uint32_t numbers[] = {0,  0,   0,   1,   2,   3,    15,   16,       63, 64,
                                     65, 128, 129, 256, 257, 4095, 4096, 1u << 24, ~0u};
  return random_number() % 4 ? numbers[random_number() % 19] : (uint32_t)random_number();
}

// A message that is nearly right, from right ones: names, numbers at their limits, any order.
static void nearly(struct corod_message *m) {
  static const char *const names[] = {"n", "n", "m", "ip4-lookup", "", "a b", "x"};
  static const uint16_t types[] = {COROD_MSG_NODE,     COROD_MSG_NEXT,        COROD_MSG_COUNTER,   COROD_MSG_CODE,
                                   COROD_MSG_NODE_END, COROD_MSG_NODE_REMOVE, COROD_MSG_READY,     COROD_MSG_PING,
                                   COROD_MSG_SIGNALS,  COROD_MSG_EXECUTOR,    COROD_MSG_NODE_CLOSE};
  *m = (struct corod_message){.type = types[random_number() % 11]};
  const char *name = names[random_number() % 7];
  switch (m->type) {
  case COROD_MSG_NODE:
    strcpy(m->node.name, name);
    m->node.executor = random_number() % 8 ? 0 : odd();
    m->node.event_ring = odd() & 0xffff;
    m->node.command_ring = odd() & 0xffff;
    m->node.backlog = odd();
    m->node.backlog_bytes = odd();
    m->node.overflow = random_number() % 4;
    m->node.next = random_number() % 3;
    m->node.counters = random_number() % 3;
    m->node.codes = random_number() % 3;
    if (random_number() % 10 == 0)
      m->node.next = (uint16_t)odd();
    if (random_number() % 10 == 0)
      m->node.codes = (uint16_t)odd();
    break;
  case COROD_MSG_NEXT:
  case COROD_MSG_SIGNALS:
    m->next.index = random_number() % 3;
    strcpy(m->next.name, name);
    break;
  case COROD_MSG_COUNTER:
    m->counter.index = random_number() % 3;
    m->counter.severity = random_number() % 4;
    strcpy(m->counter.name, name);
    break;
  case COROD_MSG_CODE:
    m->code.code = odd();
    m->code.max_size = odd();
    break;
  case COROD_MSG_NODE_CLOSE:
    m->node_close.slot = random_number() % 4;
    m->node_close.generation = random_number() % 4;
    break;
  case COROD_MSG_NODE_REMOVE:
    m->node_remove.slot = random_number() % 4;
    m->node_remove.generation = random_number() % 4;
    m->node_remove.how = random_number() % 5;
    break;
  case COROD_MSG_EXECUTOR:
    m->executor.id = odd();
    break;
  default:
    break;
  }
  if (random_number() % 40 == 0)
    m->bytes[random_number() % sizeof m->bytes] = (uint8_t)random_number();
}

// Sends it unless the host has gone or reads no more, because nobody reads its answers.
static void push(struct corod_message *m) {
  m->magic = COROD_MAGIC;
  for (int i = 0; i < 10; i++) {
    if (send(daemon_.fd, m, sizeof *m, MSG_NOSIGNAL) > 0 || errno != EAGAIN)
      return;
    scene_turn();
  }
}

// Sends a NODE with its parts as announced, every number of them random, then whatever.
static void conversation(void) {
  uint32_t made = 0;
  scene_open(NULL), seq = 0;
  for (int life = 0; life < 2000; life++) {
    client_attach(&daemon_);
    for (int n = 0; n < 40; n++) {
      struct corod_message m, part;
      nearly(&m);
      push(&m);
      if (m.type != COROD_MSG_NODE || random_number() % 8 == 0)
        continue;
      uint16_t counts[] = {m.node.next, m.node.counters, m.node.codes};
      for (int kind = 0; kind < 3; kind++)
        for (uint32_t i = 0; i < counts[kind] && i < 300; i++) {
          part = (struct corod_message){.type = (uint16_t)(COROD_MSG_NEXT + kind)};
          part.next.index = i;
          if (kind < 2)
            snprintf(kind ? part.counter.name : part.next.name, COROD_NAME, "p%u", i);
          else
            part.code = (struct corod_code_ask){random_number() % 8 ? i : odd(), random_number() % 8 ? 64 : odd()};
          push(&part);
        }
      part = (struct corod_message){.type = COROD_MSG_NODE_END};
      push(&part);
    }
    scene_settle();
    if (corod_node_find(scene.core, "n"))
      give(3);
    made = scene.created;
    if (made > SCENE_NODES - 100)
      scene.n_nodes = scene.created = 0;
    client_close(&daemon_);
    scene_settle();
  }
  CHECK(made > 100);
  scene_close();
}

static atomic_bool flipping;

// Another thread of the daemon changes every shared byte while the host reads it: what was checked must be what is
// used.
static void *flip(void *arg) {
  uint64_t own = 12345;
  (void)arg;
  while (atomic_load(&flipping)) {
    own = own * 6364136223846793005ull + 1442695040888963407ull;
    uint8_t *ring = daemon_.regions[0].b + slot.told.command_ring.offset;
    uint32_t at = (uint32_t)(own >> 33) % 512;
    if (own >> 63)
      ring[at] ^= (uint8_t)(own >> 20);
    else
      *(volatile uint32_t *)(void *)(ring + (at & ~3u)) = (uint32_t)(own >> 17) % 4096;
  }
  return NULL;
}

static void flipper(void) {
  static uint8_t packet[2000];
  uint64_t ends = 0;
  scene_open(NULL), seq = 0;
  for (int life = 0; life < 300; life++) {
    pthread_t thread;
    begin();
    atomic_store(&flipping, true);
    CHECK(pthread_create(&thread, NULL, flip, NULL) == 0);
    for (int step = 0; step < 200 && !ended(); step++) {
      struct corod_enqueue to = {.next = 0};
      client_command(&slot, COROD_OP_ENQUEUE, 1, &to, sizeof to, packet, 64 + (uint32_t)random_number() % 400);
    }
    ends += ended();
    atomic_store(&flipping, false);
    CHECK(pthread_join(thread, NULL) == 0);
    finish();
  }
  CHECK(ends > 0);
  scene_close();
}

int main(void) {
  conversation();
  flipper();
  event_head();
  event_handed();
  reply_head();
  command_tail();
  command_head();
  scribble();
  pipes();
  return 0;
}
