// addon_system.c: what Node cannot do: sd_notify, flock, the clock in which deadlines are told; and the constants of
// the contract, so that TypeScript mirrors none.
#include "addon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

// now(): CLOCK_MONOTONIC in milliseconds.
static napi_value now(napi_env env, napi_callback_info info) {
  (void)info;
  return corod_make_number(env, (double)corod_now() / 1e6);
}

// notify(path, state, wait): sends one datagram to systemd. 0, or -errno. `@` starts an abstract address. Without
// `wait` a full queue is -EAGAIN.
static napi_value notify(napi_env env, napi_callback_info info) {
  size_t n = 3, length, size;
  napi_value arguments[3];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char path[sizeof address.sun_path + 1];
  char *state;
  bool wait;
  void *data;
  if (napi_get_cb_info(env, info, &n, arguments, NULL, NULL) != napi_ok || n != 3 ||
      napi_get_value_string_utf8(env, arguments[0], path, sizeof path, &length) != napi_ok ||
      napi_get_typedarray_info(env, arguments[1], NULL, &size, &data, NULL, NULL) != napi_ok ||
      napi_get_value_bool(env, arguments[2], &wait) != napi_ok)
    return corod_make_number(env, -EINVAL);
  if (length >= sizeof address.sun_path)
    return corod_make_number(env, -ENAMETOOLONG);
  if (path[0] != '/' && path[0] != '@')
    return corod_make_number(env, -EAFNOSUPPORT);
  state = data;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@')
    address.sun_path[0] = 0;
  // An abstract address is exactly as long as its name; a path ends with its NUL.
  socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (path[0] == '@' ? 0 : 1));
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return corod_make_number(env, -errno);
  ssize_t sent;
  do
    sent = sendto(fd, state, size, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT), (const struct sockaddr *)&address,
                  address_size);
  while (sent < 0 && errno == EINTR);
  int error = sent < 0 ? -errno : 0;
  close(fd);
  return corod_make_number(env, error);
}

// lockFile(path): an open descriptor that holds the lock, or -errno; -EWOULDBLOCK: somebody else holds it.
static napi_value lock_file(napi_env env, napi_callback_info info) {
  size_t n = 1, length;
  napi_value argument;
  char path[4096];
  if (napi_get_cb_info(env, info, &n, &argument, NULL, NULL) != napi_ok || n != 1 ||
      napi_get_value_string_utf8(env, argument, path, sizeof path, &length) != napi_ok)
    return corod_make_number(env, -EINVAL);
  if (length == sizeof path - 1)
    return corod_make_number(env, -ENAMETOOLONG);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
    int error = errno;
    close(fd);
    errno = error;
    fd = -1;
  }
  return corod_make_number(env, fd >= 0 ? fd : -errno);
}

static bool constants(napi_env env, napi_value exports, const char *name, size_t n, const char *const *names,
                      const double *values) {
  napi_value object;
  bool good = napi_create_object(env, &object) == napi_ok;
  for (size_t i = 0; good && i < n; i++)
    good = napi_set_named_property(env, object, names[i], corod_make_number(env, values[i])) == napi_ok;
  return good && napi_set_named_property(env, exports, name, object) == napi_ok;
}

#define CONSTANTS(name, names, ...)                                                                                    \
  constants(env, exports, name, sizeof(names) / sizeof *(names), names, (const double[]){__VA_ARGS__})

#define AT(field) offsetof(struct corod_record, field)
#define GAP(field) offsetof(struct corod_gap, field)

static const char *const record_names[] = {"bytes", "size",   "kind", "flags", "attempts",
                                           "type",  "answer", "seq",  "time"};
static const char *const gap_names[] = {"bytes", "first", "last", "count"};
static const char *const kind_names[] = {"pad", "event", "signal", "gap", "close", "command", "outcome"};
static const char *const flag_names[] = {"redelivered", "more"};
static const char *const code_names[] = {"reserved", "interfaceChange", "gap"};
static const char *const limit_names[] = {"name",    "text", "packet",   "event", "slots",    "executors",   "ringMin",
                                          "ringMax", "next", "counters", "codes", "protocol", "protocolMin", "spin"};
static const char *const answer_names[] = {"done",     "notNow",   "broken", "misuse",
                                           "tooLarge", "tooSmall", "memory", "gone"};

// statuses: [{ name, code, text }]
static bool statuses(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    uint32_t code;
    const char *text;
  } all[] = {
#define _(name, number, text) {#name, number, text},
      foreach_corod_status (_)
#undef _
  };
  napi_value array, object, name, text;
  bool good = napi_create_array(env, &array) == napi_ok;
  for (uint32_t i = 0; good && i < sizeof all / sizeof *all; i++)
    good = napi_create_object(env, &object) == napi_ok &&
           napi_create_string_utf8(env, all[i].name, NAPI_AUTO_LENGTH, &name) == napi_ok &&
           napi_create_string_utf8(env, all[i].text, NAPI_AUTO_LENGTH, &text) == napi_ok &&
           napi_set_named_property(env, object, "name", name) == napi_ok &&
           napi_set_named_property(env, object, "code", corod_make_number(env, all[i].code)) == napi_ok &&
           napi_set_named_property(env, object, "text", text) == napi_ok &&
           napi_set_element(env, array, i, object) == napi_ok;
  return good && napi_set_named_property(env, exports, "statuses", array) == napi_ok;
}

napi_value corod_system_exports(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {.utf8name = "now", .method = now},
      {.utf8name = "notify", .method = notify},
      {.utf8name = "lockFile", .method = lock_file},
  };
  bool good = napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions) == napi_ok &&
              statuses(env, exports) &&
              CONSTANTS("record", record_names, sizeof(struct corod_record), AT(size), AT(kind), AT(flags),
                        AT(attempts), AT(type), AT(answer), AT(seq), AT(time)) &&
              CONSTANTS("gap", gap_names, sizeof(struct corod_gap), GAP(first), GAP(last), GAP(count)) &&
              CONSTANTS("kinds", kind_names, COROD_KIND_PAD, COROD_KIND_EVENT, COROD_KIND_SIGNAL, COROD_KIND_GAP,
                        COROD_KIND_CLOSE, COROD_KIND_COMMAND, COROD_KIND_OUTCOME) &&
              CONSTANTS("flags", flag_names, COROD_FLAG_REDELIVERED, COROD_FLAG_MORE) &&
              CONSTANTS("codes", code_names, COROD_CODE_RESERVED, COROD_CODE_INTERFACE, COROD_CODE_GAP) &&
              CONSTANTS("limits", limit_names, COROD_NAME - 1, COROD_TEXT - 1, COROD_MAX_PACKET, COROD_MAX_EVENT,
                        COROD_MAX_SLOTS, COROD_MAX_EXECUTORS, COROD_RING_MIN, COROD_RING_MAX, COROD_MAX_NEXT,
                        COROD_MAX_COUNTERS, COROD_MAX_CODES, COROD_PROTOCOL, COROD_PROTOCOL_MIN, COROD_SPIN_MOST) &&
              CONSTANTS("answers", answer_names, COROD_DONE, COROD_NOT_NOW, COROD_BROKEN, COROD_MISUSE, COROD_TOO_LARGE,
                        COROD_TOO_SMALL, COROD_MEMORY, COROD_GONE);
  return good ? exports : NULL;
}
