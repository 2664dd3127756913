// memory.c: makes, seals, maps and carves the memfds of an attachment.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define COROD_PAGE 4096u
#define COROD_FIRST_A (1ull << 20) // bytes of region 0; each next one is twice as large, or as large as needed
#define COROD_FIRST_B (1ull << 19)

static uint64_t round_up(uint64_t n, uint64_t to) {
  return (n + to - 1) / to * to;
}

// A memfd that can neither shrink (no SIGBUS here) nor, for A, be written by anyone who maps it after us.
static int make(const char *name, uint64_t size, int seals, uint8_t **at) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) // a kernel before 6.3
    fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0)
    return -1;
  // Without it any process of any user could open it again through /proc.
  if (fchmod(fd, 0600) || ftruncate(fd, (off_t)size))
    goto failed;
  void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED)
    goto failed;
  if (fcntl(fd, F_ADD_SEALS, seals)) {
    munmap(map, size);
    goto failed;
  }
  *at = map;
  return fd;
failed:
  close(fd);
  return -1;
}

// Makes sure that the newest region has room for so much of A and B.
static uint32_t need(struct corod_memory *memory, uint64_t a, uint64_t b, struct corod_region_made *made) {
  struct corod_region_own *last = memory->n ? &memory->regions[memory->n - 1] : NULL;
  made->made = false;
  if (last && last->a_high - last->a_low >= a && last->b_high - last->b_low >= b)
    return COROD_OK;
  if (memory->n == COROD_MEMORY_REGIONS)
    return COROD_LIMIT;
  uint64_t a_size = last ? last->a_size * 2 : COROD_FIRST_A, b_size = last ? last->b_size * 2 : COROD_FIRST_B;
  // Twice as large as the last one while that fits the limit, else just as large as needed.
  if (memory->total + a_size + b_size > COROD_MEMORY_LARGEST)
    a_size = b_size = 0;
  a_size = a_size > a ? a_size : round_up(a, COROD_PAGE);
  b_size = b_size > b ? b_size : round_up(b, COROD_PAGE);
  if (memory->total + a_size + b_size > COROD_MEMORY_LARGEST)
    return COROD_LIMIT;
  struct corod_region_own own = {.a_size = a_size, .b_size = b_size, .a_high = a_size, .b_high = b_size};
  made->a = make("corod-a", a_size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL, &own.a);
  if (made->a < 0)
    return COROD_NO_MEMORY;
  made->b = make("corod-b", b_size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, &own.b);
  if (made->b < 0) {
    munmap(own.a, a_size);
    close(made->a);
    return COROD_NO_MEMORY;
  }
  made->made = true;
  made->told = (struct corod_region){.index = memory->n, .a_size = a_size, .b_size = b_size};
  memory->regions[memory->n++] = own;
  memory->total += a_size + b_size;
  return COROD_OK;
}

static void *words(struct corod_memory *memory, bool in_a, uint32_t size, struct corod_place *place) {
  struct corod_region_own *last = &memory->regions[memory->n - 1];
  uint64_t *low = in_a ? &last->a_low : &last->b_low;
  *place = (struct corod_place){.region = memory->n - 1, .size = size, .offset = *low};
  *low += round_up(size, COROD_LINE);
  return (in_a ? last->a : last->b) + place->offset;
}

static uint8_t *ring(struct corod_memory *memory, bool in_a, uint32_t size, struct corod_place *place) {
  struct corod_region_own *last = &memory->regions[memory->n - 1];
  uint64_t *high = in_a ? &last->a_high : &last->b_high;
  *high -= size;
  *place = (struct corod_place){.region = memory->n - 1, .size = size, .offset = *high};
  return (in_a ? last->a : last->b) + place->offset;
}

static bool spare_plot(struct corod_memory *memory, uint32_t event, uint32_t reply, uint32_t command,
                       struct corod_plot *plot) {
  for (uint32_t i = 0; i < memory->n_spare; i++) {
    struct corod_plot *spare = &memory->spare[i];
    if (spare->event_place.size != event || spare->reply_place.size != reply || spare->command_place.size != command)
      continue;
    *plot = *spare;
    memory->spare[i] = memory->spare[--memory->n_spare];
    memset(plot->a, 0, sizeof *plot->a);
    memset(plot->b, 0, sizeof *plot->b);
    return true;
  }
  return false;
}

uint32_t corod_memory_plot(struct corod_memory *memory, uint32_t event, uint32_t reply, uint32_t command,
                           struct corod_plot *plot, struct corod_region_made *made) {
  made->made = false;
  if (!spare_plot(memory, event, reply, command, plot)) {
    uint32_t status =
        need(memory, sizeof(struct corod_slot_a) + event + reply, sizeof(struct corod_slot_b) + command, made);
    if (status != COROD_OK)
      return status;
    memset(plot, 0, sizeof *plot);
    plot->a = words(memory, true, sizeof *plot->a, &plot->a_place);
    plot->b = words(memory, false, sizeof *plot->b, &plot->b_place);
    if (event)
      plot->event = ring(memory, true, event, &plot->event_place);
    plot->reply = ring(memory, true, reply, &plot->reply_place);
    plot->command = ring(memory, false, command, &plot->command_place);
  }
  atomic_store_explicit(&plot->b->deadline, UINT64_MAX, memory_order_relaxed);
  return COROD_OK;
}

void corod_memory_spare(struct corod_memory *memory, const struct corod_plot *plot) {
  struct corod_plot *more = realloc(memory->spare, (memory->n_spare + 1) * sizeof *more);
  if (!more) // the plot is then only reused by the next attachment, whose memory is new
    return;
  memory->spare = more;
  memory->spare[memory->n_spare++] = *plot;
}

uint32_t corod_memory_bell(struct corod_memory *memory, struct corod_executor_b **at, struct corod_place *place,
                           struct corod_region_made *made) {
  uint32_t status = need(memory, 0, sizeof **at, made);
  if (status == COROD_OK)
    *at = words(memory, false, sizeof **at, place);
  return status;
}

void corod_memory_free(struct corod_memory *memory) {
  for (uint32_t i = 0; i < memory->n; i++) {
    munmap(memory->regions[i].a, memory->regions[i].a_size);
    munmap(memory->regions[i].b, memory->regions[i].b_size);
  }
  free(memory->spare);
  memset(memory, 0, sizeof *memory);
}
