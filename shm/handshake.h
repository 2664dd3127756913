// handshake.h: the conversation on the attach socket, a SOCK_SEQPACKET Unix socket.
//
// Fixed-size messages. The daemon asks, the host answers with the same `call`; descriptors travel with the answer
// (SCM_RIGHTS) in the order given. Registration is rare and goes here, never through rings. End of file is the peer's
// death. Both sides check magic, size, version range, the number of descriptors and that every string ends.
//
//   daemon                          host
//   HELLO {min, max, pid}           WELCOME {version, epoch, limits}, or REFUSED (both versions, or the other's pid)
//   EXECUTOR {id}                   [REGION {a, b}: memfds A and B]*, the first time NODE_READY {slot 0} (same call),
//                                   then EXECUTOR {id, words}: pipe to read, pipe to write
//   NODE {name, sizes, counts}
//     NEXT* COUNTER* CODE*
//   NODE_END                        [REGION]* NODE_READY {slot, generation, places} or FAILED
//   NODE_CLOSE {slot, generation}   NODE_CLOSED {waiting} or FAILED
//   NODE_REMOVE {slot, generation,  NODE_REMOVED {discarded} or FAILED
//     how: DISCARD, KEEP or PARK}
//   READY                           READY {removed}: nodes of an earlier attachment nobody claimed are gone
//   PING                            PONG
//
// Slot 0 belongs to the daemon itself and to its first executor: it has a reply ring and a command ring, no node and no
// event ring (size 0). Regions are numbered 0, 1, 2, ... in the order in which they are sent.
//
// Every cursor of a slot starts at 0 and its deadline at UINT64_MAX when NODE_READY is sent; the host stores so, also
// in B, before it sends. Once it has sent NODE_REMOVE the daemon touches nothing of the slot any more, so the host may
// give the slot's memory to another node as soon as it has handled that message.
//
// NODE_CLOSE ends an inbox in order: from then on senders are told CLOSED, and behind the last event that was accepted
// comes a record COROD_KIND_CLOSE (no payload; its sequence is that of the last event). The slot stays as it is. Who
// claims the node later finds it open again.
//
// A NODE whose name the host has claims that node, with its queue: one of an earlier attachment, one that this daemon
// let go of (KEEP, PARK). If the host cannot give it the next nodes or counters that are asked for, the answer is
// FAILED and the node is as it was: it can be claimed again.
#ifndef COROD_HANDSHAKE_H
#define COROD_HANDSHAKE_H

#include "layout.h"

#define COROD_MAGIC 0x444f5243u // "CROD"
#define COROD_MESSAGE 512       // bytes of every message
#define COROD_MESSAGE_FDS 2     // at most, in one message
#define COROD_MAX_REGIONS 4096  // of an attachment
#define COROD_MAX_NEXT 64       // next nodes of a node
#define COROD_MAX_COUNTERS 128  // error counters of a node
#define COROD_MAX_CODES 256     // messages of a node

enum corod_message_type {
  COROD_MSG_HELLO = 1,
  COROD_MSG_WELCOME = 2,
  COROD_MSG_REFUSED = 3,
  COROD_MSG_REGION = 4,
  COROD_MSG_EXECUTOR = 5,
  COROD_MSG_NODE = 6,
  COROD_MSG_NEXT = 7,
  COROD_MSG_COUNTER = 8,
  COROD_MSG_CODE = 9,
  COROD_MSG_NODE_END = 10,
  COROD_MSG_NODE_READY = 11,
  COROD_MSG_NODE_REMOVE = 12,
  COROD_MSG_NODE_REMOVED = 13,
  COROD_MSG_READY = 14,
  COROD_MSG_PING = 15,
  COROD_MSG_PONG = 16,
  COROD_MSG_FAILED = 17,
  COROD_MSG_SIGNALS = 18, // NEXT-shaped: one native process node that this daemon may signal; answered like READY
  COROD_MSG_NODE_CLOSE = 19,
  COROD_MSG_NODE_CLOSED = 20,
};

// A piece of shared memory, told and never recomputed.
struct corod_place {
  uint32_t region; // as numbered by REGION
  uint32_t size;   // bytes
  uint64_t offset; // bytes from the start of the region
};

// What happens to an event that finds the backlog full.
enum corod_overflow {
  COROD_OVERFLOW_REJECT = 0,      // the sender is told; who cannot be told is dropped like drop-newest
  COROD_OVERFLOW_DROP_OLDEST = 1, // counted, and told to the node as a gap
  COROD_OVERFLOW_DROP_NEWEST = 2, // counted, and told to the node as a gap
};

