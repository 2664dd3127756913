// addon_ask.c: the questions of ring.ts to the host. Each is (link, ...) -> a code of enum corod_answer_code.
#include "addon.h"

#define MAX_ARGUMENTS 12

struct asking {
  napi_env env;
  napi_value arguments[MAX_ARGUMENTS];
  struct corod_base *link;
  bool good; // so far
};

static struct asking begin(napi_env env, napi_callback_info info, size_t wanted) {
  struct asking q = {.env = env};
  size_t n = MAX_ARGUMENTS;
  q.good = napi_get_cb_info(env, info, &n, q.arguments, NULL, NULL) == napi_ok && n == wanted &&
           (q.link = corod_base_of(env, q.arguments[0], &corod_link_kind));
  return q;
}

static uint32_t u32(struct asking *q, size_t i) {
  uint32_t value = 0;
  q->good = q->good && corod_number_u32(q->env, q->arguments[i], &value);
  return value;
}

static void text(struct asking *q, size_t i, char *into, size_t room) {
  size_t length = 0;
  into[0] = 0;
  q->good = q->good && napi_get_value_string_utf8(q->env, q->arguments[i], NULL, 0, &length) == napi_ok &&
            length < room && napi_get_value_string_utf8(q->env, q->arguments[i], into, room, &length) == napi_ok &&
            strlen(into) == length;
}

static napi_value done(struct asking *q, int code) {
  if (code == COROD_DONE && q->link->at)
    corod_link_send(q->link);
  return corod_make_number(q->env, code);
}

#define QUESTION(q, function, ...) done(&q, q.good ? function(corod_link_attach(q.link), __VA_ARGS__) : COROD_MISUSE)

static napi_value hello(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 2);
  char program[COROD_NAME];
  text(&q, 1, program, sizeof program);
  return QUESTION(q, corod_attach_hello, program);
}

static napi_value add_executor(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 3);
  uint32_t call = u32(&q, 1), id = u32(&q, 2);
  return QUESTION(q, corod_attach_executor, call, id);
}

// node(link, call, name, sizes: executor, event, reply, command, backlog, backlogBytes, overflow, counts)
// `counts` is next + counters * 2^8 + codes * 2^16: each is at most 256.
static napi_value node(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 11);
  struct corod_node_ask ask = {0};
  uint32_t call = u32(&q, 1);
  text(&q, 2, ask.name, sizeof ask.name);
  ask.executor = u32(&q, 3);
  ask.event_ring = u32(&q, 4);
  ask.reply_ring = u32(&q, 5);
  ask.command_ring = u32(&q, 6);
  ask.backlog = u32(&q, 7);
  ask.backlog_bytes = u32(&q, 8);
  ask.overflow = (uint16_t)u32(&q, 9);
  uint32_t counts = u32(&q, 10);
  ask.next = counts & 255u;
  ask.counters = counts >> 8 & 255u;
  ask.codes = (uint16_t)(counts >> 16);
  return QUESTION(q, corod_attach_node, call, &ask);
}

static napi_value node_next(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 4);
  char name[COROD_NAME];
  uint32_t call = u32(&q, 1), index = u32(&q, 2);
  text(&q, 3, name, sizeof name);
  return QUESTION(q, corod_attach_node_next, call, index, name);
}

static napi_value node_counter(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 6);
  char name[COROD_NAME], description[COROD_TEXT];
  uint32_t call = u32(&q, 1), index = u32(&q, 2), severity = u32(&q, 3);
  text(&q, 4, name, sizeof name);
  text(&q, 5, description, sizeof description);
  return QUESTION(q, corod_attach_node_counter, call, index, severity, name, description);
}

static napi_value node_code(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 4);
  uint32_t call = u32(&q, 1), code = u32(&q, 2), size = u32(&q, 3);
  return QUESTION(q, corod_attach_node_code, call, code, size);
}

static napi_value node_end(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 2);
  uint32_t call = u32(&q, 1);
  return QUESTION(q, corod_attach_node_end, call);
}

static napi_value node_close(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 4);
  uint32_t call = u32(&q, 1), slot = u32(&q, 2), generation = u32(&q, 3);
  return QUESTION(q, corod_attach_node_close, call, slot, generation);
}

static napi_value node_remove(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 5);
  uint32_t call = u32(&q, 1), slot = u32(&q, 2), generation = u32(&q, 3), how = u32(&q, 4);
  return QUESTION(q, corod_attach_node_remove, call, slot, generation, (enum corod_leave)how);
}

static napi_value allow_signal(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 3);
  char name[COROD_NAME];
  uint32_t call = u32(&q, 1);
  text(&q, 2, name, sizeof name);
  return QUESTION(q, corod_attach_signals, call, name);
}

static napi_value ready(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 2);
  uint32_t call = u32(&q, 1);
  return QUESTION(q, corod_attach_ready, call);
}

static napi_value ping(napi_env env, napi_callback_info info) {
  struct asking q = begin(env, info, 2);
  uint32_t call = u32(&q, 1);
  return QUESTION(q, corod_attach_ping, call);
}

napi_value corod_ask_exports(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {.utf8name = "hello", .method = hello},
      {.utf8name = "addExecutor", .method = add_executor},
      {.utf8name = "node", .method = node},
      {.utf8name = "nodeNext", .method = node_next},
      {.utf8name = "nodeCounter", .method = node_counter},
      {.utf8name = "nodeCode", .method = node_code},
      {.utf8name = "nodeEnd", .method = node_end},
      {.utf8name = "nodeClose", .method = node_close},
      {.utf8name = "nodeRemove", .method = node_remove},
      {.utf8name = "allowSignal", .method = allow_signal},
      {.utf8name = "ready", .method = ready},
      {.utf8name = "ping", .method = ping},
  };
  return napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) == napi_ok ? exports
                                                                                                          : NULL;
}
