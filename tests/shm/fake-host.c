// fake-host.c: a host that does as it is told, also wrong. For tests of the daemon's side only.
//
//   corod-fake-host SOCKET [WRONG...]     serves one attachment after the other, until stdin ends
//
// stdout: one line per thing that happens. stdin: one command per line, see `orders` at the end. WRONG names what it
// does wrong during the handshake; see the uses of wrong().
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "doorbell.h"
#include "handshake.h"
#include "ring.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define MAX_SLOTS 1100

struct slot {
  bool used;
  uint32_t generation, executor;
  struct corod_slot_a *a;
  struct corod_slot_b *b;
  struct corod_writer events, replies;
  struct corod_reader commands;
  uint64_t seq, relayed;
  uint64_t flood; // events still to send as room comes
  uint32_t flood_size;
  uint64_t echo; // events still to send, one for each command
};

static struct {
  int connection;
  uint32_t regions;
  struct corod_executor_b *words[COROD_MAX_EXECUTORS];
  int wake[COROD_MAX_EXECUTORS], wake_writer[COROD_MAX_EXECUTORS]; // we read; the duplicate that keeps it open
  int ring[COROD_MAX_EXECUTORS], ring_reader[COROD_MAX_EXECUTORS]; // we write
  struct {
    void *at;
    size_t size;
  } maps[2 * (MAX_SLOTS + COROD_MAX_EXECUTORS)];
  uint32_t n_maps;
  struct slot slots[MAX_SLOTS];
  struct corod_node_ask asking;
  uint64_t epoch;
} host = {.connection = -1};

static char **wrongs;

static bool wrong(const char *what) {
  for (char **w = wrongs; *w; w++)
    if (strcmp(*w, what) == 0)
      return true;
  return false;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- the socket

static void say(struct corod_message *m, const int *fds, uint32_t n) {
  char control[CMSG_SPACE(8 * sizeof(int))];
  struct iovec part = {.iov_base = m, .iov_len = wrong("short-message") ? COROD_MESSAGE - 8 : COROD_MESSAGE};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  m->magic = wrong("magic") ? 0xdeadbeef : COROD_MAGIC;
  m->fds = (uint16_t)n;
  int sent[8];
  memcpy(sent, fds, n * sizeof(int));
  if (n && wrong("too-many-fds"))
    while (n < 8)
      sent[n++] = fds[0];
  if (n && wrong("no-fds"))
    n = 0;
  if (n) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), sent, n * sizeof(int));
  }
  sendmsg(host.connection, &header, MSG_NOSIGNAL);
}

static int memfd(uint64_t size, int seals, const char *name, uint8_t **at) {
  char unsealed[32];
  snprintf(unsealed, sizeof unsealed, "unsealed-%s", name);
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || ftruncate(fd, (off_t)size))
    die("memfd");
  *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (*at == MAP_FAILED)
    die("mmap");
  if (!wrong(unsealed) && fcntl(fd, F_ADD_SEALS, seals))
    die("seal");
  host.maps[host.n_maps].at = *at;
  host.maps[host.n_maps++].size = size;
  return fd;
}

static uint32_t region(uint32_t call, uint64_t a_size, uint64_t b_size, uint8_t **a, uint8_t **b) {
  struct corod_message m = {.type = COROD_MSG_REGION, .call = call};
  m.region = (struct corod_region){.index = host.regions,
                                   .a_size = a_size + (wrong("short-a") ? 4096 : 0),
                                   .b_size = b_size + (wrong("short-b") ? 4096 : 0)};
  int future = wrong("writable-a") ? 0 : F_SEAL_FUTURE_WRITE;
  int fds[2] = {memfd(a_size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | future, "a", a),
                memfd(b_size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, "b", b)};
  if (wrong("not-memfd"))
    dup2(host.connection, fds[1]);
  say(&m, fds, 2);
  close(fds[0]);
  close(fds[1]);
  return host.regions++;
}

