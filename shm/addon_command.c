// addon_command.c: the writing half of an executor object: commands and deadlines.
//
// Each push answers undefined (done), NOT_NOW (the ring is full) or a negative code; a slot that is not there is
// NOT_NOW. The host sees what was pushed after flush, or when the wake under way ends.
#include "addon.h"

#include <math.h>

#define MAX_ARGUMENTS 8

struct pushing {
  napi_env env;
  napi_value arguments[MAX_ARGUMENTS];
  struct corod_bell *bell;
  struct corod_slot *slot; // NULL: not there
  uint32_t index;
  bool good; // so far
};

static struct pushing begin(napi_env env, napi_callback_info info, size_t wanted) {
  struct pushing p = {.env = env};
  size_t n = MAX_ARGUMENTS;
  p.good = napi_get_cb_info(env, info, &n, p.arguments, NULL, (void **)&p.bell) == napi_ok && n == wanted &&
           corod_number_u32(env, p.arguments[0], &p.index);
  if (p.good)
    p.slot = corod_bell_slot(p.bell, p.index);
  return p;
}

static uint32_t u32(struct pushing *p, size_t i) {
  uint32_t value = 0;
  p->good = p->good && corod_number_u32(p->env, p->arguments[i], &value);
  return value;
}

static uint64_t u64(struct pushing *p, size_t i) {
  uint64_t value = 0;
  p->good = p->good && corod_number_u64(p->env, p->arguments[i], &value);
  return value;
}

static uint64_t big(struct pushing *p, size_t i) {
  uint64_t value = 0;
  bool lossless;
  p->good = p->good && napi_get_value_bigint_uint64(p->env, p->arguments[i], &value, &lossless) == napi_ok;
  return value;
}

static uint8_t *bytes(struct pushing *p, size_t i, uint32_t *size) {
  uint8_t *data = NULL;
  size_t n = 0;
  p->good = p->good && corod_bytes(p->env, p->arguments[i], 0, &data, &n) && n <= UINT32_MAX;
  *size = (uint32_t)n;
  return data;
}

static napi_value done(struct pushing *p, int code) {
  if (code == COROD_DONE)
    return NULL;
  return code == COROD_BROKEN ? corod_bell_broken(p->bell, p->index, "command ring") : corod_make_number(p->env, code);
}

static napi_value push(struct pushing *p, enum corod_op op, uint64_t call, const void *head, uint32_t head_size,
                       const void *body, uint32_t body_size) {
  if (!p->good)
    return corod_make_number(p->env, COROD_MISUSE);
  return done(p, p->slot ? corod_slot_push(p->slot, op, call, head, head_size, body, body_size) : COROD_NOT_NOW);
}

// count(slot, counter, by)
static napi_value count(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 3);
  uint32_t counter = u32(&p, 1);
  uint64_t by = u64(&p, 2);
  if (!p.good)
    return corod_make_number(env, COROD_MISUSE);
  return done(&p, p.slot ? corod_slot_count(p.slot, counter, by) : COROD_NOT_NOW);
}

// enqueue(slot, call, next, rx, tx, flags, packet)
static napi_value enqueue(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 7);
  uint64_t call = u64(&p, 1);
  struct corod_enqueue to = {.next = u32(&p, 2), .rx = u32(&p, 3), .tx = u32(&p, 4), .flags = u32(&p, 5)};
  uint32_t size;
  uint8_t *packet = bytes(&p, 6, &size);
  return push(&p, COROD_OP_ENQUEUE, call, &to, sizeof to, packet, size);
}

// cli(slot, call, text)
static napi_value cli(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 3);
  uint64_t call = u64(&p, 1);
  uint32_t size;
  uint8_t *text = bytes(&p, 2, &size);
  return push(&p, COROD_OP_CLI, call, NULL, 0, text, size);
}

// signal(slot, call, node, type, data)
static napi_value signal_node(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 5);
  struct corod_signal signal = {.node = ""};
  size_t length;
  uint64_t call = u64(&p, 1);
  p.good = p.good && napi_get_value_string_utf8(env, p.arguments[2], signal.node, COROD_NAME, &length) == napi_ok;
  signal.type = big(&p, 3);
  signal.data = big(&p, 4);
  return push(&p, COROD_OP_SIGNAL, call, &signal, sizeof signal, NULL, 0);
}

// send(slot, call, target, generation, type, wants, bytes)
static napi_value send_message(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 7);
  uint64_t call = u64(&p, 1);
  struct corod_send to = {.slot = u32(&p, 2), .generation = u32(&p, 3), .type = u32(&p, 4), .wants = u32(&p, 5)};
  uint32_t size;
  uint8_t *message = bytes(&p, 6, &size);
  return push(&p, COROD_OP_SEND, call, &to, sizeof to, message, size);
}

// answer(slot, handle, status, bytes)
static napi_value answer(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 4);
  struct corod_answer to = {.handle = u32(&p, 1), .status = u32(&p, 2)};
  uint32_t size;
  uint8_t *message = bytes(&p, 3, &size);
  return push(&p, COROD_OP_ANSWER, 0, &to, sizeof to, message, size);
}

// deadline(slot, at): milliseconds of CLOCK_MONOTONIC, Infinity for none. Rounded up: never early.
static napi_value deadline(napi_env env, napi_callback_info info) {
  struct pushing p = begin(env, info, 2);
  double at;
  if (!p.good || napi_get_value_double(env, p.arguments[1], &at) != napi_ok || isnan(at))
    return corod_make_number(env, COROD_MISUSE);
  double ns = ceil(at * 1e6);
  // 2^63 ns are 292 years: what is beyond is never.
  if (p.slot)
    corod_slot_deadline(p.slot, ns >= 9223372036854775808.0 ? COROD_NEVER : ns > 0 ? (uint64_t)ns : 0, corod_now());
  return NULL;
}

// flush()
static napi_value flush(napi_env env, napi_callback_info info) {
  struct corod_bell *bell;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&bell) == napi_ok && bell->end)
    corod_executor_settle(bell->end);
  return NULL;
}

const napi_property_descriptor corod_command_functions[] = {
    {.utf8name = "count", .method = count},       {.utf8name = "enqueue", .method = enqueue},
    {.utf8name = "cli", .method = cli},           {.utf8name = "signal", .method = signal_node},
    {.utf8name = "send", .method = send_message}, {.utf8name = "answer", .method = answer},
    {.utf8name = "deadline", .method = deadline}, {.utf8name = "flush", .method = flush},
};
const size_t corod_command_functions_count = sizeof corod_command_functions / sizeof *corod_command_functions;
