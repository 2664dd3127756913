// addon_link.c: an attachment in Node's loop: its socket, what the host says, and its end.
#include "addon.h"

#include <stdlib.h>

#define LINK_MAGIC 0x6b6e694cu
#define MESSAGES_PER_WAKE 64

void corod_link_let_go(struct corod_link *link) {
  if (--link->holds)
    return;
  corod_attach_free(link->attach);
  free(link);
}

static void on_closed(uv_handle_t *handle) {
  struct corod_link *link = handle->data;
  corod_handle_closed(link->owner);
  corod_link_let_go(link);
}

void corod_link_close(struct corod_link *link) {
  if (!link->at)
    return;
  *link->at = link->next;
  if (link->next)
    link->next->at = link->at;
  link->at = NULL;
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (link->bells[i])
      corod_bell_close(link->bells[i]);
  uv_close((uv_handle_t *)&link->socket, on_closed);
  uv_close((uv_handle_t *)&link->kick, on_closed);
  // The handles watch nothing from here on, so the descriptors may go.
  corod_attach_close(link->attach);
  napi_delete_reference(link->owner->env, link->self);
  napi_delete_reference(link->owner->env, link->on_message);
  napi_delete_reference(link->owner->env, link->on_ended);
}

// Closes and tells JavaScript why.
static void end(struct corod_link *link) {
  struct corod_env *owner = link->owner;
  napi_handle_scope scope;
  napi_value why;
  if (!link->at || napi_open_handle_scope(owner->env, &scope) != napi_ok)
    return;
  napi_value callee = corod_referred(owner, link->on_ended);
  corod_attach_end(link->attach, "closed");
  bool known = napi_create_string_utf8(owner->env, link->attach->why, NAPI_AUTO_LENGTH, &why) == napi_ok;
  corod_link_close(link);
  if (known)
    corod_call(owner, callee, 1, &why);
  napi_close_handle_scope(owner->env, scope);
}

static void receive(struct corod_link *link);

static void on_kick(uv_idle_t *kick) {
  struct corod_link *link = kick->data;
  uv_idle_stop(kick);
  link->holds++;
  if (link->attach->state == COROD_ATTACH_ENDED)
    end(link);
  else
    receive(link); // a send failed: what the host still said comes first
  corod_link_let_go(link);
}

void corod_link_broken(struct corod_link *link) {
  if (link->at)
    uv_idle_start(&link->kick, on_kick);
}

static void on_socket(uv_poll_t *socket, int status, int events);

// Watches for what there is to wait for.
static void watch(struct corod_link *link, bool sent) {
  uv_poll_start(&link->socket, UV_READABLE | (sent ? 0 : UV_WRITABLE), on_socket);
}

void corod_link_send(struct corod_link *link) {
  watch(link, corod_attach_send(link->attach));
  if (link->attach->send_error)
    corod_link_broken(link);
}

// New slots and slot 0 may be ready already: their bits came while they were unknown here.
static void kick_bells(struct corod_link *link) {
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (link->bells[i] && link->bells[i]->end && link->bells[i]->end->summary)
      corod_bell_kick(link->bells[i]);
}

static void receive(struct corod_link *link) {
  struct corod_env *owner = link->owner;
  for (int i = 0; i < MESSAGES_PER_WAKE && link->at; i++) {
    struct corod_message m;
    napi_handle_scope scope;
    int got = corod_attach_receive(link->attach, &m);
    if (got < 0)
      end(link);
    if (got <= 0)
      return;
    if (m.type == COROD_MSG_NODE_READY) {
      kick_bells(link);
      if (m.node_ready.slot == 0) // told with its executor
        continue;
    }
    if (napi_open_handle_scope(owner->env, &scope) != napi_ok)
      return;
    napi_value object = corod_message_object(owner->env, &m);
    if (object)
      corod_call(owner, corod_referred(owner, link->on_message), 1, &object);
    napi_close_handle_scope(owner->env, scope);
  }
}

static void on_socket(uv_poll_t *socket, int status, int events) {
  struct corod_link *link = socket->data;
  link->holds++;
  if (status < 0)
    corod_attach_end(link->attach, "the socket fails: %s", uv_strerror(status));
  if (status < 0)
    end(link);
  if (link->at && (events & UV_WRITABLE))
    corod_link_send(link);
  if (link->at && (events & UV_READABLE))
    receive(link);
  corod_link_let_go(link);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  corod_link_close(data);
  corod_link_let_go(data);
}

struct corod_link *corod_link_of(napi_env env, napi_value external) {
  void *data;
  napi_valuetype type;
  if (napi_typeof(env, external, &type) != napi_ok || type != napi_external ||
      napi_get_value_external(env, external, &data) != napi_ok || ((struct corod_link *)data)->magic != LINK_MAGIC)
    return NULL;
  return data;
}

// open(path, onMessage, onEnded) -> link, or -errno
static napi_value open_link(napi_env env, napi_callback_info info) {
  size_t n = 3, length;
  napi_value arguments[3], external = NULL;
  char path[256];
  struct corod_env *owner;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 3 ||
      napi_get_instance_data(env, (void **)&owner) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length) != napi_ok || owner->ending)
    return corod_make_number(env, -EINVAL);
  if (length == sizeof path - 1)
    return corod_make_number(env, -ENAMETOOLONG);
  struct corod_link *link = calloc(1, sizeof *link);
  if (!link)
    return corod_make_number(env, -ENOMEM);
  int error = corod_attach_open(&link->attach, path);
  if (error) {
    free(link);
    return corod_make_number(env, error);
  }
  link->magic = LINK_MAGIC;
  link->owner = owner;
  error = -EINVAL; // an argument that cannot be referred to: the environment frees what was made
  if (napi_create_external(env, link, finalize, NULL, &external) != napi_ok) {
    corod_attach_free(link->attach);
    free(link);
    return corod_make_number(env, error);
  }
  link->holds = 1; // from here on the finalizer frees
  if (napi_create_reference(env, external, 1, &link->self) != napi_ok ||
      napi_create_reference(env, arguments[1], 1, &link->on_message) != napi_ok ||
      napi_create_reference(env, arguments[2], 1, &link->on_ended) != napi_ok ||
      (error = uv_poll_init(owner->loop, &link->socket, link->attach->fd)))
    return corod_make_number(env, error);
  uv_idle_init(owner->loop, &link->kick);
  link->socket.data = link->kick.data = link;
  corod_handle_opened(owner);
  corod_handle_opened(owner);
  link->holds += 2;
  link->next = owner->links;
  if (link->next)
    link->next->at = &link->next;
  link->at = &owner->links;
  owner->links = link;
  watch(link, true);
  return external;
}

static napi_value close_link(napi_env env, napi_callback_info info) {
  size_t n = 1;
  napi_value argument;
  struct corod_link *link;
  if (napi_get_cb_info(env, info, &n, &argument, NULL, NULL) == napi_ok && n == 1 &&
      (link = corod_link_of(env, argument)))
    corod_link_close(link);
  return NULL;
}

napi_value corod_link_exports(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {.utf8name = "open", .method = open_link},
      {.utf8name = "close", .method = close_link},
      {.utf8name = "executor", .method = corod_executor_open},
  };
  return napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) == napi_ok ? exports
                                                                                                          : NULL;
}