static void slot_ready(uint32_t call, uint32_t index, uint32_t executor, uint32_t event, uint32_t reply,
                       uint32_t command) {
  struct slot *s = &host.slots[index];
  struct corod_message m = {.type = COROD_MSG_NODE_READY, .call = call};
  uint8_t *a, *b;
  uint32_t n = region(call, 4096 + event + reply, 4096 + command, &a, &b);
  *s = (struct slot){.used = true, .generation = s->generation + 1, .executor = executor, .relayed = UINT64_MAX};
  s->a = (struct corod_slot_a *)(void *)a;
  s->b = (struct corod_slot_b *)(void *)b;
  s->events = (struct corod_writer){
      .data = a + 4096, .tail_word = &s->a->event_tail, .head_word = &s->b->event_head, .size = event};
  s->replies = (struct corod_writer){
      .data = a + 4096 + event, .tail_word = &s->a->reply_tail, .head_word = &s->b->reply_head, .size = reply};
  s->commands = (struct corod_reader){
      .data = b + 4096, .tail_word = &s->b->command_tail, .head_word = &s->a->command_head, .size = command};
  atomic_store(&s->b->deadline, UINT64_MAX);
  m.node_ready = (struct corod_node_ready){
      .slot = wrong("slot") ? COROD_MAX_SLOTS : index,
      .generation = s->generation,
      .node = 100 + index,
      .a = {n, sizeof *s->a, 0},
      .b = {n, sizeof *s->b, 0},
      .event_ring = {n, wrong("ring-size") ? event - 64 : event, wrong("ring-place") ? 12288 : 4096},
      .reply_ring = {wrong("region") ? n + 1 : n, reply, 4096 + event},
      .command_ring = {n, command, wrong("ring-overflow") ? UINT64_MAX - 63 : 4096},
  };
  say(&m, NULL, 0);
}

static void executor(const struct corod_message *ask) {
  struct corod_message m = {.type = COROD_MSG_EXECUTOR, .call = ask->call};
  uint32_t id = ask->executor.id;
  uint8_t *a, *b;
  int to_daemon[2], to_host[2];
  uint32_t n = region(ask->call, 4096, 4096, &a, &b);
  host.words[id] = (struct corod_executor_b *)(void *)b;
  if (!host.slots[0].used && !wrong("no-own-slot"))
    slot_ready(ask->call, 0, id, 0, 4096, 4096);
  if (pipe2(to_daemon, O_CLOEXEC | O_NONBLOCK) || pipe2(to_host, O_CLOEXEC | O_NONBLOCK))
    die("pipe");
  host.ring[id] = to_daemon[1];
  host.ring_reader[id] = to_daemon[0];
  host.wake[id] = to_host[0];
  host.wake_writer[id] = to_host[1];
  m.executor = (struct corod_executor){.id = id, .words = {n, sizeof **host.words, wrong("words") ? 3072 : 0}};
  int fds[2] = {to_daemon[wrong("pipe-ends") ? 1 : 0], to_host[1]};
  say(&m, fds, 2);
  close(to_daemon[0]);
  host.ring_reader[id] = -1;
  corod_bell_arm(&host.words[id]->to_host);
}

static void hang_up(void) {
  close(host.connection);
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (host.words[i]) {
      close(host.wake[i]);
      close(host.wake_writer[i]);
      close(host.ring[i]);
      host.words[i] = NULL;
    }
  for (uint32_t i = 0; i < host.n_maps; i++)
    munmap(host.maps[i].at, host.maps[i].size);
  memset(host.slots, 0, sizeof host.slots);
  host.n_maps = host.regions = 0;
  host.connection = -1;
  printf("closed\n");
}

