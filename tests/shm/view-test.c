// view-test.c: what an attachment lends to a view: taken once, by the right one, usable after the attachment has
// closed, and given back whatever happens to it.
#include "attach.h"
#include "saying.h"
#include "share.h"
#include "view.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define RING 4096
#define LENT 1 // the executor that is lent; the daemon's own slot is on 0

static struct place place;

// The host's side of an attachment with executors 0 and 1 and slots 1 and 2 on executor 1, each in a region of its own.
struct host {
  int fd;
  uint32_t regions;
  uint8_t *a[8], *b[8];
  int ring[2], wake[2]; // to the daemon, from it
  struct corod_writer events[3];
};

static struct corod_message expect(struct corod_attach *a) {
  struct corod_message m;
  corod_attach_send(a);
  CHECK(corod_attach_receive(a, &m) == 1);
  return m;
}

static uint32_t region(struct host *h) {
  struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_REGION, .fds = 2};
  int fds[2] = {memfd(16384), memfd(16384)};
  uint32_t n = h->regions++;
  m.region = (struct corod_region){.index = n, .a_size = 16384, .b_size = 16384};
  h->a[n] = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
  h->b[n] = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
  CHECK(h->a[n] != MAP_FAILED && h->b[n] != MAP_FAILED);
  seal(fds[0], F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
  seal(fds[1], F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  say(h->fd, &m, sizeof m, fds, 2);
  close(fds[0]);
  close(fds[1]);
  return n;
}

static void slot(struct host *h, uint32_t call, uint32_t index, uint32_t n) {
  struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_NODE_READY, .call = call};
  m.node_ready = (struct corod_node_ready){.slot = index,
                                           .generation = 7,
                                           .a = {n, sizeof(struct corod_slot_a), 0},
                                           .b = {n, sizeof(struct corod_slot_b), 0},
                                           .event_ring = {n, index ? RING : 0, 4096},
                                           .reply_ring = {n, RING, 8192},
                                           .command_ring = {n, RING, 4096}};
  if (index)
    h->events[index] = (struct corod_writer){.data = h->a[n] + 4096,
                                             .tail_word = &((struct corod_slot_a *)h->a[n])->event_tail,
                                             .head_word = &((struct corod_slot_b *)h->b[n])->event_head,
                                             .size = RING};
  say(h->fd, &m, sizeof m, NULL, 0);
}

static void executor(struct host *h, struct corod_attach *a, uint32_t id) {
  struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_EXECUTOR, .call = 10 + id, .fds = 2};
  int to_daemon[2], to_host[2];
  CHECK(corod_attach_executor(a, 10 + id, id) == COROD_DONE);
  uint32_t n = region(h);
  if (id == 0)
    slot(h, 10, 0, n);
  CHECK(pipe2(to_daemon, O_CLOEXEC | O_NONBLOCK) == 0 && pipe2(to_host, O_CLOEXEC | O_NONBLOCK) == 0);
  m.executor = (struct corod_executor){.id = id, .words = {n, sizeof(struct corod_executor_b), 8192}};
  say(h->fd, &m, sizeof m, (int[]){to_daemon[0], to_host[1]}, 2);
  close(to_daemon[0]);
  close(to_host[1]);
  h->ring[id] = to_daemon[1];
  h->wake[id] = to_host[0];
  if (id == 0)
    CHECK(expect(a).type == COROD_MSG_NODE_READY);
  CHECK(expect(a).type == COROD_MSG_EXECUTOR);
}

static void node(struct host *h, struct corod_attach *a, uint32_t index) {
  struct corod_node_ask ask = {.name = "n", .executor = LENT};
  CHECK(corod_attach_node(a, 20 + index, &ask) == COROD_DONE);
  slot(h, 20 + index, index, region(h));
  CHECK(expect(a).type == COROD_MSG_NODE_READY);
}

