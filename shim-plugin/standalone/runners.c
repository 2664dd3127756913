// runners.c: processes that run the daemon's CLI jobs. A runner is reused; there are as many as jobs ran at once.
#include "standalone.h"

#include <stdlib.h>
#include <string.h>

struct corod_runner {
  struct corod_runner *next;
  struct corod_standalone *host;
  struct corod_process process;
  uint64_t job;
  char *text;            // owned; NULL once the command was started
  struct corod_ask *ask; // the command waits for it; owned
  bool failed;
  bool busy;
};

static void output(void *arg, const char *bytes, size_t n) {
  struct corod_runner *runner = arg;
  corod_cli_output(runner->host->core, runner->job, bytes, n);
}

static struct corod_wait body(struct corod_process *process) {
  struct corod_runner *runner = process->arg;
  if (runner->text) {
    struct corod_run run = {.host = runner->host, .output = output, .arg = runner, .process = process};
    uint64_t ns = corod_command(&run, runner->text);
    free(runner->text);
    runner->text = NULL;
    runner->failed = run.failed;
    runner->ask = run.ask;
    if (ns && !run.ask)
      return (struct corod_wait){COROD_WAIT_CLOCK, ns};
  }
  if (runner->ask) {
    if (!corod_ask_ended(runner->ask, &runner->failed))
      return (struct corod_wait){COROD_WAIT_EVENT_OR_CLOCK, UINT64_MAX};
    runner->ask = NULL;
  }
  runner->busy = false;
  corod_cli_done(runner->host->core, runner->job, runner->failed ? COROD_CLI_FAILED : COROD_OK);
  return (struct corod_wait){COROD_WAIT_NEVER, UINT64_MAX};
}

void corod_runners_start(struct corod_standalone *host, uint64_t job, const char *text) {
  struct corod_runner *runner = host->runners;
  // One whose process has not come to its end yet is not free, though its job is done.
  while (runner && (runner->busy || runner->process.state != COROD_PROCESS_NOT_STARTED))
    runner = runner->next;
  char *copy = strdup(text);
  if (!runner && copy && (runner = calloc(1, sizeof *runner))) {
    runner->host = host;
    corod_process_init(&runner->process, &host->loop, body, runner);
    runner->next = host->runners;
    host->runners = runner;
  }
  if (!runner || !copy) {
    free(copy);
    corod_cli_done(host->core, job, COROD_NO_MEMORY);
    return;
  }
  runner->job = job;
  runner->text = copy;
  runner->busy = true;
  corod_process_start(&runner->process);
}

void corod_runners_free(struct corod_standalone *host) {
  while (host->runners) {
    struct corod_runner *runner = host->runners;
    host->runners = runner->next;
    corod_process_stop(&runner->process);
    corod_ask_forget(runner->ask);
    free(runner->text);
    free(runner);
  }
}