static void answer(struct corod_message *m) {
  struct corod_message out = {.call = m->call};
  switch (m->type) {
  case COROD_MSG_HELLO:
    printf("hello %s %u-%u\n", m->hello.program, m->hello.min, m->hello.max);
    if (wrong("refuse")) {
      out.type = COROD_MSG_REFUSED;
      out.status = COROD_BUSY;
      out.refused = (struct corod_refused){.min = 1, .max = 1, .pid = 4711, .text = "another daemon"};
      say(&out, NULL, 0);
      hang_up();
      return;
    }
    out.type = COROD_MSG_WELCOME;
    out.welcome = (struct corod_welcome){.version = wrong("version") ? 7 : 1,
                                         .pid = (uint32_t)getpid(),
                                         .epoch = 0x1234567800000000u + ++host.epoch,
                                         .max_nodes = MAX_SLOTS - 1,
                                         .max_executors = wrong("limits") ? 1000 : COROD_MAX_EXECUTORS,
                                         .max_event = COROD_MAX_EVENT,
                                         .host = "fake",
                                         .release = "1.0"};
    if (wrong("endless-text"))
      memset(out.welcome.host, 'x', sizeof out.welcome.host);
    break;
  case COROD_MSG_EXECUTOR:
    executor(m);
    return;
  case COROD_MSG_NODE:
    host.asking = m->node;
    return;
  case COROD_MSG_NEXT:
    printf("next %u %s\n", m->next.index, m->next.name);
    return;
  case COROD_MSG_COUNTER:
    printf("counter %u %u %s %s\n", m->counter.index, m->counter.severity, m->counter.name, m->counter.text);
    return;
  case COROD_MSG_CODE:
    printf("code %u %u\n", m->code.code, m->code.max_size);
    return;
  case COROD_MSG_NODE_END: {
    const struct corod_node_ask *n = &host.asking;
    uint32_t free_slot = 1;
    printf("node %s %u %u %u %u\n", n->name, n->overflow, n->next, n->counters, n->codes);
    if (strcmp(n->name, "refused") == 0) {
      out.type = COROD_MSG_FAILED;
      out.status = COROD_NAME_TAKEN;
      strcpy(out.failed.text, "there is one");
      break;
    }
    while (host.slots[free_slot].used)
      free_slot++;
    slot_ready(m->call, free_slot, n->executor, n->event_ring ? n->event_ring : 4096,
               n->reply_ring ? n->reply_ring : 4096, n->command_ring ? n->command_ring : 4096);
    return;
  }
  case COROD_MSG_NODE_CLOSE:
    printf("close %u %u\n", m->node_close.slot, m->node_close.generation);
    out.type = COROD_MSG_NODE_CLOSED;
    out.node_closed.slot = m->node_close.slot;
    out.node_closed.waiting = 5;
    break;
  case COROD_MSG_NODE_REMOVE:
    printf("remove %u %u\n", m->node_remove.slot, m->node_remove.how);
    host.slots[m->node_remove.slot].used = false;
    out.type = COROD_MSG_NODE_REMOVED;
    out.node_removed.slot = m->node_remove.slot;
    out.node_removed.discarded = 3;
    break;
  case COROD_MSG_SIGNALS:
    printf("signals %s\n", m->next.name);
    out.type = COROD_MSG_READY;
    break;
  case COROD_MSG_READY:
    out.type = COROD_MSG_READY;
    out.ready.removed = 2;
    break;
  case COROD_MSG_PING:
    out.type = COROD_MSG_PONG;
    if (wrong("pong-call"))
      out.call++;
    break;
  default:
    die("unknown message");
  }
  say(&out, NULL, 0);
}

// ---- rings

static uint32_t rung; // bytes written to pipes since this was asked for

static void ring_bell(uint32_t index) {
  uint32_t e = host.slots[index].executor;
  if (corod_bell_post(&host.words[e]->to_daemon, index)) {
    corod_pipe_ring(host.ring[e]);
    rung++;
  }
}

// One event with `size` bytes of payload, each of the value of its sequence. False: full, and the host waits for room.
static bool event(uint32_t index, uint32_t size) {
  struct slot *s = &host.slots[index];
  struct corod_record *r;
  uint32_t total = (uint32_t)sizeof *r + size;
  int got = corod_writer_claim(&s->events, total, &r);
  if (got == COROD_RING_NONE) {
    corod_starved_set(&s->b->event_starved);
    got = corod_writer_claim(&s->events, total, &r);
  }
  if (got == COROD_RING_MALFORMED)
    printf("malformed %u\n", index);
  if (got != COROD_RING_SOME)
    return false;
  *r = (struct corod_record){.size = total, .kind = COROD_KIND_EVENT, .type = 1, .seq = ++s->seq, .time = now()};
  memset(r + 1, (int)(s->seq & 0xff), size);
  corod_writer_publish(&s->events);
  return true;
}

