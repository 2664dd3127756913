// nodes.c: creates, parks and recycles process nodes.
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARKED_KEPT 256 // parked nodes whose index is kept for their name

const struct corod_sink corod_sinks[] = {
    {"ip4-lookup", "packets for the IPv4 forwarding table", COROD_LINK_RAW, true, false},
    {"ip6-lookup", "packets for the IPv6 forwarding table", COROD_LINK_RAW, true, false},
    {"interface-output", "packets for an interface", COROD_LINK_ETHERNET, true, true},
    {"error-drop", "packets dropped", COROD_LINK_RAW, false, false},
};
const uint32_t corod_n_sinks = sizeof corod_sinks / sizeof corod_sinks[0];

static struct corod_entry *add(struct corod_nodes *nodes, const char *name) {
  struct corod_entry **entries = realloc(nodes->entries, (nodes->n + 1) * sizeof(struct corod_entry *));
  struct corod_entry *entry = calloc(1, sizeof *entry);
  if (entries)
    nodes->entries = entries;
  if (!entries || !entry) {
    free(entry);
    return NULL;
  }
  snprintf(entry->name, sizeof entry->name, "%s", name);
  entry->index = nodes->n;
  entries[nodes->n++] = entry;
  return entry;
}

bool corod_nodes_init(struct corod_nodes *nodes, struct corod_loop *loop) {
  *nodes = (struct corod_nodes){.loop = loop};
  for (uint32_t i = 0; i < corod_n_sinks; i++) {
    struct corod_entry *entry = add(nodes, corod_sinks[i].name);
    if (!entry)
      return false;
    entry->sink = &corod_sinks[i];
  }
  return true;
}

void corod_nodes_free(struct corod_nodes *nodes) {
  for (uint32_t i = 0; i < nodes->n; i++) {
    if (!nodes->entries[i]->sink)
      corod_process_stop(&nodes->entries[i]->process);
    free(nodes->entries[i]->counters);
    free(nodes->entries[i]);
  }
  free(nodes->entries);
}

struct corod_entry *corod_nodes_find(const struct corod_nodes *nodes, const char *name) {
  for (uint32_t i = 0; i < nodes->n; i++)
    if (!strcmp(nodes->entries[i]->name, name))
      return nodes->entries[i];
  return NULL;
}

// The body of every process node: events to the core, then wait for the next one or the coroutine's nearest timer.
static struct corod_wait body(struct corod_process *process) {
  struct corod_entry *entry = process->arg;
  struct corod_core *core = entry->node ? corod_node_core(entry->node) : NULL;
  uint64_t type, datum;
  if (core)
    corod_burst_begin(core);
  while (corod_process_event(process, &type, &datum)) {
    if (entry->node)
      corod_node_signal(entry->node, type, datum);
    else
      entry->discarded++;
  }
  if (core)
    corod_burst_end(core);
  return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK,
                             entry->node ? corod_node_run(entry->node, corod_clock()) : UINT64_MAX};
}

static struct corod_entry *oldest_parked(const struct corod_nodes *nodes) {
  struct corod_entry *oldest = NULL;
  for (uint32_t i = 0; i < nodes->n; i++)
    if (nodes->entries[i]->parked && (!oldest || nodes->entries[i]->parked < oldest->parked))
      oldest = nodes->entries[i];
  return oldest;
}

static struct corod_counter *make_counters(const struct corod_entry *former, const struct corod_node_spec *spec) {
  struct corod_counter *counters = calloc(spec->n_counters ? spec->n_counters : 1, sizeof *counters);
  for (uint32_t i = 0; counters && i < spec->n_counters; i++) {
    const struct corod_counter_spec *from = &spec->counters[i];
    memcpy(counters[i].name, from->name, sizeof from->name);
    memcpy(counters[i].text, from->text, sizeof from->text);
    counters[i].severity = from->severity;
    for (uint32_t f = 0; f < former->n_counters; f++)
      if (!strcmp(former->counters[f].name, from->name))
        counters[i].value = former->counters[f].value;
  }
  return counters;
}

// What `spec` asks for, looked up and copied, so that nothing has changed if it cannot be had.
struct parts {
  uint32_t next[COROD_MAX_NEXT];
  struct corod_counter *counters; // owned
};

static uint32_t prepare(const struct corod_nodes *nodes, const struct corod_entry *former,
                        const struct corod_node_spec *spec, struct parts *parts, char *text, size_t size) {
  *text = 0;
  for (uint32_t i = 0; i < spec->n_next; i++) {
    const struct corod_entry *sink = corod_nodes_find(nodes, spec->next[i]);
    if (!sink || !sink->sink) {
      snprintf(text, size, "no next node %s; there are ip4-lookup, ip6-lookup, interface-output, error-drop",
               spec->next[i]);
      return COROD_NEXT_UNKNOWN;
    }
    parts->next[i] = sink->index;
  }
  parts->counters = make_counters(former, spec);
  return parts->counters ? COROD_OK : COROD_NO_MEMORY;
}

static void take(struct corod_entry *entry, const struct corod_node_spec *spec, const struct parts *parts) {
  free(entry->counters);
  entry->counters = parts->counters;
  entry->n_counters = spec->n_counters;
  entry->n_next = spec->n_next;
  memcpy(entry->next, parts->next, spec->n_next * sizeof *parts->next);
}

struct corod_entry *corod_nodes_create(struct corod_nodes *nodes, struct corod_node *node,
                                       const struct corod_node_spec *spec, uint32_t *status, char *text, size_t size) {
  static const struct corod_entry none;
  struct parts parts;
  struct corod_entry *entry = corod_nodes_find(nodes, spec->name);
  *status = prepare(nodes, entry ? entry : &none, spec, &parts, text, size);
  if (*status != COROD_OK)
    return NULL;
  if (!entry && nodes->n_parked > PARKED_KEPT && (entry = oldest_parked(nodes))) {
    snprintf(entry->name, sizeof entry->name, "%s", spec->name);
    entry->packets = entry->discarded = 0;
  }
  if (!entry && !(entry = add(nodes, spec->name))) {
    free(parts.counters);
    *status = COROD_NO_MEMORY;
    return NULL;
  }
  take(entry, spec, &parts);
  entry->node = node;
  if (entry->parked) {
    entry->parked = 0;
    nodes->n_parked--;
    corod_process_wake(&entry->process);
  } else {
    corod_process_init(&entry->process, nodes->loop, body, entry);
    corod_process_start(&entry->process);
  }
  return entry;
}

uint32_t corod_nodes_change(struct corod_nodes *nodes, struct corod_entry *entry, const struct corod_node_spec *spec,
                            char *text, size_t size) {
  struct parts parts;
  uint32_t status = prepare(nodes, entry, spec, &parts, text, size);
  if (status == COROD_OK)
    take(entry, spec, &parts);
  return status;
}

void corod_nodes_park(struct corod_nodes *nodes, struct corod_entry *entry) {
  entry->node = NULL;
  entry->parked = ++nodes->parkings;
  nodes->n_parked++;
}
