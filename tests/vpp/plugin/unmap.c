// unmap.c: preloaded into a VPP that was built with AddressSanitizer. VPP's heap poisons what is free in it; a heap
// that is given back to the kernel stays poisoned, and what is mapped there next (its own files, at its very start)
// looks like a use of freed memory to the sanitizer. So what is unmapped is made usable first.
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void __asan_unpoison_memory_region(void const volatile *at, size_t size) __attribute__((weak));

int munmap(void *at, size_t size) {
  if (__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(at, size);
  return (int)syscall(SYS_munmap, at, size);
}
