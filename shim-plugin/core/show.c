// show.c: what `show corod` prints. Reads, never changes.
#include "internal.h"

#include <inttypes.h>

static double seconds_since(struct corod_core *core, uint64_t then) {
  return (double)(corod_now(core) - then) / 1e9;
}

static void show_attachment(struct corod_core *core, corod_print print, void *arg) {
  const struct corod_session *session = core->session;
  const struct corod_core_stats *s = &core->stats;
  if (!session)
    print(arg, "no daemon is attached to %s\n", core->config.socket);
  else if (session->fd < 0)
    print(arg, "daemon gone: process %u; its last commands are being run\n", session->pid);
  else {
    print(arg, "daemon attached: process %u (%s) for %.1f s\n", session->pid, session->program,
          seconds_since(core, session->since));
    print(arg, "  protocol %u, epoch %016" PRIx64 ", %u executors, %u nodes, %u being made\n", session->version,
          session->epoch, session->n_bells, session->n_nodes, session->creating);
    print(arg, "  shared memory: %u regions, %" PRIu64 " KiB\n", session->memory.n, session->memory.total >> 10);
  }
  print(arg,
        "attachments %" PRIu64 ", refused %" PRIu64 ", ended as malformed %" PRIu64 ", strangers dropped %" PRIu64 "\n",
        s->attachments, s->refused, s->malformed, s->strangers_dropped);
  print(arg,
        "messages %" PRIu64 ", commands %" PRIu64 ", of these refused %" PRIu64 ", CLI jobs %" PRIu64 " (%" PRIu64
        " cut)\n",
        s->messages, s->commands, s->command_faults, s->cli_jobs, s->cli_cut);
  print(arg, "outcomes nobody read %" PRIu64 ", answers nobody waited for %" PRIu64 "\n", s->outcomes_dropped,
        s->answers_unwanted);
  print(arg, "asked %" PRIu64 ", answered %" PRIu64 ", not in time %" PRIu64 ", waiting %u\n", s->asked, s->answered,
        s->unanswered_in_time, core->questions.n);
  print(arg, "interface transitions %" PRIu64 ", gaps in them %" PRIu64 "\n", s->interface_changes, s->interface_gaps);
  print(arg, "nodes discarded %" PRIu64 ", events discarded with them %" PRIu64 "\n", s->nodes_discarded,
        s->events_discarded);
}

static const char *state(const struct corod_node *node) {
  if (node->state != COROD_NODE_LIVE)
    return node->state == COROD_NODE_CREATING ? "creating" : "changing";
  if (node->removing)
    return "removing";
  return node->slot.open ? "attached" : node->closed ? "parked" : "away";
}

static void show_nodes(struct corod_core *core, corod_print print, void *arg) {
  print(arg, "%-5s %-32s %-9s %9s %9s %12s %10s %10s\n", "slot", "node", "state", "in flight", "waiting", "accepted",
        "dropped", "rejected");
  for (uint32_t i = 1; i < COROD_MAX_SLOTS; i++) {
    const struct corod_node *node = core->slots[i];
    if (node)
      print(arg, "%-5u %-32s %-9s %9u %9u %12" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", i, node->spec.name, state(node),
            node->in_flight, corod_node_waiting(node), node->stats.accepted, node->stats.dropped, node->stats.rejected);
  }
}

static void show_node(const struct corod_node *node, corod_print print, void *arg) {
  static const char *const policies[] = {"reject", "drop-oldest", "drop-newest"};
  const struct corod_node_stats *s = &node->stats;
  print(arg, "%s: %s%s, slot %u, generation %u, host index %u, executor %u\n", node->spec.name, state(node),
        node->closed ? ", closed" : "", node->slot.number, node->generation, node->index, node->slot.executor);
  print(arg, "  rings: events %u, replies %u, commands %u bytes\n", node->event_ring, node->reply_ring,
        node->command_ring);
  print(arg, "  last sequence %" PRIu64 ", in flight %u of the ring, waiting %u of %u (%u of %u bytes), overflow: %s\n",
        node->seq, node->in_flight, corod_node_waiting(node), node->backlog_events,
        node->carried.used + node->backlog.used, node->backlog_bytes, policies[node->overflow]);
  print(arg,
        "  accepted %" PRIu64 ", dropped %" PRIu64 ", rejected %" PRIu64 ", undeclared %" PRIu64 ", too big %" PRIu64
        ", after close %" PRIu64 ", redelivered %" PRIu64 "\n",
        s->accepted, s->dropped, s->rejected, s->undeclared, s->too_big, s->closed, s->redelivered);
  print(arg, "  commands %" PRIu64 ", refused %" PRIu64 ", outcomes waiting %u, CLI waiting %u\n", s->commands,
        s->refused, node->slot.n_outcomes, node->slot.n_cli_waiting + (node->slot.cli != NULL));
  print(arg, "  process runs %" PRIu64 ", deadlines relayed %" PRIu64 "\n", s->runs, s->relays);
  for (uint32_t i = 0; i < node->n_codes; i++)
    print(arg, "  message %u, at most %u bytes\n", node->codes[i].code, node->codes[i].max_size);
  for (uint32_t i = 0; i < node->spec.n_next; i++)
    print(arg, "  next %u: %s\n", i, node->spec.next[i]);
}

// Whether `what` begins with `word`; moves behind it and the blanks that follow.
static bool word(const char **what, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*what, word, n) || ((*what)[n] && (*what)[n] != ' '))
    return false;
  *what += n;
  *what += strspn(*what, " ");
  return true;
}

bool corod_show(struct corod_core *core, const char *what, corod_print print, void *arg) {
  what += strspn(what, " ");
  if (!*what) {
    show_attachment(core, print, arg);
    print(arg, "%u nodes\n", core->n_nodes);
    return true;
  }
  if (word(&what, "attachment") && !*what) {
    show_attachment(core, print, arg);
    return true;
  }
  if (word(&what, "nodes") && !*what) {
    show_nodes(core, print, arg);
    return true;
  }
  if (word(&what, "node") && *what) {
    const struct corod_node *node = corod_node_by_name(core, what);
    if (node)
      show_node(node, print, arg);
    else
      print(arg, "no node %s\n", what);
    return node != NULL;
  }
  return false;
}
