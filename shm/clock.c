// clock.c: the clock in which deadlines are told. A file of its own, so that a test can have another.
#include "slot.h"

#include <time.h>

uint64_t corod_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
