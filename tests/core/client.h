// client.h: a daemon in a few lines, made from the contract's headers alone, which does exactly what a test says.
#ifndef COROD_TEST_CLIENT_H
#define COROD_TEST_CLIENT_H

#include "scene.h"

#include "../../shm/doorbell.h"
#include "../../shm/ring.h"

struct client_slot {
  struct client *client;
  struct corod_node_ready told;
  struct corod_slot_a *a;
  struct corod_slot_b *b;
  struct corod_reader events, replies;
  struct corod_writer commands;
};

struct client {
  int fd;
  uint32_t calls;
  struct corod_welcome welcome;
  struct {
    uint8_t *a, *b;
    uint64_t a_size, b_size;
  } regions[64];
  uint32_t n_regions;
  struct corod_executor_b *bell[COROD_MAX_EXECUTORS];
  int wait_fd[COROD_MAX_EXECUTORS], ring_fd[COROD_MAX_EXECUTORS];
  struct client_slot own; // slot 0
};

// A connection, and nothing said on it.
void client_connect(struct client *client);

// Connected, welcomed, executor 0 there.
void client_attach(struct client *client);

// Gives everything back; the host notices when it turns.
void client_close(struct client *client);

// Sends as it is (magic is set if 0).
void client_send(struct client *client, struct corod_message *message);

// The next message, regions excepted, which are mapped. Turns the host until one comes. False: the host hung up.
bool client_receive(struct client *client, struct corod_message *message, int fds[COROD_MESSAGE_FDS]);

// Sends and returns the type of the answer.
uint16_t client_ask(struct client *client, struct corod_message *message, struct corod_message *answer);

uint16_t client_executor(struct client *client, uint32_t id);

// Registers a node with messages 1 (`max_size` bytes), 2 (8 bytes) and interface transitions, `n_next` next nodes and
// `n_counters` counters. Returns the type of the answer.
struct client_node {
  const char *name;
  uint32_t max_size, event_ring, reply_ring, command_ring, backlog, backlog_bytes, executor;
  uint16_t overflow, n_next, n_counters;
};
uint16_t client_node(struct client *client, const struct client_node *node, struct client_slot *slot,
                     struct corod_message *answer);

// READY; nodes that were removed and events that were discarded.
struct corod_ready client_ready(struct client *client);
struct corod_node_removed client_remove(struct client *client, const struct client_slot *slot, uint32_t how);

// The next event that was not read, whole, into `into`. False: none.
bool client_event(struct client_slot *slot, void *into, uint32_t capacity);
// Publishes that everything up to the record read last was handed over, or released (and rings for space).
void client_handed(struct client_slot *slot);
void client_release(struct client_slot *slot);

// Publishes a command and rings. False: the ring is full.
bool client_command(struct client_slot *slot, uint32_t op, uint64_t seq, const void *head, uint32_t head_bytes,
                    const void *bytes, uint32_t n);
void client_ring(struct client_slot *slot);
// The next reply, released at once. False: none.
bool client_reply(struct client_slot *slot, void *into, uint32_t capacity);

#endif
