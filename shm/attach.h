// attach.h: the daemon's side of an attachment: the conversation with the host, and all that it hands over.
//
// Plain C, no Node. One thread. Nothing here waits: what cannot be sent is queued, what has not come is not there.
// The attachment owns every descriptor, executor end and slot that it has not lent to the view of another thread
// (view.h), and holds the mappings; corod_attach_close gives them all back.
#ifndef COROD_ATTACH_H
#define COROD_ATTACH_H

#include "region.h"
#include "slot.h"

enum corod_attach_state {
  COROD_ATTACH_NEW,     // connected, nothing said
  COROD_ATTACH_GREETED, // HELLO is on its way
  COROD_ATTACH_WELCOME, // the host answered: everything may be asked
  COROD_ATTACH_REFUSED, // the host said no and will close
  COROD_ATTACH_ENDED,   // broken or at its end; `why` says so
  COROD_ATTACH_CLOSED,  // everything was given back
};

// A question that the host has not answered.
struct corod_asked {
  struct corod_asked *next;
  uint16_t type; // enum corod_message_type of the question
  uint32_t call;
  uint32_t id; // EXECUTOR: its id; NODE: its executor's
};

// A slot of the host that is not in `slots`, and of which more is to be said.
struct corod_away {
  uint64_t token;      // of share.h: another thread has it, or will take it; 0: not lent
  uint32_t generation; // of the node
  bool left;           // the node was let go of and stays in the host: it may be removed for good
};

struct corod_attach {
  int fd;
  uint64_t number; // of this attachment in this process
  enum corod_attach_state state;
  char why[320];

  struct corod_message *out; // a circle of messages to send
  uint32_t out_first, out_count, out_room;
  int send_error; // errno of a send that failed for good: the end of what the host sent says why

  struct corod_asked *asked, *asked_last; // oldest first
  struct corod_mapping **regions;
  uint32_t n_regions, region_room;
  struct corod_executor_end *executors[COROD_MAX_EXECUTORS];
  struct corod_slot *slots[COROD_MAX_SLOTS];
  struct corod_away away[COROD_MAX_SLOTS];
  uint64_t lent_executors[COROD_MAX_EXECUTORS]; // tokens of share.h; 0: never lent
};

// Connects to the host's socket at `path`. 0, or -errno (-ENAMETOOLONG over 107 bytes, -EAGAIN: too many are waiting).
int corod_attach_open(struct corod_attach **a, const char *path);

// Gives back every descriptor, mapping and slot. Idempotent. `why` stays readable until corod_attach_free.
void corod_attach_close(struct corod_attach *a);
void corod_attach_free(struct corod_attach *a);

// Ends the attachment with a reason, unless it has ended.
void corod_attach_end(struct corod_attach *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Sends what is queued. True: all of it is sent, or never will be. False: wait until the socket is writable.
bool corod_attach_send(struct corod_attach *a);

// The next message of the host, verified, its effects done (slots and executors exist). 1: `*m`; 0: none now; -1: the
// attachment has ended, `why` says why. Descriptors are never left in `*m`.
int corod_attach_receive(struct corod_attach *a, struct corod_message *m);

// Questions. Each answers DONE, MISUSE (not in this state, or a bad argument: text too long, call in use, id not
// there, a detail that does not follow its node), or MEMORY; DONE means queued. On an attachment that has ended they do
// nothing and answer DONE.
int corod_attach_hello(struct corod_attach *a, const char *program);
int corod_attach_executor(struct corod_attach *a, uint32_t call, uint32_t id);
int corod_attach_node(struct corod_attach *a, uint32_t call, const struct corod_node_ask *ask);
int corod_attach_node_next(struct corod_attach *a, uint32_t call, uint32_t index, const char *name);
int corod_attach_node_counter(struct corod_attach *a, uint32_t call, uint32_t index, uint32_t severity,
                              const char *name, const char *text);
int corod_attach_node_code(struct corod_attach *a, uint32_t call, uint32_t code, uint32_t max_size);
int corod_attach_node_end(struct corod_attach *a, uint32_t call);
int corod_attach_node_close(struct corod_attach *a, uint32_t call, uint32_t slot, uint32_t generation);
int corod_attach_node_remove(struct corod_attach *a, uint32_t call, uint32_t slot, uint32_t generation,
                             enum corod_leave how);
int corod_attach_signals(struct corod_attach *a, uint32_t call, const char *node);
int corod_attach_ready(struct corod_attach *a, uint32_t call);
int corod_attach_ping(struct corod_attach *a, uint32_t call);

// Lends an executor, or a slot, to another thread: corod_view_open and corod_view_add take `*token`. The attachment's
// own executors do not touch a lent slot any more. Lending an executor again takes back what no view has taken. DONE,
// MEMORY (or descriptors), or MISUSE: not there, a slot that is lent, an executor whose view is alive, the daemon's own
// slot or its executor.
int corod_attach_share_executor(struct corod_attach *a, uint32_t id, uint64_t *token);
int corod_attach_share_slot(struct corod_attach *a, uint32_t slot, uint64_t *token, uint32_t *executor);

// Whether a view has the executor, or could take it.
bool corod_attach_shares(const struct corod_attach *a, uint32_t id);

// Takes back what no view has taken. For corod_attach_close.
void corod_attach_share_end(struct corod_attach *a);

#endif
