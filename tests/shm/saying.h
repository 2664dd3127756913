// saying.h: the host's side of a conversation in one process with the daemon's: a place to listen, messages, memfds;
// and what this process holds.
#ifndef COROD_TESTS_SAYING_H
#define COROD_TESTS_SAYING_H

#include "check.h"
#include "handshake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A socket that listens in a folder of its own.
struct place {
  char folder[32];
  struct sockaddr_un address;
  int listener;
};

static inline void place_open(struct place *p) {
  strcpy(p->folder, "/tmp/corod-saying-XXXXXX");
  CHECK(mkdtemp(p->folder));
  p->address.sun_family = AF_UNIX;
  snprintf(p->address.sun_path, sizeof p->address.sun_path, "%s/s", p->folder);
  p->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  CHECK(bind(p->listener, (const struct sockaddr *)&p->address, sizeof p->address) == 0 && listen(p->listener, 8) == 0);
}

static inline int place_accept(const struct place *p) {
  int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  CHECK(fd >= 0);
  return fd;
}

static inline void place_close(const struct place *p) {
  close(p->listener);
  unlink(p->address.sun_path);
  rmdir(p->folder);
}

static inline int descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int n = 0;
  CHECK(folder);
  while (readdir(folder))
    n++;
  closedir(folder);
  return n;
}

static inline int mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  int n = 0;
  CHECK(maps);
  while (fgets(line, sizeof line, maps))
    n += strstr(line, "memfd:") != NULL;
  fclose(maps);
  return n;
}

// Sends `size` bytes of a message with `n` descriptors.
static inline void say(int fd, const struct corod_message *m, size_t size, const int *fds, uint32_t n) {
  static char control[CMSG_SPACE(253 * sizeof(int))];
  struct iovec part = {.iov_base = (void *)(uintptr_t)m, .iov_len = size};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  if (n) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(n * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), fds, n * sizeof(int));
  }
  CHECK(sendmsg(fd, &header, MSG_NOSIGNAL) >= 0 || errno == EPIPE || errno == EAGAIN || errno == ECONNRESET);
}

static inline int memfd(uint64_t size) {
  int fd = memfd_create("region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
  return fd;
}

static inline int seal(int fd, int seals) {
  CHECK(fcntl(fd, F_ADD_SEALS, seals) == 0);
  return fd;
}

#endif
