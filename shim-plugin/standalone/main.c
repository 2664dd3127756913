// main.c: starts the host, runs it until it is told to stop, stops it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "standalone.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

void corod_say(struct corod_standalone *host, enum corod_log_level level, const char *format, ...) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  char line[1024];
  va_list args;
  if (level > host->options.level)
    return;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  fprintf(stderr, "corod-standalone: %s: %s\n", names[level], line);
}

static void after_turn(void *arg) {
  struct corod_standalone *host = arg;
  int report = corod_capture_flush(&host->capture);
  if (report > 0)
    corod_say(host, COROD_LOG_ERROR, "%s cannot be written: %s; packets are counted and lost", host->options.pcap,
              strerror(report));
  else if (report < 0)
    corod_say(host, COROD_LOG_INFO, "%s can be written again; %lu packets were lost", host->options.pcap,
              (unsigned long)host->capture.lost);
}

static void interface_changed(void *arg, const struct corod_interface *transition) {
  struct corod_standalone *host = arg;
  corod_interface_changed(host->core, transition);
}

static void interface_missed(void *arg) {
  struct corod_standalone *host = arg;
  corod_say(host, COROD_LOG_WARN, "interface transitions were missed: their state is read afresh");
  corod_interface_missed(host->core);
}

static void stop_signal(void *arg, uint32_t events) {
  struct corod_standalone *host = arg;
  (void)events;
  corod_loop_stop(&host->loop);
}

// Signals are blocked before anything else, so that none is missed while the host starts.
static int block_signals(void) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGHUP);
  sigprocmask(SIG_BLOCK, &stop, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN); // a file size limit is a full disk
  return signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
}

// From here on the end of the parent is a signal to stop. It may have ended before that: then there is another parent.
static void follow(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() != parent)
    raise(SIGTERM);
}

static int open_core(struct corod_standalone *host) {
  const struct corod_options *o = &host->options;
  struct corod_core_config config;
  char error[512];
  corod_core_defaults(&config);
  config.socket = o->socket;
  config.mode = o->mode;
  config.group = o->group;
  config.max_nodes = o->max_nodes;
  host->core = corod_core_new(&corod_standalone_ops, host, &config, error, sizeof error);
  if (host->core)
    return 0;
  int denied = errno == EACCES || errno == EPERM;
  fprintf(stderr, "corod-standalone: %s\n", error);
  return denied ? COROD_EXIT_DENIED : COROD_EXIT_CANNOT_CREATE;
}

static int open_files(struct corod_standalone *host) {
  static struct corod_capture_interface interfaces[8];
  const struct corod_options *o = &host->options;
  char error[512];
  int failed;
  for (uint32_t i = 0; i < corod_n_sinks; i++)
    interfaces[i] = (struct corod_capture_interface){corod_sinks[i].name, corod_sinks[i].link};
  if (o->pcap && (failed = corod_capture_open(&host->capture, o->pcap, interfaces, corod_n_sinks))) {
    fprintf(stderr, "corod-standalone: %s: %s\n", o->pcap,
            failed == EINVAL ? "is neither a file nor a character device" : strerror(failed));
    return failed == EACCES || failed == EPERM ? COROD_EXIT_DENIED : COROD_EXIT_CANNOT_CREATE;
  }
  if (o->cli && (failed = corod_cli_open(host, error, sizeof error))) {
    fprintf(stderr, "corod-standalone: %s\n", error);
    return failed;
  }
  host->kernel = (struct corod_kernel){.fd = -1, .changed = interface_changed, .missed = interface_missed, .arg = host};
  if (o->interfaces && (failed = corod_kernel_open(&host->kernel, &host->loop)))
    corod_say(host, COROD_LOG_WARN, "no interface transitions: the kernel's interfaces cannot be watched: %s",
              strerror(failed));
  return 0;
}

static int run(struct corod_standalone *host, int signals) {
  struct corod_watch *watch = corod_loop_watch(&host->loop, signals, EPOLLIN, stop_signal, host);
  int status = !watch || !corod_nodes_init(&host->nodes, &host->loop) ? COROD_EXIT_FAILED : open_core(host);
  if (status == 0)
    status = open_files(host);
  if (status == 0) {
    host->loop.after = after_turn;
    host->loop.after_arg = host;
    printf("corod-standalone: ready on %s\n", host->options.socket);
    fflush(stdout);
    status = corod_loop_run(&host->loop) ? 0 : COROD_EXIT_FAILED;
    corod_say(host, COROD_LOG_INFO, "stopped");
  }
  corod_cli_close(host);
  corod_runners_free(host);
  if (host->core)
    corod_core_free(host->core);
  corod_kernel_close(&host->kernel);
  corod_nodes_free(&host->nodes);
  after_turn(host);
  corod_capture_close(&host->capture);
  if (watch)
    corod_loop_unwatch(&host->loop, watch);
  return status;
}

int main(int argc, char **argv) {
  pid_t parent = getppid();
  static struct corod_standalone host = {.capture = {.fd = -1}, .kernel = {.fd = -1}};
  int status = corod_options_read(&host.options, argc, argv);
  if (status < 0 && host.options.command)
    status = corod_client(host.options.cli, host.options.command);
  if (status < 0) {
    int signals = block_signals();
    if (host.options.with_parent)
      follow(parent);
    host.started = corod_clock();
    if (signals < 0 || !corod_loop_init(&host.loop)) {
      fprintf(stderr, "corod-standalone: cannot start: %s\n", strerror(errno));
      status = COROD_EXIT_FAILED;
    } else {
      status = run(&host, signals);
      corod_loop_free(&host.loop);
      close(signals);
    }
  }
  free(host.options.command);
  return status;
}
