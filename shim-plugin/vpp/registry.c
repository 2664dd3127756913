// registry.c: which process nodes exist: made, named, given next nodes and counters, changed, parked, recycled.
//
// vlib cannot unregister a node, and making one stops the workers: they are made at most ten to a barrier, one batch
// per pass of the main loop, so that no packet waits for more than a few milliseconds.
#include "plugin.h"

#define BATCH 10

// Parked nodes of other names that keep theirs: other code may have cached their index. Beyond that the one parked
// longest gets a new name, so that vlib's table does not grow with every name ever used.
#define KEEP_PARKED 64

// vlib keeps names of stats entries in 128 bytes and does not end longer ones.
#define STAT_NAME 127

static u32 *id_by_index; // of ours, ~0 of others', by vlib's node index, a vector
static u32 n_parked;

static corod_vpp_node_t *find_ours(const char *name) {
  vlib_node_t *n = vlib_get_node_by_name(corod_vpp.vm, (u8 *)name);
  if (!n || n->index >= vec_len(id_by_index) || id_by_index[n->index] == ~0u)
    return NULL;
  return corod_vpp.nodes[id_by_index[n->index]];
}

bool corod_vpp_name_taken(void *host, const char *name) {
  (void)host;
  if (!vlib_get_node_by_name(corod_vpp.vm, (u8 *)name))
    return false;
  corod_vpp_node_t *ours = find_ours(name);
  return !ours || ours->core;
}

static void park(corod_vpp_node_t *node) {
  static u64 order;
  node->core = NULL;
  node->parked = ++order;
  n_parked++;
}

static void queue(struct corod_node *node) {
  vec_add1(corod_vpp.pending, node);
  vlib_process_signal_event(corod_vpp.vm, corod_vpp.manager, COROD_EVENT_WAKE, 0);
}

void corod_vpp_node_create(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host, (void)spec;
  corod_node_set_host_data(node, NULL); // not made yet
  queue(node);
}

void corod_vpp_node_change(void *host, struct corod_node *node, const struct corod_node_spec *spec) {
  (void)host, (void)spec;
  queue(node);
}

void corod_vpp_node_remove(void *host, struct corod_node *core) {
  corod_vpp_node_t *node = corod_vpp_node_of(core);
  struct corod_node **waiting;
  (void)host;
  if (node) {
    park(node);
    corod_vpp_lanes_publish(node, false);
  }
  vec_foreach (waiting, corod_vpp.pending)
    if (*waiting == core)
      *waiting = NULL;
  vec_foreach (waiting, corod_vpp.batch)
    if (*waiting == core)
      *waiting = NULL;
}

u8 corod_vpp_tx_of(const char *name) {
  size_t n = strlen(name);
  if ((n >= 7 && strcmp(name + n - 7, "-output") == 0) || (n >= 3 && strcmp(name + n - 3, "-tx") == 0))
    return COROD_TX_INTERFACE;
  if (strncmp(name, "ethernet-", 9) == 0 || strncmp(name, "l2-", 3) == 0)
    return COROD_TX_ETHERNET;
  if (strncmp(name, "ip4-", 4) == 0)
    return COROD_TX_TABLE4;
  return strncmp(name, "ip6-", 4) == 0 ? COROD_TX_TABLE6 : COROD_TX_NONE;
}

static bool next_allowed(const char *name) {
  char **allowed;
  vec_foreach (allowed, corod_vpp.next)
    if (strcmp(*allowed, name) == 0)
      return true;
  return vec_len(corod_vpp.next) == 0;
}

// What vlib would choke on, or only vlib can know. `live`: the node that is to change. Returns COROD_OK or why not.
static u32 check(const struct corod_node_spec *spec, const corod_vpp_node_t *live, char *text, size_t n_text) {
  for (u32 i = 0; i < spec->n_next; i++) {
    vlib_node_t *next = vlib_get_node_by_name(corod_vpp.vm, (u8 *)spec->next[i]);
    if (!next || next->type != VLIB_NODE_TYPE_INTERNAL) {
      snprintf(text, n_text, "next node %s: %s", spec->next[i],
               next ? "it takes no packets from other nodes" : "VPP has no such node");
      return COROD_NEXT_UNKNOWN;
    }
    if (!next_allowed(spec->next[i])) {
      snprintf(text, n_text, "next node %s: not listed in startup.conf (corod { next %s })", spec->next[i],
               spec->next[i]);
      return COROD_NEXT_UNKNOWN;
    }
  }
  for (u32 i = 0; i < spec->n_counters; i++) {
    if (strlen("/err//") + strlen(spec->name) + strlen(spec->counters[i].name) > STAT_NAME) {
      snprintf(text, n_text, "counter %s: /err/%s/%s is longer than %d characters", spec->counters[i].name, spec->name,
               spec->counters[i].name, STAT_NAME);
      return COROD_NAME_INVALID;
    }
    for (u32 j = 0; j < i; j++)
      if (strcmp(spec->counters[i].name, spec->counters[j].name) == 0) {
        snprintf(text, n_text, "counter %s is there twice", spec->counters[i].name);
        return COROD_NAME_INVALID;
      }
  }
  if (!live && corod_vpp_name_taken(NULL, spec->name)) {
    snprintf(text, n_text, "VPP has another node named %s", spec->name);
    return COROD_NAME_TAKEN;
  }
  return COROD_OK;
}

