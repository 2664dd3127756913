// nodes.c: the table of nodes: by slot, by name, by handle.
#include "internal.h"

#include <stdlib.h>

bool corod_name_valid(const char *name) {
  size_t n = 0;
  for (; name[n]; n++) {
    char c = name[n];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (n >= COROD_NAME - 1 || (!letter && c != '_' && c != '.' && c != '-'))
      return false;
  }
  return n > 0;
}

static struct corod_node **bucket(struct corod_core *core, const char *name) {
  uint32_t hash = 2166136261u; // FNV-1a
  for (; *name; name++)
    hash = (hash ^ (uint8_t)*name) * 16777619u;
  return &core->names[hash % COROD_NAMES];
}

struct corod_node *corod_node_by_name(struct corod_core *core, const char *name) {
  for (struct corod_node *node = *bucket(core, name); node; node = node->same_name)
    if (!strcmp(node->spec.name, name))
      return node;
  return NULL;
}

struct corod_node *corod_node_find(struct corod_core *core, const char *name) {
  struct corod_node *node = corod_node_by_name(core, name);
  return node && node->known && !node->doomed ? node : NULL;
}

struct corod_node *corod_node_by_handle(struct corod_core *core, uint32_t slot, uint32_t generation, uint32_t *status) {
  struct corod_node *node = slot < COROD_MAX_SLOTS ? core->slots[slot] : NULL;
  if (node && node->generation == generation && node->known) {
    *status = COROD_OK;
    return node;
  }
  bool earlier = slot < COROD_MAX_SLOTS && generation != 0 && generation <= core->generations[slot];
  *status = earlier ? COROD_STALE : COROD_NODE_UNKNOWN;
  return NULL;
}

void corod_node_handle(const struct corod_node *node, uint32_t *slot, uint32_t *generation) {
  *slot = node->slot.number;
  *generation = node->generation;
}

const struct corod_node_spec *corod_node_spec(const struct corod_node *node) {
  return &node->spec;
}
const struct corod_node_spec *corod_node_wanted(const struct corod_node *node) {
  return node->state == COROD_NODE_CHANGING ? &node->wanted.spec : NULL;
}
struct corod_core *corod_node_core(const struct corod_node *node) {
  return node->core;
}
void *corod_node_host_data(const struct corod_node *node) {
  return node->host_data;
}
void corod_node_set_host_data(struct corod_node *node, void *data) {
  node->host_data = data;
}

struct corod_node *corod_node_new(struct corod_core *core, const char *name) {
  uint32_t number = 1;
  while (number < COROD_MAX_SLOTS && core->slots[number])
    number++;
  struct corod_node *node = number < COROD_MAX_SLOTS ? calloc(1, sizeof *node) : NULL;
  if (!node)
    return NULL;
  node->core = core;
  node->slot.node = node;
  node->slot.number = number;
  corod_jobs_init(&node->slot);
  node->generation = ++core->generations[number];
  node->state = COROD_NODE_CREATING;
  node->waits_until = UINT64_MAX;
  strncpy(node->spec.name, name, COROD_NAME - 1);
  core->slots[number] = node;
  node->next = core->nodes;
  node->previous = &core->nodes;
  if (node->next)
    node->next->previous = &node->next;
  core->nodes = node;
  struct corod_node **names = bucket(core, name);
  node->same_name = *names;
  *names = node;
  core->n_nodes++;
  return node;
}

void corod_node_free(struct corod_node *node) {
  struct corod_core *core = node->core;
  struct corod_node **same = bucket(core, node->spec.name);
  while (*same != node)
    same = &(*same)->same_name;
  *same = node->same_name;
  *node->previous = node->next;
  if (node->next)
    node->next->previous = node->previous;
  core->slots[node->slot.number] = NULL;
  core->n_nodes--;
  corod_questions_drop_asker(core, &node->slot);
  corod_replies_drop(core, &node->slot);
  corod_jobs_drop(core, &node->slot);
  (void)corod_node_discard(node);
  corod_registration_forget(&node->wanted);
  free(node->spec.next);
  free(node->spec.counters);
  free(node->codes);
  free(node);
}

uint32_t corod_node_discard(struct corod_node *node) {
  uint32_t events = corod_node_waiting(node) + node->in_flight;
  corod_questions_died(node, true);
  corod_fifo_free(&node->carried);
  corod_fifo_free(&node->backlog);
  memset(&node->oldest, 0, sizeof node->oldest);
  memset(&node->newest, 0, sizeof node->newest);
  node->events = (struct corod_writer){0};
  node->in_flight = 0;
  return events;
}

uint32_t corod_node_waiting(const struct corod_node *node) {
  return node->carried.events + node->backlog.events;
}

bool corod_node_declares(const struct corod_node *node, uint32_t code, uint32_t *max_size) {
  uint32_t low = 0, high = node->n_codes;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (node->codes[middle].code == code) {
      *max_size = node->codes[middle].max_size;
      return true;
    }
    if (node->codes[middle].code < code)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}
