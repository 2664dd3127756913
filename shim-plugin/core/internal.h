// internal.h: the structures that the core's files share, and what each offers the others. Hosts see core.h only.
//
// One thread. Anything that a daemon did wrong is reported by corod_session_fail, which only marks the attachment; it
// ends at the bottom of the stack (corod_session_settle), so no function needs to expect that slots vanish under it.
#ifndef COROD_INTERNAL_H
#define COROD_INTERNAL_H

#include "core.h"
#include "fifo.h"
#include "listener.h"
#include "memory.h"

#include "../../shm/doorbell.h"
#include "../../shm/ring.h"

#define COROD_STRANGERS 8             // connections that have not attached (yet); the oldest goes when one more comes
#define COROD_ANSWERS_WAITING 64      // unsent answers and unanswered creations at which requests are left unread
#define COROD_COMMAND_LARGEST 65536u  // bytes of a command with its head; larger ones are answered TOO_BIG
#define COROD_OUTCOMES_WAITING 256u   // outcomes of a slot beyond its reply ring at which its commands are left unread
#define COROD_CLI_WAITING 64u         // CLI commands of a slot behind the one that runs
#define COROD_CLI_LARGEST (16u << 20) // bytes of one command's output
#define COROD_CLI_MEMORY (256ull << 20) // bytes of all output that waits for daemons to read it
#define COROD_QUESTIONS 16384u          // events whose senders wait for an answer
#define COROD_QUESTIONS_OF_SLOT 4096u   // of them, those of one asking slot
#define COROD_SIGNALS_LISTED 1024u      // native process nodes that a daemon may list
#define COROD_NAMES 1024u               // buckets of the table of names
#define COROD_BURST 256u                // records published in a burst before their executors are told
#define COROD_WAIT_LEAST 10000u         // nanoseconds; a process node never waits for less
#define COROD_LOOK_AGAIN 1000000u       // nanoseconds after which a relayed deadline is looked at again, at first
#define COROD_LOOK_AGAIN_MOST 1024000000u

// ---- slots: the command and reply side, which a node and the daemon itself (slot 0) have in common

// An outcome that waits for room in a reply ring.
struct corod_outcome {
  struct corod_outcome *next;
  uint64_t seq;
  uint32_t status;
  uint32_t size, sent; // bytes
  uint8_t *bytes;      // owned
};

// A CLI command from its acceptance to its outcome. It may outlive the tenure that asked; its output does not.
struct corod_cli {
  struct corod_cli *next;
  uint64_t id, seq;
  uint32_t tenure; // of its slot when it was asked
  char *text;      // owned; until it runs
  uint8_t *bytes;  // owned; what it printed
  uint32_t used, size;
  bool cut;
};

struct corod_slot {
  struct corod_node *node; // NULL: slot 0
  uint32_t number;
  bool open;    // the daemon uses it
  bool leaving; // no longer: its commands are being run to their end, its cursors are frozen, nobody reads its replies
  uint32_t tenure; // counts how often it was opened
  uint32_t executor;
  struct corod_plot plot;
  struct corod_reader commands;
  struct corod_writer replies;
  struct corod_outcome *outcomes, **outcomes_end;
  uint32_t n_outcomes;
  struct corod_cli *cli, *cli_waiting, **cli_waiting_end; // the one that runs; those behind it
  uint32_t n_cli_waiting;
  bool cli_starting;
  struct corod_question *asked; // answers that it waits for
  uint32_t n_asked;
  struct corod_slot *leaving_next;
};

// ---- questions

// Who waits for an answer: a slot's command, or a function of the host's.
struct corod_asker {
  struct corod_slot *slot; // NULL: `answered`
  uint64_t call;           // of the slot's command
  corod_answered answered;
  void *arg;
  uint64_t deadline; // CLOCK_MONOTONIC ns
};

enum { COROD_LIST_NODE, COROD_LIST_ASKER, COROD_LISTS };

// An event whose sender waits, from its acceptance until the sender was told.
struct corod_question {
  uint32_t handle;
  struct corod_node *node; // whose answer it is
  struct corod_asker asker;
  uint64_t deadline, seq;
  bool in_ring; // its event was where the daemon sees it, or is
  uint32_t at;  // in the heap
  struct corod_question *next[COROD_LISTS], **previous[COROD_LISTS];
  uint32_t status, n; // once it has ended
  uint8_t *bytes;     // owned
};

