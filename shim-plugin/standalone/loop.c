// loop.c: one turn: wait, descriptors, timers, processes.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "loop.h"
#include "process.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64

uint64_t corod_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool corod_loop_init(struct corod_loop *loop) {
  *loop = (struct corod_loop){0};
  loop->ready_end = &loop->ready;
  loop->later_end = &loop->later;
  corod_wheel_init(&loop->wheel, corod_clock());
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  return loop->epoll >= 0;
}

static void free_gone(struct corod_loop *loop) {
  while (loop->gone) {
    struct corod_watch *watch = loop->gone;
    loop->gone = watch->next;
    free(watch);
  }
}

void corod_loop_free(struct corod_loop *loop) {
  free_gone(loop);
  close(loop->epoll);
}

struct corod_watch *corod_loop_watch(struct corod_loop *loop, int fd, uint32_t events, corod_ready ready, void *arg) {
  struct corod_watch *watch = malloc(sizeof *watch);
  struct epoll_event event = {.events = events, .data.ptr = watch};
  if (!watch)
    return NULL;
  *watch = (struct corod_watch){.fd = fd, .ready = ready, .arg = arg};
  if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)) {
    free(watch);
    return NULL;
  }
  return watch;
}

void corod_loop_want(struct corod_loop *loop, struct corod_watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void corod_loop_unwatch(struct corod_loop *loop, struct corod_watch *watch) {
  epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  // This turn may still have an event for it at hand.
  watch->fd = -1;
  watch->next = loop->gone;
  loop->gone = watch;
}

static int wait(struct corod_loop *loop, struct epoll_event *events) {
  uint64_t next = loop->later ? 0 : corod_wheel_next(&loop->wheel), now = next == UINT64_MAX ? 0 : corod_clock();
  uint64_t ns = next > now ? next - now : 0;
  struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
  int n = epoll_pwait2(loop->epoll, events, EVENTS_PER_TURN, next == UINT64_MAX ? NULL : &timeout, NULL);
  if (n < 0 && errno == ENOSYS) { // a kernel before 5.11 waits in milliseconds
    uint64_t ms = (ns + 999999) / 1000000;
    n = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, next == UINT64_MAX ? -1 : ms > 60000 ? 60000 : (int)ms);
  }
  return n < 0 && errno == EINTR ? 0 : n;
}

static void expired(struct corod_timer *timer, void *arg) {
  corod_process_clock(arg, timer);
}

bool corod_loop_run(struct corod_loop *loop) {
  while (!loop->stopping) {
    struct epoll_event events[EVENTS_PER_TURN];
    int n = wait(loop, events);
    if (n < 0)
      return false;
    loop->turns++;
    // Processes that yielded are ready now; those that descriptors signal run behind them in the same turn.
    corod_process_turn_begins(loop);
    for (int i = 0; i < n; i++) {
      struct corod_watch *watch = events[i].data.ptr;
      if (watch->fd >= 0)
        watch->ready(watch->arg, events[i].events);
    }
    corod_wheel_advance(&loop->wheel, corod_clock(), expired, loop);
    corod_process_run_ready(loop);
    if (loop->after)
      loop->after(loop->after_arg);
    free_gone(loop);
  }
  return true;
}

void corod_loop_stop(struct corod_loop *loop) {
  loop->stopping = true;
}