static struct corod_attach *open_both(struct host *h) {
  struct corod_attach *a;
  struct corod_message m = {.magic = COROD_MAGIC, .type = COROD_MSG_WELCOME};
  memset(h, 0, sizeof *h);
  CHECK(corod_attach_open(&a, place.address.sun_path) == 0);
  h->fd = place_accept(&place);
  CHECK(corod_attach_hello(a, "test") == COROD_DONE);
  m.welcome = (struct corod_welcome){.version = 1, .max_nodes = 9, .max_executors = 2, .max_event = 1024};
  say(h->fd, &m, sizeof m, NULL, 0);
  CHECK(expect(a).type == COROD_MSG_WELCOME);
  executor(h, a, 0);
  executor(h, a, LENT);
  node(h, a, 1);
  node(h, a, 2);
  return a;
}

static void close_both(struct host *h, struct corod_attach *a) {
  corod_attach_free(a);
  close(h->fd);
  for (int i = 0; i < 2; i++) {
    close(h->ring[i]);
    close(h->wake[i]);
  }
  for (uint32_t i = 0; i < h->regions; i++) {
    munmap(h->a[i], 16384);
    munmap(h->b[i], 16384);
  }
}

static uint64_t lend_executor(struct corod_attach *a) {
  uint64_t token = 0;
  CHECK(corod_attach_share_executor(a, LENT, &token) == COROD_DONE && token && token < 1ull << 53);
  return token;
}

static uint64_t lend_slot(struct corod_attach *a, uint32_t slot) {
  uint64_t token = 0;
  uint32_t executor = 99;
  CHECK(corod_attach_share_slot(a, slot, &token, &executor) == COROD_DONE && token && executor == LENT);
  return token;
}

// The host writes an event to a slot; the view takes it and answers with a command, which the host sees.
static void there_and_back(struct host *h, struct corod_view *v, uint32_t slot) {
  static uint8_t buffer[RING];
  struct corod_record *record;
  const _Atomic uint32_t *tail = &((struct corod_slot_b *)h->b[1 + slot])->command_tail;
  uint32_t before = atomic_load(tail);
  CHECK(corod_writer_claim(&h->events[slot], sizeof *record, &record) == COROD_RING_SOME);
  *record = (struct corod_record){.size = sizeof *record, .kind = COROD_KIND_EVENT};
  corod_writer_publish(&h->events[slot]);
  struct corod_slot *s = v->end->slots[slot];
  CHECK(corod_slot_drain(s, buffer, sizeof buffer, true) == sizeof *record && corod_slot_take(s, 1) == COROD_DONE);
  CHECK(corod_slot_count(s, 0, 1) == COROD_DONE);
  corod_slot_release(s);
  corod_executor_settle(v->end);
  CHECK(atomic_load(tail) == before + sizeof *record + sizeof(struct corod_count));
  CHECK(atomic_load(h->events[slot].head_word) == h->events[slot].tail);
}

static void a_view_works_with_and_without_its_attachment(void) {
  struct host h;
  struct corod_attach *a = open_both(&h);
  struct corod_view *v;
  CHECK(corod_view_open(&v, lend_executor(a)) == COROD_DONE);
  CHECK(corod_view_add(v, lend_slot(a, 1)) == COROD_DONE && corod_view_add(v, lend_slot(a, 2)) == COROD_DONE);
  CHECK(corod_executor_collect(v->end)); // told once as ready
  there_and_back(&h, v, 1);
  there_and_back(&h, v, 2);
  corod_pipe_ring(h.ring[LENT]);
  char byte;
  CHECK(read(v->end->wake, &byte, 1) == 1);
  corod_attach_close(a);
  there_and_back(&h, v, 1);
  corod_view_free(v);
  close_both(&h, a);
}

