// share.c: the table of share.h. A token is a place in it and how often that place was used.
#include "share.h"

#include "slot.h"

#include <pthread.h>
#include <stdlib.h>

#define INDEX_BITS 20 // a token has 52 bits

enum state { FREE, OFFERED, TAKEN };

struct offer {
  enum state state;
  enum corod_share_kind kind;
  uint32_t turn; // counts the uses of this place; never 0 in a token
  void *object;
  uint64_t group; // FREE: the next free place + 1
};

static struct {
  pthread_mutex_t lock;
  struct offer *offers;
  uint32_t room, used; // places before `used` were used once
  uint64_t free;       // the first of those that are free + 1; 0: none
  uint64_t unique;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void give_back(enum corod_share_kind kind, void *object) {
  if (kind == COROD_SHARE_EXECUTOR)
    corod_executor_free(object);
  else
    corod_slot_free(object);
}

// The place of a token, or NULL. Under the lock.
static struct offer *at(uint64_t token) {
  uint64_t index = token & ((1u << INDEX_BITS) - 1);
  struct offer *o = index < table.used ? &table.offers[index] : NULL;
  return o && o->state != FREE && o->turn == token >> INDEX_BITS ? o : NULL;
}

// A free place. Under the lock.
static struct offer *place(void) {
  if (table.free) {
    struct offer *free = &table.offers[table.free - 1];
    table.free = free->group;
    return free;
  }
  if (table.used == table.room) {
    uint32_t room = table.room ? table.room * 2 : 64;
    struct offer *offers = room <= 1u << INDEX_BITS ? realloc(table.offers, room * sizeof *offers) : NULL;
    if (!offers)
      return NULL;
    table.offers = offers;
    table.room = room;
  }
  struct offer *o = &table.offers[table.used++];
  o->turn = 0;
  return o;
}

static void leave(struct offer *o) {
  o->state = FREE;
  o->object = NULL;
  o->group = table.free;
  table.free = (uint64_t)(o - table.offers) + 1;
}

uint64_t corod_share_offer(enum corod_share_kind kind, void *object, uint64_t group) {
  uint64_t token = 0;
  pthread_mutex_lock(&table.lock);
  struct offer *o = place();
  if (o) {
    o->turn = o->turn == UINT32_MAX ? 1 : o->turn + 1;
    o->state = OFFERED;
    o->kind = kind;
    o->object = object;
    o->group = group;
    token = (uint64_t)o->turn << INDEX_BITS | (uint64_t)(o - table.offers);
  }
  pthread_mutex_unlock(&table.lock);
  return token;
}

int corod_share_take(uint64_t token, enum corod_share_kind kind, uint64_t *group, void **object) {
  int done = COROD_DONE;
  pthread_mutex_lock(&table.lock);
  struct offer *o = at(token);
  if (!o || o->state != OFFERED)
    done = COROD_GONE;
  else if (o->kind != kind || (*group && *group != o->group))
    done = COROD_MISUSE;
  else {
    o->state = TAKEN;
    *object = o->object;
    *group = o->group;
  }
  pthread_mutex_unlock(&table.lock);
  return done;
}

void corod_share_returned(uint64_t token) {
  pthread_mutex_lock(&table.lock);
  struct offer *o = at(token);
  if (o)
    leave(o);
  pthread_mutex_unlock(&table.lock);
}

bool corod_share_withdraw(uint64_t token) {
  void *object = NULL;
  enum corod_share_kind kind = 0;
  pthread_mutex_lock(&table.lock);
  struct offer *o = at(token);
  bool taken = o && o->state == TAKEN;
  if (o && !taken) {
    object = o->object;
    kind = o->kind;
    leave(o);
  }
  pthread_mutex_unlock(&table.lock);
  if (object)
    give_back(kind, object);
  return !taken;
}

bool corod_share_out(uint64_t token) {
  pthread_mutex_lock(&table.lock);
  bool out = at(token) != NULL;
  pthread_mutex_unlock(&table.lock);
  return out;
}

uint64_t corod_share_unique(void) {
  pthread_mutex_lock(&table.lock);
  uint64_t unique = ++table.unique;
  pthread_mutex_unlock(&table.lock);
  return unique;
}
