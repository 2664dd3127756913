// region-test.c: which memfds and places are believed: every seal, size and boundary.
#include "check.h"
#include "region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ALL_A (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define ALL_B (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static int memfd(uint64_t size, int seals) {
  int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
  CHECK(seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0);
  return fd;
}

static bool mapped(int a, int b, uint64_t a_size, uint64_t b_size) {
  struct corod_mapping *map;
  struct corod_region told = {.a_size = a_size, .b_size = b_size};
  const char *wrong = corod_region_map(&map, a, b, &told);
  CHECK(wrong ? !map : map->a && map->b && map->a_size == a_size && map->b_size == b_size);
  if (map) {
    CHECK(corod_region_hold(map) == map);
    corod_region_let_go(map);
    map->b[b_size - 1] = 1; // still there
  }
  corod_region_let_go(map);
  return wrong == NULL;
}

static void every_seal_is_needed(void) {
  for (int seals = 0; seals < 32; seals++) {
    if (seals & F_SEAL_WRITE)
      continue; // B could not be mapped
    int a = memfd(8192, seals), b = memfd(8192, seals), good_a = memfd(8192, ALL_A), good_b = memfd(8192, ALL_B);
    CHECK(mapped(a, good_b, 8192, 8192) == ((seals & ALL_A) == ALL_A));
    // B needs no FUTURE_WRITE, and must not have it.
    CHECK(mapped(good_a, b, 8192, 8192) == ((seals & ALL_B) == ALL_B && !(seals & F_SEAL_FUTURE_WRITE)));
    close(a);
    close(b);
    close(good_a);
    close(good_b);
  }
}

static void size_must_be_as_told(void) {
  int a = memfd(8192, ALL_A), b = memfd(8192, ALL_B);
  static const uint64_t sizes[] = {0, 1, 4096, 8191, 8193, 12288, 1ull << 32, 1ull << 37, UINT64_MAX};
  CHECK(mapped(a, b, 8192, 8192));
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    CHECK(!mapped(a, b, sizes[i], 8192));
    CHECK(!mapped(a, b, 8192, sizes[i]));
  }
  close(a);
  close(b);
}

static void only_memfds_are_memfds(void) {
  int a = memfd(4096, ALL_A), b = memfd(4096, ALL_B), fds[2];
  char name[] = "/tmp/corod-region-XXXXXX";
  int file = mkstemp(name);
  CHECK(file >= 0 && ftruncate(file, 4096) == 0 && unlink(name) == 0);
  CHECK(pipe(fds) == 0);
  CHECK(!mapped(file, b, 4096, 4096) && !mapped(a, file, 4096, 4096));
  CHECK(!mapped(fds[0], b, 4096, 4096) && !mapped(a, fds[1], 4096, 4096));
  CHECK(!mapped(-1, b, 4096, 4096) && !mapped(a, -1, 4096, 4096));
  close(fds[0]);
  close(fds[1]);
  close(file);
  close(a);
  close(b);
}

static void sealed_memory_cannot_go_away(void) {
  int a = memfd(8192, ALL_A), b = memfd(8192, ALL_B);
  CHECK(ftruncate(a, 0) < 0 && ftruncate(b, 4096) < 0 && ftruncate(b, 1 << 20) < 0);
  CHECK(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0) == MAP_FAILED);
  close(a);
  close(b);
}

// Every place against an oracle that cannot overflow.
static void places(void) {
  static uint8_t a[4096], b[8192];
  struct corod_mapping both[2] = {{.a = a, .b = b, .a_size = 4096, .b_size = 8192},
                                  {.a = b, .b = a, .a_size = 8192, .b_size = 4096}};
  struct corod_mapping *const regions[2] = {&both[0], &both[1]};
  static const uint64_t offsets[] = {
      0, 1, 8, 63, 64, 128, 4032, 4095, 4096, 4160, 8128, 8192, 1ull << 32, UINT64_MAX - 63, UINT64_MAX};
  static const uint32_t sizes[] = {0, 1, 64, 192, 4032, 4095, 4096, 4097, 8192, 8193, 1u << 31, UINT32_MAX};
  static const uint64_t needs[] = {1, 64, 192, 4096};
  for (uint32_t region = 0; region < 4; region++)
    for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++)
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t n = 0; n < sizeof needs / sizeof *needs; n++) {
          struct corod_place place = {
              .region = region == 3 ? UINT32_MAX : region, .size = sizes[s], .offset = offsets[o]};
          for (int in_a = 0; in_a < 2; in_a++) {
            uint64_t whole = region < 2 ? (in_a ? both[region].a_size : both[region].b_size) : 0;
            bool good = region < 2 && offsets[o] % 64 == 0 && sizes[s] >= needs[n] &&
                        (unsigned __int128)offsets[o] + sizes[s] <= whole;
            const void *at =
                in_a ? corod_place_a(regions, 2, &place, needs[n]) : corod_place_b(regions, 2, &place, needs[n]);
            CHECK((at != NULL) == good);
            if (good)
              CHECK(at == (in_a ? both[region].a : both[region].b) + offsets[o]);
          }
        }
}

static void ring_sizes(void) {
  for (uint64_t size = 0; size <= UINT32_MAX; size += size < 70000 ? 1 : 65521) {
    bool good = false;
    for (uint64_t power = 4096; power <= 1u << 24; power *= 2)
      good |= size == power;
    CHECK(corod_ring_size_valid((uint32_t)size) == good);
  }
  CHECK(corod_ring_size_valid(1u << 24) && !corod_ring_size_valid(1u << 25));
}

int main(void) {
  every_seal_is_needed();
  size_must_be_as_told();
  only_memfds_are_memfds();
  sealed_memory_cannot_go_away();
  places();
  ring_sizes();
  return 0;
}
