// addon_message.c: messages of the host as JavaScript objects: HostMessage of ring.ts.
#include "addon.h"

struct object {
  napi_env env;
  napi_value value;
};

static void set(struct object *o, const char *name, napi_value value) {
  napi_set_named_property(o->env, o->value, name, value);
}

static void number(struct object *o, const char *name, uint32_t n) {
  napi_value value;
  if (napi_create_uint32(o->env, n, &value) == napi_ok)
    set(o, name, value);
}

static void big(struct object *o, const char *name, uint64_t n) {
  napi_value value;
  if (napi_create_bigint_uint64(o->env, n, &value) == napi_ok)
    set(o, name, value);
}

// `text` ends: attach.c has checked.
static void text(struct object *o, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(o->env, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    set(o, name, value);
}

napi_value corod_message_object(napi_env env, const struct corod_message *m) {
  struct object o = {.env = env};
  if (napi_create_object(env, &o.value) != napi_ok)
    return NULL;
  switch (m->type) {
  case COROD_MSG_WELCOME:
    text(&o, "kind", "welcome");
    number(&o, "version", m->welcome.version);
    number(&o, "hostPid", m->welcome.pid);
    big(&o, "epoch", m->welcome.epoch);
    text(&o, "host", m->welcome.host);
    text(&o, "release", m->welcome.release);
    number(&o, "maxNodes", m->welcome.max_nodes);
    number(&o, "maxExecutors", m->welcome.max_executors);
    number(&o, "maxEvent", m->welcome.max_event);
    return o.value;
  case COROD_MSG_REFUSED:
    text(&o, "kind", "refused");
    number(&o, "status", m->status);
    number(&o, "min", m->refused.min);
    number(&o, "max", m->refused.max);
    number(&o, "pid", m->refused.pid);
    text(&o, "text", m->refused.text);
    return o.value;
  default:
    number(&o, "call", m->call);
  }
  switch (m->type) {
  case COROD_MSG_EXECUTOR:
    text(&o, "kind", "executor");
    number(&o, "id", m->executor.id);
    return o.value;
  case COROD_MSG_NODE_READY:
    text(&o, "kind", "node");
    number(&o, "slot", m->node_ready.slot);
    number(&o, "generation", m->node_ready.generation);
    number(&o, "node", m->node_ready.node);
    number(&o, "carried", m->node_ready.carried);
    big(&o, "seq", m->node_ready.seq);
    return o.value;
  case COROD_MSG_NODE_REMOVED:
    text(&o, "kind", "removed");
    number(&o, "slot", m->node_removed.slot);
    number(&o, "discarded", m->node_removed.discarded);
    return o.value;
  case COROD_MSG_NODE_CLOSED:
    text(&o, "kind", "nodeClosed");
    number(&o, "slot", m->node_closed.slot);
    number(&o, "waiting", m->node_closed.waiting);
    return o.value;
  case COROD_MSG_READY:
    text(&o, "kind", "ready");
    number(&o, "removed", m->ready.removed);
    number(&o, "discarded", m->ready.discarded);
    return o.value;
  case COROD_MSG_PONG:
    text(&o, "kind", "pong");
    return o.value;
  case COROD_MSG_FAILED:
    text(&o, "kind", "failed");
    number(&o, "status", m->status);
    text(&o, "text", m->failed.text);
    return o.value;
  default:
    return NULL;
  }
}
