// options.c: the command line.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "standalone.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SOCKET "/run/corod/host.sock"

static const char help[] =
    "usage: corod-standalone [options]\n"
    "       corod-standalone --cli SOCKET COMMAND...\n"
    "\n"
    "Owns process nodes for the corod daemon on a machine without VPP. With a COMMAND it asks a running host instead\n"
    "(\"help\" lists what it understands) and exits 0 if the command was done, 1 if it failed.\n"
    "\n"
    "  --socket PATH      where the daemon attaches (" DEFAULT_SOCKET ")\n"
    "  --mode OCTAL       file mode of the sockets (0660)\n"
    "  --group NAME|GID   group of the sockets (that of the process)\n"
    "  --cli PATH         a socket for commands; none if not given\n"
    "  --pcap FILE        packets that nodes send are written here (pcapng); counted and dropped if not given\n"
    "  --max-nodes N      nodes at most, 1 to 4095 (4095)\n"
    "  --no-interfaces    do not watch the kernel's interfaces\n"
    "  --with-parent      stop when the process that started this one ends, however it ends\n"
    "  --log-level LEVEL  error, warn, info or debug (info)\n"
    "  --help, --version\n"
    "\n"
    "exit status: 0 stopped as asked, 1 failed, 2 usage, 69 no host answers, 73 a socket or file cannot be created,\n"
    "77 no permission\n";

static int usage(const char *format, const char *what) {
  fputs("corod-standalone: ", stderr);
  fprintf(stderr, format, what);
  fputs("\nTry corod-standalone --help.\n", stderr);
  return COROD_EXIT_USAGE;
}

static bool read_number(const char *text, int base, unsigned long least, unsigned long most, unsigned long *value) {
  char *end;
  errno = 0;
  *value = strtoul(text, &end, base);
  return *text >= '0' && *text <= '9' && !*end && !errno && *value >= least && *value <= most;
}

static bool read_group(const char *text, int64_t *gid) {
  unsigned long number;
  const struct group *group = getgrnam(text);
  if (group)
    *gid = group->gr_gid;
  else if (read_number(text, 10, 0, UINT32_MAX - 1, &number))
    *gid = (int64_t)number;
  else
    return false;
  return true;
}

static bool read_level(const char *text, enum corod_log_level *level) {
  static const char *const names[] = {"error", "warn", "info", "debug"};
  for (int i = 0; i < 4; i++)
    if (!strcmp(text, names[i])) {
      *level = (enum corod_log_level)i;
      return true;
    }
  return false;
}

static char *join(char **words, int n) {
  size_t size = 1;
  for (int i = 0; i < n; i++)
    size += strlen(words[i]) + 1;
  char *line = calloc(1, size);
  for (int i = 0; line && i < n; i++) {
    strcat(line, words[i]);
    if (i + 1 < n)
      strcat(line, " ");
  }
  return line;
}

int corod_options_read(struct corod_options *o, int argc, char **argv) {
  enum { SOCKET = 256, MODE, GROUP, CLI, PCAP, MAX_NODES, NO_INTERFACES, WITH_PARENT, LOG_LEVEL, HELP, VERSION };
  static const struct option known[] = {
      {"socket", required_argument, NULL, SOCKET},
      {"mode", required_argument, NULL, MODE},
      {"group", required_argument, NULL, GROUP},
      {"cli", required_argument, NULL, CLI},
      {"pcap", required_argument, NULL, PCAP},
      {"max-nodes", required_argument, NULL, MAX_NODES},
      {"no-interfaces", no_argument, NULL, NO_INTERFACES},
      {"with-parent", no_argument, NULL, WITH_PARENT},
      {"log-level", required_argument, NULL, LOG_LEVEL},
      {"help", no_argument, NULL, HELP},
      {"version", no_argument, NULL, VERSION},
      {NULL, 0, NULL, 0},
  };
  unsigned long number;
  int option;
  *o = (struct corod_options){.socket = DEFAULT_SOCKET,
                              .mode = 0660,
                              .group = -1,
                              .max_nodes = COROD_MAX_SLOTS - 1,
                              .interfaces = true,
                              .level = COROD_LOG_INFO};
  opterr = 0;
  // '+': a command's own words are not options of ours.
  while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
    switch (option) {
    case SOCKET:
      o->socket = optarg;
      break;
    case MODE:
      if (!read_number(optarg, 8, 0, 0777, &number))
        return usage("--mode %s: must be octal, 0 to 0777", optarg);
      o->mode = (uint32_t)number;
      break;
    case GROUP:
      if (!read_group(optarg, &o->group))
        return usage("--group %s: there is no such group", optarg);
      break;
    case CLI:
      o->cli = optarg;
      break;
    case PCAP:
      o->pcap = optarg;
      break;
    case MAX_NODES:
      if (!read_number(optarg, 10, 1, COROD_MAX_SLOTS - 1, &number))
        return usage("--max-nodes %s: must be 1 to 4095", optarg);
      o->max_nodes = (uint32_t)number;
      break;
    case NO_INTERFACES:
      o->interfaces = false;
      break;
    case WITH_PARENT:
      o->with_parent = true;
      break;
    case LOG_LEVEL:
      if (!read_level(optarg, &o->level))
        return usage("--log-level %s: must be error, warn, info or debug", optarg);
      break;
    case HELP:
      fputs(help, stdout);
      return 0;
    case VERSION:
      printf("corod-standalone %s, protocol %d to %d\n", COROD_RELEASE, COROD_PROTOCOL_MIN, COROD_PROTOCOL);
      return 0;
    default:
      return usage("%s: no such option, or its argument is missing", argv[optind - 1]);
    }
  }
  if (optind < argc) {
    if (!o->cli)
      return usage("%s: a command needs --cli SOCKET to be sent to", argv[optind]);
    o->command = join(argv + optind, argc - optind);
    if (!o->command)
      return COROD_EXIT_FAILED;
    if (strlen(o->command) >= COROD_CLI_LINE)
      return usage("%.20s...: command line too long", o->command);
  }
  return -1;
}
