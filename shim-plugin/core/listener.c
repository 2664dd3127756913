// listener.c: lock, test for a live owner, bind under a temporary name, set mode and group, listen, rename.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define COROD_LISTEN_BACKLOG 16

struct complaint {
  char *text;
  size_t size;
};

__attribute__((format(printf, 3, 4))) static enum corod_listen_result
complain(struct complaint c, enum corod_listen_result result, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(c.text, c.size, format, args);
  va_end(args);
  return result;
}

static enum corod_listen_result complain_errno(struct complaint c, const char *what, const char *path) {
  enum corod_listen_result result = errno == EACCES || errno == EPERM || errno == EROFS ? COROD_LISTEN_DENIED
                                    : errno == ENOENT || errno == ENOTDIR               ? COROD_LISTEN_PATH_INVALID
                                                                                        : COROD_LISTEN_FAILED;
  return complain(c, result, "%s %s: %s", what, path, strerror(errno));
}

// Holds PATH.lock, which makes test, unlink and bind one step among hosts. The kernel lets go of it when we die.
static enum corod_listen_result take_lock(struct corod_listener *listener, struct complaint c) {
  char path[COROD_LISTENER_PATH + 8];
  struct stat ours, theirs;
  snprintf(path, sizeof path, "%s.lock", listener->path);
  for (;;) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
      return complain_errno(c, "cannot create", path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
      close(fd);
      return complain(c, COROD_LISTEN_LIVE, "%s is in use: another process holds %s", listener->path, path);
    }
    // The former owner may have removed the file between our open and our lock.
    if (fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino &&
        ours.st_dev == theirs.st_dev) {
      listener->lock = fd;
      return COROD_LISTEN_OK;
    }
    close(fd);
  }
}

// Whether something that is not ours to replace is at the path.
static enum corod_listen_result test_owner(const struct sockaddr_un *address, int type, struct complaint c) {
  struct stat status;
  if (lstat(address->sun_path, &status))
    return errno == ENOENT ? COROD_LISTEN_OK : complain_errno(c, "cannot look at", address->sun_path);
  if (!S_ISSOCK(status.st_mode))
    return complain(c, COROD_LISTEN_PATH_INVALID, "%s exists and is not a socket", address->sun_path);
  int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return complain_errno(c, "cannot make a socket for", address->sun_path);
  int failed = connect(fd, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
  close(fd);
  if (failed == ECONNREFUSED || failed == ENOENT)
    return COROD_LISTEN_OK;
  if (failed == EACCES || failed == EPERM)
    return complain(c, COROD_LISTEN_DENIED, "%s exists and belongs to somebody else", address->sun_path);
  return complain(c, COROD_LISTEN_LIVE, "%s is in use: another process answers there", address->sun_path);
}

enum corod_listen_result corod_listen(struct corod_listener *listener, const char *path, int type, uint32_t mode,
                                      int64_t group, char *error, size_t error_size) {
  struct complaint c = {error, error_size};
  struct sockaddr_un address = {.sun_family = AF_UNIX}, temporary = {.sun_family = AF_UNIX};
  enum corod_listen_result result;
  size_t length = strlen(path);
  listener->fd = listener->lock = listener->spare = -1;
  if (length == 0 || length > COROD_LISTENER_PATH)
    return complain(c, COROD_LISTEN_PATH_INVALID, "socket path of %zu bytes: must have 1 to %d", length,
                    COROD_LISTENER_PATH);
  memcpy(listener->path, path, length + 1);
  memcpy(address.sun_path, path, length + 1);
  snprintf(temporary.sun_path, sizeof temporary.sun_path, "%s.new", path);
  if ((result = take_lock(listener, c)) != COROD_LISTEN_OK)
    return result;
  if ((result = test_owner(&address, type, c)) != COROD_LISTEN_OK)
    goto failed;
  if ((result = test_owner(&temporary, type, c)) != COROD_LISTEN_OK)
    goto failed;
  unlink(temporary.sun_path);
  listener->fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  // Nobody can connect before listen, and nobody looks for the temporary name: no moment with a wrong mode.
  if (listener->fd < 0 || bind(listener->fd, (struct sockaddr *)&temporary, sizeof temporary)) {
    result = complain_errno(c, "cannot listen at", path);
    goto failed;
  }
  if (chmod(temporary.sun_path, (mode_t)mode) || (group >= 0 && lchown(temporary.sun_path, (uid_t)-1, (gid_t)group)) ||
      listen(listener->fd, COROD_LISTEN_BACKLOG) || rename(temporary.sun_path, path)) {
    result = complain_errno(c, "cannot set mode or group of", path);
    unlink(temporary.sun_path);
    goto failed;
  }
  listener->spare = fcntl(listener->lock, F_DUPFD_CLOEXEC, 0);
  return COROD_LISTEN_OK;
failed:
  if (listener->fd >= 0)
    close(listener->fd);
  listener->fd = -1;
  corod_listener_close(listener);
  return result;
}

int corod_listener_accept(struct corod_listener *listener) {
  int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0 || (errno != EMFILE && errno != ENFILE) || listener->spare < 0)
    return fd;
  close(listener->spare);
  fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0)
    close(fd);
  listener->spare = fcntl(listener->lock, F_DUPFD_CLOEXEC, 0);
  return -1;
}

void corod_listener_close(struct corod_listener *listener) {
  char lock[COROD_LISTENER_PATH + 8];
  if (listener->fd >= 0) {
    unlink(listener->path);
    close(listener->fd);
  }
  if (listener->lock >= 0) {
    snprintf(lock, sizeof lock, "%s.lock", listener->path);
    unlink(lock);
    close(listener->lock);
  }
  if (listener->spare >= 0)
    close(listener->spare);
  listener->fd = listener->lock = listener->spare = -1;
}
