// test.c: a plugin that only the tests load: other code in VPP, from a corod node's point of view. It signals and
// sends, from main, from workers and from a thread that is not VPP's; it receives signals and packets; it can keep the
// main loop busy, or hold it up as a bad C process node would.
#include "shim-plugin/vpp/export.h"

#include <vlib/unix/plugin.h>
#include <vlib/vlib.h>
#include <vnet/plugin/plugin.h>
#include <vnet/vnet.h>

#include <pthread.h>
#include <time.h>

// One sender's order: `code` events with a payload of {sender, number}, as fast as they are taken.
typedef struct {
  CLIB_CACHE_LINE_ALIGN_MARK(line);
  corod_handle_t to;
  u32 code;
  u64 sent, wanted, full;
  f64 every, next; // seconds between two events; 0: none
  int failed;      // status that ended it, or 0
} sender_t;

static sender_t *senders; // by thread, a vector
static corod_handle_t kept;

static void send_some(sender_t *s, u32 thread, u32 most) {
  while (most-- && s->sent < s->wanted && !s->failed) {
    u64 payload[2] = {thread, s->sent + 1};
    int status = corod_api()->send(s->to, s->code, payload, sizeof payload);
    if (status == COROD_SEND_FULL) {
      s->full++;
      return;
    }
    if (status != COROD_SEND_OK)
      s->failed = status;
    else
      s->sent++;
  }
}

// Polls on each thread that has something to send.
static uword sender(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  sender_t *s = vec_elt_at_index(senders, vm->thread_index);
  f64 now = vlib_time_now(vm);
  (void)frame;
  if (now < s->next)
    return 0;
  s->next = now + s->every;
  send_some(s, vm->thread_index, s->every > 0 ? 1 : 256);
  if (s->sent >= s->wanted || s->failed)
    vlib_node_set_state(vm, runtime->node_index, VLIB_NODE_STATE_DISABLED);
  return 0;
}

VLIB_REGISTER_NODE(corod_test_sender, static) = {
    .function = sender,
    .name = "corod-test-sender",
    .type = VLIB_NODE_TYPE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

// Does nothing, on every pass: main asks epoll only every 1,024 passes then.
static uword busy(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)vm, (void)runtime, (void)frame;
  return 0;
}

VLIB_REGISTER_NODE(corod_test_busy, static) = {
    .function = busy,
    .name = "corod-test-busy",
    .type = VLIB_NODE_TYPE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

// A process node of somebody else: counts what it is signalled.
static struct {
  u64 signals, sum;
  uword type;
} native;

static uword native_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  uword *data = NULL, *datum;
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    uword type;
    while ((type = vlib_process_get_events(vm, &data)) != ~0) {
      native.type = type;
      vec_foreach (datum, data)
        native.signals++, native.sum += *datum;
      vec_reset_length(data);
    }
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_test_native, static) = {
    .function = native_process,
    .name = "corod-test-native",
    .type = VLIB_NODE_TYPE_PROCESS,
};

// A node that takes packets and remembers the last one.
static struct {
  u64 packets;
  u32 rx, tx, flags;
  u8 *last;
} sink;

static uword sink_node(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  u32 *buffers = vlib_frame_vector_args(frame);
  (void)runtime;
  for (u32 i = 0; i < frame->n_vectors; i++) {
    vlib_buffer_t *b = vlib_get_buffer(vm, buffers[i]);
    sink.packets++;
    sink.rx = vnet_buffer(b)->sw_if_index[VLIB_RX];
    sink.tx = vnet_buffer(b)->sw_if_index[VLIB_TX];
    sink.flags = b->flags;
    vec_reset_length(sink.last);
    for (vlib_buffer_t *part = b;; part = vlib_get_buffer(vm, part->next_buffer)) {
      vec_add(sink.last, vlib_buffer_get_current(part), part->current_length);
      if (!(part->flags & VLIB_BUFFER_NEXT_PRESENT))
        break;
    }
  }
  vlib_buffer_free(vm, buffers, frame->n_vectors);
  return frame->n_vectors;
}

VLIB_REGISTER_NODE(corod_test_sink, static) = {
    .function = sink_node,
    .name = "corod-test-sink",
    .vector_size = sizeof(u32),
    .type = VLIB_NODE_TYPE_INTERNAL,
};

// What a process node in C does to VPP when it computes.
static uword spin_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  uword *seconds = NULL;
  (void)runtime, (void)frame;
  for (;;) {
    vlib_process_wait_for_event(vm);
    vlib_process_get_events(vm, &seconds);
    f64 end = vlib_time_now(vm) + (f64)vec_elt(seconds, 0) * 1e-3;
    vec_reset_length(seconds);
    while (vlib_time_now(vm) < end)
      CLIB_PAUSE();
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_test_spin, static) = {
    .function = spin_process,
    .name = "corod-test-spin",
    .type = VLIB_NODE_TYPE_PROCESS,
};

// The most nodes that appeared between two passes of main's loop, and the longest that the first worker stood still
// between two of its own.
static struct {
  u32 had, most;
  f64 last, longest; // seconds; the worker's
} made;

