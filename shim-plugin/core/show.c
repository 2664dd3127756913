// show.c: what `show corod` prints.
#include "internal.h"

#include <inttypes.h>

static void show_attachment(struct corod_core *core, corod_print print, void *arg) {
  struct corod_core_info i;
  corod_core_info(core, &i);
  const struct corod_core_stats *s = &i.stats;
  if (i.attached == COROD_ATTACHED_NOT)
    print(arg, "no daemon is attached to %s\n", i.socket);
  else if (i.attached == COROD_ATTACHED_ENDING)
    print(arg, "daemon gone: process %u; its last commands are being run\n", i.pid);
  else {
    print(arg, "daemon attached: process %u (%s) for %.1f s\n", i.pid, i.program, (double)i.age / 1e9);
    print(arg, "  protocol %u, epoch %016" PRIx64 ", %u executors, %u nodes, %u being made\n", i.version, i.epoch,
          i.executors, i.nodes, i.creating);
    print(arg, "  shared memory: %u regions, %" PRIu64 " KiB\n", i.regions, i.memory >> 10);
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
        s->unanswered_in_time, i.questions);
  print(arg, "interface transitions %" PRIu64 ", gaps in them %" PRIu64 "\n", s->interface_changes, s->interface_gaps);
  print(arg, "nodes discarded %" PRIu64 ", events discarded with them %" PRIu64 "\n", s->nodes_discarded,
        s->events_discarded);
  print(arg,
        "nodes %u, events in flight %u, waiting %u, accepted %" PRIu64 ", dropped %" PRIu64 ", redelivered %" PRIu64
        "\n",
        i.all_nodes, i.in_flight, i.waiting, i.accepted, i.dropped, i.redelivered);
}

static void show_nodes(struct corod_core *core, corod_print print, void *arg) {
  print(arg, "%-5s %-32s %-9s %9s %9s %12s %10s %10s\n", "slot", "node", "state", "in flight", "waiting", "accepted",
        "dropped", "rejected");
  for (uint32_t slot = 1; slot < COROD_MAX_SLOTS; slot++) {
    struct corod_node_info i;
    if (!core->slots[slot])
      continue;
    corod_node_info(core->slots[slot], &i);
    print(arg, "%-5u %-32s %-9s %9u %9u %12" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", slot, i.name,
          corod_node_state_text(i.is), i.in_flight, i.waiting, i.stats.accepted, i.stats.dropped, i.stats.rejected);
  }
}

static void show_node(struct corod_node *node, corod_print print, void *arg) {
  static const char *const policies[] = {"reject", "drop-oldest", "drop-newest"};
  struct corod_node_info i;
  corod_node_info(node, &i);
  const struct corod_node_stats *s = &i.stats;
  print(arg, "%s: %s%s, slot %u, generation %u, host index %u, executor %u\n", i.name, corod_node_state_text(i.is),
        i.closed ? ", closed" : "", i.slot, i.generation, i.index, i.executor);
  print(arg, "  rings: events %u, replies %u, commands %u bytes\n", i.event_ring, i.reply_ring, i.command_ring);
  print(arg, "  last sequence %" PRIu64 ", in flight %u of the ring, waiting %u of %u (%u of %u bytes), overflow: %s\n",
        i.seq, i.in_flight, i.waiting, i.backlog, i.waiting_bytes, i.backlog_bytes, policies[i.overflow]);
  print(arg,
        "  accepted %" PRIu64 ", dropped %" PRIu64 ", rejected %" PRIu64 ", undeclared %" PRIu64 ", too big %" PRIu64
        ", after close %" PRIu64 ", redelivered %" PRIu64 "\n",
        s->accepted, s->dropped, s->rejected, s->undeclared, s->too_big, s->after_close, s->redelivered);
  print(arg, "  commands %" PRIu64 ", refused %" PRIu64 ", outcomes waiting %u, CLI waiting %u\n", s->commands,
        s->refused, i.outcomes_waiting, i.cli_waiting);
  print(arg, "  process runs %" PRIu64 ", deadlines relayed %" PRIu64 "\n", s->runs, s->relays);
  for (uint32_t c = 0; c < i.n_codes; c++)
    print(arg, "  message %u, at most %u bytes\n", i.codes[c].code, i.codes[c].max_size);
  const struct corod_node_spec *spec = corod_node_spec(node);
  for (uint32_t n = 0; n < spec->n_next; n++)
    print(arg, "  next %u: %s\n", n, spec->next[n]);
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
    show_nodes(core, print, arg);
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
    struct corod_node *node = corod_node_by_name(core, what);
    if (node)
      show_node(node, print, arg);
    else
      print(arg, "no node %s\n", what);
    return node != NULL;
  }
  return false;
}
