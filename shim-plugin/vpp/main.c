// main.c: the plugin: its section of startup.conf, its start, its two own nodes, and the table the core calls.
#include "plugin.h"

#include <vlib/unix/unix.h>
#include <vnet/plugin/plugin.h>
#include <vpp/app/version.h>

#include <grp.h>
#include <time.h>

corod_vpp_t corod_vpp;

VLIB_REGISTER_LOG_CLASS(corod_log_class, static) = {.class_name = "corod"};

u64 corod_vpp_now(void *host) {
  struct timespec t;
  (void)host;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

static void log_line(void *host, enum corod_log_level level, const char *line) {
  static const vlib_log_level_t to[] = {
      [COROD_LOG_ERROR] = VLIB_LOG_LEVEL_ERR,
      [COROD_LOG_WARN] = VLIB_LOG_LEVEL_WARNING,
      [COROD_LOG_INFO] = VLIB_LOG_LEVEL_NOTICE,
      [COROD_LOG_DEBUG] = VLIB_LOG_LEVEL_DEBUG,
  };
  (void)host;
  vlib_log(to[level], corod_vpp.log, "%s", line);
}

static const struct corod_host_ops ops = {
    .name = "vpp",
    .release = VPP_BUILD_VER,
    .now = corod_vpp_now,
    .log = log_line,
    .watch = corod_vpp_watch,
    .unwatch = corod_vpp_unwatch,
    .name_taken = corod_vpp_name_taken,
    .node_create = corod_vpp_node_create,
    .node_change = corod_vpp_node_change,
    .node_remove = corod_vpp_node_remove,
    .node_wake = corod_vpp_node_wake,
    .count = corod_vpp_count,
    .enqueue = corod_vpp_enqueue,
    .cli = corod_vpp_cli,
    .signal = corod_vpp_signal,
};

// Runs on every pass of main's loop, after the file callbacks and before frames and processes. A polling PRE_INPUT
// node does not keep main from sleeping (only INPUT nodes do), and an interrupt on it makes the next poll return at
// once. It is what makes doorbells quick while the loop is busy: then epoll is asked only every 1,024 passes.
static uword input(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)runtime, (void)frame;
  if (vm->thread_index != 0 || !corod_vpp.core)
    return 0;
  corod_vpp_lanes_pass();
  if (corod_core_poll(corod_vpp.core))
    corod_vpp_lanes_retry();
  corod_vpp_interfaces_check();
  corod_vpp_watch_runners(vm);
  corod_vpp_flush_frames(vm);
  return 0;
}

