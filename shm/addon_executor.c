// addon_executor.c: an executor's doorbell in Node's loop, and the reading half of its object: drain, take, replies.
//
// A wake: drain the pipe, disarm, collect, tell JavaScript how many slots are in `slots` (its microtasks run before the
// call returns), settle what it did, look again, and arm when nothing is left. What does not end within a few rounds
// goes on from an idle handle, unarmed, so that the rest of Node's loop gets its turn.
#include "addon.h"

#include <stdlib.h>

#define ROUNDS_PER_WAKE 8

void corod_bell_let_go(struct corod_bell *bell) {
  if (--bell->holds)
    return;
  corod_base_let_go(bell->base);
  free(bell);
}

static void on_closed(uv_handle_t *handle) {
  struct corod_bell *bell = handle->data;
  corod_handle_closed(bell->base->owner);
  corod_bell_let_go(bell);
}

void corod_bell_close(struct corod_bell *bell) {
  if (!bell->end)
    return;
  *bell->place = NULL;
  bell->end = NULL;
  bell->looking = false;
  uv_close((uv_handle_t *)&bell->poll, on_closed);
  uv_close((uv_handle_t *)&bell->again, on_closed);
  uv_close((uv_handle_t *)&bell->prepare, on_closed);
  napi_delete_reference(bell->base->owner->env, bell->self);
  napi_delete_reference(bell->base->owner->env, bell->on_wake);
  napi_delete_reference(bell->base->owner->env, bell->slots);
}

// Puts the ready slots where JavaScript reads them and calls it.
static void tell(struct corod_bell *bell) {
  struct corod_env *owner = bell->base->owner;
  struct corod_executor_end *end = bell->end;
  napi_handle_scope scope;
  napi_value count;
  void *data;
  size_t room;
  if (napi_open_handle_scope(owner->env, &scope) != napi_ok)
    return;
  uint32_t n = 0;
  if (napi_get_typedarray_info(owner->env, corod_referred(owner, bell->slots), NULL, &room, &data, NULL, NULL) ==
      napi_ok) {
    n = corod_executor_list(end, bell->listed, room < COROD_MAX_SLOTS ? (uint32_t)room : COROD_MAX_SLOTS);
    if (n)
      memcpy(data, bell->listed, n * sizeof *bell->listed);
  }
  uint64_t before = corod_now();
  if (n && napi_create_uint32(owner->env, n, &count) == napi_ok)
    corod_call(owner, corod_referred(owner, bell->on_wake), 1, &count);
  napi_close_handle_scope(owner->env, scope);
  if (!bell->end)
    return;
  for (uint32_t i = 0; i < n; i++) {
    struct corod_slot *s = end->slots[bell->listed[i]];
    if (s)
      corod_slot_woken(s, before);
  }
  corod_executor_settle(end);
}

static void on_again(uv_idle_t *again);

// Nothing is left to do: the host rings from here on. False: something is ready after all.
static bool arm(struct corod_bell *bell) {
  if (!corod_executor_arm(bell->end))
    return false;
  uv_idle_stop(&bell->again);
  if (bell->spin.most)
    corod_spin_sleeps(&bell->spin, corod_now());
  return true;
}

void corod_bell_run(struct corod_bell *bell) {
  bell->holds++;
  bell->looking = false;
  for (int round = 0; bell->end; round++) {
    if (corod_executor_collect(bell->end)) {
      if (round >= ROUNDS_PER_WAKE) {
        uv_idle_start(&bell->again, on_again);
        break;
      }
      tell(bell);
    } else if (corod_spin_worth(&bell->spin)) {
      uv_idle_stop(&bell->again);
      bell->looking = true;
      break;
    } else if (arm(bell))
      break;
  }
  corod_bell_let_go(bell);
}

void corod_bell_sleep(struct corod_bell *bell) {
  bell->looking = false;
  if (!arm(bell))
    corod_bell_run(bell);
}

static void on_again(uv_idle_t *again) {
  corod_bell_run(again->data);
}

void corod_bell_kick(struct corod_bell *bell) {
  uv_idle_start(&bell->again, on_again);
}

static void on_bell(uv_poll_t *poll, int status, int events) {
  struct corod_bell *bell = poll->data;
  (void)events;
  if (status < 0 || !corod_pipe_drain(bell->end->wake)) {
    // Readable for ever. The socket says soon that the host is gone; if not, the host broke the contract.
    uv_poll_stop(poll);
    corod_base_broken(bell->base, "the host closed the connection: doorbell of executor %u", bell->end->id);
    return;
  }
  if (bell->spin.most && !bell->looking)
    corod_spin_woken(&bell->spin, corod_now());
  corod_bell_run(bell);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  corod_bell_close(data);
  corod_bell_let_go(data);
}

// ---- the functions of an executor object ---------------------------------------------------------------------------
//
// Each has its bell as data and is called as executor.name(...), so the object, which owns the bell, is alive. A slot
// that is not there (base closed, node removed) is no error: there is nothing to read and nowhere to write.

napi_value corod_bell_broken(struct corod_bell *bell, uint32_t slot, const char *what) {
  corod_base_broken(bell->base, "malformed record or cursor from the host: %s of slot %u", what, slot);
  return corod_make_number(bell->base->owner->env, COROD_BROKEN);
}

