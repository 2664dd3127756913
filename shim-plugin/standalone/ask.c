// ask.c: commands that wait for a node's answer.
#include "standalone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct corod_ask {
  struct corod_run run; // as it was when the command suspended
  char node[COROD_NAME];
  uint32_t handle;
  bool done, failed;
};

static void print_hex(const struct corod_run *run, const uint8_t *bytes, uint32_t n) {
  char text[2 * COROD_MAX_EVENT + 1];
  n = n < COROD_MAX_EVENT ? n : COROD_MAX_EVENT;
  for (uint32_t i = 0; i < n; i++)
    snprintf(text + (size_t)2 * i, 3, "%02x", bytes[i]);
  text[(size_t)2 * n] = '\n';
  run->output(run->arg, text, (size_t)2 * n + 1);
}

// The node's reason is text from outside: without its control characters.
static void print_failure(const struct corod_ask *ask, uint32_t status, const uint8_t *bytes, uint32_t n) {
  char line[COROD_NAME + COROD_MAX_EVENT + 128];
  n = n < COROD_MAX_EVENT ? n : COROD_MAX_EVENT;
  int head = snprintf(line, sizeof line, "%s: %s%s", ask->node, corod_status_text(status), n ? ": " : "");
  for (uint32_t i = 0; i < n; i++)
    line[head++] = bytes[i] >= ' ' && bytes[i] != 127 ? (char)bytes[i] : ' ';
  line[head++] = '\n';
  ask->run.output(ask->run.arg, line, (size_t)head);
}

static void answered(void *arg, uint32_t status, const void *bytes, uint32_t n) {
  struct corod_ask *ask = arg;
  ask->done = true;
  ask->failed = status != COROD_OK;
  if (ask->failed)
    print_failure(ask, status, bytes, n);
  else
    print_hex(&ask->run, bytes, n);
  corod_process_wake(ask->run.process);
}

uint32_t corod_ask_start(struct corod_run *run, struct corod_node *node, uint32_t code, const void *payload, uint32_t n,
                         uint64_t ns) {
  struct corod_ask *ask = calloc(1, sizeof *ask);
  uint64_t seq;
  if (!ask)
    return COROD_NO_MEMORY;
  ask->run = *run;
  memcpy(ask->node, corod_node_spec(node)->name, sizeof ask->node);
  uint32_t status = corod_node_ask(node, code, payload, n, answered, ask, corod_clock() + ns, &seq, &ask->handle);
  if (status != COROD_OK) {
    free(ask);
    return status;
  }
  run->ask = ask;
  return COROD_OK;
}

bool corod_ask_ended(struct corod_ask *ask, bool *failed) {
  if (!ask->done)
    return false;
  *failed = ask->failed;
  free(ask);
  return true;
}

void corod_ask_forget(struct corod_ask *ask) {
  if (ask && !ask->done)
    corod_ask_cancel(ask->run.host->core, ask->handle);
  free(ask);
}
