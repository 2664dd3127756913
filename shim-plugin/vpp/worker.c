// worker.c: the C API of export.h. Main hands events to the core at once; every other VPP thread has a ring of its own
// ("lane"), one writer and one reader, and wakes main through a descriptor that belongs to the plugin: no worker
// barrier, no lock, and no lost wake as with vlib's node interrupts.
//
// The bell is doorbell.h's order with one word for all lanes. `armed` set means "ring me"; main cannot tell when it
// sleeps, so it arms after a pass that found nothing, having looked again; while events flow nobody rings.
#include "../../shm/ring.h"
#include "plugin.h"

#include "export.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <vlib/file.h>

static_assert((int)COROD_SEND_NODE_UNKNOWN == COROD_NODE_UNKNOWN, "export.h");
static_assert((int)COROD_SEND_TYPE_UNKNOWN == COROD_TYPE_UNKNOWN, "export.h");
static_assert((int)COROD_SEND_TOO_BIG == COROD_TOO_BIG && (int)COROD_SEND_FULL == COROD_FULL, "export.h");
static_assert((int)COROD_SEND_CLOSED == COROD_CLOSED && (int)COROD_SEND_STALE == COROD_STALE, "export.h");
static_assert((int)COROD_SEND_UNSUPPORTED == COROD_UNSUPPORTED && (int)COROD_SEND_LIMIT == COROD_LIMIT, "export.h");
static_assert((int)COROD_ASK_TIMEOUT == COROD_TIMEOUT && (int)COROD_ASK_REFUSED == COROD_REFUSED, "export.h");
static_assert((int)COROD_ASK_UNANSWERED == COROD_UNANSWERED && (int)COROD_ASK_DIED == COROD_DIED, "export.h");

// Records of one lane handed over in one pass.
#define PASS_BUDGET 4096

typedef struct {
  // The thread's own line, then main's, then one for each cursor.
  alignas(COROD_LINE) struct corod_writer writer;
  u64 sent, full, rings;
  alignas(COROD_LINE) struct corod_reader reader;
  u64 stale;
  alignas(COROD_LINE) _Atomic u32 tail;
  alignas(COROD_LINE) _Atomic u32 head;
} lane_t;

// What other threads may know about a node, by its id: generation << 2, and
#define WORD_LIVE 1u
#define WORD_STALLED 2u
static _Atomic u64 words[COROD_VPP_NODES];

static lane_t **lanes; // by thread index, a vector; NULL for main
static alignas(COROD_LINE) _Atomic u32 armed = 1;
static int bell = -1;
static corod_vpp_node_t **stalled; // nodes with records that wait for room, a vector
static bool retry;

// ---- any thread

// vlib's thread index is 0 on threads that are not VPP's: ask the kernel, once a thread.
static u32 thread(void) {
  static __thread u32 known = ~0u;
  if (PREDICT_TRUE(known != ~0u))
    return known;
  u32 index = vlib_get_thread_index();
  if (index >= vec_len(vlib_worker_threads) || vlib_worker_threads[index].lwp != syscall(SYS_gettid))
    return ~0u;
  return known = index;
}

static int lane_send(lane_t *lane, corod_handle_t handle, u32 code, const void *bytes, u32 size) {
  u64 word = handle.id < COROD_VPP_NODES ? atomic_load_explicit(&words[handle.id], memory_order_relaxed) : 0;
  struct corod_record *record;
  if (!(word & WORD_LIVE) || (u32)(word >> 2) != handle.generation)
    return COROD_STALE;
  if (size > corod_vpp.config.max_event)
    return COROD_TOO_BIG;
  if ((word & WORD_STALLED) || corod_writer_claim(&lane->writer, sizeof *record + size, &record) != COROD_RING_SOME) {
    lane->full++;
    return COROD_FULL;
  }
  *record = (struct corod_record){
      .size = (u32)sizeof *record + size,
      .kind = COROD_KIND_EVENT,
      .type = code,
      .seq = (u64)handle.generation << 32 | handle.id,
  };
  memcpy(record + 1, bytes, size);
  lane->sent++;
  corod_writer_publish(&lane->writer);
  // SYNC lanes: pairs with the fence in arm().
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&armed, memory_order_relaxed) && atomic_exchange(&armed, 0)) {
    u64 one = 1;
    lane->rings++;
    // Cannot block: main reads it, and 2^64 rings do not happen between two reads.
    if (write(bell, &one, sizeof one) < 0)
      return COROD_OK; // main looks at `armed` on every pass
  }
  return COROD_OK;
}

// On main. NULL: the handle is stale.
static struct corod_node *node_of(corod_handle_t handle) {
  corod_vpp_node_t *node = handle.id < vec_len(corod_vpp.nodes) ? corod_vpp.nodes[handle.id] : NULL;
  return node && node->generation == handle.generation ? node->core : NULL;
}

