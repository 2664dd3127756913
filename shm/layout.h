// layout.h: every word that two processes share, and nothing else.
//
// The single definition of the shared memory between a host (VPP with the plugin, or the standalone host) and the
// daemon. C11, header only, no VPP, no policy. A change that moves a word is a new COROD_PROTOCOL version.
// Orders and fences are in ring.h and doorbell.h; docs/ring.md has the argument.
#ifndef COROD_LAYOUT_H
#define COROD_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Protocol versions that this source speaks. A host speaks the previous one too, once there is one.
#define COROD_PROTOCOL 1
#define COROD_PROTOCOL_MIN 1

#define COROD_LINE 64          // one cache line: words of different writers never share one
#define COROD_NAME 64          // bytes of a name, NUL included (VPP's binary API uses name[64])
#define COROD_TEXT 128         // bytes of a counter's description, NUL included
#define COROD_MAX_SLOTS 4096   // slots of an attachment, slot 0 (the daemon's own) included
#define COROD_MAX_EXECUTORS 16 // executors of an attachment
#define COROD_READY_WORDS (COROD_MAX_SLOTS / 64)
#define COROD_RING_MIN 4096       // bytes; ring sizes are powers of two
#define COROD_RING_MAX (1u << 24) // bytes
#define COROD_MAX_EVENT 4096      // payload bytes of the largest event, unless a host says otherwise
#define COROD_MAX_PACKET 9216     // payload bytes of the largest packet a node may enqueue

// Codes of events from here on are corod's own; authors declare codes below it.
#define COROD_CODE_RESERVED 0xFFFF0000u
#define COROD_CODE_INTERFACE 0xFFFF0001u // an interface transition: struct corod_interface
#define COROD_CODE_GAP 0xFFFF0002u       // events were dropped here: struct corod_gap

// ---- records ------------------------------------------------------------------------------------------------------

// What a record in a ring is.
enum corod_kind {
  COROD_KIND_PAD = 0,     // fills a ring up to its end; skipped by readers
  COROD_KIND_EVENT = 1,   // event ring: payload is the message, packed, native byte order
  COROD_KIND_SIGNAL = 2,  // event ring: one 8-byte datum of vlib_process_signal_event
  COROD_KIND_GAP = 3,     // event ring: struct corod_gap
  COROD_KIND_CLOSE = 4,   // event ring: the last record of an inbox that was closed
  COROD_KIND_COMMAND = 5, // command ring: `type` is an enum corod_op
  COROD_KIND_OUTCOME = 6, // reply ring: `type` is an enum corod_status, `seq` the command's correlation id
};

enum {
  COROD_FLAG_REDELIVERED = 1, // handed to a coroutine before, by a daemon that died
  COROD_FLAG_MORE = 2,        // reply ring: further chunks of this outcome follow
};

// The head of every record. Records start at multiples of 8 bytes; `size` is head and payload without the fill to 8.
struct corod_record {
  uint32_t size;
  uint8_t kind;      // enum corod_kind
  uint8_t flags;     // COROD_FLAG_*
  uint16_t attempts; // how often it was handed over before, saturating
  uint32_t type;     // event: its code; command: its op; outcome: its status
  uint32_t answer;   // event: nonzero if the sender waits for a reply with this handle; else 0
  uint64_t seq;      // event: its place in the total order of its node; command, outcome: correlation id, 0 for none
  uint64_t time;     // CLOCK_MONOTONIC nanoseconds at which it was accepted
};
static_assert(sizeof(struct corod_record) == 32, "record head is 32 bytes");

// Bytes that a record with `payload` bytes takes in a ring.
static inline uint32_t corod_record_span(uint32_t size) {
  return (size + 7u) & ~7u;
}

// Events first..last of a node's order are missing here; `count` of them (others in the range were delivered).
struct corod_gap {
  uint64_t first, last, count;
};
static_assert(sizeof(struct corod_gap) == 24, "gap");

// What changed in an interface transition.
enum corod_change {
  COROD_CHANGE_ADMIN = 1,
  COROD_CHANGE_LINK = 2,
  COROD_CHANGE_MTU = 3,
  COROD_CHANGE_ADDRESS_ADDED = 4,
  COROD_CHANGE_ADDRESS_REMOVED = 5,
  COROD_CHANGE_ADDED = 6,
  COROD_CHANGE_REMOVED = 7,
  COROD_CHANGE_RESYNC = 8, // state read afresh after transitions may have been missed
};