enum corod_severity {
  COROD_SEVERITY_INFO = 0,
  COROD_SEVERITY_WARN = 1,
  COROD_SEVERITY_ERROR = 2,
};

struct corod_hello {
  uint16_t min, max; // protocol versions the daemon speaks
  uint32_t pid;
  char program[COROD_NAME];
};

struct corod_welcome {
  uint16_t version, zero; // the one both use from here on
  uint32_t pid;           // of the host
  uint64_t epoch;         // never used before by this host; random in its upper half
  uint32_t max_nodes, max_executors, max_event, zero2;
  char host[COROD_NAME];    // "vpp" or "standalone"
  char release[COROD_NAME]; // the host's own version text
};

struct corod_refused {
  uint16_t min, max; // what the host speaks
  uint32_t pid;      // BUSY: the daemon that is attached
  char text[256];
};

struct corod_region { // descriptors: A (sealed FUTURE_WRITE: map read-only), B
  uint32_t index, zero;
  uint64_t a_size, b_size; // bytes
};

struct corod_executor { // descriptors in the answer: read end to_daemon, write end to_host
  uint32_t id, zero;
  struct corod_place words; // struct corod_executor_b in a region B
};

struct corod_node_ask {
  char name[COROD_NAME];
  uint32_t executor;
  uint32_t event_ring, reply_ring, command_ring; // wanted bytes; 0: the host's default
  uint32_t backlog;                              // events beyond the ring; 0: the host's default
  uint32_t backlog_bytes;                        // 0: the host's default
  uint16_t overflow;                             // enum corod_overflow
  uint16_t next, counters, codes;                // how many of each follow
};

struct corod_next_ask {
  uint32_t index, zero;
  char name[COROD_NAME];
};

struct corod_counter_ask {
  uint32_t index;
  uint32_t severity; // enum corod_severity
  char name[COROD_NAME];
  char text[COROD_TEXT];
};

struct corod_code_ask {
  uint32_t code;
  uint32_t max_size; // payload bytes; larger ones are refused
};

struct corod_node_ready {
  uint32_t slot, generation;
  uint32_t node;    // the host's node index, for `show`
  uint32_t carried; // records waiting from an earlier attachment
  struct corod_place a, b, event_ring, reply_ring, command_ring;
  uint64_t seq; // the last sequence assigned so far
};

// What becomes of a node that the daemon removes. Commands that it published before run first in any case.
enum corod_leave {
  COROD_LEAVE_DISCARD = 0, // the node goes; what is queued is discarded and counted
  COROD_LEAVE_KEEP = 1,    // as if the daemon had died: queue and node stay, senders go on filling the queue
  COROD_LEAVE_PARK = 2,    // its senders are told CLOSED, what is queued is discarded and counted, the node stays idle
};

struct corod_node_remove {
  uint32_t slot, generation;
  uint32_t how; // enum corod_leave
  uint32_t zero;
};

struct corod_node_removed {
  uint32_t slot;
  uint32_t discarded; // events that were still queued; KEEP: 0
};

struct corod_node_close {
  uint32_t slot, generation;
};

struct corod_node_closed {
  uint32_t slot;
  uint32_t waiting; // events that were accepted and not released
};

struct corod_ready {
  uint32_t removed; // nodes of an earlier attachment that were not claimed
  uint32_t discarded;
};

struct corod_failed {
  char text[256]; // what is wrong and what would be right
};

struct corod_message {
  uint32_t magic;
  uint16_t type;   // enum corod_message_type
  uint16_t fds;    // descriptors that come with it
  uint32_t call;   // echoed in the answer
  uint32_t status; // enum corod_status
  union {
    struct corod_hello hello;
    struct corod_welcome welcome;
    struct corod_refused refused;
    struct corod_region region;
    struct corod_executor executor;
    struct corod_node_ask node;
    struct corod_next_ask next;
    struct corod_counter_ask counter;
    struct corod_code_ask code;
    struct corod_node_ready node_ready;
    struct corod_node_remove node_remove;
    struct corod_node_removed node_removed;
    struct corod_node_close node_close;
    struct corod_node_closed node_closed;
    struct corod_ready ready;
    struct corod_failed failed;
    uint8_t bytes[COROD_MESSAGE - 16];
  };
};
static_assert(sizeof(struct corod_message) == COROD_MESSAGE, "message size");
static_assert(offsetof(struct corod_message, hello) == 16, "bodies start at 16");

#endif