struct corod_question_place {
  struct corod_question *question; // NULL: free
  uint32_t uses;
  uint32_t next; // free one, or COROD_QUESTIONS
};

struct corod_questions {
  int fd, token;  // a timer
  uint64_t armed; // the deadline it is set for; UINT64_MAX: none
  struct corod_question_place *places;
  struct corod_question **heap;            // by deadline
  uint32_t size, n;                        // places; questions
  uint32_t free, last_free;                // first and last free place
  struct corod_question *told, **told_end; // ended; functions of the host's to be called
};

// ---- nodes

// A NODE: its parts as they arrive, or as they wait for the host.
struct corod_asking {
  bool active;
  uint32_t status; // first thing wrong with it
  char text[256];
  struct corod_node_ask ask;
  struct corod_node_spec spec; // its counts: received so far
  uint32_t n_codes;
  struct corod_code_ask *codes;
};

enum corod_node_state {
  COROD_NODE_CREATING, // the host was asked for it and has not answered
  COROD_NODE_LIVE,
  COROD_NODE_CHANGING, // LIVE as it was; the host was asked to make it as `wanted`
};

// Events that a node did not get, until a gap notice tells it so.
struct corod_missing {
  struct corod_gap gap;
  bool any, unknown; // unknown: how many is not known, count is a lower bound and told as 0
};

struct corod_node {
  struct corod_core *core;
  struct corod_node *next, **previous; // all nodes
  struct corod_node *same_name;        // bucket of names
  struct corod_slot slot;
  uint32_t generation;
  uint32_t index; // the host's
  void *host_data;
  enum corod_node_state state;
  bool known;     // has been LIVE: senders may find it
  bool closed;    // senders get CLOSED
  bool doomed;    // remove it as soon as the host has answered
  bool removing;  // NODE_REMOVE came; its last commands run first
  uint32_t how;   // enum corod_leave, with `removing`
  bool ending;    // NODE_CLOSE came; a CLOSE record goes into the ring behind the last event
  bool kept;      // let go of by the daemon of `epoch`, which may claim it again
  uint32_t call;  // of the request that waits for an answer: creation or removal
  uint64_t epoch; // of the attachment that asked so
  struct corod_node_spec spec;
  struct corod_asking wanted;   // CHANGING
  struct corod_code_ask *codes; // sorted
  uint32_t n_codes;
  uint16_t overflow;
  uint32_t largest;                       // bytes of the largest record that may wait for it, from any registration
  uint32_t backlog_events, backlog_bytes; // limits
  uint32_t event_ring, reply_ring, command_ring; // sizes
  uint64_t seq;                                  // the last one assigned
  struct corod_fifo carried;                     // was in the event ring of an earlier attachment; never dropped
  struct corod_missing oldest;                   // dropped before `backlog`
  struct corod_fifo backlog;                     // never was in a ring
  struct corod_missing newest;                   // dropped after `backlog`
  struct corod_writer events;
  struct corod_question *questions; // answers that it owes
  uint32_t in_flight;               // events in the ring as last looked at; notices are none
  uint64_t waits_until;             // CLOCK_MONOTONIC ns at which its process comes by itself
  uint64_t relayed;                 // the deadline that was relayed last
  uint64_t look_again;              // ns to wait before the relayed deadline is looked at again
  struct corod_node_stats stats;
};

// ---- the attachment

// An executor's pair of doorbells.
struct corod_bell {
  struct corod_core *core;
  struct corod_executor_b *words; // NULL: no such executor
  int ring_fd;                    // we write: wakes the executor
  int wait_fd;                    // we read
  int kept_fd;                    // write end of wait_fd's pipe: keeps a dead daemon from making it readable for ever
  int token;
  uint64_t pending[COROD_READY_WORDS]; // slots that were ready and have not had their turn
  uint32_t at;                         // slot at which the next turn begins
  uint64_t owed[COROD_READY_WORDS];    // slots whose ready bits wait for the end of the burst
  uint64_t owed_words;                 // words of `owed` that are not 0
};

// A message that could not be sent yet; the descriptors are ours until it is.
struct corod_letter {
  struct corod_letter *next;
  struct corod_message message;
  int fds[COROD_MESSAGE_FDS];
};