// An interface transition with the full state after it; packed as the message table in daemon/message sees it.
struct __attribute__((packed)) corod_interface {
  uint32_t index;        // VPP's sw_if_index, or the kernel's ifindex on the standalone host
  uint8_t change;        // enum corod_change
  uint8_t admin;         // 1: administratively up, after this transition
  uint8_t link;          // 1: carrier, after this transition
  uint32_t mtu;          // bytes
  uint8_t mac[6];        // zero if it has none
  uint8_t family;        // of `address`: 4, 6, or 0 if the transition is not about an address
  uint8_t prefix;        // prefix length of `address`
  uint8_t address[16];   // network order; IPv4 in the first 4 bytes
  char name[COROD_NAME]; // NUL padded
};
static_assert(sizeof(struct corod_interface) == 99, "interface transition");

// ---- commands -----------------------------------------------------------------------------------------------------

enum corod_op {
  COROD_OP_COUNT = 1,   // payload: struct corod_count[], no outcome
  COROD_OP_ENQUEUE = 2, // payload: struct corod_enqueue, then the packet; outcome only if seq != 0
  COROD_OP_CLI = 3,     // payload: text of one command, not terminated; outcome in chunks
  COROD_OP_SIGNAL = 4,  // payload: struct corod_signal
  COROD_OP_SEND = 5,    // payload: struct corod_send, then the message
  COROD_OP_ANSWER = 6,  // payload: struct corod_answer, then bytes
};

struct corod_count {
  uint32_t counter, zero;
  uint64_t by;
};
static_assert(sizeof(struct corod_count) == 16, "count");

struct corod_enqueue {
  uint32_t next;   // index into the node's next nodes
  uint32_t rx, tx; // interface indexes, or ~0
  uint32_t flags;  // vlib buffer flags the host allows; others are refused
};
static_assert(sizeof(struct corod_enqueue) == 16, "enqueue");

struct corod_signal {
  char node[COROD_NAME];
  uint64_t type, data;
};
static_assert(sizeof(struct corod_signal) == 80, "signal");

struct corod_send {
  uint32_t slot, generation; // the target, as registration told it
  uint32_t type;             // code of the message
  uint32_t wants;            // milliseconds for which the sender waits for an answer; 0: it wants none
};
static_assert(sizeof(struct corod_send) == 16, "send");

// Outcome of a SEND that got a place in the order of its target: status OK, it is in the backlog; any other, the
// overflow policy dropped it and the node will be told by a gap.
//
// A SEND that wants an answer and was accepted has its one outcome later: this, then the reply (OK) or the reason
// (REFUSED, UTF-8); or FULL: the policy dropped it; or TIMEOUT, UNANSWERED, DIED.
struct corod_accepted {
  uint64_t seq;
};

// By the node whose event has that handle, once: OK and the reply, REFUSED and the reason, UNANSWERED when it is
// finished with the event, DIED when its coroutine is gone. The event may be released before. Nobody waits: STALE.
struct corod_answer {
  uint32_t handle, status;
};
static_assert(sizeof(struct corod_answer) == 8, "answer");

// ---- words --------------------------------------------------------------------------------------------------------

// Region A of a slot: words that the host alone writes. Its event ring and reply ring follow where registration says.
struct corod_slot_a {
  alignas(COROD_LINE) _Atomic uint32_t event_tail; // bytes ever written to the event ring, modulo 2^32
  alignas(COROD_LINE) _Atomic uint32_t reply_tail;
  alignas(COROD_LINE) _Atomic uint32_t command_head; // bytes ever executed from the command ring
};
static_assert(sizeof(struct corod_slot_a) == 192, "slot A");

