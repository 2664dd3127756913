// attach_share.c: lends executors and slots of an attachment to views on other threads.
//
// A slot leaves the attachment whole: what stays is its generation, for the question that gives it back to the host. An
// executor stays, idle, and gives a twin, so that it can be lent again when the thread of the first has ended.
#include "attach.h"
#include "share.h"

// Slots and executors that belong together; never 0.
static uint64_t group_of(const struct corod_attach *a, uint32_t executor) {
  return a->number << 8 | executor;
}

int corod_attach_share_executor(struct corod_attach *a, uint32_t id, uint64_t *token) {
  struct corod_executor_end *e = id < COROD_MAX_EXECUTORS ? a->executors[id] : NULL;
  if (!e || !e->words || (a->slots[0] && a->slots[0]->executor == e))
    return COROD_MISUSE;
  // What no view has taken is taken back: its thread may have ended before it heard of it.
  if (a->lent_executors[id] && !corod_share_withdraw(a->lent_executors[id]))
    return COROD_MISUSE;
  struct corod_executor_end *twin = corod_executor_twin(e);
  if (!twin)
    return COROD_MEMORY;
  *token = corod_share_offer(COROD_SHARE_EXECUTOR, twin, group_of(a, id));
  if (!*token) {
    corod_executor_free(twin);
    return COROD_MEMORY;
  }
  a->lent_executors[id] = *token;
  return COROD_DONE;
}

int corod_attach_share_slot(struct corod_attach *a, uint32_t slot, uint64_t *token, uint32_t *executor) {
  struct corod_slot *s = slot && slot < COROD_MAX_SLOTS ? a->slots[slot] : NULL;
  if (!s)
    return COROD_MISUSE;
  struct corod_executor_end *end = s->executor;
  corod_slot_part(s);
  *token = corod_share_offer(COROD_SHARE_SLOT, s, group_of(a, end->id));
  if (!*token) {
    corod_slot_join(s, end);
    return COROD_MEMORY;
  }
  *executor = end->id;
  a->slots[slot] = NULL;
  a->away[slot] = (struct corod_away){.token = *token, .generation = s->generation};
  return COROD_DONE;
}

bool corod_attach_shares(const struct corod_attach *a, uint32_t id) {
  return a->lent_executors[id] && corod_share_out(a->lent_executors[id]);
}

void corod_attach_share_end(struct corod_attach *a) {
  for (uint32_t i = 0; i < COROD_MAX_SLOTS; i++)
    if (a->away[i].token)
      corod_share_withdraw(a->away[i].token);
  for (uint32_t i = 0; i < COROD_MAX_EXECUTORS; i++)
    if (a->lent_executors[i])
      corod_share_withdraw(a->lent_executors[i]);
  memset(a->away, 0, sizeof a->away);
  memset(a->lent_executors, 0, sizeof a->lent_executors);
}
