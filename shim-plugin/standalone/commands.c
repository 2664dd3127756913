// commands.c: the CLI's commands, whoever asks: the socket, or a coroutine. One table; `help` prints it.
#include "standalone.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MOST 3600.0 // seconds
#define ASK_USUAL 5.0    // seconds

__attribute__((format(printf, 2, 3))) static void print(void *arg, const char *format, ...) {
  struct corod_run *run = arg;
  char line[1024];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (n > 0)
    run->output(run->arg, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

__attribute__((format(printf, 2, 3))) static uint64_t fail(struct corod_run *run, const char *format, ...) {
  char line[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  print(run, "%s\n", line);
  run->failed = true;
  return 0;
}

static uint64_t show_version(struct corod_run *run, const char *rest) {
  (void)rest;
  print(run, "corod-standalone %s, protocol %d to %d\n", COROD_RELEASE, COROD_PROTOCOL_MIN, COROD_PROTOCOL);
  return 0;
}

static uint64_t show_errors(struct corod_run *run, const char *rest) {
  static const char *const severities[] = {"info", "warn", "error"};
  const struct corod_nodes *nodes = &run->host->nodes;
  (void)rest;
  print(run, "%10s %-32s %-40s %s\n", "Count", "Node", "Reason", "Severity");
  for (uint32_t i = 0; i < nodes->n; i++) {
    const struct corod_entry *entry = nodes->entries[i];
    for (uint32_t c = 0; c < entry->n_counters; c++)
      if (entry->counters[c].value)
        print(run, "%10" PRIu64 " %-32s %-40s %s\n", entry->counters[c].value, entry->name, entry->counters[c].text,
              severities[entry->counters[c].severity]);
    if (entry->sink && entry->packets)
      print(run, "%10" PRIu64 " %-32s %-40s %s\n", entry->packets, entry->name, entry->sink->counted, "info");
  }
  return 0;
}

static uint64_t show_node(struct corod_run *run, const char *rest) {
  const struct corod_nodes *nodes = &run->host->nodes;
  if (!*rest) {
    print(run, "%6s %-32s %-9s %s\n", "Index", "Name", "Type", "State");
    for (uint32_t i = 0; i < nodes->n; i++) {
      const struct corod_entry *entry = nodes->entries[i];
      print(run, "%6u %-32s %-9s %s\n", i, entry->name, entry->sink ? "internal" : "process",
            entry->sink     ? "active"
            : entry->parked ? "parked"
                            : corod_process_state_text(&entry->process));
    }
    return 0;
  }
  const struct corod_entry *entry = corod_nodes_find(nodes, rest);
  if (!entry)
    return fail(run, "no node %s", rest);
  print(run, "%s: index %u, type %s\n", entry->name, entry->index, entry->sink ? "internal" : "process");
  if (entry->sink) {
    print(run, "  packets %" PRIu64 "\n", entry->packets);
    return 0;
  }
  print(run, "  state %s, events %" PRIu64 ", discarded %" PRIu64 "\n",
        entry->parked ? "parked" : corod_process_state_text(&entry->process), entry->process.events,
        entry->discarded + entry->process.dropped);
  for (uint32_t n = 0; n < entry->n_next; n++)
    print(run, "  next %u: %s\n", n, nodes->entries[entry->next[n]]->name);
  for (uint32_t c = 0; c < entry->n_counters; c++)
    print(run, "  counter %s: %" PRIu64 " %s\n", entry->counters[c].name, entry->counters[c].value,
          entry->counters[c].text);
  return 0;
}

static uint64_t show_runtime(struct corod_run *run, const char *rest) {
  const struct corod_nodes *nodes = &run->host->nodes;
  (void)rest;
  print(run, "up %.1f s, %" PRIu64 " turns of the loop\n", (double)(corod_clock() - run->host->started) / 1e9,
        run->host->loop.turns);
  print(run, "%-32s %-12s %12s %12s %12s\n", "Name", "State", "Calls", "Events", "Suspends");
  for (uint32_t i = 0; i < nodes->n; i++) {
    const struct corod_process *process = &nodes->entries[i]->process;
    if (!nodes->entries[i]->sink && !nodes->entries[i]->parked)
      print(run, "%-32s %-12s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", nodes->entries[i]->name,
            corod_process_state_text(process), process->calls, process->events, process->suspends);
  }
  return 0;
}

static uint64_t show_interface(struct corod_run *run, const char *rest) {
  const struct corod_kernel *kernel = &run->host->kernel;
  (void)rest;
  if (kernel->fd < 0)
    return fail(run, "this host does not watch the kernel's interfaces (--no-interfaces)");
  print(run, "%-24s %6s %6s %6s %8s\n", "Name", "Index", "Admin", "Link", "MTU");
  for (uint32_t i = 0; i < kernel->n_links; i++) {
    const struct corod_interface *s = &kernel->links[i].state;
    print(run, "%-24s %6u %6s %6s %8u\n", s->name, s->index, s->admin ? "up" : "down", s->link ? "up" : "down", s->mtu);
  }
  print(run, "transitions were missed %" PRIu64 " times\n", kernel->overflows);
  return 0;
}

static uint64_t show_packets(struct corod_run *run, const char *rest) {
  const struct corod_capture *capture = &run->host->capture;
  (void)rest;
  if (capture->fd < 0)
    return fail(run, "packets are counted and dropped: this host has no capture file (--pcap)");
  print(run, "%s: %" PRIu64 " packets written, %" PRIu64 " lost%s\n", run->host->options.pcap, capture->written,
        capture->lost, capture->failing ? "; the file cannot be written now" : "");
  return 0;
}

static uint64_t show_corod(struct corod_run *run, const char *rest) {
  if (!corod_show(run->host->core, rest, print, run))
    return fail(run, "show corod [nodes|node NAME|attachment]");
  return 0;
}

// A number with nothing behind it but blanks. False: it is none.
static bool number(const char *text, const char **rest, uint64_t *value) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 0);
  if (end == text || errno || *text == '-' || (*end && *end != ' '))
    return false;
  *rest = end + strspn(end, " ");
  return true;
}

// The next word of `*rest` as a node's name, which is cut out.
static bool name(const char **rest, char into[COROD_NAME]) {
  size_t n = strcspn(*rest, " ");
  if (n == 0 || n >= COROD_NAME)
    return false;
  memcpy(into, *rest, n);
  into[n] = 0;
  *rest += n + strspn(*rest + n, " ");
  return true;
}

static uint64_t signal_node(struct corod_run *run, const char *rest) {
  char node[COROD_NAME];
  uint64_t type, datum;
  if (!name(&rest, node) || !number(rest, &rest, &type) || !number(rest, &rest, &datum) || *rest)
    return fail(run, "signal NODE TYPE DATUM");
  uint32_t status = corod_standalone_ops.signal(run->host, node, type, datum);
  return status == COROD_OK ? 0 : fail(run, "%s: %s", node, corod_status_text(status));
}

// A message as commands take it: NODE CODE [HEX]. `*rest` is moved behind it.
struct message {
  char node[COROD_NAME];
  uint32_t code, n;
  uint8_t bytes[COROD_CLI_LINE / 2];
};

static bool message(const char **rest, struct message *message) {
  uint64_t code;
  size_t digits;
  if (!name(rest, message->node) || !number(*rest, rest, &code) || code > UINT32_MAX)
    return false;
  message->code = (uint32_t)code;
  message->n = 0;
  digits = strspn(*rest, "0123456789abcdefABCDEF");
  if (digits % 2 || ((*rest)[digits] && (*rest)[digits] != ' '))
    return digits == 0;
  for (; message->n < digits / 2; message->n++) {
    unsigned byte;
    sscanf(*rest + (size_t)2 * message->n, "%2x", &byte);
    message->bytes[message->n] = (uint8_t)byte;
  }
  *rest += digits + strspn(*rest + digits, " ");
  return true;
}

static uint64_t send_node(struct corod_run *run, const char *rest) {
  static struct message m;
  uint64_t seq;
  if (!message(&rest, &m) || *rest)
    return fail(run, "corod send NODE CODE [HEX]");
  struct corod_node *target = corod_node_find(run->host->core, m.node);
  uint32_t status = target ? corod_node_send(target, m.code, m.bytes, m.n, &seq) : (uint32_t)COROD_NODE_UNKNOWN;
  if (status != COROD_OK)
    return fail(run, "%s: %s", m.node, corod_status_text(status));
  print(run, "accepted as %" PRIu64 "\n", seq);
  return 0;
}

static uint64_t ask_node(struct corod_run *run, const char *rest) {
  static struct message m;
  double seconds = ASK_USUAL;
  bool valid = message(&rest, &m);
  if (valid && strncmp(rest, "within ", 7) == 0) {
    char *end;
    seconds = strtod(rest + 7, &end);
    valid = end != rest + 7 && seconds > 0 && seconds <= WAIT_MOST;
    rest = end;
  }
  if (!valid || *rest)
    return fail(run, "corod ask NODE CODE [HEX] [within SECONDS] (SECONDS: up to %.0f)", WAIT_MOST);
  struct corod_node *target = corod_node_find(run->host->core, m.node);
  uint32_t status = target ? corod_ask_start(run, target, m.code, m.bytes, m.n, (uint64_t)(seconds * 1e9))
                           : (uint32_t)COROD_NODE_UNKNOWN;
  return status == COROD_OK ? COROD_RUN_ASKS : fail(run, "%s: %s", m.node, corod_status_text(status));
}

static uint64_t wait_seconds(struct corod_run *run, const char *rest) {
  char *end;
  double seconds = strtod(rest, &end);
  if (end == rest || *end || !(seconds >= 0) || seconds > WAIT_MOST)
    return fail(run, "wait SECONDS (0 to %.0f)", WAIT_MOST);
  return (uint64_t)(seconds * 1e9);
}

static uint64_t help(struct corod_run *run, const char *rest);

static const struct {
  const char *words, *arguments, *text;
  uint64_t (*run)(struct corod_run *run, const char *rest);
} commands[] = {
    {"show version", "", "this program and the protocol it speaks", show_version},
    {"show errors", "", "counters of all nodes that are not zero", show_errors},
    {"show node", "[NAME]", "all nodes, or one with its next nodes and counters", show_node},
    {"show runtime", "", "process nodes: state, calls, events, suspends", show_runtime},
    {"show interface", "", "the kernel's interfaces as they are known here", show_interface},
    {"show packets", "", "the capture file", show_packets},
    {"show corod", "[nodes|node NAME|attachment]", "the daemon and its nodes", show_corod},
    {"corod send", "NODE CODE [HEX]", "sends a message to a node", send_node},
    {"corod ask", "NODE CODE [HEX] [within SECONDS]", "sends a message and prints the reply, in hex", ask_node},
    {"signal", "NODE TYPE DATUM", "signals a process node with one 64-bit datum", signal_node},
    {"wait", "SECONDS", "suspends the session", wait_seconds},
    {"help", "", "this list", help},
};

static uint64_t help(struct corod_run *run, const char *rest) {
  (void)rest;
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    char usage[128];
    snprintf(usage, sizeof usage, "%s %s", commands[i].words, commands[i].arguments);
    print(run, "%-46s %s\n", usage, commands[i].text);
  }
  return 0;
}

// Blanks between words collapse, so that "show   errors" is "show errors". Control characters become blanks.
static void tidy(const char *line, char *into, size_t size) {
  size_t n = 0;
  for (; *line && n + 1 < size; line++) {
    char c = *line > ' ' && *line != 127 ? *line : ' ';
    if (c != ' ' || (n > 0 && into[n - 1] != ' '))
      into[n++] = c;
  }
  while (n > 0 && into[n - 1] == ' ')
    n--;
  into[n] = 0;
}

uint64_t corod_command(struct corod_run *run, const char *line) {
  char text[COROD_CLI_LINE];
  tidy(line, text, sizeof text);
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
    size_t n = strlen(commands[i].words);
    if (strncmp(text, commands[i].words, n) || (text[n] && text[n] != ' '))
      continue;
    const char *rest = text + n + (text[n] == ' ');
    if (*rest && !*commands[i].arguments)
      return fail(run, "%s takes no arguments", commands[i].words);
    return commands[i].run(run, rest);
  }
  return *text ? fail(run, "unknown command: %.200s (try help)", text) : 0;
}