static void reply(uint32_t index, uint64_t seq, const void *bytes, uint32_t size) {
  struct slot *s = &host.slots[index];
  struct corod_record *r;
  if (corod_writer_claim(&s->replies, (uint32_t)sizeof *r + size, &r) != COROD_RING_SOME) {
    printf("reply-full %u\n", index);
    return;
  }
  *r = (struct corod_record){.size = (uint32_t)sizeof *r + size, .kind = COROD_KIND_OUTCOME, .seq = seq, .time = now()};
  memcpy(r + 1, bytes, size);
  corod_writer_publish(&s->replies);
  ring_bell(index);
}

static bool frozen; // commands stay where they are

static void turn(uint32_t index) {
  struct slot *s = &host.slots[index];
  struct {
    struct corod_record head;
    uint8_t payload[1 << 16];
  } command;
  if (!s->used)
    return;
  while (!frozen && corod_reader_take(&s->commands, &command, sizeof command) == COROD_RING_SOME) {
    corod_reader_release(&s->commands, s->commands.read);
    if (corod_starved_take(&s->b->command_starved))
      ring_bell(index);
    uint32_t size = command.head.size - (uint32_t)sizeof command.head;
    if (s->echo) {
      s->echo--;
      if (s->echo)
        event(index, 8), ring_bell(index);
      else
        printf("echoed %u\n", index);
    } else {
      printf("command %u %u %llu %u ", index, command.head.type, (unsigned long long)command.head.seq, size);
      for (uint32_t i = 0; i < size && i < 96; i++)
        printf("%02x", command.payload[i]);
      printf("\n");
    }
    if (command.head.seq)
      reply(index, command.head.seq, command.payload, size < 64 ? size : 64);
  }
  bool more = false;
  while (s->flood && event(index, s->flood_size)) {
    more = true;
    if (--s->flood == 0)
      printf("flooded %u\n", index);
  }
  if (more)
    ring_bell(index);
}

static void woken(uint32_t e) {
  for (;;) {
    uint64_t ready[COROD_READY_WORDS] = {0};
    corod_pipe_drain(host.wake[e]);
    corod_bell_disarm(&host.words[e]->to_host);
    corod_bell_collect(&host.words[e]->to_host, ready);
    for (uint32_t i = 0; i < MAX_SLOTS; i++)
      if (ready[i >> 6] & 1ull << (i & 63))
        turn(i);
    if (corod_bell_arm(&host.words[e]->to_host))
      return;
  }
}

// Relays deadlines that have come; how long to sleep, in ms.
static int deadlines(void) {
  uint64_t t = now(), next = UINT64_MAX;
  for (uint32_t i = 1; i < MAX_SLOTS; i++) {
    struct slot *s = &host.slots[i];
    if (!s->used)
      continue;
    uint64_t deadline = atomic_load(&s->b->deadline);
    if (deadline == UINT64_MAX || deadline == s->relayed)
      continue;
    if (deadline <= t) {
      s->relayed = deadline;
      ring_bell(i);
    } else if (deadline < next)
      next = deadline;
  }
  return next == UINT64_MAX ? -1 : (int)((next - t + 999999) / 1000000);
}

// ---- orders on stdin

