// nodes.h: the table of nodes: process nodes of the daemon, and the nodes that packets may be sent to.
#ifndef COROD_NODES_H
#define COROD_NODES_H

#include "capture.h"
#include "process.h"

#include "../core/core.h"

// A node that packets may be sent to. `captured`: packets go to the capture file.
struct corod_sink {
  const char *name;
  const char *counted; // what its counter counts
  enum corod_link link;
  bool captured;
  bool needs_interface; // packets need a transmit interface
};

extern const struct corod_sink corod_sinks[];
extern const uint32_t corod_n_sinks;

struct corod_counter {
  char name[COROD_NAME], text[COROD_TEXT];
  enum corod_severity severity;
  uint64_t value;
};

// An index is never given to another name while this one could still be cached somewhere.
struct corod_entry {
  char name[COROD_NAME];
  uint32_t index;
  const struct corod_sink *sink; // NULL: a process node
  struct corod_node *node;       // the core's; NULL: parked, its events are discarded
  struct corod_process process;
  struct corod_counter *counters;
  uint32_t n_counters;
  uint32_t n_next;
  uint32_t next[COROD_MAX_NEXT]; // indexes of sinks
  uint64_t packets, discarded;
  uint64_t parked; // order in which nodes were parked; 0: in use
};

struct corod_nodes {
  struct corod_loop *loop;
  struct corod_entry **entries;
  uint32_t n;
  uint32_t n_parked;
  uint64_t parkings;
};

// False: no memory.
bool corod_nodes_init(struct corod_nodes *nodes, struct corod_loop *loop);
void corod_nodes_free(struct corod_nodes *nodes);

// The entry of that name, parked ones included, or NULL.
struct corod_entry *corod_nodes_find(const struct corod_nodes *nodes, const char *name);

// Makes the process node, or takes the parked one of that name, or the oldest parked one if many are. Counters of the
// same name go on counting. NULL: `status` and `text` say why.
struct corod_entry *corod_nodes_create(struct corod_nodes *nodes, struct corod_node *node,
                                       const struct corod_node_spec *spec, uint32_t *status, char *text, size_t size);

// Gives it other next nodes and counters. Counters of the same name go on counting. Any status but OK: nothing was
// changed, `text` says why.
uint32_t corod_nodes_change(struct corod_nodes *nodes, struct corod_entry *entry, const struct corod_node_spec *spec,
                            char *text, size_t size);

// Its process goes on, and discards what still comes.
void corod_nodes_park(struct corod_nodes *nodes, struct corod_entry *entry);

#endif
