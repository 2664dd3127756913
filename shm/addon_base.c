// addon_base.c: the life of links and views in JavaScript and in Node's loop: opened, kicked, ended, closed, freed.
#include "addon.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BASE_MAGIC 0x65736162u

void corod_base_let_go(struct corod_base *base) {
  if (--base->holds == 0)
    base->kind->free(base);
}

static void on_closed(uv_handle_t *handle) {
  struct corod_base *base = handle->data;
  corod_handle_closed(base->owner);
  corod_base_let_go(base);
}

void corod_base_handle(struct corod_base *base, uv_handle_t *handle) {
  handle->data = base;
  base->holds++;
  corod_handle_opened(base->owner);
}

void corod_base_handle_close(uv_handle_t *handle) {
  uv_close(handle, on_closed);
}

void corod_base_close(struct corod_base *base) {
  if (!base->at)
    return;
  *base->at = base->next;
  if (base->next)
    base->next->at = base->at;
  base->at = NULL;
  corod_base_handle_close((uv_handle_t *)&base->kick);
  base->kind->close(base);
  napi_delete_reference(base->owner->env, base->self);
  napi_delete_reference(base->owner->env, base->on_ended);
}

void corod_base_ended(struct corod_base *base, const char *why) {
  struct corod_env *owner = base->owner;
  napi_handle_scope scope;
  napi_value text;
  if (!base->at || napi_open_handle_scope(owner->env, &scope) != napi_ok)
    return;
  napi_value callee = corod_referred(owner, base->on_ended);
  bool known = napi_create_string_utf8(owner->env, why, NAPI_AUTO_LENGTH, &text) == napi_ok;
  corod_base_close(base);
  if (known)
    corod_call(owner, callee, 1, &text);
  napi_close_handle_scope(owner->env, scope);
}

static void on_kick(uv_idle_t *kick) {
  struct corod_base *base = kick->data;
  uv_idle_stop(kick);
  base->holds++;
  base->kind->kicked(base);
  corod_base_let_go(base);
}

void corod_base_kick(struct corod_base *base) {
  if (base->at)
    uv_idle_start(&base->kick, on_kick);
}

void corod_base_broken(struct corod_base *base, const char *format, ...) {
  char why[256];
  va_list arguments;
  if (!base->at)
    return;
  va_start(arguments, format);
  vsnprintf(why, sizeof why, format, arguments);
  va_end(arguments);
  base->kind->broken(base, why);
  corod_base_kick(base);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  corod_base_close(data);
  corod_base_let_go(data);
}

struct corod_base *corod_base_of(napi_env env, napi_value external, const struct corod_base_kind *kind) {
  void *data;
  napi_valuetype type;
  if (napi_typeof(env, external, &type) != napi_ok || type != napi_external ||
      napi_get_value_external(env, external, &data) != napi_ok)
    return NULL;
  struct corod_base *base = data;
  return base->magic == BASE_MAGIC && (!kind || base->kind == kind) ? base : NULL;
}

napi_value corod_base_open(napi_env env, struct corod_env *owner, struct corod_base *base, napi_value on_ended) {
  napi_value external;
  base->magic = BASE_MAGIC;
  base->owner = owner;
  if (napi_create_external(env, base, finalize, NULL, &external) != napi_ok) {
    base->kind->free(base);
    return NULL;
  }
  base->holds = 1; // from here on the finalizer frees
  if (napi_create_reference(env, external, 1, &base->self) != napi_ok ||
      napi_create_reference(env, on_ended, 1, &base->on_ended) != napi_ok || uv_idle_init(owner->loop, &base->kick))
    return NULL;
  corod_base_handle(base, (uv_handle_t *)&base->kick);
  base->next = owner->bases;
  if (base->next)
    base->next->at = &base->next;
  base->at = &owner->bases;
  owner->bases = base;
  return external;
}