static uword count_nodes(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  (void)runtime, (void)frame;
  if (vm->thread_index == 0) {
    u32 have = vec_len(vm->node_main.nodes);
    made.most = clib_max(made.most, have - made.had);
    made.had = have;
  } else if (vm->thread_index == 1) {
    f64 now = vlib_time_now(vm);
    if (made.last > 0)
      made.longest = clib_max(made.longest, now - made.last);
    made.last = now;
  }
  return 0;
}

VLIB_REGISTER_NODE(corod_test_count, static) = {
    .function = count_nodes,
    .name = "corod-test-count",
    .type = VLIB_NODE_TYPE_PRE_INPUT,
    .state = VLIB_NODE_STATE_DISABLED,
};

static void *alien(void *arg) {
  int *status = arg;
  *status = corod_api()->send(kept, 1, NULL, 0);
  return NULL;
}

static clib_error_t *test_signal(vlib_main_t *vm, unformat_input_t *in) {
  u8 *name = NULL;
  u64 type, data, count = 1;
  if (!unformat(in, "%s %lu %lu", &name, &type, &data))
    return clib_error_return(0, "corod-test signal NODE TYPE DATA [COUNT]");
  (void)unformat(in, "%lu", &count);
  vlib_node_t *n = vlib_get_node_by_name(vm, name);
  vec_free(name);
  if (!n || n->type != VLIB_NODE_TYPE_PROCESS)
    return clib_error_return(0, "no such process");
  for (u64 i = 0; i < count; i++)
    vlib_process_signal_event(vm, n->index, type, data + i);
  return NULL;
}

static clib_error_t *test_send(vlib_main_t *vm, unformat_input_t *in) {
  u8 *name = NULL;
  u32 code, thread, ms = 0;
  u64 count;
  if (!unformat(in, "%s %u %lu thread %u", &name, &code, &count, &thread))
    return clib_error_return(0, "corod-test send NODE CODE COUNT thread THREAD [every MS]");
  (void)unformat(in, "every %u", &ms);
  vec_validate_aligned(senders, vlib_get_n_threads() - 1, CLIB_CACHE_LINE_BYTES);
  if (thread >= vlib_get_n_threads())
    return clib_error_return(0, "there are %u threads", vlib_get_n_threads());
  sender_t *s = vec_elt_at_index(senders, thread);
  int status = corod_api()->resolve((char *)name, &s->to);
  vec_free(name);
  if (status)
    return clib_error_return(0, "%s", corod_api()->text(status));
  s->code = code;
  s->sent = s->full = 0;
  s->failed = 0;
  s->next = 0;
  s->every = ms * 1e-3;
  s->wanted = count;
  vlib_worker_thread_barrier_sync(vm);
  vlib_node_set_state(vlib_get_main_by_index(thread), corod_test_sender.index, VLIB_NODE_STATE_POLLING);
  vlib_worker_thread_barrier_release(vm);
  return NULL;
}

// What the last answer was, and how many came.
static struct {
  u64 answers;
  u32 status;
  u8 *bytes;
} asked;

static clib_error_t *test_show(vlib_main_t *vm) {
  sender_t *s;
  vec_foreach (s, senders)
    vlib_cli_output(vm, "sender %u sent %lu of %lu full %lu failed %d", (u32)(s - senders), s->sent, s->wanted, s->full,
                    s->failed);
  vlib_cli_output(vm, "most nodes made in one pass %u", made.most);
  vlib_cli_output(vm, "longest stop of a worker %.3f ms", made.longest * 1e3);
  vlib_cli_output(vm, "barriers %lu", (u64)vlib_worker_threads->barrier_sync_count);
  vlib_cli_output(vm, "native signals %lu sum %lu type %lu", native.signals, native.sum, native.type);
  vlib_cli_output(vm, "answers %lu status %u bytes %U", asked.answers, asked.status, format_hex_bytes_no_wrap,
                  asked.bytes, vec_len(asked.bytes));
  vlib_cli_output(vm, "sink packets %lu rx %d tx %d flags %x last %U", sink.packets, sink.rx, sink.tx, sink.flags,
                  format_hex_bytes_no_wrap, sink.last, vec_len(sink.last));
  return NULL;
}

static clib_error_t *test_keep(vlib_main_t *vm, unformat_input_t *in) {
  u8 *name = NULL;
  if (!unformat(in, "%s", &name))
    return clib_error_return(0, "corod-test keep NODE");
  int status = corod_api()->resolve((char *)name, &kept);
  vlib_cli_output(vm, "%d %s", status, corod_api()->text(status));
  vec_free(name);
  return NULL;
}

static clib_error_t *test_kept(vlib_main_t *vm, unformat_input_t *in) {
  u32 code, size = 0;
  if (!unformat(in, "%u", &code))
    return clib_error_return(0, "corod-test kept CODE [SIZE]");
  (void)unformat(in, "%u", &size);
  u8 *bytes = NULL;
  vec_validate(bytes, size);
  int status = corod_api()->send(kept, code, bytes, size);
  vlib_cli_output(vm, "%d %s", status, corod_api()->text(status));
  vec_free(bytes);
  return NULL;
}

