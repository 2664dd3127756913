// listener.h: a Unix socket in the file system that appears complete and is never stolen from a live owner.
#ifndef COROD_LISTENER_H
#define COROD_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#define COROD_LISTENER_PATH 103 // bytes of a path at most: sun_path less what a temporary name adds

struct corod_listener {
  int fd;    // listening, non-blocking
  int lock;  // PATH.lock, held
  int spare; // given up for a moment when the process has no descriptor left
  char path[COROD_LISTENER_PATH + 1];
};

// Why a listener could not be made.
enum corod_listen_result {
  COROD_LISTEN_OK = 0,
  COROD_LISTEN_PATH_INVALID, // too long, no directory, or something that is not a socket is there
  COROD_LISTEN_LIVE,         // another process listens there
  COROD_LISTEN_DENIED,       // no permission
  COROD_LISTEN_FAILED,
};

// Listens at `path` with socket type `type` (SOCK_STREAM, SOCK_SEQPACKET). The file appears with its final mode and
// group (gid, or -1) when it accepts connections. A stale socket is replaced. `error` gets a sentence on failure.
enum corod_listen_result corod_listen(struct corod_listener *listener, const char *path, int type, uint32_t mode,
                                      int64_t group, char *error, size_t error_size);

// The next connection, non-blocking, or -1. Without a free descriptor the connection is closed: left alone, it would
// keep the listener readable for ever.
int corod_listener_accept(struct corod_listener *listener);

// Closes it and removes the file and its lock. Nothing happens if the descriptors are -1.
void corod_listener_close(struct corod_listener *listener);

#endif
