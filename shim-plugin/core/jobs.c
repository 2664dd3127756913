// jobs.c: CLI commands: one of a slot at a time, in order; output kept here until the daemon has room for it.
#include "internal.h"

#include <stdlib.h>

void corod_jobs_init(struct corod_slot *slot) {
  slot->cli_waiting_end = &slot->cli_waiting;
}

static void release(struct corod_core *core, struct corod_cli *job) {
  core->cli_memory -= job->size;
  free(job->bytes);
  free(job->text);
  free(job);
}

// A host may answer before its `cli` returns: then the loop here, not a deeper call, starts the next one.
static void start(struct corod_core *core, struct corod_slot *slot) {
  if (slot->cli_starting)
    return;
  slot->cli_starting = true;
  while (!slot->cli && slot->cli_waiting) {
    struct corod_cli *job = slot->cli_waiting;
    char *text = job->text;
    slot->cli_waiting = job->next;
    if (!slot->cli_waiting)
      slot->cli_waiting_end = &slot->cli_waiting;
    slot->n_cli_waiting--;
    slot->cli = job;
    job->text = NULL;
    core->ops->cli(core->host, job->id, text);
    free(text);
  }
  slot->cli_starting = false;
}

void corod_job_add(struct corod_core *core, struct corod_slot *slot, uint64_t seq, const char *text, uint32_t bytes) {
  if (slot->n_cli_waiting == COROD_CLI_WAITING) {
    core->stats.command_faults++;
    corod_reply(core, slot, seq, COROD_CLI_BUSY, NULL, 0);
    return;
  }
  struct corod_cli *job = calloc(1, sizeof *job);
  char *copy = malloc(bytes + 1);
  if (!job || !copy) {
    free(job);
    free(copy);
    corod_reply(core, slot, seq, COROD_NO_MEMORY, NULL, 0);
    return;
  }
  memcpy(copy, text, bytes);
  copy[bytes] = 0;
  job->text = copy;
  job->seq = seq;
  job->tenure = slot->tenure;
  // The slot in the id finds the job again; the count keeps ids of one slot apart.
  job->id = ++core->cli_jobs * COROD_MAX_SLOTS + slot->number;
  core->stats.cli_jobs++;
  *slot->cli_waiting_end = job;
  slot->cli_waiting_end = &job->next;
  slot->n_cli_waiting++;
  start(core, slot);
}

static struct corod_slot *slot_of(struct corod_core *core, uint64_t job) {
  uint32_t number = job % COROD_MAX_SLOTS;
  struct corod_slot *slot = number == 0 ? &core->own : core->slots[number] ? &core->slots[number]->slot : NULL;
  return slot && slot->cli && slot->cli->id == job ? slot : NULL;
}

void corod_cli_output(struct corod_core *core, uint64_t id, const char *bytes, size_t n) {
  struct corod_slot *slot = slot_of(core, id);
  struct corod_cli *job = slot ? slot->cli : NULL;
  if (!job || job->cut || n == 0)
    return;
  if (n > COROD_CLI_LARGEST - job->used) {
    n = COROD_CLI_LARGEST - job->used;
    job->cut = true;
  }
  uint32_t wanted = job->used + (uint32_t)n, size = job->size ? job->size : 1024;
  while (size < wanted)
    size *= 2;
  if (size != job->size) {
    uint8_t *more = core->cli_memory - job->size + size <= COROD_CLI_MEMORY ? realloc(job->bytes, size) : NULL;
    if (!more) {
      job->cut = true;
      return;
    }
    core->cli_memory += size - job->size;
    job->bytes = more;
    job->size = size;
  }
  memcpy(job->bytes + job->used, bytes, n);
  job->used = wanted;
}

void corod_cli_done(struct corod_core *core, uint64_t id, uint32_t status) {
  struct corod_slot *slot = slot_of(core, id);
  if (!slot)
    return;
  struct corod_cli *job = slot->cli;
  slot->cli = NULL;
  if (job->cut) {
    core->stats.cli_cut++;
    status = status == COROD_OK ? COROD_CUT : status;
  }
  if (status != COROD_OK)
    core->stats.command_faults++;
  if (slot->open && slot->tenure == job->tenure) {
    uint8_t *bytes = job->used ? realloc(job->bytes, job->used) : NULL;
    bytes = bytes || !job->used ? bytes : job->bytes; // it could not shrink
    if (job->used)
      job->bytes = NULL;
    corod_reply_owned(core, slot, job->seq, status, bytes, job->used);
  } else
    core->stats.outcomes_dropped++;
  release(core, job);
  start(core, slot);
}

void corod_jobs_drop(struct corod_core *core, struct corod_slot *slot) {
  if (slot->cli)
    release(core, slot->cli);
  slot->cli = NULL;
  while (slot->cli_waiting) {
    struct corod_cli *job = slot->cli_waiting;
    slot->cli_waiting = job->next;
    core->stats.outcomes_dropped++;
    release(core, job);
  }
  slot->n_cli_waiting = 0;
  slot->cli_waiting_end = &slot->cli_waiting;
}
