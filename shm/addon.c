// addon.c: the module, one state per environment, and the small conversions that all of the addon uses.
#include "addon.h"

#include <stdlib.h>

void corod_handle_opened(struct corod_env *owner) {
  owner->handles++;
}

void corod_handle_closed(struct corod_env *owner) {
  owner->handles--;
  if (owner->ending && owner->handles == 0)
    napi_remove_async_cleanup_hook(owner->cleanup);
}

napi_value corod_referred(struct corod_env *owner, napi_ref reference) {
  napi_value value;
  return napi_get_reference_value(owner->env, reference, &value) == napi_ok ? value : NULL;
}

void corod_call(struct corod_env *owner, napi_value function, size_t n, const napi_value *arguments) {
  napi_env env = owner->env;
  napi_value receiver, result, error;
  if (owner->ending || !function || napi_get_global(env, &receiver) != napi_ok)
    return;
  if (napi_make_callback(env, owner->context, receiver, function, n, arguments, &result) != napi_pending_exception)
    return;
  // Both fail while a worker is being terminated; then there is nobody to tell.
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

bool corod_number_u32(napi_env env, napi_value value, uint32_t *into) {
  return napi_get_value_uint32(env, value, into) == napi_ok;
}

bool corod_number_u64(napi_env env, napi_value value, uint64_t *into) {
  int64_t number;
  if (napi_get_value_int64(env, value, &number) != napi_ok || number < 0)
    return false;
  *into = (uint64_t)number;
  return true;
}

napi_value corod_make_number(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}

bool corod_bytes(napi_env env, napi_value value, uint32_t at, uint8_t **bytes, size_t *n) {
  napi_typedarray_type type;
  void *data;
  size_t length;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array ||
      at > length)
    return false;
  *bytes = (uint8_t *)data + at;
  *n = length - at;
  return true;
}

// The environment goes, perhaps while its JavaScript was cut short: close every handle, call nothing.
static void end_environment(napi_async_cleanup_hook_handle handle, void *data) {
  struct corod_env *owner = data;
  owner->ending = true;
  while (owner->bases)
    corod_base_close(owner->bases);
  if (owner->handles == 0)
    napi_remove_async_cleanup_hook(handle);
}

static void free_environment(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

NAPI_MODULE_INIT(/* napi_env env, napi_value exports */) {
  struct corod_env *owner = calloc(1, sizeof *owner);
  napi_value name;
  if (!owner)
    return NULL;
  owner->env = env;
  if (napi_get_uv_event_loop(env, &owner->loop) != napi_ok ||
      napi_create_string_utf8(env, "corod", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_async_init(env, NULL, name, &owner->context) != napi_ok ||
      napi_set_instance_data(env, owner, free_environment, NULL) != napi_ok) {
    free(owner);
    return NULL;
  }
  // The hook holds the environment: instance data is freed after it was removed.
  if (napi_add_async_cleanup_hook(env, end_environment, owner, &owner->cleanup) != napi_ok)
    return NULL;
  return corod_link_exports(env, exports) && corod_ask_exports(env, exports) && corod_view_exports(env, exports) &&
                 corod_system_exports(env, exports)
             ? exports
             : NULL;
}
