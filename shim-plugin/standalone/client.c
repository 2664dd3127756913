// client.c: `corod-standalone --cli SOCKET COMMAND`: one command to a running host, its answer to standard output.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "standalone.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int complain(const char *path, const char *why, int status) {
  fprintf(stderr, "corod-standalone: %s: %s\n", path, why);
  return status;
}

int corod_client(const char *path, const char *command) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char bytes[4096], last = 0;
  ssize_t n;
  if (strlen(path) >= sizeof address.sun_path)
    return complain(path, "path too long for a socket", COROD_EXIT_USAGE);
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
    int status = errno == EACCES || errno == EPERM ? COROD_EXIT_DENIED : COROD_EXIT_UNAVAILABLE;
    return complain(path, strerror(errno), status);
  }
  // A host that hangs up before it has heard us has said why: what it sent is read whether this went out or not.
  bool asked = send(fd, command, strlen(command), MSG_NOSIGNAL) == (ssize_t)strlen(command) &&
               send(fd, "\n", 1, MSG_NOSIGNAL) == 1 && shutdown(fd, SHUT_WR) == 0;
  int why = errno;
  while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0) {
    // The last byte of the answer says how it ended and is not printed.
    if (last)
      putchar(last);
    last = bytes[n - 1];
    fwrite(bytes, 1, (size_t)n - 1, stdout);
  }
  close(fd);
  if (fflush(stdout))
    return complain("standard output", strerror(errno), COROD_EXIT_FAILED);
  if (!asked && !last)
    return complain(path, strerror(why), COROD_EXIT_UNAVAILABLE);
  if (last != COROD_CLI_DONE && last != COROD_CLI_FAULT)
    return complain(path, "the host closed the connection before it had answered", COROD_EXIT_UNAVAILABLE);
  return last == COROD_CLI_DONE ? 0 : COROD_EXIT_FAILED;
}