static void answered(void *arg, uint32_t status, const void *bytes, uint32_t size) {
  (void)arg;
  asked.answers++;
  asked.status = status;
  vec_reset_length(asked.bytes);
  vec_add(asked.bytes, (const u8 *)bytes, size);
}

static clib_error_t *test_ask(vlib_main_t *vm, unformat_input_t *in) {
  u32 code;
  f64 seconds = 5;
  u8 *bytes = NULL;
  if (!unformat(in, "%u %U", &code, unformat_hex_string, &bytes))
    return clib_error_return(0, "corod-test ask CODE HEX [within SECONDS]");
  (void)unformat(in, "within %f", &seconds);
  int status = corod_api()->ask(kept, code, bytes, vec_len(bytes), seconds, answered, NULL);
  vlib_cli_output(vm, "%d %s", status, corod_api()->text(status));
  vec_free(bytes);
  return NULL;
}

static clib_error_t *test_alien(vlib_main_t *vm) {
  pthread_t thread;
  int status = -1;
  if (pthread_create(&thread, NULL, alien, &status))
    return clib_error_return_unix(0, "pthread_create");
  pthread_join(thread, NULL);
  vlib_cli_output(vm, "%d %s", status, corod_api()->text(status));
  return NULL;
}

#ifdef CLIB_SANITIZE_ADDR
// A fault of a kind that the sanitizer must find, in memory of C's and of VPP's.
static clib_error_t *test_fault(unformat_input_t *in) {
  volatile u8 *bytes = NULL;
  u8 *vector = NULL;
  u32 size = 24;
  if (unformat(in, "malloc"))
    bytes = malloc(size);
  else if (unformat(in, "vector")) {
    vec_validate(vector, size - 1);
    bytes = vector;
  } else
    return clib_error_return(0, "corod-test fault malloc|vector");
  bytes[size]++;
  return NULL;
}
#endif

static clib_error_t *command(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *cmd) {
  u32 ms, n;
  (void)cmd;
  if (!corod_api())
    return clib_error_return(0, "corod is not loaded");
  if (unformat(in, "signal"))
    return test_signal(vm, in);
  if (unformat(in, "send"))
    return test_send(vm, in);
  if (unformat(in, "show"))
    return test_show(vm);
  if (unformat(in, "kept"))
    return test_kept(vm, in);
  if (unformat(in, "keep"))
    return test_keep(vm, in);
  if (unformat(in, "ask"))
    return test_ask(vm, in);
  if (unformat(in, "alien"))
    return test_alien(vm);
#ifdef CLIB_SANITIZE_ADDR
  if (unformat(in, "fault"))
    return test_fault(in);
#endif
  if (unformat(in, "busy"))
    vlib_node_set_state(vm, corod_test_busy.index, VLIB_NODE_STATE_POLLING);
  else if (unformat(in, "idle"))
    vlib_node_set_state(vm, corod_test_busy.index, VLIB_NODE_STATE_DISABLED);
  else if (unformat(in, "count-nodes")) {
    vlib_worker_thread_barrier_sync(vm);
    clib_memset(&made, 0, sizeof made);
    made.had = vec_len(vm->node_main.nodes);
    for (n = 0; n < vlib_get_n_threads(); n++)
      vlib_node_set_state(vlib_get_main_by_index(n), corod_test_count.index, VLIB_NODE_STATE_POLLING);
    vlib_worker_thread_barrier_release(vm);
  } else if (unformat(in, "print %u", &n)) {
    u8 *text = NULL;
    vec_validate_init_empty(text, n - 1, 'x');
    vlib_cli_output(vm, "%v", text);
    vec_free(text);
  } else if (unformat(in, "spin %u", &ms))
    vlib_process_signal_event(vm, corod_test_spin.index, 1, ms);
  else
    return clib_error_return(0, "unknown: %U", format_unformat_error, in);
  return NULL;
}

VLIB_CLI_COMMAND(corod_test_command, static) = {
    .path = "corod-test",
    .short_help = "corod-test signal|send|show|keep|kept|ask|alien|busy|idle|spin|count-nodes|print",
    .function = command,
    .is_mp_safe = 1,
};

// Waits while the worker threads are stopped, and no list knows it.
static clib_error_t *hold_up(vlib_main_t *vm, unformat_input_t *in, vlib_cli_command_t *cmd) {
  (void)cmd;
  while (unformat_get_input(in) != UNFORMAT_END_OF_INPUT)
    ;
  vlib_process_suspend(vm, 0.2);
  return NULL;
}

VLIB_CLI_COMMAND(corod_hold_up_command, static) = {
    .path = "hold-up-workers",
    .short_help = "hold-up-workers [for any REASON]",
    .function = hold_up,
};

VLIB_PLUGIN_REGISTER() = {
    .version = "0.1.0",
    .description = "corod's tests",
};
