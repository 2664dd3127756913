// The socket file: appears complete, replaces a stale one, never takes a live one, leaves nothing behind.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "scene.h"

#include "../../shim-plugin/core/listener.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[128], error[512];
static struct corod_listener listener, other;

static enum corod_listen_result at(const char *where, struct corod_listener *into) {
  return corod_listen(into, where, SOCK_SEQPACKET, 0640, -1, error, sizeof error);
}

static struct sockaddr_un address(const char *where) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s", where);
  return a;
}

int main(void) {
  struct stat status;
  strcpy(folder, "/tmp/corod-listen-XXXXXX");
  CHECK(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/s", folder);
  // Mode and group as asked, whatever the umask.
  umask(0777);
  CHECK_EQUAL(at(path, &listener), COROD_LISTEN_OK);
  umask(022);
  CHECK(lstat(path, &status) == 0 && S_ISSOCK(status.st_mode));
  CHECK_EQUAL(status.st_mode & 0777, 0640);
  // A live one is not taken, neither by another listener nor by one that ignores the lock.
  CHECK_EQUAL(at(path, &other), COROD_LISTEN_LIVE);
  CHECK(strstr(error, path) && strstr(error, "in use"));
  char lock[160];
  snprintf(lock, sizeof lock, "%s.lock", path);
  unlink(lock);
  CHECK_EQUAL(at(path, &other), COROD_LISTEN_LIVE);
  struct sockaddr_un a = address(path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
  close(fd);
  corod_listener_close(&listener);
  CHECK(lstat(path, &status) && lstat(lock, &status));
  // Stale: bound by somebody who is gone.
  fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
  close(fd);
  CHECK_EQUAL(at(path, &listener), COROD_LISTEN_OK);
  corod_listener_close(&listener);
  // Live, but of another socket type: somebody else's.
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0);
  CHECK_EQUAL(at(path, &listener), COROD_LISTEN_LIVE);
  close(fd);
  unlink(path);
  // Not a socket: left alone.
  fd = open(path, O_CREAT | O_WRONLY, 0600);
  close(fd);
  CHECK_EQUAL(at(path, &listener), COROD_LISTEN_PATH_INVALID);
  CHECK(strstr(error, "not a socket"));
  CHECK(lstat(path, &status) == 0 && S_ISREG(status.st_mode));
  unlink(path);
  CHECK(symlink("/nowhere", path) == 0);
  CHECK_EQUAL(at(path, &listener), COROD_LISTEN_PATH_INVALID);
  unlink(path);
  // Paths that cannot be.
  char longer[COROD_LISTENER_PATH + 2];
  memset(longer, 'x', sizeof longer);
  longer[0] = '/';
  longer[sizeof longer - 1] = 0;
  CHECK_EQUAL(at(longer, &listener), COROD_LISTEN_PATH_INVALID);
  CHECK(strstr(error, "1 to 103"));
  CHECK_EQUAL(at("", &listener), COROD_LISTEN_PATH_INVALID);
  char nowhere[160];
  snprintf(nowhere, sizeof nowhere, "%s/no/s", folder);
  CHECK_EQUAL(at(nowhere, &listener), COROD_LISTEN_PATH_INVALID);
  // A path of the largest length works.
  char longest[COROD_LISTENER_PATH + 1];
  memset(longest, 'y', sizeof longest);
  memcpy(longest, folder, strlen(folder));
  longest[strlen(folder)] = '/';
  longest[sizeof longest - 1] = 0;
  CHECK_EQUAL(at(longest, &listener), COROD_LISTEN_OK);
  // Without a descriptor left a connection is closed, not kept waiting: the listener is not readable for ever.
  a = address(longest);
  int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  CHECK(connect(client, (struct sockaddr *)&a, sizeof a) == 0);
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  int lowest = dup(0); // everything below it is in use
  close(lowest);
  struct rlimit none = {(rlim_t)lowest, limit.rlim_max};
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK(corod_listener_accept(&listener) < 0);
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  char byte;
  CHECK_EQUAL(recv(client, &byte, 1, 0), 0);
  close(client);
  corod_listener_close(&listener);
  if (geteuid() == 0) { // permissions, as somebody who has fewer
    CHECK(chmod(folder, 0755) == 0);
    pid_t child = fork();
    if (child == 0) {
      CHECK(setgid(65534) == 0 && setuid(65534) == 0);
      CHECK_EQUAL(at(path, &listener), COROD_LISTEN_DENIED);
      _exit(0);
    }
    int how;
    CHECK(waitpid(child, &how, 0) == child && how == 0);
  }
  CHECK(rmdir(folder) == 0); // nothing is left
  return 0;
}
