// view.c: takes over what an attachment has lent, and gives it back.
#include "view.h"

#include "share.h"

#include <stdio.h>
#include <stdlib.h>

int corod_view_open(struct corod_view **view, uint64_t token) {
  struct corod_view *v = calloc(1, sizeof *v);
  void *end;
  if (!v)
    return COROD_MEMORY;
  int done = corod_share_take(token, COROD_SHARE_EXECUTOR, &v->group, &end);
  if (done != COROD_DONE) {
    free(v);
    return done;
  }
  v->end = end;
  v->token = token;
  *view = v;
  return COROD_DONE;
}

int corod_view_add(struct corod_view *v, uint64_t token) {
  void *slot;
  uint64_t group = v->group;
  if (!v->end)
    return COROD_MISUSE;
  int done = corod_share_take(token, COROD_SHARE_SLOT, &group, &slot);
  if (done != COROD_DONE)
    return done;
  struct corod_slot *s = slot;
  v->tokens[s->index] = token;
  corod_slot_join(s, v->end);
  return COROD_DONE;
}

static void let_go(struct corod_view *v, struct corod_slot *s) {
  uint64_t token = v->tokens[s->index];
  v->tokens[s->index] = 0;
  corod_slot_free(s);
  corod_share_returned(token);
}

int corod_view_remove(struct corod_view *v, uint32_t slot) {
  if (!v->end || slot >= COROD_MAX_SLOTS || !v->end->slots[slot])
    return COROD_MISUSE;
  corod_executor_settle(v->end);
  let_go(v, v->end->slots[slot]);
  return COROD_DONE;
}

void corod_view_end(struct corod_view *v, const char *why) {
  if (!v->why[0])
    snprintf(v->why, sizeof v->why, "%s", why);
}

void corod_view_close(struct corod_view *v) {
  if (!v->end)
    return;
  for (uint32_t i = 0; i < COROD_MAX_SLOTS; i++)
    if (v->end->slots[i])
      let_go(v, v->end->slots[i]);
  corod_executor_free(v->end);
  v->end = NULL;
  corod_share_returned(v->token);
}

void corod_view_free(struct corod_view *v) {
  corod_view_close(v);
  free(v);
}