static void tokens_are_good_once_for_one_purpose(void) {
  struct host h, other;
  struct corod_attach *a = open_both(&h), *b = open_both(&other);
  struct corod_view *v, *none;
  uint64_t executor = lend_executor(a), slot = lend_slot(a, 1), foreign = lend_slot(b, 1);
  CHECK(corod_view_open(&none, slot) == COROD_MISUSE);
  CHECK(corod_view_open(&none, 0) == COROD_GONE && corod_view_open(&none, UINT64_MAX) == COROD_GONE);
  CHECK(corod_view_open(&none, executor + (1u << 20)) == COROD_GONE); // the next use of that place
  CHECK(corod_view_open(&v, executor) == COROD_DONE);
  CHECK(corod_view_open(&none, executor) == COROD_GONE);
  CHECK(corod_view_add(v, foreign) == COROD_MISUSE && corod_view_add(v, lend_executor(b)) == COROD_MISUSE);
  CHECK(corod_view_add(v, slot) == COROD_DONE && corod_view_add(v, slot) == COROD_GONE);
  CHECK(corod_view_remove(v, 0) == COROD_MISUSE && corod_view_remove(v, 2) == COROD_MISUSE);
  CHECK(corod_view_remove(v, COROD_MAX_SLOTS) == COROD_MISUSE);
  CHECK(corod_view_remove(v, 1) == COROD_DONE && corod_view_remove(v, 1) == COROD_MISUSE);
  uint64_t late = lend_slot(a, 2);
  corod_view_close(v);
  CHECK(corod_view_add(v, late) == COROD_MISUSE && corod_view_remove(v, 2) == COROD_MISUSE);
  CHECK(corod_share_withdraw(late) && corod_view_add(v, late) == COROD_MISUSE);
  corod_view_free(v);
  close_both(&h, a);
  close_both(&other, b);
}

static void only_what_can_be_lent_is(void) {
  struct host h;
  struct corod_attach *a = open_both(&h);
  struct corod_view *v;
  uint64_t token;
  uint32_t executor;
  CHECK(corod_attach_share_executor(a, 0, &token) == COROD_MISUSE); // the daemon's own slot is on it
  CHECK(corod_attach_share_executor(a, 2, &token) == COROD_MISUSE);
  CHECK(corod_attach_share_executor(a, COROD_MAX_EXECUTORS, &token) == COROD_MISUSE);
  CHECK(corod_attach_share_slot(a, 0, &token, &executor) == COROD_MISUSE);
  CHECK(corod_attach_share_slot(a, 3, &token, &executor) == COROD_MISUSE);
  CHECK(corod_attach_share_slot(a, COROD_MAX_SLOTS, &token, &executor) == COROD_MISUSE);
  lend_slot(a, 1);
  CHECK(corod_attach_share_slot(a, 1, &token, &executor) == COROD_MISUSE);
  CHECK(!corod_attach_shares(a, LENT));
  uint64_t lost = lend_executor(a), first = lend_executor(a); // its thread ended before it took it
  CHECK(corod_attach_shares(a, LENT));
  CHECK(corod_view_open(&v, lost) == COROD_GONE && corod_view_open(&v, first) == COROD_DONE);
  CHECK(corod_attach_shares(a, LENT) && corod_attach_share_executor(a, LENT, &token) == COROD_MISUSE);
  CHECK(!corod_share_withdraw(first)); // somebody has it
  corod_view_free(v);
  CHECK(!corod_attach_shares(a, LENT));
  CHECK(corod_share_withdraw(lend_executor(a)));
  lend_executor(a); // nobody takes it
  close_both(&h, a);
}