// Region B of a slot: words that the daemon writes, and the starved flags that both modify. Hostile data to the host.
struct corod_slot_b {
  alignas(COROD_LINE) _Atomic uint32_t event_head; // released: never delivered again
  _Atomic uint32_t event_handed;                   // handed to the coroutine: delivered again, marked, after a death
  alignas(COROD_LINE) _Atomic uint32_t reply_head;
  alignas(COROD_LINE) _Atomic uint32_t command_tail;
  alignas(COROD_LINE) _Atomic uint64_t deadline; // CLOCK_MONOTONIC ns of the node's nearest timer; UINT64_MAX: none
  alignas(COROD_LINE) _Atomic uint32_t event_starved;   // set by the host: the event ring was full
  _Atomic uint32_t reply_starved;                       // set by the host: the reply ring was full
  alignas(COROD_LINE) _Atomic uint32_t command_starved; // set by the daemon: the command ring was full
};
static_assert(sizeof(struct corod_slot_b) == 384, "slot B");

// One direction of an executor's doorbell (region B). A bit per slot, and a bit per word that may have bits.
struct corod_bell_words {
  alignas(COROD_LINE) _Atomic uint32_t sleeping; // 1: the reader asks to be rung
  alignas(COROD_LINE) _Atomic uint64_t summary;
  alignas(COROD_LINE) _Atomic uint64_t ready[COROD_READY_WORDS];
};
static_assert(sizeof(struct corod_bell_words) == 640, "bell words");

struct corod_executor_b {
  struct corod_bell_words to_daemon, to_host;
};
static_assert(sizeof(struct corod_executor_b) == 1280, "executor words");

// ---- outcomes -----------------------------------------------------------------------------------------------------

// Name, number, and what it means to the one who asked. The numbers cross processes: append only.
#define foreach_corod_status(_)                                                                                        \
  _(OK, 0, "done")                                                                                                     \
  _(VERSION, 1, "no common protocol version")                                                                          \
  _(BUSY, 2, "another daemon is attached")                                                                             \
  _(MALFORMED, 3, "malformed message or record")                                                                       \
  _(LIMIT, 4, "a limit of the host is reached")                                                                        \
  _(NO_MEMORY, 5, "the host is out of memory")                                                                         \
  _(NAME_INVALID, 6, "name not allowed: use 1 to 63 of A-Z a-z 0-9 _ . -")                                             \
  _(NAME_TAKEN, 7, "the host has another node of that name")                                                           \
  _(NEXT_UNKNOWN, 8, "no such next node")                                                                              \
  _(NODE_UNKNOWN, 9, "no such node")                                                                                   \
  _(TYPE_UNKNOWN, 10, "the node declares no such message")                                                             \
  _(TOO_BIG, 11, "larger than the limit")                                                                              \
  _(FULL, 12, "the node's backlog is full")                                                                            \
  _(CLOSED, 13, "the node is closed to senders")                                                                       \
  _(COUNTER_UNKNOWN, 14, "no such counter")                                                                            \
  _(CLI_FAILED, 15, "the command failed")                                                                              \
  _(CLI_SUSPENDS, 16, "the command would suspend under the worker barrier")                                            \
  _(CLI_BUSY, 17, "too many commands are waiting")                                                                     \
  _(NOT_LISTED, 18, "signals to that node are not listed in the configuration")                                        \
  _(NO_BUFFER, 19, "the host has no packet buffer left")                                                               \
  _(UNSUPPORTED, 20, "this host cannot do that")                                                                       \
  _(IO, 21, "the host could not write")                                                                                \
  _(STALE, 22, "the handle is of an earlier life of the node")                                                         \
  _(CUT, 23, "the output was longer than 16 MiB and was cut")                                                          \
  _(TIMEOUT, 24, "no answer came in time")                                                                             \
  _(REFUSED, 25, "the node refused")                                                                                   \
  _(UNANSWERED, 26, "the node finished with the event and did not answer")                                             \
  _(DIED, 27, "the node ended before it answered")                                                                     \
  _(INTERFACE_UNKNOWN, 28, "no such interface")

enum corod_status {
#define _(name, number, text) COROD_##name = number,
  foreach_corod_status (_)
#undef _
};

// The sentence for a status; never NULL, also for a number that is none.
static inline const char *corod_status_text(uint32_t status) {
  switch (status) {
#define _(name, number, text)                                                                                          \
  case number:                                                                                                         \
    return text;
    foreach_corod_status (_)
#undef _
    default:
      return "unknown status";
  }
}

#endif