struct corod_session {
  struct corod_core *core;
  int fd;          // -1: the daemon is gone; what it published is being executed
  int token;       // watch of fd or of writable_fd; -1: none
  int writable_fd; // an epoll instance that is readable while fd is writable; -1: nothing waits to be sent
  uint32_t pid;
  uint64_t epoch, since;
  uint16_t version;
  bool failed; // ends as soon as the stack is unwound
  char program[COROD_NAME];
  struct corod_memory memory;
  struct corod_bell bells[COROD_MAX_EXECUTORS];
  uint32_t n_bells, n_nodes, creating;
  struct corod_asking asking;
  char (*signals)[COROD_NAME];
  uint32_t n_signals;
  struct corod_letter *letters, **letters_end;
  uint32_t n_letters;
};

struct corod_stranger {
  struct corod_core *core;
  int fd, token; // fd -1: free
  bool refused;  // was answered; waits for its end
  uint64_t order;
};

// A stretch of work that may publish many records: its bells ring once, at its end.
struct corod_burst {
  uint32_t depth;     // bursts inside bursts; 0: none
  uint32_t published; // since the executors were last told
  uint32_t executors; // a bit for each that is owed a bell
  uint64_t now;       // the time of what is accepted; 0: not looked at yet
};

struct corod_core {
  const struct corod_host_ops *ops;
  void *host;
  struct corod_core_config config;
  struct corod_listener listener;
  int listener_token;
  int again[2], again_token; // a pipe to ourselves: work is left for another turn
  bool again_rung;
  struct corod_stranger strangers[COROD_STRANGERS];
  uint64_t stranger_order;
  struct corod_session *session; // attached, or being executed to its end
  uint32_t attachments;
  struct corod_node *nodes;
  uint32_t n_nodes;
  struct corod_node *names[COROD_NAMES];
  struct corod_node *slots[COROD_MAX_SLOTS];
  uint32_t generations[COROD_MAX_SLOTS];
  struct corod_slot own; // slot 0
  struct corod_questions questions;
  struct corod_slot *leaving, **leaving_end;
  struct corod_burst burst;
  uint64_t cli_jobs, cli_memory;
  uint64_t log_window;
  uint32_t log_lines, log_suppressed;
  struct corod_core_stats stats;
  uint64_t command[COROD_COMMAND_LARGEST / sizeof(uint64_t)]; // private copy of the command being executed
};

// ---- core.c

