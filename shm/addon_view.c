// addon_view.c: a view in the loop of its thread: slots come and go, and it ends when the host does.
#include "addon.h"
#include "share.h"

#include <stdlib.h>

struct view {
  struct corod_base base; // first
  struct corod_view *view;
  struct corod_bell *bell;
};

static void close_view(struct corod_base *base) {
  struct view *view = (struct view *)base;
  if (view->bell)
    corod_bell_close(view->bell);
  corod_view_close(view->view);
}

static void free_view(struct corod_base *base) {
  corod_view_free(((struct view *)base)->view);
  free(base);
}

static void kicked(struct corod_base *base) {
  corod_base_ended(base, ((struct view *)base)->view->why);
}

static void broken(struct corod_base *base, const char *why) {
  corod_view_end(((struct view *)base)->view, why);
}

static struct corod_executor_end *executor(struct corod_base *base, uint32_t id, struct corod_bell ***bell) {
  struct view *view = (struct view *)base;
  if (view->view->end->id != id)
    return NULL;
  *bell = &view->bell;
  return view->view->end;
}

static const struct corod_base_kind view_kind = {
    .close = close_view, .free = free_view, .kicked = kicked, .broken = broken, .executor = executor};

// view(token, onEnded) -> view, or a code
static napi_value open_view(napi_env env, napi_callback_info info) {
  size_t n = 2;
  napi_value arguments[2];
  uint64_t token;
  struct corod_env *owner;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 2 ||
      napi_get_instance_data(env, (void **)&owner) != napi_ok || owner->ending ||
      !corod_number_u64(env, arguments[0], &token))
    return corod_make_number(env, COROD_MISUSE);
  struct view *view = calloc(1, sizeof *view);
  if (!view)
    return corod_make_number(env, COROD_MEMORY);
  int done = corod_view_open(&view->view, token);
  if (done != COROD_DONE) {
    free(view);
    return corod_make_number(env, done);
  }
  view->base.kind = &view_kind;
  napi_value external = corod_base_open(env, owner, &view->base, arguments[1]);
  return external ? external : corod_make_number(env, COROD_MISUSE);
}

// The open view and the number among two arguments; NULL: not so.
static struct view *begin(napi_env env, napi_callback_info info, uint64_t *number) {
  size_t n = 2;
  napi_value arguments[2];
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 2 ||
      !corod_number_u64(env, arguments[1], number))
    return NULL;
  struct corod_base *base = corod_base_of(env, arguments[0], &view_kind);
  return base && base->at ? (struct view *)base : NULL;
}

// addSlot(view, token) -> a code
static napi_value add_slot(napi_env env, napi_callback_info info) {
  uint64_t token;
  struct view *view = begin(env, info, &token);
  int done = view ? corod_view_add(view->view, token) : COROD_MISUSE;
  // Its first bits may have come while it was unknown here.
  if (done == COROD_DONE && view->bell)
    corod_bell_kick(view->bell);
  return corod_make_number(env, done);
}

// removeSlot(view, slot) -> a code
static napi_value remove_slot(napi_env env, napi_callback_info info) {
  uint64_t slot;
  struct view *view = begin(env, info, &slot);
  return corod_make_number(env, view && slot < COROD_MAX_SLOTS ? corod_view_remove(view->view, (uint32_t)slot)
                                                               : COROD_MISUSE);
}

// discard(token): frees what nobody has taken.
static napi_value discard(napi_env env, napi_callback_info info) {
  size_t n = 1;
  napi_value argument;
  uint64_t token;
  if (napi_get_cb_info(env, info, &n, &argument, NULL, NULL) == napi_ok && n == 1 &&
      corod_number_u64(env, argument, &token))
    corod_share_withdraw(token);
  return NULL;
}

napi_value corod_view_exports(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {.utf8name = "view", .method = open_view},
      {.utf8name = "addSlot", .method = add_slot},
      {.utf8name = "removeSlot", .method = remove_slot},
      {.utf8name = "discard", .method = discard},
  };
  return napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) == napi_ok ? exports
                                                                                                          : NULL;
}
