// doorbells.c: the executors' doorbells on the host's side, and one turn of what they ring for.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <fcntl.h>

#define COROD_ROUNDS 4 // looks of one turn before the host's loop goes on
#define COROD_SLOTS_PER_TURN 1024u

static void readable(void *arg) {
  struct corod_bell *bell = arg;
  struct corod_core *core = bell->core;
  corod_bell_turn(bell, true);
  corod_session_settle(core);
}

uint32_t corod_bell_open(struct corod_session *session, uint32_t id, struct corod_place *words, int fds[2],
                         struct corod_region_made *made) {
  struct corod_core *core = session->core;
  struct corod_bell *bell = &session->bells[id];
  int to_daemon[2], to_host[2];
  struct corod_executor_b *at;
  uint32_t status = corod_memory_bell(&session->memory, &at, words, made);
  if (status != COROD_OK)
    return status;
  if (pipe2(to_daemon, O_NONBLOCK | O_CLOEXEC))
    return COROD_NO_MEMORY;
  if (pipe2(to_host, O_NONBLOCK | O_CLOEXEC)) {
    close(to_daemon[0]);
    close(to_daemon[1]);
    return COROD_NO_MEMORY;
  }
  bell->words = at;
  bell->ring_fd = to_daemon[1];
  bell->wait_fd = to_host[0];
  bell->kept_fd = fcntl(to_host[1], F_DUPFD_CLOEXEC, 0);
  bell->token = core->ops->watch(core->host, bell->wait_fd, readable, bell, "corod: doorbell");
  if (bell->kept_fd < 0 || bell->token < 0) {
    corod_bell_close(bell);
    close(to_daemon[0]);
    close(to_host[1]);
    return COROD_NO_MEMORY;
  }
  corod_bell_arm(&at->to_host);
  fds[0] = to_daemon[0];
  fds[1] = to_host[1];
  return COROD_OK;
}

void corod_bell_close(struct corod_bell *bell) {
  int *fds[] = {&bell->ring_fd, &bell->wait_fd, &bell->kept_fd};
  if (bell->token >= 0)
    bell->core->ops->unwatch(bell->core->host, bell->token);
  for (int i = 0; i < 3; i++) {
    if (*fds[i] >= 0)
      close(*fds[i]);
    *fds[i] = -1;
  }
  bell->token = -1;
  bell->words = NULL;
  bell->owed_words = 0;
  memset(bell->owed, 0, sizeof bell->owed);
}

void corod_bell_ring(struct corod_core *core, const struct corod_slot *slot) {
  struct corod_bell *bell = &core->session->bells[slot->executor];
  struct corod_burst *burst = &core->burst;
  if (!bell->words)
    return;
  if (burst->depth) {
    uint32_t word = slot->number >> 6;
    bell->owed[word] |= 1ull << (slot->number & 63);
    bell->owed_words |= 1ull << word;
    burst->executors |= 1u << slot->executor;
    if (++burst->published == COROD_BURST)
      corod_bells_flush(core);
  } else if (corod_bell_post(&bell->words->to_daemon, slot->number))
    corod_pipe_ring(bell->ring_fd);
}

// Bits first, then one byte: who is woken finds all of them.
static void ring_owed(struct corod_bell *bell) {
  bool ring = false;
  for (; bell->owed_words; bell->owed_words &= bell->owed_words - 1) {
    uint32_t w = (uint32_t)__builtin_ctzll(bell->owed_words);
    for (; bell->owed[w]; bell->owed[w] &= bell->owed[w] - 1)
      ring |= corod_bell_post(&bell->words->to_daemon, w * 64 + (uint32_t)__builtin_ctzll(bell->owed[w]));
  }
  if (ring)
    corod_pipe_ring(bell->ring_fd);
}

void corod_bells_flush(struct corod_core *core) {
  struct corod_burst *burst = &core->burst;
  // Of a bell that was closed meanwhile nothing is owed any more.
  for (; burst->executors && core->session; burst->executors &= burst->executors - 1)
    ring_owed(&core->session->bells[__builtin_ctz(burst->executors)]);
  burst->executors = burst->published = 0;
  burst->now = 0;
}

void corod_burst_begin(struct corod_core *core) {
  core->burst.depth++;
}

void corod_burst_end(struct corod_core *core) {
  if (--core->burst.depth == 0)
    corod_bells_flush(core);
}

uint64_t corod_stamp(struct corod_core *core) {
  struct corod_burst *burst = &core->burst;
  if (!burst->depth)
    return corod_now(core);
  if (!burst->now)
    burst->now = corod_now(core);
  return burst->now;
}

void corod_bell_later(struct corod_core *core, const struct corod_slot *slot) {
  core->session->bells[slot->executor].pending[slot->number >> 6] |= 1ull << (slot->number & 63);
  corod_again(core);
}

static struct corod_slot *slot_at(struct corod_core *core, uint32_t number) {
  if (number == 0)
    return &core->own;
  return core->slots[number] ? &core->slots[number]->slot : NULL;
}

// Gives ready slots their turns, beginning where the last turn stopped, so that a busy slot cannot starve the others.
// False: some are left.
static bool serve(struct corod_bell *bell, uint32_t *budget, uint32_t *slots) {
  struct corod_core *core = bell->core;
  uint32_t first = bell->at >> 6;
  for (uint32_t i = 0; i <= COROD_READY_WORDS; i++) {
    uint32_t w = (first + i) % COROD_READY_WORDS;
    uint64_t from = ~0ull << (bell->at & 63);
    // The word of `at` is visited twice: its upper part first, its lower part last.
    uint64_t mask = i == 0 ? from : i == COROD_READY_WORDS ? ~from : ~0ull;
    while (bell->pending[w] & mask) {
      uint32_t bit = (uint32_t)__builtin_ctzll(bell->pending[w] & mask), number = w * 64 + bit;
      struct corod_slot *slot = slot_at(core, number);
      if (*budget == 0 || *slots == 0) {
        bell->at = number;
        return false;
      }
      --*slots;
      bell->pending[w] &= ~(1ull << bit);
      if (slot && slot->open && !corod_slot_turn(core, slot, budget)) {
        bell->pending[w] |= 1ull << bit;
        bell->at = (number + 1) % COROD_MAX_SLOTS; // the others first
        return false;
      }
      if (core->session->failed)
        return true;
    }
  }
  return true;
}

bool corod_bell_turn(struct corod_bell *bell, bool rung) {
  struct corod_core *core = bell->core;
  uint32_t budget = core->config.budget, slots = COROD_SLOTS_PER_TURN;
  struct corod_bell_words *words = &bell->words->to_host;
  bool found = false;
  if (rung)
    (void)corod_pipe_drain(bell->wait_fd);
  corod_bell_disarm(words);
  for (int round = 0; round < COROD_ROUNDS; round++) {
    corod_burst_begin(core);
    found |= corod_bell_collect(words, bell->pending) != 0;
    bool served = serve(bell, &budget, &slots);
    corod_burst_end(core);
    if (!served) {
      corod_again(core);
      return true;
    }
    if (core->session->failed || corod_bell_arm(words))
      return found;
  }
  corod_again(core);
  return true;
}
