// loop.h: the main loop: descriptors first, then timers, then the processes they made ready; over and over.
#ifndef COROD_LOOP_H
#define COROD_LOOP_H

#include "wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct corod_process;

typedef void (*corod_ready)(void *arg, uint32_t events);

// A watched descriptor. Its memory lives until the loop's turn is over, whoever unwatches it.
struct corod_watch {
  int fd; // -1: no longer watched
  corod_ready ready;
  void *arg;
  struct corod_watch *next; // freed after the turn
};

struct corod_loop {
  int epoll;
  bool stopping;
  struct corod_wheel wheel;
  struct corod_watch *gone;
  struct corod_process *ready, **ready_end; // processes that run in this turn, in order
  struct corod_process *later, **later_end; // and in the next one
  void (*after)(void *arg);                 // end of every turn
  void *after_arg;
  uint64_t turns;
};

// CLOCK_MONOTONIC, nanoseconds.
uint64_t corod_clock(void);

// False: no epoll (errno says why).
bool corod_loop_init(struct corod_loop *loop);
void corod_loop_free(struct corod_loop *loop);

// Calls `ready(arg, events)` while `fd` has one of `events` (EPOLLIN, EPOLLOUT), or an error. NULL: not possible.
struct corod_watch *corod_loop_watch(struct corod_loop *loop, int fd, uint32_t events, corod_ready ready, void *arg);
void corod_loop_want(struct corod_loop *loop, struct corod_watch *watch, uint32_t events);
void corod_loop_unwatch(struct corod_loop *loop, struct corod_watch *watch);

// Turns until corod_loop_stop. Returns false when waiting failed.
bool corod_loop_run(struct corod_loop *loop);
void corod_loop_stop(struct corod_loop *loop);

#endif
