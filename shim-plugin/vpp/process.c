// process.c: the real process nodes. Each puts its node's events in order, suspends up to its coroutine's nearest
// deadline and takes every return of its wait for a "maybe": vlib 26.06 wakes processes early and twice.
#include "plugin.h"

// Longest wait on vlib's timer wheel; a later deadline is looked at again then.
#define LONGEST_WAIT 3600.0

// vlib suspends in ticks of 10 us and truncates: half a tick more keeps the number of whole ticks.
#define TICK_NS 10000u

corod_vpp_node_t *corod_vpp_node_of(const struct corod_node *node) {
  return corod_node_host_data(node);
}

// vlib hands over one vector per type, lowest type index first: order holds within a type only. The element size is
// the signaller's; ours is one word, and a vector too small for that many words is not read.
static void hand_over(corod_vpp_node_t *node, uword type, uword *data) {
  if (type == COROD_EVENT_WAKE)
    return;
  if (!node || !node->core) {
    if (node)
      node->discarded += vec_len(data);
    return;
  }
  if (vec_max_bytes(data) < vec_len(data) * sizeof(uword))
    return;
  uword *datum;
  vec_foreach (datum, data)
    if (node->core)
      corod_node_signal(node->core, type, *datum);
}

void corod_vpp_drain(vlib_main_t *vm, corod_vpp_node_t *node) {
  uword type, *data;
  struct corod_core *core = node && node->core ? corod_node_core(node->core) : NULL;
  if (core)
    corod_burst_begin(core);
  while ((data = vlib_process_get_event_data(vm, &type))) {
    hand_over(node, type, data);
    if (vec_max_bytes(data) > 1u << 19) // a flood's vector is not kept for ever
      vec_free(data);
    else
      vlib_process_put_event_data(vm, data);
  }
  if (core)
    corod_burst_end(core);
}

uword corod_vpp_process(vlib_main_t *vm, vlib_node_runtime_t *runtime, vlib_frame_t *frame) {
  corod_vpp_node_t *node = *(corod_vpp_node_t **)runtime->runtime_data;
  (void)frame;
  for (;;) {
    corod_vpp_drain(vm, node);
    u64 wait = node->core ? corod_node_run(node->core, corod_vpp_now(NULL)) : UINT64_MAX;
    if (wait == UINT64_MAX) {
      vlib_process_wait_for_event(vm);
      continue;
    }
    f64 ticks = (f64)((wait + TICK_NS - 1) / TICK_NS) + 0.5;
    vlib_process_wait_for_event_or_clock(vm, clib_min(ticks * 1e-5, LONGEST_WAIT));
  }
  return 0;
}

void corod_vpp_node_wake(void *host, struct corod_node *core) {
  corod_vpp_node_t *node = corod_vpp_node_of(core);
  (void)host;
  if (node)
    vlib_process_signal_event(corod_vpp.vm, node->index, COROD_EVENT_WAKE, 0);
}

void corod_vpp_count(void *host, struct corod_node *core, uint32_t counter, uint64_t by) {
  corod_vpp_node_t *node = corod_vpp_node_of(core);
  (void)host;
  // vlib does not check: a counter too many writes into another node's.
  if (node && counter < node->n_counters && counter < vlib_get_node(corod_vpp.vm, node->index)->n_errors)
    vlib_node_increment_counter(corod_vpp.vm, node->index, counter, by);
}

// A process that does not run would keep what it is sent for ever, and vlib keeps each distinct type for ever.
uint32_t corod_vpp_signal(void *host, const char *name, uint64_t type, uint64_t data) {
  vlib_main_t *vm = corod_vpp.vm;
  (void)host;
  vlib_node_t *n = vlib_get_node_by_name(vm, (u8 *)name);
  if (!n || n->type != VLIB_NODE_TYPE_PROCESS || n->state != VLIB_NODE_STATE_POLLING)
    return COROD_NODE_UNKNOWN;
  vlib_process_t *p = vec_elt(vm->node_main.processes, n->runtime_index);
  if (p->state == VLIB_PROCESS_STATE_NOT_STARTED)
    return COROD_NODE_UNKNOWN;
  if (!hash_get(p->event_type_index_by_type_opaque, type) && pool_elts(p->event_type_pool) >= 1024)
    return COROD_LIMIT;
  vlib_process_signal_event(vm, n->index, type, data);
  return COROD_OK;
}
