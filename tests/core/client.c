// client.c: the test's daemon.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "client.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

void client_connect(struct client *client) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memset(client, 0, sizeof *client);
  for (int i = 0; i < COROD_MAX_EXECUTORS; i++)
    client->wait_fd[i] = client->ring_fd[i] = -1;
  snprintf(address.sun_path, sizeof address.sun_path, "%s", scene.socket);
  client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  CHECK(client->fd >= 0);
  CHECK(connect(client->fd, (struct sockaddr *)&address, sizeof address) == 0);
}

void client_send(struct client *client, struct corod_message *message) {
  if (message->magic == 0)
    message->magic = COROD_MAGIC;
  ssize_t n;
  while ((n = send(client->fd, message, sizeof *message, MSG_NOSIGNAL)) < 0 && errno == EAGAIN)
    scene_turn();
  CHECK(n == (ssize_t)sizeof *message || (n < 0 && errno == EPIPE));
}

static void map(struct client *client, const struct corod_region *region, int a, int b) {
  CHECK(region->index == client->n_regions);
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  CHECK((fcntl(a, F_GET_SEALS) & (seals | F_SEAL_FUTURE_WRITE)) == (seals | F_SEAL_FUTURE_WRITE));
  CHECK((fcntl(b, F_GET_SEALS) & seals) == seals);
  CHECK(mmap(NULL, region->a_size, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0) == MAP_FAILED);
  uint8_t *at_a = mmap(NULL, region->a_size, PROT_READ, MAP_SHARED, a, 0);
  uint8_t *at_b = mmap(NULL, region->b_size, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);
  CHECK(at_a != MAP_FAILED && at_b != MAP_FAILED);
  client->regions[client->n_regions].a = at_a;
  client->regions[client->n_regions].b = at_b;
  client->regions[client->n_regions].a_size = region->a_size;
  client->regions[client->n_regions++].b_size = region->b_size;
  close(a);
  close(b);
}

static int receive(struct client *client, struct corod_message *message, int fds[COROD_MESSAGE_FDS]) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  struct iovec part = {message, sizeof *message};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(client->fd, &header, MSG_CMSG_CLOEXEC);
  if (n < 0 && errno == EAGAIN)
    return 0;
  if (n <= 0)
    return -1;
  CHECK(n == sizeof *message && message->magic == COROD_MAGIC);
  struct cmsghdr *c = CMSG_FIRSTHDR(&header);
  CHECK((message->fds == 0) == (c == NULL));
  if (c) {
    CHECK(message->fds == 2 && c->cmsg_len == CMSG_LEN(2 * sizeof(int)));
    memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
  }
  return 1;
}

bool client_receive(struct client *client, struct corod_message *message, int fds[COROD_MESSAGE_FDS]) {
  for (int turns = 0; turns < 100000; turns++) {
    int got = receive(client, message, fds);
    if (got < 0)
      return false;
    if (got > 0 && message->type == COROD_MSG_REGION)
      map(client, &message->region, fds[0], fds[1]);
    else if (got > 0)
      return true;
    else
      scene_turn();
  }
  CHECK(!"the host answers");
  return false;
}

uint16_t client_ask(struct client *client, struct corod_message *message, struct corod_message *answer) {
  int fds[COROD_MESSAGE_FDS];
  message->call = ++client->calls;
  client_send(client, message);
  CHECK(client_receive(client, answer, fds));
  CHECK_EQUAL(answer->call, message->call);
  CHECK(answer->fds == 0);
  return answer->type;
}

static void *place(struct client *client, bool in_a, const struct corod_place *place, uint64_t least) {
  CHECK(place->region < client->n_regions && place->size >= least && place->offset % COROD_LINE == 0);
  CHECK(place->offset + place->size <=
        (in_a ? client->regions[place->region].a_size : client->regions[place->region].b_size));
  return (in_a ? client->regions[place->region].a : client->regions[place->region].b) + place->offset;
}

static void open_slot(struct client *client, const struct corod_node_ready *told, struct client_slot *slot) {
  memset(slot, 0, sizeof *slot);
  slot->client = client;
  slot->told = *told;
  slot->a = place(client, true, &told->a, sizeof *slot->a);
  slot->b = place(client, false, &told->b, sizeof *slot->b);
  if (told->event_ring.size)
    slot->events = (struct corod_reader){.data = place(client, true, &told->event_ring, COROD_RING_MIN),
                                         .tail_word = &slot->a->event_tail,
                                         .head_word = &slot->b->event_head,
                                         .size = told->event_ring.size};
  slot->replies = (struct corod_reader){.data = place(client, true, &told->reply_ring, COROD_RING_MIN),
                                        .tail_word = &slot->a->reply_tail,
                                        .head_word = &slot->b->reply_head,
                                        .size = told->reply_ring.size};
  slot->commands = (struct corod_writer){.data = place(client, false, &told->command_ring, COROD_RING_MIN),
                                         .tail_word = &slot->b->command_tail,
                                         .head_word = &slot->a->command_head,
                                         .size = told->command_ring.size};
}

uint16_t client_executor(struct client *client, uint32_t id) {
  struct corod_message m = {
      .magic = COROD_MAGIC, .type = COROD_MSG_EXECUTOR, .call = ++client->calls, .executor.id = id};
  int fds[COROD_MESSAGE_FDS] = {-1, -1};
  client_send(client, &m);
  if (!client_receive(client, &m, fds))
    return 0;
  if (m.type == COROD_MSG_NODE_READY) {
    CHECK(m.node_ready.slot == 0 && m.node_ready.event_ring.size == 0);
    open_slot(client, &m.node_ready, &client->own);
    CHECK(client_receive(client, &m, fds));
  }
  CHECK_EQUAL(m.call, client->calls);
  if (m.type != COROD_MSG_EXECUTOR)
    return m.type;
  client->bell[id] = place(client, false, &m.executor.words, sizeof(struct corod_executor_b));
  client->wait_fd[id] = fds[0];
  client->ring_fd[id] = fds[1];
  return m.type;
}