static corod_vpp_node_t *pick_parked(const char *name) {
  corod_vpp_node_t *same = find_ours(name), *oldest = NULL, **node;
  if (same || n_parked <= KEEP_PARKED)
    return same;
  vec_foreach (node, corod_vpp.nodes)
    if ((*node)->parked && (!oldest || (*node)->parked < oldest->parked))
      oldest = *node;
  return oldest;
}

static corod_vpp_node_t *new_node(vlib_main_t *vm, const char *name) {
  if (vec_len(corod_vpp.nodes) >= COROD_VPP_NODES)
    return NULL;
  corod_vpp_node_t *node = clib_mem_alloc(sizeof *node);
  clib_memset(node, 0, sizeof *node);
  node->id = vec_len(corod_vpp.nodes);
  vec_add1(corod_vpp.nodes, node);
  vlib_node_registration_t r = {
      .function = corod_vpp_process,
      .type = VLIB_NODE_TYPE_PROCESS,
      .process_log2_n_stack_bytes = 16,
      .runtime_data = &node,
      .runtime_data_bytes = sizeof node,
  };
  vlib_register_node(vm, &r, "%s", (char *)name);
  node->index = r.index;
  vec_validate_init_empty(id_by_index, node->index, ~0u);
  id_by_index[node->index] = node->id;
  return node;
}

// Signals meant for the earlier life of a recycled node. The process finds nothing and waits again.
static void forget_signals(vlib_main_t *vm, corod_vpp_node_t *node) {
  vlib_process_t *p = vec_elt(vm->node_main.processes, vlib_get_node(vm, node->index)->runtime_index);
  uword type;
  clib_bitmap_foreach(type, p->non_empty_event_type_bitmap) {
    node->discarded += vec_len((u64 *)p->pending_event_data_by_type_index[type]);
    vec_reset_length(p->pending_event_data_by_type_index[type]);
  }
  clib_bitmap_zero(p->non_empty_event_type_bitmap);
}

static enum vl_counter_severity_e severity_of(enum corod_severity severity) {
  return severity == COROD_SEVERITY_ERROR  ? VL_COUNTER_SEVERITY_ERROR
         : severity == COROD_SEVERITY_WARN ? VL_COUNTER_SEVERITY_WARN
                                           : VL_COUNTER_SEVERITY_INFO;
}

static bool same_counters(const corod_vpp_node_t *node, const struct corod_node_spec *spec) {
  if (node->n_counters != spec->n_counters)
    return false;
  for (u32 i = 0; i < spec->n_counters; i++)
    if (strcmp(node->counters[i].name, spec->counters[i].name) ||
        strcmp(node->counters[i].desc, spec->counters[i].text) ||
        node->counters[i].severity != severity_of(spec->counters[i].severity))
      return false;
  return true;
}

// What `show errors` says of counter `i`. Only main counts for nodes of ours.
static u64 counted(vlib_main_t *vm, const corod_vpp_node_t *node, u32 i) {
  const vlib_error_main_t *em = &vm->error_main;
  u32 at = vlib_get_node(vm, node->index)->error_heap_index + i;
  return em->counters[at] - (at < vec_len(em->counters_last_clear) ? em->counters_last_clear[at] : 0);
}

// What a counter of that name had counted.
static u64 counted_as(const char *name, const vlib_error_desc_t *old, const u64 *values) {
  for (u32 i = 0; i < vec_len(values); i++)
    if (strcmp(old[i].name, name) == 0)
      return values[i];
  return 0;
}

// vlib keeps the strings: they live until the node has others. Counters of the same name go on counting.
static void set_counters(vlib_main_t *vm, corod_vpp_node_t *node, const struct corod_node_spec *spec, bool renamed) {
  if (!renamed && same_counters(node, spec))
    return;
  vlib_error_desc_t *old = node->counters;
  u32 n_old = node->n_counters;
  u64 *values = NULL;
  for (u32 i = 0; i < n_old && !renamed; i++)
    vec_add1(values, counted(vm, node, i));
  node->counters = NULL;
  node->n_counters = spec->n_counters;
  if (spec->n_counters)
    node->counters = clib_mem_alloc(spec->n_counters * sizeof *node->counters);
  for (u32 i = 0; i < spec->n_counters; i++)
    node->counters[i] = (vlib_error_desc_t){
        .name = strdup(spec->counters[i].name),
        .desc = strdup(spec->counters[i].text),
        .severity = severity_of(spec->counters[i].severity),
    };
  vlib_register_errors(vm, node->index, spec->n_counters, NULL, node->counters);
  for (u32 i = 0; i < spec->n_counters; i++)
    vlib_node_increment_counter(vm, node->index, i, counted_as(spec->counters[i].name, old, values));
  vec_free(values);
  // Counter vectors may have moved; workers look again when they are forked anew.
  vlib_worker_thread_node_runtime_update();
  for (u32 i = 0; i < n_old; i++)
    free(old[i].name), free(old[i].desc);
  if (old)
    clib_mem_free(old);
}

