// file.c: the core's descriptors in main's epoll set.
#include "plugin.h"

#include <vlib/file.h>

typedef struct {
  void (*ready)(void *arg);
  void *arg;
  u32 file;
} watch_t;

static watch_t *watches; // a pool

static clib_error_t *on_ready(struct clib_file *f) {
  watch_t *w = pool_elt_at_index(watches, f->private_data);
  w->ready(w->arg);
  corod_vpp_lanes_retry();
  return NULL;
}

int corod_vpp_watch(void *host, int fd, void (*ready)(void *arg), void *arg, const char *what) {
  watch_t *w;
  (void)host;
  pool_get(watches, w);
  w->ready = ready;
  w->arg = arg;
  u32 token = (u32)(w - watches);
  clib_file_t file = {
      .file_descriptor = (u32)fd,
      .private_data = token,
      .read_function = on_ready,
      // Without it vlib answers EPOLLERR by closing the descriptor under us; the core finds out by reading.
      .error_function = on_ready,
      .dont_close = 1, // the core closes
      .description = format(NULL, "corod %s", what),
  };
  // May move the pool: `w` is not used after this line.
  u32 index = (u32)clib_file_add(&file_main, &file);
  pool_elt_at_index(watches, token)->file = index;
  return (int)token;
}

// The file is off at once, also for events of the epoll batch that is being worked off: vlib looks at `active`.
void corod_vpp_unwatch(void *host, int token) {
  (void)host;
  if (token < 0 || pool_is_free_index(watches, token))
    return;
  clib_file_del_by_index(&file_main, pool_elt_at_index(watches, token)->file);
  pool_put_index(watches, token);
}