static void a_lent_slot_is_removed_when_nobody_has_it(void) {
  struct host h;
  struct corod_attach *a = open_both(&h);
  struct corod_view *v;
  CHECK(corod_view_open(&v, lend_executor(a)) == COROD_DONE);
  uint64_t first = lend_slot(a, 1), second = lend_slot(a, 2);
  CHECK(corod_view_add(v, first) == COROD_DONE);
  CHECK(corod_attach_node_remove(a, 30, 1, 7, COROD_LEAVE_DISCARD) == COROD_MISUSE);
  CHECK(corod_attach_node_remove(a, 30, 2, 6, COROD_LEAVE_KEEP) == COROD_MISUSE); // another generation
  CHECK(corod_attach_node_remove(a, 30, 2, 7, COROD_LEAVE_DISCARD) == COROD_DONE);
  CHECK(corod_view_add(v, second) == COROD_GONE);
  // What was pushed is published when the slot is let go of.
  const _Atomic uint32_t *tail = &((struct corod_slot_b *)h.b[2])->command_tail;
  CHECK(corod_slot_count(v->end->slots[1], 0, 1) == COROD_DONE && atomic_load(tail) == 0);
  CHECK(corod_view_remove(v, 1) == COROD_DONE && atomic_load(tail) == 48);
  CHECK(corod_attach_node_remove(a, 31, 1, 7, COROD_LEAVE_KEEP) == COROD_DONE);
  CHECK(corod_attach_node_remove(a, 33, 1, 6, COROD_LEAVE_DISCARD) == COROD_MISUSE);
  CHECK(corod_attach_node_remove(a, 33, 1, 7, COROD_LEAVE_DISCARD) == COROD_DONE); // kept, so there is still a node
  CHECK(corod_attach_node_remove(a, 32, 1, 7, COROD_LEAVE_DISCARD) == COROD_MISUSE);
  // The host may use the slot again.
  slot(&h, 40, 2, 3);
  struct corod_node_ask ask = {.name = "m", .executor = LENT};
  CHECK(corod_attach_node(a, 40, &ask) == COROD_DONE);
  CHECK(expect(a).type == COROD_MSG_NODE_READY);
  CHECK(corod_view_add(v, lend_slot(a, 2)) == COROD_DONE);
  corod_view_free(v);
  close_both(&h, a);
}

// A thread that dies publishes nothing.
static void closing_publishes_nothing(void) {
  struct host h;
  struct corod_attach *a = open_both(&h);
  struct corod_view *v;
  CHECK(corod_view_open(&v, lend_executor(a)) == COROD_DONE);
  CHECK(corod_view_add(v, lend_slot(a, 1)) == COROD_DONE);
  CHECK(corod_slot_count(v->end->slots[1], 0, 1) == COROD_DONE);
  corod_view_close(v);
  CHECK(atomic_load(&((struct corod_slot_b *)h.b[2])->command_tail) == 0);
  corod_view_free(v);
  close_both(&h, a);
}

// Main lends and takes back while another thread takes and lets go, and neither waits for the other.
static _Atomic uint64_t passed;
static _Atomic bool over;

static void *takes(void *unused) {
  (void)unused;
  while (!atomic_load(&over)) {
    uint64_t token = atomic_exchange(&passed, 0);
    struct corod_view *v;
    if (token && corod_view_open(&v, token) == COROD_DONE)
      corod_view_free(v);
  }
  return NULL;
}

static void two_threads(void) {
  struct host h;
  pthread_t thread;
  struct corod_attach *a = open_both(&h);
  CHECK(pthread_create(&thread, NULL, takes, NULL) == 0);
  for (int i = 0; i < 2000; i++) {
    uint64_t token;
    while (corod_attach_share_executor(a, LENT, &token) == COROD_MISUSE)
      sched_yield(); // the other thread has the last one
    atomic_store(&passed, token);
    if (i % 3)
      corod_share_withdraw(token);
    else
      while (corod_attach_shares(a, LENT) && atomic_load(&passed))
        sched_yield();
  }
  atomic_store(&over, true);
  CHECK(pthread_join(thread, NULL) == 0);
  close_both(&h, a);
}

int main(void) {
  static void (*const all[])(void) = {a_view_works_with_and_without_its_attachment,
                                      tokens_are_good_once_for_one_purpose,
                                      only_what_can_be_lent_is,
                                      a_lent_slot_is_removed_when_nobody_has_it,
                                      closing_publishes_nothing,
                                      two_threads};
  signal(SIGPIPE, SIG_IGN);
  place_open(&place);
  int fds = descriptors(), maps = mappings();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    all[i]();
    CHECK(descriptors() == fds && mappings() == maps);
  }
  place_close(&place);
  return 0;
}