// take(slot, n): undefined, or a code.
static napi_value take(napi_env env, napi_callback_info info) {
  size_t n = 2;
  napi_value arguments[2];
  struct corod_bell *bell;
  uint32_t slot, count;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, (void **)&bell) != napi_ok ||
      napi_get_value_uint32(env, arguments[0], &slot) != napi_ok ||
      napi_get_value_uint32(env, arguments[1], &count) != napi_ok)
    return corod_make_number(env, COROD_MISUSE);
  struct corod_slot *s = corod_bell_slot(bell, slot);
  if (!s)
    return NULL;
  int done = corod_slot_take(s, count);
  return done == COROD_DONE ? NULL : corod_make_number(env, done);
}

// release(slot)
static napi_value release(napi_env env, napi_callback_info info) {
  size_t n = 1;
  napi_value argument;
  struct corod_bell *bell;
  uint32_t slot;
  if (napi_get_cb_info(env, info, &n, &argument, NULL, (void **)&bell) != napi_ok ||
      napi_get_value_uint32(env, argument, &slot) != napi_ok)
    return corod_make_number(env, COROD_MISUSE);
  struct corod_slot *s = corod_bell_slot(bell, slot);
  if (s)
    corod_slot_release(s);
  return NULL;
}

// (slot, into, at) -> bytes, or a code
static napi_value copy(napi_env env, napi_callback_info info, const char *what,
                       int64_t (*from)(struct corod_slot *, uint8_t *, uint32_t, bool)) {
  size_t n = 3, room;
  napi_value arguments[3];
  struct corod_bell *bell;
  uint32_t slot, at;
  uint8_t *into;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, (void **)&bell) != napi_ok ||
      napi_get_value_uint32(env, arguments[0], &slot) != napi_ok ||
      napi_get_value_uint32(env, arguments[2], &at) != napi_ok || !corod_bytes(env, arguments[1], at, &into, &room))
    return corod_make_number(env, COROD_MISUSE);
  struct corod_slot *s = corod_bell_slot(bell, slot);
  int64_t got = s ? from(s, into, room > COROD_RING_MAX ? COROD_RING_MAX : (uint32_t)room, at == 0) : 0;
  return got == COROD_BROKEN ? corod_bell_broken(bell, slot, what) : corod_make_number(env, (double)got);
}

static napi_value drain(napi_env env, napi_callback_info info) {
  return copy(env, info, "event ring", corod_slot_drain);
}

static napi_value replies(napi_env env, napi_callback_info info) {
  return copy(env, info, "reply ring", corod_slot_replies);
}

static napi_value close_executor(napi_env env, napi_callback_info info) {
  struct corod_bell *bell;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&bell) == napi_ok)
    corod_bell_close(bell);
  return NULL;
}

static const napi_property_descriptor own_functions[] = {
    {.utf8name = "take", .method = take},
    {.utf8name = "release", .method = release},
    {.utf8name = "drain", .method = drain},
    {.utf8name = "replies", .method = replies},
    {.utf8name = "close", .method = close_executor},
};

static bool define(napi_env env, napi_value object, struct corod_bell *bell, const napi_property_descriptor *functions,
                   size_t n) {
  for (size_t i = 0; i < n; i++) {
    napi_property_descriptor function = functions[i];
    function.data = bell;
    if (napi_define_properties(env, object, 1, &function) != napi_ok)
      return false;
  }
  return true;
}

napi_value corod_executor_open(napi_env env, napi_callback_info info) {
  size_t n = 5;
  napi_value arguments[5], object;
  uint32_t id, spin;
  napi_typedarray_type type;
  struct corod_base *base;
  struct corod_bell **place;
  struct corod_executor_end *end;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 5 ||
      !(base = corod_base_of(env, arguments[0], NULL)) || !corod_number_u32(env, arguments[1], &id) ||
      napi_get_typedarray_info(env, arguments[2], &type, NULL, NULL, NULL, NULL) != napi_ok ||
      type != napi_uint32_array || !corod_number_u32(env, arguments[4], &spin) || spin > COROD_SPIN_MOST || !base->at ||
      !(end = base->kind->executor(base, id, &place)) || *place)
    return corod_make_number(env, COROD_MISUSE);
  struct corod_bell *bell = calloc(1, sizeof *bell);
  if (!bell)
    return corod_make_number(env, COROD_MEMORY);
  bell->base = base;
  if (napi_create_object(env, &object) != napi_ok || napi_wrap(env, object, bell, finalize, NULL, NULL) != napi_ok) {
    free(bell);
    return corod_make_number(env, COROD_MISUSE);
  }
  bell->holds = 1; // from here on the finalizer frees
  base->holds++;
  if (!define(env, object, bell, own_functions, sizeof own_functions / sizeof *own_functions) ||
      !define(env, object, bell, corod_command_functions, corod_command_functions_count) ||
      napi_create_reference(env, object, 1, &bell->self) != napi_ok ||
      napi_create_reference(env, arguments[3], 1, &bell->on_wake) != napi_ok ||
      napi_create_reference(env, arguments[2], 1, &bell->slots) != napi_ok ||
      uv_poll_init(base->owner->loop, &bell->poll, end->wake))
    return corod_make_number(env, COROD_MISUSE);
  bell->end = end;
  uv_idle_init(base->owner->loop, &bell->again);
  corod_spin_open(bell, spin);
  bell->poll.data = bell->again.data = bell->prepare.data = bell;
  for (int handles = 0; handles < 3; handles++) {
    corod_handle_opened(base->owner);
    bell->holds++;
  }
  bell->place = place;
  *place = bell;
  uv_poll_start(&bell->poll, UV_READABLE, on_bell);
  corod_bell_kick(bell);
  return object;
}