// The process itself never enqueues to them (vlib would dereference NULL later): they are in vlib's graph for display,
// and packets.c puts frames to the nodes.
static void set_next(vlib_main_t *vm, corod_vpp_node_t *node, const struct corod_node_spec *spec) {
  vec_reset_length(node->next);
  vec_reset_length(node->tx);
  for (u32 i = 0; i < spec->n_next; i++) {
    vec_add1(node->next, vlib_get_node_by_name(vm, (u8 *)spec->next[i])->index);
    vec_add1(node->tx, corod_vpp_tx_of(spec->next[i]));
    vlib_node_add_next(vm, node->index, node->next[i]);
  }
}

// Under the barrier. The process goes on, and who holds its index or a handle of it notices nothing.
static void change(vlib_main_t *vm, corod_vpp_node_t *node, const struct corod_node_spec *spec) {
  set_counters(vm, node, spec, false);
  set_next(vm, node, spec);
  vlib_worker_thread_node_runtime_update();
}

// Under the barrier. NULL: the limit is reached.
static corod_vpp_node_t *make(vlib_main_t *vm, const struct corod_node_spec *spec) {
  corod_vpp_node_t *node = pick_parked(spec->name);
  bool recycled = node != NULL, renamed = recycled && strcmp(node->name, spec->name) != 0;
  if (!node && !(node = new_node(vm, spec->name)))
    return NULL;
  if (renamed)
    vlib_node_rename(vm, node->index, "%s", (char *)spec->name);
  snprintf(node->name, sizeof node->name, "%s", spec->name);
  if (recycled) {
    forget_signals(vm, node);
    node->parked = 0;
    n_parked--;
  }
  set_counters(vm, node, spec, renamed);
  set_next(vm, node, spec);
  vlib_worker_thread_node_runtime_update();
  return node;
}

// A new process runs up to its first wait, as a parked one.
static void start(vlib_main_t *vm, corod_vpp_node_t *node) {
  vlib_node_t *n = vlib_get_node(vm, node->index);
  vlib_process_t *p = vec_elt(vm->node_main.processes, n->runtime_index);
  node->core = NULL;
  if (p->state == VLIB_PROCESS_STATE_NOT_STARTED)
    vlib_start_process(vm, n->runtime_index);
}

static void answer(struct corod_node *core, corod_vpp_node_t *node) {
  node->core = core;
  node->generation++;
  clib_memset(node->late, 0, sizeof node->late);
  corod_node_set_host_data(core, node);
  corod_vpp_lanes_publish(node, true);
  corod_node_created(core, COROD_OK, node->index, "");
  if (node->core == core)
    corod_vpp_node_wake(NULL, core);
}

bool corod_vpp_make_batch(vlib_main_t *vm) {
  corod_vpp_node_t *made[BATCH] = {0}, *live[BATCH] = {0};
  u32 status[BATCH], n = clib_min(vec_len(corod_vpp.pending), BATCH);
  char text[BATCH][256] = {{0}};
  if (n == 0)
    return false;
  vec_reset_length(corod_vpp.batch);
  vec_append(corod_vpp.batch, corod_vpp.pending); // only the first n are looked at
  vec_set_len(corod_vpp.batch, n);
  vec_delete(corod_vpp.pending, n, 0);

  vlib_worker_thread_barrier_sync(vm);
  for (u32 i = 0; i < n; i++) {
    if (!corod_vpp.batch[i])
      continue;
    const struct corod_node_spec *spec = corod_node_wanted(corod_vpp.batch[i]);
    live[i] = spec ? corod_vpp_node_of(corod_vpp.batch[i]) : NULL;
    spec = spec ? spec : corod_node_spec(corod_vpp.batch[i]);
    status[i] = check(spec, live[i], text[i], sizeof text[i]);
    if (status[i] == COROD_OK && live[i])
      change(vm, live[i], spec);
    else if (status[i] == COROD_OK && !(made[i] = make(vm, spec))) {
      status[i] = COROD_LIMIT;
      snprintf(text[i], sizeof text[i], "this VPP has made %d process nodes: it must restart for more",
               COROD_VPP_NODES);
    }
    if (made[i])
      made[i]->core = corod_vpp.batch[i]; // its name is taken for the rest of the batch
  }
  vlib_worker_thread_barrier_release(vm);

  for (u32 i = 0; i < n; i++)
    if (made[i])
      start(vm, made[i]);
  // An answer may end the attachment and so remove other nodes of this batch.
  for (u32 i = 0; i < n; i++) {
    struct corod_node *core = corod_vpp.batch[i];
    corod_vpp.batch[i] = NULL;
    if (core && made[i])
      answer(core, made[i]);
    else if (core)
      corod_node_created(core, status[i], live[i] ? live[i]->index : ~0u, text[i]);
    else if (made[i])
      park(made[i]);
  }
  vec_reset_length(corod_vpp.batch);
  return vec_len(corod_vpp.pending) > 0;
}