VLIB_REGISTER_NODE(corod_input_node, static) = {
    .function = input,
    .name = "corod-input",
    .type = VLIB_NODE_TYPE_PRE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

static void open_core(vlib_main_t *vm) {
  char error[256] = "", path[256];
  if (!corod_vpp.config.socket) {
    snprintf(path, sizeof path, "%s/corod.sock", vlib_unix_get_runtime_dir());
    corod_vpp.config.socket = strdup(path);
  }
  corod_vpp.core = corod_core_new(&ops, &corod_vpp, &corod_vpp.config, error, sizeof error);
  if (!corod_vpp.core) {
    corod_vpp.failed = strdup(error);
    corod_err("not listening: %s", error);
    return;
  }
  vlib_node_set_state(vm, corod_vpp.input, VLIB_NODE_STATE_POLLING);
}

// Starts when the main loop runs: processes made earlier can lose their first event for ever, and workers are up. Then
// makes what has to be made in process context: one batch of nodes per pass, and runners.
static uword manager(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)runtime, (void)frame;
  open_core(vm);
  for (;;) {
    corod_vpp_drain(vm, NULL);
    corod_vpp_make_runner(vm);
    if (corod_vpp_make_batch(vm)) {
      corod_vpp_poke();
      vlib_process_yield(vm);
    } else {
      vlib_process_wait_for_event(vm);
    }
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_manager_node, static) = {
    .function = manager,
    .name = "corod-manager",
    .type = VLIB_NODE_TYPE_PROCESS,
    .process_log2_n_stack_bytes = 17,
};

static uword unformat_octal(unformat_input_t *in, va_list *args) {
  u32 *mode = va_arg(*args, u32 *);
  u8 *text = NULL;
  char *end;
  if (!unformat(in, "%s", &text))
    return 0;
  *mode = (u32)strtoul((char *)text, &end, 8);
  uword ok = *text && !*end && *mode <= 0777;
  vec_free(text);
  return ok;
}

static uword unformat_group(unformat_input_t *in, va_list *args) {
  int64_t *gid = va_arg(*args, int64_t *);
  u8 *text = NULL;
  char *end;
  if (!unformat(in, "%s", &text))
    return 0;
  const struct group *group = getgrnam((char *)text);
  *gid = group ? (int64_t)group->gr_gid : (int64_t)strtoul((char *)text, &end, 10);
  uword ok = group || (*text && !*end);
  vec_free(text);
  return ok;
}

static clib_error_t *out_of_range(const char *key, u64 value, u64 min, u64 max) {
  return value < min || value > max ? clib_error_return(0, "corod: %s %llu: must be %llu to %llu", key, value, min, max)
                                    : NULL;
}

static clib_error_t *check_config(struct corod_core_config *c, const uword *size) {
  const struct {
    const char *key;
    u64 value, min, max;
    u32 *into;
  } sizes[] = {
      {"max-event", size[0], 256, 1u << 20, &c->max_event},
      {"event-ring", size[1], COROD_RING_MIN, COROD_RING_MAX, &c->event_ring},
      {"reply-ring", size[2], COROD_RING_MIN, COROD_RING_MAX, &c->reply_ring},
      {"command-ring", size[3], COROD_RING_MIN, COROD_RING_MAX, &c->command_ring},
      {"backlog-bytes", size[4], 4096, 1u << 30, &c->backlog_bytes},
      {"thread-ring", size[5], 65536, COROD_RING_MAX, &corod_vpp.lane_bytes},
  };
  for (u32 i = 0; i < ARRAY_LEN(sizes); i++) {
    clib_error_t *error = out_of_range(sizes[i].key, sizes[i].value, sizes[i].min, sizes[i].max);
    if (error)
      return error;
    *sizes[i].into = (u32)sizes[i].value;
  }
  u32 rings[] = {c->event_ring, c->reply_ring, c->command_ring, corod_vpp.lane_bytes};
  for (u32 i = 0; i < ARRAY_LEN(rings); i++)
    if (!is_pow2(rings[i]))
      return clib_error_return(0, "corod: ring size %u: must be a power of two", rings[i]);
  if (corod_vpp.lane_bytes / 4 < c->max_event + sizeof(struct corod_record))
    return clib_error_return(0, "corod: thread-ring %u: must be four times max-event %u", corod_vpp.lane_bytes,
                             c->max_event);
  clib_error_t *error = out_of_range("max-nodes", c->max_nodes, 1, COROD_MAX_SLOTS - 1);
  if (!error)
    error = out_of_range("backlog", c->backlog, 1, 1u << 24);
  if (!error)
    error = out_of_range("budget", c->budget, 1, 1u << 20);
  if (!error)
    error = out_of_range("cli-runners", corod_vpp.runners, 1, 64);
  return error;
}

// `text` is a word, or what stood in braces.
static void keep(char ***list, u8 *text) {
  u32 from = 0, to = vec_len(text);
  while (from < to && text[from] == ' ')
    from++;
  while (to > from && text[to - 1] == ' ')
    to--;
  vec_add1(*list, strndup((char *)text + from, to - from));
  vec_free(text);
}

static clib_error_t *corod_config(vlib_main_t *vm, unformat_input_t *in) {
  struct corod_core_config *c = &corod_vpp.config;
  uword size[] = {c->max_event, c->event_ring, c->reply_ring, c->command_ring, c->backlog_bytes, corod_vpp.lane_bytes};
  u8 *text = NULL;
  (void)vm;
  while (unformat_check_input(in) != UNFORMAT_END_OF_INPUT) {
    if (unformat(in, "socket %s", &text)) {
      c->socket = strdup((char *)text);
      vec_free(text);
    } else if (unformat(in, "mode %U", unformat_octal, &c->mode))
      ;
    else if (unformat(in, "group %U", unformat_group, &c->group))
      ;
    else if (unformat(in, "max-nodes %u", &c->max_nodes))
      ;
    else if (unformat(in, "max-event %U", unformat_memory_size, &size[0]))
      ;
    else if (unformat(in, "event-ring %U", unformat_memory_size, &size[1]))
      ;
    else if (unformat(in, "reply-ring %U", unformat_memory_size, &size[2]))
      ;
    else if (unformat(in, "command-ring %U", unformat_memory_size, &size[3]))
      ;
    else if (unformat(in, "backlog-bytes %U", unformat_memory_size, &size[4]))
      ;
    else if (unformat(in, "thread-ring %U", unformat_memory_size, &size[5]))
      ;
    else if (unformat(in, "backlog %u", &c->backlog))
      ;
    else if (unformat(in, "budget %u", &c->budget))
      ;
    else if (unformat(in, "cli-runners %u", &corod_vpp.runners))
      ;
    else if (unformat(in, "cli-refuse %v", &text))
      keep(&corod_vpp.cli_refuse, text);
    else if (unformat(in, "next %v", &text))
      keep(&corod_vpp.next, text);
    else
      return clib_error_return(0, "corod: unknown input `%U'", format_unformat_error, in);
  }
  return check_config(c, size);
}

VLIB_CONFIG_FUNCTION(corod_config, "corod");

static clib_error_t *corod_init(vlib_main_t *vm) {
  corod_vpp.vm = vm;
  corod_vpp.log = corod_log_class.class;
  corod_vpp.input = corod_input_node.index;
  corod_vpp.manager = corod_manager_node.index;
  corod_vpp.runners = 4;
  corod_vpp.lane_bytes = 1u << 20;
  corod_core_defaults(&corod_vpp.config);
  corod_vpp_interfaces_init();
  corod_vpp_guard_init();
  return NULL;
}

VLIB_INIT_FUNCTION(corod_init);

// Threads exist from here on: each gets its ring.
static clib_error_t *corod_enter(vlib_main_t *vm) {
  (void)vm;
  return corod_vpp_lanes_init();
}

VLIB_MAIN_LOOP_ENTER_FUNCTION(corod_enter);

static clib_error_t *corod_leave(vlib_main_t *vm) {
  (void)vm;
  struct corod_core *core = corod_vpp.core;
  corod_vpp.core = NULL;
  if (core)
    corod_core_free(core);
  return NULL;
}

VLIB_MAIN_LOOP_EXIT_FUNCTION(corod_leave);

VLIB_PLUGIN_REGISTER() = {
    .version = "0.1.0",
    .description = "corod: process nodes as TypeScript coroutines in a daemon beside VPP",
};
