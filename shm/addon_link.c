// addon_link.c: an attachment in Node's loop: its socket, what the host says, its end, and what it lends to other
// threads.
#include "addon.h"

#include <stdlib.h>

#define MESSAGES_PER_WAKE 64

struct link {
  struct corod_base base; // first
  struct corod_attach *attach;
  uv_poll_t socket;
  napi_ref on_message;
  struct corod_bell *bells[COROD_MAX_EXECUTORS];
};

struct corod_attach *corod_link_attach(struct corod_base *base) {
  return ((struct link *)base)->attach;
}

static void close_link(struct corod_base *base) {
  struct link *link = (struct link *)base;
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (link->bells[i])
      corod_bell_close(link->bells[i]);
  if (link->socket.data)
    corod_base_handle_close((uv_handle_t *)&link->socket);
  // The handles watch nothing from here on, so the descriptors may go.
  corod_attach_close(link->attach);
  napi_delete_reference(base->owner->env, link->on_message);
}

static void free_link(struct corod_base *base) {
  corod_attach_free(((struct link *)base)->attach);
  free(base);
}

static void end(struct link *link) {
  corod_attach_end(link->attach, "closed");
  corod_base_ended(&link->base, link->attach->why);
}

static void receive(struct link *link);

static void kicked(struct corod_base *base) {
  struct link *link = (struct link *)base;
  if (link->attach->state == COROD_ATTACH_ENDED)
    end(link);
  else
    receive(link); // a send failed: what the host still said comes first
}

static void broken(struct corod_base *base, const char *why) {
  corod_attach_end(((struct link *)base)->attach, "%s", why);
}

static struct corod_executor_end *executor(struct corod_base *base, uint32_t id, struct corod_bell ***bell) {
  struct link *link = (struct link *)base;
  struct corod_executor_end *e = id < COROD_MAX_EXECUTORS ? link->attach->executors[id] : NULL;
  if (!e || !e->words || corod_attach_shares(link->attach, id))
    return NULL;
  *bell = &link->bells[id];
  return e;
}

const struct corod_base_kind corod_link_kind = {
    .close = close_link, .free = free_link, .kicked = kicked, .broken = broken, .executor = executor};

static void on_socket(uv_poll_t *socket, int status, int events);

// Watches for what there is to wait for.
static void watch(struct link *link, bool sent) {
  uv_poll_start(&link->socket, UV_READABLE | (sent ? 0 : UV_WRITABLE), on_socket);
}

void corod_link_send(struct corod_base *base) {
  struct link *link = (struct link *)base;
  watch(link, corod_attach_send(link->attach));
  if (link->attach->send_error)
    corod_base_kick(base);
}

// New slots and slot 0 may be ready already: their bits came while they were unknown here.
static void kick_bells(struct link *link) {
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (link->bells[i] && link->bells[i]->end && link->bells[i]->end->summary)
      corod_bell_kick(link->bells[i]);
}

static void receive(struct link *link) {
  struct corod_env *owner = link->base.owner;
  for (int i = 0; i < MESSAGES_PER_WAKE && link->base.at; i++) {
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
  struct link *link = socket->data;
  link->base.holds++;
  if (status < 0) {
    corod_attach_end(link->attach, "the socket fails: %s", uv_strerror(status));
    end(link);
  }
  if (link->base.at && (events & UV_WRITABLE))
    corod_link_send(&link->base);
  if (link->base.at && (events & UV_READABLE))
    receive(link);
  corod_base_let_go(&link->base);
}

// open(path, onMessage, onEnded) -> link, or -errno
static napi_value open_link(napi_env env, napi_callback_info info) {
  size_t n = 3, length;
  napi_value arguments[3];
  char path[256];
  struct corod_env *owner;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 3 ||
      napi_get_instance_data(env, (void **)&owner) != napi_ok ||
      napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length) != napi_ok || owner->ending)
    return corod_make_number(env, -EINVAL);
  if (length == sizeof path - 1)
    return corod_make_number(env, -ENAMETOOLONG);
  struct link *link = calloc(1, sizeof *link);
  if (!link)
    return corod_make_number(env, -ENOMEM);
  int error = corod_attach_open(&link->attach, path);
  if (error) {
    free(link);
    return corod_make_number(env, error);
  }
  link->base.kind = &corod_link_kind;
  if (napi_create_reference(env, arguments[1], 1, &link->on_message) != napi_ok) {
    free_link(&link->base);
    return corod_make_number(env, -EINVAL);
  }
  napi_value external = corod_base_open(env, owner, &link->base, arguments[2]);
  if (!external)
    return corod_make_number(env, -EINVAL);
  if ((error = uv_poll_init(owner->loop, &link->socket, link->attach->fd))) {
    corod_base_close(&link->base);
    return corod_make_number(env, error);
  }
  corod_base_handle(&link->base, (uv_handle_t *)&link->socket);
  watch(link, true);
  return external;
}

// close(base)
static napi_value close_base(napi_env env, napi_callback_info info) {
  size_t n = 1;
  napi_value argument;
  struct corod_base *base;
  if (napi_get_cb_info(env, info, &n, &argument, NULL, NULL) == napi_ok && n == 1 &&
      (base = corod_base_of(env, argument, NULL)))
    corod_base_close(base);
  return NULL;
}

// The open link and the number among two arguments; NULL: not so.
static struct link *lender(napi_env env, napi_callback_info info, uint32_t *number) {
  size_t n = 2;
  napi_value arguments[2];
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 2 ||
      !corod_number_u32(env, arguments[1], number))
    return NULL;
  struct corod_base *base = corod_base_of(env, arguments[0], &corod_link_kind);
  return base && base->at ? (struct link *)base : NULL;
}

// shareExecutor(link, id) -> a token, or a code
static napi_value share_executor(napi_env env, napi_callback_info info) {
  uint32_t id;
  uint64_t token;
  struct link *link = lender(env, info, &id);
  int done = !link || id >= COROD_MAX_EXECUTORS || link->bells[id]
                 ? COROD_MISUSE
                 : corod_attach_share_executor(link->attach, id, &token);
  return corod_make_number(env, done == COROD_DONE ? (double)token : done);
}

// shareSlot(link, slot) -> [token, executor], or a code
static napi_value share_slot(napi_env env, napi_callback_info info) {
  uint32_t slot, executor = 0;
  uint64_t token = 0;
  napi_value both;
  struct link *link = lender(env, info, &slot);
  struct corod_slot *s = link && slot < COROD_MAX_SLOTS ? link->attach->slots[slot] : NULL;
  // A slot of an executor that is open here is in use.
  int done = !s || link->bells[s->executor->id] ? COROD_MISUSE
                                                : corod_attach_share_slot(link->attach, slot, &token, &executor);
  if (done != COROD_DONE)
    return corod_make_number(env, done);
  return napi_create_array(env, &both) == napi_ok &&
                 napi_set_element(env, both, 0, corod_make_number(env, (double)token)) == napi_ok &&
                 napi_set_element(env, both, 1, corod_make_number(env, executor)) == napi_ok
             ? both
             : NULL;
}

napi_value corod_link_exports(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {.utf8name = "open", .method = open_link},
      {.utf8name = "close", .method = close_base},
      {.utf8name = "executor", .method = corod_executor_open},
      {.utf8name = "shareExecutor", .method = share_executor},
      {.utf8name = "shareSlot", .method = share_slot},
  };
  return napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) == napi_ok ? exports
                                                                                                          : NULL;
}
