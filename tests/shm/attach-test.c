// attach-test.c: mutated conversations: whatever a host says, with whatever descriptors, the daemon's side does not
// crash, does not believe what is out of bounds, and keeps no descriptor and no mapping. Argument: how many
// conversations (default 10,000).
#include "attach.h"
#include "saying.h"

#include <signal.h>

static uint64_t seed;
static struct place host;
static int spare[253]; // descriptors to send too many of

static uint32_t pick(uint32_t n) {
  return (uint32_t)(random_next(&seed) % n);
}

// Sometimes does something to a message or its descriptors.
static void maybe_mutated(int fd, struct corod_message *m, int *fds, uint32_t n, bool mutate) {
  size_t size = sizeof *m;
  const int *sent = fds;
  m->magic = COROD_MAGIC;
  m->fds = (uint16_t)n;
  if (mutate)
    switch (pick(7)) {
    case 0: // any byte
      ((uint8_t *)m)[pick(128)] = (uint8_t)pick(256);
      break;
    case 1: { // a word of the body, at an edge
      static const uint32_t edges[] = {0, 1, 63, 64, 4095, 4096, 4097, 1u << 31, UINT32_MAX, UINT32_MAX - 63};
      uint32_t value = edges[pick(10)];
      memcpy(m->bytes + pick(30) * 4, &value, 4);
      break;
    }
    case 2: // another type
      m->type = (uint16_t)pick(24);
      break;
    case 3: // another size
      size = pick(2) ? pick(sizeof *m) : sizeof *m - 1;
      break;
    case 4: // surplus descriptors
      n += pick(250);
      sent = spare;
      break;
    case 5: // too few
      n = n ? n - 1 : 0;
      break;
    default: // another call
      m->call += pick(3) - 1;
    }
  say(fd, m, size, sent, n);
}

// Says the next message of a good conversation; `step` counts them. False: there is no more to say.
static bool host_says(int fd, int step, bool mutate) {
  struct corod_message m = {0};
  int fds[2] = {-1, -1};
  uint32_t n = 0;
  switch (step) {
  case 0:
    m.type = COROD_MSG_WELCOME;
    m.welcome = (struct corod_welcome){
        .version = 1, .max_nodes = 10, .max_executors = 2, .max_event = 4096, .host = "h", .release = "r"};
    break;
  case 1:
  case 4:
    m.type = COROD_MSG_REGION;
    m.region = (struct corod_region){.index = step == 4, .a_size = 32768, .b_size = 32768};
    fds[0] = seal(memfd(32768), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    fds[1] = seal(memfd(32768), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    n = 2;
    break;
  case 2:
  case 5:
    m.type = COROD_MSG_NODE_READY;
    m.call = step == 2 ? 1 : 2;
    m.node_ready = (struct corod_node_ready){.slot = step == 5,
                                             .generation = 1,
                                             .a = {step == 5, sizeof(struct corod_slot_a), 0},
                                             .b = {step == 5, sizeof(struct corod_slot_b), 4096},
                                             .event_ring = {step == 5, step == 5 ? 8192 : 0, 8192},
                                             .reply_ring = {step == 5, 4096, 4096},
                                             .command_ring = {step == 5, 16384, 16384}};
    break;
  case 3:
    m.type = COROD_MSG_EXECUTOR;
    m.call = 1;
    m.executor = (struct corod_executor){.words = {0, sizeof(struct corod_executor_b), 0}};
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    n = 2;
    break;
  case 6:
    m.type = COROD_MSG_PONG;
    m.call = 3;
    break;
  default:
    return false;
  }
  maybe_mutated(fd, &m, fds, n, mutate);
  for (uint32_t i = 0; i < 2; i++)
    if (fds[i] >= 0)
      close(fds[i]);
  return true;
}

// Asks what may be asked now; a wrong moment is refused.
static void daemon_asks(struct corod_attach *a, int step) {
  struct corod_node_ask node = {.name = "n"};
  if (step == 0)
    CHECK(corod_attach_executor(a, 1, 0) == COROD_DONE);
  if (step == 3 && corod_attach_node(a, 2, &node) == COROD_DONE) {
    CHECK(corod_attach_node_next(a, 2, 0, "x") == COROD_DONE);
    CHECK(corod_attach_node_code(a, 2, 1, 1) == COROD_DONE);
    CHECK(corod_attach_node_end(a, 2) == COROD_DONE);
  }
  if (step == 5)
    corod_attach_ping(a, 3);
}

// Uses everything that was handed over: nothing of it may be out of bounds (ASan, SIGBUS).
static void use(struct corod_attach *a) {
  static uint8_t buffer[65536];
  for (uint32_t i = 0; i < COROD_MAX_SLOTS; i++) {
    struct corod_slot *s = a->slots[i];
    if (!s || !s->executor->words)
      continue;
    corod_slot_drain(s, buffer, sizeof buffer, true);
    corod_slot_replies(s, buffer, sizeof buffer, true);
    while (corod_slot_push(s, COROD_OP_CLI, 1, NULL, 0, buffer, 1000) == COROD_DONE)
      ;
    corod_slot_count(s, 1, 1);
    corod_slot_deadline(s, 5, 1);
    corod_slot_release(s);
    corod_executor_settle(s->executor);
    corod_executor_collect(s->executor);
  }
}

static bool conversation(bool mutate) {
  struct corod_attach *a;
  struct corod_message m;
  bool whole = false;
  CHECK(corod_attach_open(&a, host.address.sun_path) == 0);
  int fd = place_accept(&host);
  CHECK(corod_attach_hello(a, "test") == COROD_DONE);
  int wrong = mutate ? (int)pick(7) : -1;
  for (int step = 0; host_says(fd, step, step == wrong || (mutate && pick(20) == 0)); step++) {
    corod_attach_send(a);
    int got;
    while ((got = corod_attach_receive(a, &m)) > 0)
      daemon_asks(a, m.type == COROD_MSG_WELCOME ? 0 : step);
    use(a);
    if (got < 0) {
      CHECK(a->why[0]);
      break;
    }
    whole = step == 6;
  }
  corod_attach_close(a);
  CHECK(corod_attach_ping(a, 9) == COROD_DONE && corod_attach_receive(a, &m) == -1);
  corod_attach_free(a);
  close(fd);
  return whole;
}

int main(int argc, char **argv) {
  uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
  signal(SIGPIPE, SIG_IGN);
  place_open(&host);
  for (int i = 0; i < 253; i++)
    spare[i] = 0;
  CHECK(conversation(false)); // the good one is good
  int fds = descriptors(), maps = mappings(), whole = 0;
  for (uint64_t i = 0; i < total; i++) {
    seed = (i + 1) * 0x9E3779B97F4A7C15ull;
    whole += conversation(true);
    if (i % 1000 == 0)
      CHECK(conversation(false));
  }
  CHECK(descriptors() == fds && mappings() == maps);
  CHECK(whole < (int)total);
  place_close(&host);
  return 0;
}