static int api_send(corod_handle_t handle, uint32_t code, const void *bytes, uint32_t size) {
  u32 index = thread();
  if (index == ~0u)
    return COROD_UNSUPPORTED;
  if (index != 0)
    return index < vec_len(lanes) ? lane_send(lanes[index], handle, code, bytes, size) : COROD_UNSUPPORTED;
  struct corod_node *node = node_of(handle);
  u64 seq;
  return node ? (int)corod_node_send(node, code, bytes, size, &seq) : COROD_STALE;
}

static int api_ask(corod_handle_t handle, uint32_t code, const void *bytes, uint32_t size, double seconds,
                   corod_answered answered, void *arg) {
  if (thread() != 0)
    return COROD_UNSUPPORTED;
  struct corod_node *node = node_of(handle);
  u64 seq, now = corod_vpp_now(NULL);
  // 2^62 ns are 146 years.
  u64 wait = seconds > 0 ? seconds < 4e9 ? (u64)(seconds * 1e9) : 1ull << 62 : 0;
  return node ? (int)corod_node_ask(node, code, bytes, size, answered, arg, now + wait, &seq, NULL) : COROD_STALE;
}

static int api_resolve(const char *name, corod_handle_t *handle) {
  if (thread() != 0)
    return COROD_UNSUPPORTED;
  struct corod_node *core = corod_vpp.core ? corod_node_find(corod_vpp.core, name) : NULL;
  corod_vpp_node_t *node = core ? corod_vpp_node_of(core) : NULL;
  if (!node)
    return COROD_NODE_UNKNOWN;
  *handle = (corod_handle_t){.id = node->id, .generation = node->generation};
  return COROD_OK;
}

static const char *api_text(int status) {
  return corod_status_text((uint32_t)status);
}

__clib_export const corod_api_t *corod_api_get(uint32_t version) {
  static const corod_api_t api = {
      .version = COROD_API_VERSION,
      .size = sizeof api,
      .resolve = api_resolve,
      .send = api_send,
      .text = api_text,
      .ask = api_ask,
  };
  return version == COROD_API_VERSION ? &api : NULL;
}

// ---- main

static void set_word(const corod_vpp_node_t *node, u64 flags) {
  atomic_store_explicit(&words[node->id], (u64)node->generation << 2 | flags, memory_order_relaxed);
}

static void forget_stalled(corod_vpp_node_t *node) {
  corod_vpp_node_t **other;
  vec_foreach (other, stalled)
    if (*other == node) {
      vec_delete(stalled, 1, other - stalled);
      break;
    }
  vec_free(node->stalled);
  node->stalled_head = 0;
}

void corod_vpp_lanes_publish(const corod_vpp_node_t *node, bool live) {
  forget_stalled(corod_vpp.nodes[node->id]);
  set_word(node, live ? WORD_LIVE : 0);
}

// A record that finds the backlog full waits in private memory, so that other nodes' records behind it do not; its
// senders are told "full" from here on, so at most what was in the lanes at this moment waits.
static void stall(corod_vpp_node_t *node, const struct corod_record *record) {
  if (vec_len(node->stalled) == 0) {
    vec_add1(stalled, node);
    set_word(node, WORD_LIVE | WORD_STALLED);
  }
  u8 *at;
  vec_add2(node->stalled, at, corod_record_span(record->size));
  memcpy(at, record, record->size);
}

// False: the backlog is full and the event was not taken. Other refusals are final, and counted here: the sender has
// gone on. FULL with a sequence is a drop that the node is told of.
static bool send_one(corod_vpp_node_t *node, const struct corod_record *record) {
  u64 seq;
  u32 status = corod_node_send(node->core, record->type, record + 1, record->size - (u32)sizeof *record, &seq);
  if (status == COROD_FULL && seq == 0)
    return false;
  if (status != COROD_OK)
    node->late[clib_min(status, ARRAY_LEN(node->late) - 1)]++;
  return true;
}

static void deliver(lane_t *lane, const struct corod_record *record) {
  u32 id = (u32)record->seq, generation = (u32)(record->seq >> 32);
  corod_vpp_node_t *node = corod_vpp.nodes[id];
  if (!node->core || node->generation != generation)
    lane->stale++;
  else if (vec_len(node->stalled) || !send_one(node, record))
    stall(node, record);
}

