// deadline.c: the process node's wait: until the nearest timer of its coroutine, which the daemon published.
#include "internal.h"

static uint64_t published(const struct corod_node *node) {
  return atomic_load_explicit(&node->slot.plot.b->deadline, memory_order_relaxed);
}

static uint64_t wait_for(struct corod_node *node, uint64_t now, uint64_t wait) {
  node->waits_until = wait > UINT64_MAX - now ? UINT64_MAX : now + wait;
  return wait;
}

uint64_t corod_node_run(struct corod_node *node, uint64_t now) {
  uint64_t deadline = node->slot.open ? published(node) : UINT64_MAX;
  node->stats.runs++;
  if (deadline == UINT64_MAX)
    return wait_for(node, now, UINT64_MAX);
  if (deadline > now && deadline - now >= COROD_WAIT_LEAST)
    return wait_for(node, now, deadline - now);
  // Due, or so soon that a host could not wait for it.
  node->stats.relays++;
  corod_bell_ring(node->core, &node->slot);
  if (deadline > now) // early: once more when it is truly due
    return wait_for(node, now, COROD_WAIT_LEAST);
  // A later deadline is published without a bell, and one that was looked at a moment too early stays as it is: so look
  // again, less and less often while nothing changes.
  node->look_again = deadline != node->relayed                   ? COROD_LOOK_AGAIN
                     : node->look_again >= COROD_LOOK_AGAIN_MOST ? COROD_LOOK_AGAIN_MOST
                                                                 : node->look_again * 2;
  node->relayed = deadline;
  return wait_for(node, now, node->look_again);
}

void corod_deadline_look(struct corod_node *node) {
  uint64_t deadline = published(node);
  if (deadline < node->waits_until && deadline != node->relayed)
    node->core->ops->node_wake(node->core->host, node);
}
