// standalone.h: the parts of the host program, together.
#ifndef COROD_STANDALONE_H
#define COROD_STANDALONE_H

#include "capture.h"
#include "kernel.h"
#include "loop.h"
#include "nodes.h"

#include "../core/core.h"
#include "../core/listener.h"

// As the command line says.
struct corod_options {
  const char *socket, *cli, *pcap;
  uint32_t mode;
  int64_t group; // -1: the process' own
  uint32_t max_nodes;
  bool interfaces;
  bool with_parent; // stop when the parent process ends
  enum corod_log_level level;
  char *command; // client mode: what to ask the host at `cli`; owned
};

// What the core watches: it only reads. Listener, own pipe, strangers, attachment, executors.
#define COROD_CORE_WATCHES 64
struct corod_core_watch {
  struct corod_watch *watch; // NULL: free
  void (*ready)(void *arg);
  void *arg;
};

struct corod_runner;
struct corod_cli_server;

struct corod_standalone {
  struct corod_options options;
  struct corod_loop loop;
  struct corod_nodes nodes;
  struct corod_capture capture;
  struct corod_kernel kernel;
  struct corod_core *core;
  struct corod_core_watch watches[COROD_CORE_WATCHES];
  struct corod_runner *runners; // of CLI jobs
  struct corod_cli_server *cli;
  uint64_t started;
};

// One line to standard error if `level` is wanted.
void corod_say(struct corod_standalone *host, enum corod_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// ---- host.c: what the core wants of a host
extern const struct corod_host_ops corod_standalone_ops;

// ---- runners.c: CLI jobs of the daemon, each in a process of its own so that one that waits delays no other
void corod_runners_start(struct corod_standalone *host, uint64_t job, const char *text);
void corod_runners_free(struct corod_standalone *host);

// ---- commands.c
struct corod_ask;
struct corod_run {
  struct corod_standalone *host;
  void (*output)(void *arg, const char *bytes, size_t n);
  void *arg;
  struct corod_process *process; // that runs it: resumed when an answer is there
  bool failed;
  struct corod_ask *ask; // set: the command goes on until corod_ask_ended
};
// Runs one command line. Returns nanoseconds that its process has to suspend before the command is done; 0: it is done;
// COROD_RUN_ASKS: it waits for events until `run->ask` has ended.
#define COROD_RUN_ASKS UINT64_MAX
uint64_t corod_command(struct corod_run *run, const char *line);

// ---- ask.c: messages whose answer the command waits for
// Sends, and sets `run->ask`. Anything but OK: it did not.
uint32_t corod_ask_start(struct corod_run *run, struct corod_node *node, uint32_t code, const void *payload, uint32_t n,
                         uint64_t ns);
// Whether the answer is there, and was given to the run's output; then `ask` is freed.
bool corod_ask_ended(struct corod_ask *ask, bool *failed);
// Nobody waits any more. NULL is fine.
void corod_ask_forget(struct corod_ask *ask);

// ---- cli.c: commands over a Unix socket
// 0, or an exit status; `error` says why.
int corod_cli_open(struct corod_standalone *host, char *error, size_t error_size);
void corod_cli_close(struct corod_standalone *host);

// ---- client.c: asks a running host. Returns an exit status.
int corod_client(const char *socket, const char *command);

// ---- options.c: returns -1 to go on, or an exit status
int corod_options_read(struct corod_options *options, int argc, char **argv);

// An answer on the CLI socket ends with one of these bytes.
#define COROD_CLI_DONE 0x06  // ACK
#define COROD_CLI_FAULT 0x15 // NAK
#define COROD_CLI_LINE 4096  // bytes of a command line

// Exit statuses (sysexits.h where it has one).
#define COROD_EXIT_FAILED 1
#define COROD_EXIT_USAGE 2
#define COROD_EXIT_UNAVAILABLE 69
#define COROD_EXIT_CANNOT_CREATE 73
#define COROD_EXIT_DENIED 77

#ifndef COROD_RELEASE
#define COROD_RELEASE "unreleased"
#endif

#endif
