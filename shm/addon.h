// addon.h: what the files of the addon share. Node-API in plain C; one environment is one thread.
//
// The addon does, ring.ts decides: it checks every argument and keeps every native object to itself. Here are only the
// guards that memory safety needs. JavaScript is called once per wake or message, never per record.
//
// Who owns what: a Link external owns a corod_link, an executor object a corod_bell. Both are counted: the JavaScript
// object, each open uv handle, and each call that is under way hold them. An open one is a root, as an open socket of
// Node is: often nothing but its callbacks refers to those who wait for it. Closing lets JavaScript collect it all.
#ifndef COROD_ADDON_H
#define COROD_ADDON_H

#define NAPI_VERSION 8
#include "attach.h"

#include <node_api.h>
#include <uv.h>

struct corod_bell;

// One environment: the main thread's or a worker's.
struct corod_env {
  napi_env env;
  uv_loop_t *loop;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
  struct corod_link *links; // open ones
  uint32_t handles;         // uv handles that are not closed yet
  bool ending;
};

// An attachment with its place in the loop.
struct corod_link {
  uint32_t magic;
  uint32_t holds;
  struct corod_env *owner;
  struct corod_attach *attach;
  struct corod_link *next, **at; // in owner->links
  uv_poll_t socket;
  uv_idle_t kick; // ends a broken attachment from the loop, not from inside a call
  napi_ref self, on_message, on_ended;
  struct corod_bell *bells[COROD_MAX_EXECUTORS];
};

// An executor's doorbell with its place in the loop.
struct corod_bell {
  uint32_t holds;
  struct corod_link *link;
  struct corod_executor_end *end; // NULL once the link or the executor is closed
  uv_poll_t poll;
  uv_idle_t again; // goes on where the budget of one wake ended
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

// addon_link.c
napi_value corod_link_exports(napi_env env, napi_value exports);
struct corod_link *corod_link_of(napi_env env, napi_value external);
void corod_link_close(struct corod_link *link);
void corod_link_let_go(struct corod_link *link); // one hold less
void corod_link_send(struct corod_link *link);   // sends what is queued, now or when the socket takes it
// The attachment broke inside a call: the loop ends it soon.
void corod_link_broken(struct corod_link *link);

// addon_ask.c
napi_value corod_ask_exports(napi_env env, napi_value exports);

// addon_executor.c
napi_value corod_executor_open(napi_env env, napi_callback_info info); // executor(link, id, slots, onWake)
void corod_bell_close(struct corod_bell *bell);
void corod_bell_kick(struct corod_bell *bell); // looks at the slots soon

// The slot, if it is there and on this executor.
static inline struct corod_slot *corod_bell_slot(struct corod_bell *bell, uint32_t slot) {
  struct corod_slot *s = slot < COROD_MAX_SLOTS ? bell->link->attach->slots[slot] : NULL;
  return s && s->executor == bell->end ? s : NULL;
}
// Ends the attachment because of what the host wrote; the code to return.
napi_value corod_bell_broken(struct corod_bell *bell, uint32_t slot, const char *what);

// addon_command.c: the functions of an executor object that push commands; each has its bell as data.
extern const napi_property_descriptor corod_command_functions[];
extern const size_t corod_command_functions_count;

// addon_message.c
napi_value corod_message_object(napi_env env, const struct corod_message *m);

// addon_system.c: now, notify, lockFile, and the constants that TypeScript must not mirror.
napi_value corod_system_exports(napi_env env, napi_value exports);

#endif