static void order(char *line) {
  unsigned slot = 0;
  unsigned long long n = 0, size = 0;
  char hex[512] = "";
  if (sscanf(line, "events %u %llu %llu", &slot, &n, &size) == 3) { // as many as fit, at once
    while (n && event(slot, (uint32_t)size))
      n--;
    ring_bell(slot);
    printf("left %llu\n", n);
  } else if (sscanf(line, "flood %u %llu %llu", &slot, &n, &size) == 3) { // all of them, as room comes
    host.slots[slot].flood = n;
    host.slots[slot].flood_size = (uint32_t)size;
    turn(slot);
  } else if (sscanf(line, "echo %u %llu", &slot, &n) == 2) { // an event now, and one after each command
    host.slots[slot].echo = n;
    event(slot, 8);
    ring_bell(slot);
  } else if (sscanf(line, "raw %u %511s", &slot, hex) == 2) { // these bytes as the next record of the event ring
    struct corod_writer *w = &host.slots[slot].events;
    uint32_t i = 0;
    for (; hex[2 * i] && hex[2 * i + 1]; i++) {
      unsigned byte;
      sscanf(hex + 2 * i, "%2x", &byte);
      w->data[(w->tail + i) & (w->size - 1)] = (uint8_t)byte;
    }
    w->tail += (i + 7) & ~7u;
    corod_writer_publish(w);
    ring_bell(slot);
  } else if (sscanf(line, "tail %u %llu", &slot, &n) == 2) { // moves the published cursor
    atomic_store(host.slots[slot].events.tail_word, host.slots[slot].events.tail + (uint32_t)n);
    ring_bell(slot);
  } else if (sscanf(line, "command-head %u %llu", &slot, &n) == 2)
    atomic_store((_Atomic uint32_t *)host.slots[slot].commands.head_word, (uint32_t)n);
  else if (sscanf(line, "cursors %u", &slot) == 1)
    printf("cursors %u %u %u %u\n", slot, atomic_load(&host.slots[slot].b->event_head),
           atomic_load(&host.slots[slot].b->event_handed), host.slots[slot].events.tail);
  else if (sscanf(line, "deadline %u", &slot) == 1)
    printf("deadline %u %llu\n", slot, (unsigned long long)atomic_load(&host.slots[slot].b->deadline));
  else if (sscanf(line, "bits %llu", &n) == 1) { // every ready bit of executor 0, also of slots that are not there
    memset((void *)host.words[0]->to_daemon.ready, 0xff, sizeof host.words[0]->to_daemon.ready);
    atomic_store(&host.words[0]->to_daemon.summary, UINT64_MAX);
    corod_pipe_ring(host.ring[0]);
  } else if (sscanf(line, "bit %u", &slot) == 1) { // the ready bit of a slot that is not there
    if (corod_bell_post(&host.words[0]->to_daemon, slot))
      corod_pipe_ring(host.ring[0]);
    printf("bit\n");
  } else if (strcmp(line, "freeze") == 0)
    frozen = true;
  else if (strcmp(line, "thaw") == 0) {
    frozen = false;
    for (uint32_t i = 0; i < MAX_SLOTS; i++)
      turn(i);
  } else if (sscanf(line, "close-bell %u", &slot) == 1) // of that executor
    close(host.ring[slot]), host.ring[slot] = dup(0);
  else if (strcmp(line, "rung") == 0)
    printf("rung %u\n", rung), rung = 0;
  else if (strcmp(line, "hang-up") == 0)
    hang_up();
  else
    printf("what? %s\n", line);
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (argc < 2)
    return 2;
  wrongs = argv + 2;
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16))
    die("listen");
  printf("listening\n");
  char line[1024];
  size_t have = 0;
  for (;;) {
    struct pollfd fds[3 + COROD_MAX_EXECUTORS] = {
        {0, POLLIN, 0}, {host.connection < 0 ? listener : -1, POLLIN, 0}, {host.connection, POLLIN, 0}};
    for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
      fds[3 + i] = (struct pollfd){host.words[i] ? host.wake[i] : -1, POLLIN, 0};
    if (poll(fds, 3 + COROD_MAX_EXECUTORS, deadlines()) < 0 && errno != EINTR)
      die("poll");
    for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
      if (fds[3 + i].revents && host.words[i])
        woken(i);
    if (fds[1].revents) {
      host.connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      printf("accepted\n");
    } else if (fds[2].revents) {
      struct corod_message m;
      if (recv(host.connection, &m, sizeof m, 0) == sizeof m)
        answer(&m);
      else
        hang_up();
    }
    if (fds[0].revents) {
      ssize_t n = read(0, line + have, sizeof line - 1 - have);
      if (n <= 0)
        return 0;
      have += (size_t)n;
      for (char *end; (end = memchr(line, '\n', have));) {
        *end = 0;
        order(line);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have);
      }
    }
  }
}
