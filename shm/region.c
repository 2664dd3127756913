// region.c: verifies and maps the memfds of a region.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "region.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

// Largest memfd that is believed: far above what a host needs, far below what exhausts the address space.
#define COROD_REGION_MAX (1ull << 36)

static const char *check_memfd(int fd, int seals, uint64_t size) {
  struct stat status;
  struct statfs filesystem;
  int have = fcntl(fd, F_GET_SEALS);
  if (have < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || fstatfs(fd, &filesystem))
    return "a descriptor of the region is not a memfd";
  // Holes in huge pages raise SIGBUS when they are punched and the pool is empty; in normal pages they read as zero.
  if (filesystem.f_type == HUGETLBFS_MAGIC)
    return "a memfd of the region has huge pages";
  if ((have & seals) != seals)
    return "a memfd of the region lacks seals";
  if (size == 0 || size > COROD_REGION_MAX || (uint64_t)status.st_size != size)
    return "a memfd of the region is not as large as told";
  return NULL;
}

const char *corod_region_map(struct corod_mapping **into, int a, int b, const struct corod_region *told) {
  *into = NULL;
  const char *wrong = check_memfd(a, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL, told->a_size);
  if (!wrong)
    wrong = check_memfd(b, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, told->b_size);
  if (wrong)
    return wrong;
  struct corod_mapping *map = malloc(sizeof *map);
  if (!map)
    return "out of memory";
  void *a_bytes = mmap(NULL, told->a_size, PROT_READ, MAP_SHARED, a, 0);
  void *b_bytes = mmap(NULL, told->b_size, PROT_READ | PROT_WRITE, MAP_SHARED, b, 0);
  if (a_bytes == MAP_FAILED || b_bytes == MAP_FAILED) {
    if (a_bytes != MAP_FAILED)
      munmap(a_bytes, told->a_size);
    if (b_bytes != MAP_FAILED)
      munmap(b_bytes, told->b_size);
    free(map);
    return a_bytes == MAP_FAILED ? "memfd A of the region cannot be mapped" : "memfd B of the region cannot be mapped";
  }
  map->a = a_bytes;
  map->b = b_bytes;
  map->a_size = told->a_size;
  map->b_size = told->b_size;
  atomic_init(&map->holds, 1);
  *into = map;
  return NULL;
}

struct corod_mapping *corod_region_hold(struct corod_mapping *map) {
  atomic_fetch_add_explicit(&map->holds, 1, memory_order_relaxed);
  return map;
}

void corod_region_let_go(struct corod_mapping *map) {
  // Released, so that what other threads did in it comes before the end of it.
  if (!map || atomic_fetch_sub_explicit(&map->holds, 1, memory_order_acq_rel) != 1)
    return;
  munmap((void *)(uintptr_t)map->a, map->a_size);
  munmap(map->b, map->b_size);
  free(map);
}

static bool place_valid(const struct corod_place *place, uint64_t region, uint64_t size) {
  return place->offset % COROD_LINE == 0 && place->size >= size && place->offset <= region &&
         place->size <= region - place->offset;
}

const void *corod_place_a(struct corod_mapping *const *regions, uint32_t n, const struct corod_place *place,
                          uint64_t size) {
  if (place->region >= n || !place_valid(place, regions[place->region]->a_size, size))
    return NULL;
  return regions[place->region]->a + place->offset;
}

void *corod_place_b(struct corod_mapping *const *regions, uint32_t n, const struct corod_place *place, uint64_t size) {
  if (place->region >= n || !place_valid(place, regions[place->region]->b_size, size))
    return NULL;
  return regions[place->region]->b + place->offset;
}

bool corod_ring_size_valid(uint32_t size) {
  return size >= COROD_RING_MIN && size <= COROD_RING_MAX && (size & (size - 1)) == 0;
}
