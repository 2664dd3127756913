// addon.h: what the files of the addon share. Node-API in plain C; one environment is one thread.
//
// The addon does, ring.ts decides: it checks every argument and keeps every native object to itself. Here are only the
// guards that memory safety needs. JavaScript is called once per wake or message, never per record.
//
// Who owns what: an external of JavaScript owns a base, which is a link (an attachment with its conversation) or a view
// (an executor of an attachment that is another thread's); an executor object owns a bell on a base. All are counted:
// the JavaScript object, each open uv handle, and each call that is under way hold them. An open one is a root, as an
// open socket of Node is: often nothing but its callbacks refers to those who wait for it. Closing lets JavaScript
// collect it all. What two threads share is in share.c alone.
#ifndef COROD_ADDON_H
#define COROD_ADDON_H

#define NAPI_VERSION 8
#include "attach.h"
#include "spin.h"
#include "view.h"

#include <node_api.h>
#include <uv.h>

struct corod_base;
struct corod_bell;

// One environment: the main thread's or a worker's.
struct corod_env {
  napi_env env;
  uv_loop_t *loop;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  struct corod_base *bases; // open ones
  uint32_t handles;         // uv handles that are not closed yet
  bool ending;
};

// What tells a link from a view.
struct corod_base_kind {
  // Gives everything back but memory; its own handles are closed with corod_handle_close.
  void (*close)(struct corod_base *base);
  void (*free)(struct corod_base *base);
  // From the loop, after corod_base_kick.
  void (*kicked)(struct corod_base *base);
  // Notes why it must end.
  void (*broken)(struct corod_base *base, const char *why);
  // The executor end with its bell's place; NULL: not there.
  struct corod_executor_end *(*executor)(struct corod_base *base, uint32_t id, struct corod_bell ***bell);
};

// What a link and a view have in common: their place in the loop and in JavaScript.
struct corod_base {
  uint32_t magic;
  uint32_t holds;
  const struct corod_base_kind *kind;
  struct corod_env *owner;
  struct corod_base *next, **at; // in owner->bases; `at` NULL: closed
  uv_idle_t kick;                // ends a broken one from the loop, not from inside a call
  napi_ref self, on_ended;
};

// An executor's doorbell with its place in the loop.
struct corod_bell {
  uint32_t holds;
  struct corod_base *base;
  struct corod_bell **place;      // where the base finds it
  struct corod_executor_end *end; // NULL once the base or the executor is closed
  uv_poll_t poll;
  uv_idle_t again; // goes on where the budget of one wake ended
  uv_prepare_t prepare;
  struct corod_spin spin;
  bool looking; // not armed: `prepare` looks, and arms
  napi_ref self, on_wake;
  napi_ref slots; // the Uint32Array that on_wake reads
  uint32_t listed[COROD_MAX_SLOTS];
};

// addon.c
void corod_handle_opened(struct corod_env *owner);
void corod_handle_closed(struct corod_env *owner);
// Calls a JavaScript function from the loop. What it throws is an uncaught exception, as from any callback of Node.
void corod_call(struct corod_env *owner, napi_value function, size_t n, const napi_value *arguments);
napi_value corod_referred(struct corod_env *owner, napi_ref reference); // NULL: nothing
bool corod_number_u32(napi_env env, napi_value value, uint32_t *into);
bool corod_number_u64(napi_env env, napi_value value, uint64_t *into); // an integer of at most 53 bits
napi_value corod_make_number(napi_env env, double number);
// The bytes of a Uint8Array from `at` on.
bool corod_bytes(napi_env env, napi_value value, uint32_t at, uint8_t **bytes, size_t *n);

// addon_base.c
// The external of a new base whose kind is set; from here on its finalizer frees it. On failure `*base` is freed. The
// base is open then, and its `kick` initialised.
napi_value corod_base_open(napi_env env, struct corod_env *owner, struct corod_base *base, napi_value on_ended);
// The base that a value is the external of; NULL: none, or not of that kind (NULL: any).
struct corod_base *corod_base_of(napi_env env, napi_value external, const struct corod_base_kind *kind);
void corod_base_close(struct corod_base *base);
void corod_base_let_go(struct corod_base *base); // one hold less
void corod_base_kick(struct corod_base *base);   // kind->kicked soon
// It broke inside a call: the loop ends it soon.
void corod_base_broken(struct corod_base *base, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Closes it and tells JavaScript why.
void corod_base_ended(struct corod_base *base, const char *why);
// A handle of a base is open or is to be closed: it holds the base until then.
void corod_base_handle(struct corod_base *base, uv_handle_t *handle);
void corod_base_handle_close(uv_handle_t *handle);

// addon_link.c
extern const struct corod_base_kind corod_link_kind;
napi_value corod_link_exports(napi_env env, napi_value exports);
struct corod_attach *corod_link_attach(struct corod_base *link);
void corod_link_send(struct corod_base *link); // sends what is queued, now or when the socket takes it

// addon_ask.c
napi_value corod_ask_exports(napi_env env, napi_value exports);

// addon_view.c
napi_value corod_view_exports(napi_env env, napi_value exports);

// addon_executor.c
napi_value corod_executor_open(napi_env env, napi_callback_info info); // executor(base, id, slots, onWake, spin)
void corod_bell_close(struct corod_bell *bell);
void corod_bell_let_go(struct corod_bell *bell); // one hold less
void corod_bell_kick(struct corod_bell *bell);   // looks at the slots soon
void corod_bell_run(struct corod_bell *bell);    // tells JavaScript what is ready, until nothing is
void corod_bell_sleep(struct corod_bell *bell);  // arms, or runs if something is ready

// addon_spin.c
// `most`: ns for which to look before sleeping, 0: off. The bell's handles are open or will be at once.
void corod_spin_open(struct corod_bell *bell, uint64_t most);

// The slot, if it is there and on this executor.
static inline struct corod_slot *corod_bell_slot(struct corod_bell *bell, uint32_t slot) {
  return bell->end && slot < COROD_MAX_SLOTS ? bell->end->slots[slot] : NULL;
}
// Ends the base because of what the host wrote; the code to return.
napi_value corod_bell_broken(struct corod_bell *bell, uint32_t slot, const char *what);

// addon_command.c: the functions of an executor object that push commands; each has its bell as data.
extern const napi_property_descriptor corod_command_functions[];
extern const size_t corod_command_functions_count;

// addon_message.c
napi_value corod_message_object(napi_env env, const struct corod_message *m);

// addon_system.c: now, notify, lockFile, and the constants that TypeScript must not mirror.
napi_value corod_system_exports(napi_env env, napi_value exports);

#endif