// The records are this process's own: they are used where they lie.
static bool drain_lane(lane_t *lane) {
  struct corod_reader *r = &lane->reader;
  struct corod_record head;
  u32 at = r->head, n = 0;
  if (r->head == atomic_load_explicit(&lane->tail, memory_order_relaxed) || corod_reader_look(r) != COROD_RING_SOME)
    return false;
  for (; n < PASS_BUDGET && corod_reader_head(r, &at, &head) == COROD_RING_SOME; n++) {
    deliver(lane, (const struct corod_record *)(const void *)(r->data + (at & (r->size - 1))));
    at += corod_record_span(head.size);
  }
  corod_reader_release(r, at);
  return n > 0;
}

static bool drain(void) {
  lane_t **lane;
  bool found = false;
  corod_burst_begin(corod_vpp.core);
  vec_foreach (lane, lanes)
    if (*lane)
      found |= drain_lane(*lane);
  corod_burst_end(corod_vpp.core);
  return found;
}

static void flush_stalled(void) {
  corod_burst_begin(corod_vpp.core);
  for (u32 i = 0; i < vec_len(stalled);) {
    corod_vpp_node_t *node = stalled[i];
    while (node->stalled_head < vec_len(node->stalled)) {
      const struct corod_record *record = (const void *)(node->stalled + node->stalled_head);
      u32 span = corod_record_span(record->size);
      if (!send_one(node, record))
        break;
      node->stalled_head += span;
    }
    if (node->stalled_head < vec_len(node->stalled)) {
      i++;
      continue;
    }
    forget_stalled(node);
    set_word(node, WORD_LIVE);
  }
  corod_burst_end(corod_vpp.core);
}

void corod_vpp_lanes_retry(void) {
  retry = true;
}

void corod_vpp_lanes_pass(void) {
  if (PREDICT_FALSE(retry)) {
    retry = false;
    if (vec_len(stalled))
      flush_stalled();
  }
  if (PREDICT_TRUE(atomic_load_explicit(&armed, memory_order_relaxed)))
    return;
  if (drain()) {
    corod_vpp_poke(); // look again before sleeping, and nobody has to ring
    return;
  }
  atomic_store_explicit(&armed, 1, memory_order_relaxed);
  // SYNC lanes: pairs with the fence in lane_send().
  atomic_thread_fence(memory_order_seq_cst);
  if (drain()) {
    atomic_store_explicit(&armed, 0, memory_order_relaxed);
    corod_vpp_poke();
  }
}

static clib_error_t *rung(struct clib_file *f) {
  u64 rings;
  if (read((int)f->file_descriptor, &rings, sizeof rings) < 0)
    return NULL; // the pass that follows looks at the lanes anyway
  return NULL;
}

clib_error_t *corod_vpp_lanes_init(void) {
  u32 size = corod_vpp.lane_bytes;
  if (vec_len(vlib_worker_threads) < 2)
    return NULL;
  if ((bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
    return clib_error_return_unix(0, "corod: eventfd");
  clib_file_t file = {
      .file_descriptor = (u32)bell,
      .read_function = rung,
      .error_function = rung,
      .dont_close = 1,
      .description = format(NULL, "corod threads"),
  };
  clib_file_add(&file_main, &file);
  vec_validate(lanes, vec_len(vlib_worker_threads) - 1);
  for (u32 i = 1; i < vec_len(lanes); i++) {
    lane_t *lane = clib_mem_alloc_aligned(sizeof *lane, COROD_LINE);
    clib_memset(lane, 0, sizeof *lane);
    u8 *data = clib_mem_alloc_aligned(size, COROD_LINE);
    lane->writer =
        (struct corod_writer){.data = data, .tail_word = &lane->tail, .head_word = &lane->head, .size = size};
    lane->reader =
        (struct corod_reader){.data = data, .tail_word = &lane->tail, .head_word = &lane->head, .size = size};
    lanes[i] = lane;
  }
  return NULL;
}

void corod_vpp_lanes_show(vlib_main_t *vm) {
  vlib_cli_output(vm, "%-20s%14s%14s%14s%14s", "thread", "sent", "full", "stale", "rings");
  for (u32 i = 1; i < vec_len(lanes); i++)
    vlib_cli_output(vm, "%-20s%14lu%14lu%14lu%14lu", vlib_worker_threads[i].name, lanes[i]->sent, lanes[i]->full,
                    lanes[i]->stale, lanes[i]->rings);
  corod_vpp_node_t **node;
  vec_foreach (node, stalled)
    vlib_cli_output(vm, "%s: backlog full, %u bytes wait", (*node)->name, vec_len((*node)->stalled));
  vec_foreach (node, corod_vpp.nodes)
    for (u32 status = 0; status < ARRAY_LEN((*node)->late); status++)
      if ((*node)->late[status])
        vlib_cli_output(vm, "%s: %lu refused after they were sent: %s", (*node)->name, (*node)->late[status],
                        corod_status_text(status));
}
