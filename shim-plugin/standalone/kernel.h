// kernel.h: the kernel's network interfaces and their transitions, in order, by rtnetlink.
#ifndef COROD_KERNEL_H
#define COROD_KERNEL_H

#include "loop.h"

#include "../../shm/layout.h"

struct corod_address {
  uint8_t family, prefix; // family 4 or 6
  uint8_t bytes[16];
  bool seen; // by the dump that is under way
};

// An interface as told last.
struct corod_link_state {
  struct corod_interface state; // change, family, prefix and address of it are unused
  struct corod_address *addresses;
  uint32_t n_addresses;
  bool seen; // by the dump that is under way
};

enum corod_dump { COROD_DUMP_NONE, COROD_DUMP_LINKS, COROD_DUMP_ADDRESSES };

struct corod_kernel {
  struct corod_loop *loop;
  struct corod_watch *watch;
  int fd; // -1: not watching the kernel
  struct corod_link_state *links;
  uint32_t n_links;
  enum corod_dump dump;
  uint32_t sequence; // of the dump's request
  bool first;        // the first dump is no transition of anything
  bool again;        // the dump was disturbed: once more
  uint64_t overflows;
  void (*changed)(void *arg, const struct corod_interface *transition);
  void (*missed)(void *arg); // transitions were lost; the state follows as RESYNC
  void *arg;
};

// Begins to watch; `changed` is called for every transition after that. 0, or an errno.
int corod_kernel_open(struct corod_kernel *kernel, struct corod_loop *loop);
void corod_kernel_close(struct corod_kernel *kernel);

// The interface of that index, or NULL.
const struct corod_link_state *corod_kernel_link(const struct corod_kernel *kernel, uint32_t index);

#endif