// One line, at a limited rate.
void corod_log(struct corod_core *core, enum corod_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Asks for another turn of the host's loop.
void corod_again(struct corod_core *core);

uint64_t corod_now(struct corod_core *core);

// The time that a record carries: of a whole burst, or now.
uint64_t corod_stamp(struct corod_core *core);

// ---- strangers.c: connections before they are attached

void corod_strangers_accept(void *core);
// Leaves them unread, or reads them again.
void corod_strangers_pause(struct corod_core *core, bool pause);
void corod_strangers_close(struct corod_core *core);

// ---- wire.c: messages on sockets

// Receives one message. 1: `message` is whole and its strings end. 0: nothing there. -1: the peer is gone.
// -2: not a message. Descriptors that came with it are closed: a daemon has none to give.
int corod_wire_receive(int fd, struct corod_message *message);

// Sends now. 1: sent; 0: would block; -1: the peer is gone.
int corod_wire_send(int fd, const struct corod_message *message, const int *fds);

// Queues behind what waits, or sends at once. Takes the descriptors over.
void corod_wire_answer(struct corod_session *session, struct corod_message *message, const int *fds);

// FAILED with a text; the status' own sentence if `text` is empty.
void corod_wire_failed(struct corod_session *session, uint32_t call, uint32_t status, const char *text);

// Tells of a region that was made, closes its descriptors.
void corod_wire_region(struct corod_session *session, const struct corod_region_made *made);

// Watches for what the attachment can go on with: room to send, or the next request. Call after anything that changes
// it.
void corod_wire_watch(struct corod_session *session);
void corod_wire_free(struct corod_session *session);

// ---- conversation.c: what an attached daemon asks

void corod_conversation_ready(void *session);

// ---- session.c: the life of an attachment

// Takes over a connection whose HELLO was accepted. NULL: no memory.
struct corod_session *corod_session_begin(struct corod_core *core, int fd, uint32_t pid, uint16_t version,
                                          const char *program);
// The daemon broke the contract, or its memory failed it; `why` is logged. Takes effect in corod_session_settle.
void corod_session_fail(struct corod_session *session, const char *why);
// The daemon is gone: events in flight go back to the backlogs, published commands are run over the next turns.
void corod_session_end(struct corod_session *session, const char *why);
// To be called last by everything that the host calls: ends what has failed, frees what is done.
void corod_session_settle(struct corod_core *core);
// Ends it and drops all at once; for corod_core_free.
void corod_session_abandon(struct corod_core *core);

// ---- doorbells.c

// Makes the doorbells of executor `id`. OK: `fds` are the daemon's ends, to be sent.
uint32_t corod_bell_open(struct corod_session *session, uint32_t id, struct corod_place *words, int fds[2],
                         struct corod_region_made *made);
void corod_bell_close(struct corod_bell *bell);
// Tells the slot's executor to look at it, in a burst soon.
void corod_bell_ring(struct corod_core *core, const struct corod_slot *slot);
// Tells them what the burst has held back so far: somebody is about to wait for the daemon.
void corod_bells_flush(struct corod_core *core);
// The slot has a turn of its own accord, soon.
void corod_bell_later(struct corod_core *core, const struct corod_slot *slot);
// One turn: what is ready, within the budget. `rung`: its pipe is readable. True: something was ready.
bool corod_bell_turn(struct corod_bell *bell, bool rung);

// ---- registration.c

// NODE, its parts, NODE_END. What is wrong with them is answered at the end.
void corod_registration_begin(struct corod_session *session, const struct corod_message *m);
void corod_registration_part(struct corod_session *session, const struct corod_message *m);
void corod_registration_end(struct corod_session *session, const struct corod_message *m);
void corod_registration_forget(struct corod_asking *asking);

// ---- removal.c

// NODE_CLOSE: senders are told, the coroutine behind its last event.
void corod_registration_close(struct corod_session *session, const struct corod_message *m);
// NODE_REMOVE: the last commands first, then what `how` says.
void corod_registration_remove(struct corod_session *session, const struct corod_message *m);
// The host forgets the node, and so does the core. Returns how many events waited.
uint32_t corod_registration_discard(struct corod_node *node);
// READY: removes the nodes that nobody claimed.
void corod_registration_ready(struct corod_session *session, const struct corod_message *m);
// The last command of a node that was removed has run.
void corod_registration_left(struct corod_node *node);

// ---- nodes.c: the table of nodes

bool corod_name_valid(const char *name);
// A new one in the lowest free slot, CREATING. NULL: no slot, no memory.
struct corod_node *corod_node_new(struct corod_core *core, const char *name);
// Forgets it: queue, slot, memory. Not told to the host.
void corod_node_free(struct corod_node *node);
// What waits for it is discarded, and so are notices of what was dropped. Returns how many events that were.
uint32_t corod_node_discard(struct corod_node *node);
// Events that wait for it outside the ring, notices not counted.
uint32_t corod_node_waiting(const struct corod_node *node);
bool corod_node_declares(const struct corod_node *node, uint32_t code, uint32_t *max_size);
// NULL: no node of that name, not even one being created.
struct corod_node *corod_node_by_name(struct corod_core *core, const char *name);

// ---- relay.c: from acceptance to the event ring

enum corod_told { COROD_TOLD, COROD_NOT_TOLD }; // whether the sender learns that its event was refused

// `question`: its sender waits for an answer; or NULL.
uint32_t corod_relay_accept(struct corod_node *node, enum corod_kind kind, uint32_t type, const void *payload,
                            uint32_t bytes, enum corod_told told, struct corod_question *question, uint64_t *seq);
// Transitions were missed before the next event.
void corod_relay_missed(struct corod_node *node);
// Moves what waits into the ring, as far as there is room.
void corod_relay_pump(struct corod_node *node);

// ---- window.c: the event ring, seen from the host

void corod_window_open(struct corod_node *node);
// Room for a record of `size` bytes, or NULL: full, or the attachment failed. Who fills it counts it in `in_flight`.
struct corod_record *corod_window_claim(struct corod_node *node, uint32_t size);
// Claimed records become visible and the executor is told.
void corod_window_publish(struct corod_node *node);
// Says that room is wanted, then looks once more. True: the daemon has released something meanwhile.
bool corod_window_starve(struct corod_node *node);
// Looks at the daemon's release cursor: updates in_flight. False: the attachment failed.
bool corod_window_look(struct corod_node *node);
// The daemon is gone or let go of it: what it had not released goes to the front of `carried`.
void corod_window_close(struct corod_node *node);

// ---- deadline.c

// The daemon may have moved the node's deadline nearer.
void corod_deadline_look(struct corod_node *node);

// ---- slots.c: rings of a slot, its turn, its end

// Gives it the memory of `plot`.
void corod_slot_open(struct corod_slot *slot, uint32_t executor, const struct corod_plot *plot);
// Its turn: room, deadline, replies, commands. False: commands are left for another turn.
bool corod_slot_turn(struct corod_core *core, struct corod_slot *slot, uint32_t *budget);
// No more commands than are published now; they run over the next turns. The slot must be open.
void corod_slot_leave(struct corod_core *core, struct corod_slot *slot);
// Runs commands of leaving slots. True: nothing is left.
bool corod_slots_leave_turn(struct corod_core *core);

// ---- commands.c

// Runs commands of a slot; spends `budget`. False: some are left, though the slot could go on.
bool corod_commands_run(struct corod_core *core, struct corod_slot *slot, uint32_t *budget);

// ---- senders.c

// corod_node_send by somebody who waits for the answer. OK: the asker will be told, not before this has returned.
uint32_t corod_node_send_asking(struct corod_node *node, uint32_t type, const void *payload, uint32_t bytes,
                                const struct corod_asker *asker, uint64_t *seq, uint32_t *handle);

// ---- questions.c

bool corod_questions_open(struct corod_core *core);
// None may be left but those that wait to be told.
void corod_questions_close(struct corod_core *core);
// NULL: `*status` says why not.
struct corod_question *corod_question_new(struct corod_node *node, const struct corod_asker *asker, uint32_t *status);
struct corod_question *corod_question_find(struct corod_core *core, uint32_t handle);
// Its asker does not want to know, or knows.
void corod_question_drop(struct corod_core *core, struct corod_question *question);
// Tells its asker; `bytes` are copied.
void corod_question_end(struct corod_core *core, struct corod_question *question, uint32_t status, const void *bytes,
                        uint32_t n);
// An answer of `node`, hostile. Returns an enum corod_status for the node.
uint32_t corod_question_answer(struct corod_core *core, const struct corod_node *node, uint32_t handle, uint32_t status,
                               const void *bytes, uint32_t n);
// Its event goes into the ring: the handle to give it, 0 if nobody waits any more.
uint32_t corod_question_delivered(struct corod_core *core, uint32_t handle);
// Its event comes back out of the ring of a daemon that is gone, and no coroutine has seen it.
void corod_question_returned(struct corod_core *core, uint32_t handle);
// The node answers no more: those whose events a daemon has seen, or all.
void corod_questions_died(struct corod_node *node, bool all);
// Nobody reads the slot's replies any more.
void corod_questions_drop_asker(struct corod_core *core, struct corod_slot *slot);
// Calls the functions of the host's that are to be told. From the bottom of the stack.
void corod_questions_tell(struct corod_core *core);

// ---- replies.c

// Says how a command ended; `bytes` are copied. Nothing happens if `seq` is 0 or nobody reads the slot any more.
void corod_reply(struct corod_core *core, struct corod_slot *slot, uint64_t seq, uint32_t status, const void *bytes,
                 uint32_t size);
// The same, and takes `bytes` (from malloc) over.
void corod_reply_owned(struct corod_core *core, struct corod_slot *slot, uint64_t seq, uint32_t status, uint8_t *bytes,
                       uint32_t size);
// Moves waiting outcomes into the ring as far as there is room.
void corod_replies_pump(struct corod_core *core, struct corod_slot *slot);
void corod_replies_drop(struct corod_core *core, struct corod_slot *slot);

// ---- info.c

// The word for a node's state.
const char *corod_node_state_text(enum corod_node_is is);

// ---- jobs.c: CLI commands

void corod_jobs_init(struct corod_slot *slot);
void corod_job_add(struct corod_core *core, struct corod_slot *slot, uint64_t seq, const char *text, uint32_t bytes);
// The slot's node goes: what waits is dropped, what runs is no longer wanted.
void corod_jobs_drop(struct corod_core *core, struct corod_slot *slot);

#endif
