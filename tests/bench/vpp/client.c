// client.c: the floor: a process in C that waits for one eventfd and writes another, and nothing else.
//
//   bench-client PATH      listens there for the plugin, which passes both; prints one line when it listens
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 1;
}

// Waits for the plugin and takes its two descriptors.
static int receive(int listener, int fds[2]) {
  char byte;
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct iovec data = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int s = accept(listener, NULL, NULL);
  if (s < 0 || recvmsg(s, &message, 0) != 1)
    return -1;
  close(s);
  const struct cmsghdr *got = CMSG_FIRSTHDR(&message);
  if (!got || got->cmsg_type != SCM_RIGHTS || got->cmsg_len != CMSG_LEN(2 * sizeof(int)))
    return -1;
  memcpy(fds, CMSG_DATA(got), 2 * sizeof(int));
  return 0;
}

int main(int argc, char **argv) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  int fds[2];
  uint64_t n;
  if (argc != 2)
    return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL); // a run that dies leaves nobody behind
  strncpy(at.sun_path, argv[1], sizeof at.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1))
    return fail(argv[1]);
  puts("{\"ready\":true}");
  fflush(stdout);
  if (receive(listener, fds))
    return fail("descriptors");
  while (read(fds[0], &n, sizeof n) == sizeof n)
    if (write(fds[1], &n, sizeof n) != sizeof n)
      return fail("answer");
  return fail("ask");
}
