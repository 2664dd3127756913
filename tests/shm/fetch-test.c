// fetch-test.c: no shared byte is believed after it was read twice. Each access to the ring traps; right after the
// first, the second, the third... of them the host rewrites the record's head. Whatever is read, the answer must be
// "broken" or whole records as they once were. Single-steps the processor: x86-64 only, elsewhere skipped (77).
#include "slot-fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifdef __x86_64__

#define TRAP_FLAG 0x100

static struct fixture f;
static uint8_t *page;
static int accesses, flip_at;
static struct corod_record flip_to;

static void flip(void) {
  memcpy(page, &flip_to, sizeof flip_to);
}

static void on_access(int signal_number, siginfo_t *info, void *context) {
  ucontext_t *c = context;
  uint8_t *at = info->si_addr;
  if (at < page || at >= page + FIXTURE_RING) {
    signal(signal_number, SIG_DFL); // a real fault: again, and fatal
    return;
  }
  mprotect(page, FIXTURE_RING, PROT_READ | PROT_WRITE);
  c->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int signal_number, siginfo_t *info, void *context) {
  ucontext_t *c = context;
  (void)signal_number;
  (void)info;
  c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
  if (++accesses == flip_at)
    flip();
  mprotect(page, FIXTURE_RING, PROT_NONE);
}

// One record of 96 bytes is published; its head becomes `to` after access number `at`. How many accesses there were.
static int drained(int at, const struct corod_record *to) {
  enum { ROOM = 160 };
  uint8_t *into = malloc(ROOM);
  CHECK(into);
  fixture_open(&f);
  f.slot->events.data = f.events.data = page;
  CHECK(fixture_put(&f.events, COROD_KIND_EVENT, 7, 64));
  accesses = 0;
  flip_at = at;
  flip_to = *to;
  mprotect(page, FIXTURE_RING, PROT_NONE);
  int64_t got = corod_slot_drain(f.slot, into, ROOM, true);
  mprotect(page, FIXTURE_RING, PROT_READ | PROT_WRITE);
  CHECK(got == COROD_BROKEN || got == COROD_TOO_SMALL || (got >= 0 && got <= ROOM));
  if (got > 0) {
    struct corod_record head;
    memcpy(&head, into, sizeof head);
    // The size that was checked is the size that is told, and what the cursor moved by.
    CHECK(head.size == 96 && head.kind == COROD_KIND_EVENT && got == 96);
    CHECK(f.slot->events.read == 96);
  }
  f.slot->events.data = f.event;
  fixture_close(&f);
  free(into);
  return accesses;
}

int main(void) {
  static const struct corod_record heads[] = {
      {.size = 0xfffffff8, .kind = COROD_KIND_EVENT}, {.size = 2048, .kind = COROD_KIND_EVENT},
      {.size = 97, .kind = COROD_KIND_EVENT},         {.size = 31, .kind = COROD_KIND_EVENT},
      {.size = 4096, .kind = COROD_KIND_PAD},         {.size = 96, .kind = COROD_KIND_PAD},
      {.size = 96, .kind = COROD_KIND_COMMAND},
  };
  page = mmap(NULL, FIXTURE_RING, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  struct sigaction access = {.sa_sigaction = on_access, .sa_flags = SA_SIGINFO};
  struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &access, NULL);
  sigaction(SIGTRAP, &step, NULL);
  int most = drained(0, heads);
  CHECK(most > 2);
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    for (int at = 1; at <= most; at++)
      drained(at, &heads[i]);
  return 0;
}

#else

int main(void) {
  fprintf(stderr, "single-stepping is written for x86-64 only\n");
  return 77;
}

#endif
