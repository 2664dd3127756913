// export.h: events from any code in VPP to a corod node, from every VPP thread. For other plugins; needs no other
// header of corod. The message's layout comes from the node's message table: `corod header NODE` prints it in C.
//
//   #include <corod/export.h>
//
//   static corod_handle_t watch;                              // on main, once, and again after COROD_SEND_STALE
//   corod_api()->resolve ("watch", &watch);
//
//   struct watch_alarm alarm = { .port = 3 };                 // any VPP thread
//   int status = corod_api()->send (watch, WATCH_ALARM_CODE, &alarm, sizeof (alarm));
#ifndef COROD_EXPORT_H
#define COROD_EXPORT_H

#include <stddef.h>
#include <stdint.h>
#include <vlib/unix/plugin.h>

#define COROD_API_VERSION 1

// Why an event was not taken, or not answered. 0 is success; text() has a sentence for each, also for numbers not
// listed here.
enum {
  COROD_SEND_OK = 0,            // from main: it is in the backlog. From a worker: it is on its way there, in order
  COROD_SEND_LIMIT = 4,         // too many answers are waited for
  COROD_SEND_NODE_UNKNOWN = 9,  // no node of that name now
  COROD_SEND_TYPE_UNKNOWN = 10, // the node declares no such message (from main; from a worker: counted later)
  COROD_SEND_TOO_BIG = 11,      // larger than the message's or the host's limit
  COROD_SEND_FULL = 12,         // the backlog, or this thread's ring, is full: try again later
  COROD_SEND_CLOSED = 13,       // the node takes no more events
  COROD_SEND_UNSUPPORTED = 20,  // not a thread of VPP, or a call for main on another one
  COROD_SEND_STALE = 22,        // the handle is of an earlier life of the node: resolve again
  COROD_ASK_TIMEOUT = 24,       // no answer came in time
  COROD_ASK_REFUSED = 25,       // the node refused; the bytes are its reason, UTF-8, not terminated
  COROD_ASK_UNANSWERED = 26,    // the node finished with the event and did not answer
  COROD_ASK_DIED = 27,          // the node ended before it answered
};

// A node in one of its lives. All zero is no node: STALE.
typedef struct {
  uint32_t id, generation;
} corod_handle_t;

typedef struct {
  uint32_t version; // COROD_API_VERSION
  uint32_t size;    // of this struct in the plugin: later versions only append

  // Main thread only. Finds the node of that name; its handle stays good until the node is removed, across restarts of
  // the daemon.
  int (*resolve)(const char *node, corod_handle_t *handle);

  // Every VPP thread. Never blocks, takes no lock and no worker barrier. `bytes` are copied.
  int (*send)(corod_handle_t handle, uint32_t code, const void *bytes, uint32_t size);

  // The sentence for a status; never NULL.
  const char *(*text)(int status);

  // Main thread only. As `send`, and waits for the node's answer. COROD_SEND_OK: `answered` is called exactly once, on
  // main, not before this returns and soon after `seconds` at the latest; any other status: never. Its status is
  // COROD_SEND_OK, and the bytes are the reply; or a COROD_ASK_...; or COROD_SEND_FULL: dropped by the node's overflow
  // policy. The bytes are valid until it returns.
  int (*ask)(corod_handle_t handle, uint32_t code, const void *bytes, uint32_t size, double seconds,
             void (*answered)(void *arg, uint32_t status, const void *bytes, uint32_t size), void *arg);
} corod_api_t;

// NULL: the plugin is not loaded, or of another version. Call it once VPP's init functions run, not earlier.
static inline const corod_api_t *corod_api(void) {
  static const corod_api_t *api;
  const corod_api_t *(*get)(uint32_t version);
  if (!api && (get = vlib_get_plugin_symbol("corod_plugin.so", "corod_api_get")))
    api = get(COROD_API_VERSION);
  return api;
}

#endif