void client_attach(struct client *client) {
  struct corod_message m = {.type = COROD_MSG_HELLO, .hello = {COROD_PROTOCOL_MIN, COROD_PROTOCOL, 1, "test"}}, answer;
  client_connect(client);
  CHECK(client_ask(client, &m, &answer) == COROD_MSG_WELCOME);
  client->welcome = answer.welcome;
  CHECK(client_executor(client, 0) == COROD_MSG_EXECUTOR);
}

void client_close(struct client *client) {
  for (uint32_t i = 0; i < client->n_regions; i++) {
    munmap(client->regions[i].a, client->regions[i].a_size);
    munmap(client->regions[i].b, client->regions[i].b_size);
  }
  for (int i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (client->wait_fd[i] >= 0) {
      close(client->wait_fd[i]);
      close(client->ring_fd[i]);
    }
  close(client->fd);
}

uint16_t client_node(struct client *client, const struct client_node *node, struct client_slot *slot,
                     struct corod_message *answer) {
  uint32_t codes[] = {COROD_CODE_INTERFACE, 1, 2}, sizes[] = {sizeof(struct corod_interface), node->max_size, 8};
  struct corod_message m = {.type = COROD_MSG_NODE};
  strncpy(m.node.name, node->name, COROD_NAME - 1);
  m.node.executor = node->executor;
  m.node.event_ring = node->event_ring;
  m.node.reply_ring = node->reply_ring;
  m.node.command_ring = node->command_ring;
  m.node.backlog = node->backlog;
  m.node.backlog_bytes = node->backlog_bytes;
  m.node.overflow = node->overflow;
  m.node.next = node->n_next;
  m.node.counters = node->n_counters;
  m.node.codes = 3;
  client_send(client, &m);
  for (uint32_t i = 0; i < node->n_next; i++) {
    struct corod_message next = {.type = COROD_MSG_NEXT, .next.index = i};
    snprintf(next.next.name, COROD_NAME, "next-%u", i);
    client_send(client, &next);
  }
  for (uint32_t i = 0; i < node->n_counters; i++) {
    struct corod_message counter = {.type = COROD_MSG_COUNTER, .counter.index = i};
    snprintf(counter.counter.name, COROD_NAME, "counter-%u", i);
    client_send(client, &counter);
  }
  for (int i = 0; i < 3; i++) {
    struct corod_message code = {.type = COROD_MSG_CODE, .code = {codes[i], sizes[i]}};
    client_send(client, &code);
  }
  struct corod_message end = {.type = COROD_MSG_NODE_END};
  uint16_t type = client_ask(client, &end, answer);
  if (type == COROD_MSG_NODE_READY)
    open_slot(client, &answer->node_ready, slot);
  return type;
}

struct corod_ready client_ready(struct client *client) {
  struct corod_message m = {.type = COROD_MSG_READY}, answer;
  CHECK(client_ask(client, &m, &answer) == COROD_MSG_READY);
  return answer.ready;
}

struct corod_node_removed client_remove(struct client *client, const struct client_slot *slot, uint32_t how) {
  struct corod_message m = {.type = COROD_MSG_NODE_REMOVE}, answer;
  m.node_remove = (struct corod_node_remove){slot->told.slot, slot->told.generation, how, 0};
  CHECK(client_ask(client, &m, &answer) == COROD_MSG_NODE_REMOVED);
  CHECK_EQUAL(answer.node_removed.slot, slot->told.slot);
  return answer.node_removed;
}

bool client_event(struct client_slot *slot, void *into, uint32_t capacity) {
  int got = corod_reader_take(&slot->events, into, capacity);
  CHECK(got != COROD_RING_MALFORMED);
  return got == COROD_RING_SOME;
}

void client_handed(struct client_slot *slot) {
  atomic_store_explicit(&slot->b->event_handed, slot->events.read, memory_order_release);
}

void client_ring(struct client_slot *slot) {
  struct client *client = slot->client;
  if (corod_bell_post(&client->bell[0]->to_host, slot->told.slot))
    corod_pipe_ring(client->ring_fd[0]);
}

void client_release(struct client_slot *slot) {
  corod_reader_release(&slot->events, slot->events.read);
  if (corod_starved_take(&slot->b->event_starved))
    client_ring(slot);
}

bool client_command(struct client_slot *slot, uint32_t op, uint64_t seq, const void *head, uint32_t head_bytes,
                    const void *bytes, uint32_t n) {
  struct corod_record *at;
  if (corod_writer_claim(&slot->commands, (uint32_t)sizeof *at + head_bytes + n, &at) != COROD_RING_SOME)
    return false;
  *at = (struct corod_record){
      .size = (uint32_t)sizeof *at + head_bytes + n, .kind = COROD_KIND_COMMAND, .type = op, .seq = seq};
  if (head_bytes)
    memcpy(at + 1, head, head_bytes);
  if (n)
    memcpy((uint8_t *)(at + 1) + head_bytes, bytes, n);
  corod_writer_publish(&slot->commands);
  client_ring(slot);
  return true;
}

bool client_reply(struct client_slot *slot, void *into, uint32_t capacity) {
  int got = corod_reader_take(&slot->replies, into, capacity);
  CHECK(got != COROD_RING_MALFORMED);
  if (got != COROD_RING_SOME)
    return false;
  corod_reader_release(&slot->replies, slot->replies.read);
  if (corod_starved_take(&slot->b->reply_starved))
    client_ring(slot);
  return true;
}
