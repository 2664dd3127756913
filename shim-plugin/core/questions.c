// questions.c: events whose senders wait for an answer: who asked, whose the answer is, and until when.
//
// A question ends exactly once, and its asker hears of it exactly once: by the node's answer, by its deadline, by the
// end of the node, or because the event was dropped. An asker that is gone takes its questions with it.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "internal.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define INDEX_BITS 14 // of a handle; the rest counts the uses of the place
#define FIRST_PLACES 64u
static_assert(COROD_QUESTIONS == 1u << INDEX_BITS, "an index of the table fits into a handle");

// ---- the heap: nearest deadline first

static void put(struct corod_questions *all, uint32_t at, struct corod_question *question) {
  all->heap[at] = question;
  question->at = at;
}

static void rise(struct corod_questions *all, uint32_t at, struct corod_question *question) {
  for (; at > 0 && question->deadline < all->heap[(at - 1) / 2]->deadline; at = (at - 1) / 2)
    put(all, at, all->heap[(at - 1) / 2]);
  put(all, at, question);
}

static void sink(struct corod_questions *all, uint32_t at, struct corod_question *question) {
  for (uint32_t child; (child = 2 * at + 1) < all->n; at = child) {
    if (child + 1 < all->n && all->heap[child + 1]->deadline < all->heap[child]->deadline)
      child++;
    if (question->deadline <= all->heap[child]->deadline)
      break;
    put(all, at, all->heap[child]);
  }
  put(all, at, question);
}

static void take_off_heap(struct corod_questions *all, const struct corod_question *question) {
  struct corod_question *last = all->heap[--all->n];
  if (last == question)
    return;
  // The last one fills the hole: it belongs above or below.
  if (question->at > 0 && last->deadline < all->heap[(question->at - 1) / 2]->deadline)
    rise(all, question->at, last);
  else
    sink(all, question->at, last);
}

// ---- the timer

// Only a nearer deadline sets it; one that was answered leaves it as it is, and it goes off for nothing.
static void arm(struct corod_core *core) {
  struct corod_questions *all = &core->questions;
  uint64_t nearest = all->n ? all->heap[0]->deadline : UINT64_MAX, now = corod_now(core);
  if (nearest >= all->armed)
    return;
  uint64_t wait = nearest > now ? nearest - now : 1;
  struct itimerspec at = {.it_value = {(time_t)(wait / 1000000000), (long)(wait % 1000000000)}};
  if (timerfd_settime(all->fd, 0, &at, NULL) == 0)
    all->armed = nearest;
}

static void expired(void *arg) {
  struct corod_core *core = arg;
  struct corod_questions *all = &core->questions;
  uint64_t times, now = corod_now(core);
  if (read(all->fd, &times, sizeof times) < 0 && errno == EAGAIN)
    return;
  all->armed = UINT64_MAX;
  corod_burst_begin(core);
  while (all->n && all->heap[0]->deadline <= now) {
    core->stats.unanswered_in_time++;
    corod_question_end(core, all->heap[0], COROD_TIMEOUT, NULL, 0);
  }
  corod_burst_end(core);
  arm(core);
  corod_session_settle(core);
}

bool corod_questions_open(struct corod_core *core) {
  struct corod_questions *all = &core->questions;
  all->free = all->last_free = COROD_QUESTIONS;
  all->told_end = &all->told;
  all->armed = UINT64_MAX;
  all->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (all->fd < 0)
    return false;
  all->token = core->ops->watch(core->host, all->fd, expired, core, "corod: deadlines of answers");
  return all->token >= 0;
}

void corod_questions_close(struct corod_core *core) {
  struct corod_questions *all = &core->questions;
  if (all->token >= 0)
    core->ops->unwatch(core->host, all->token);
  if (all->fd >= 0)
    close(all->fd);
  free(all->places);
  free(all->heap);
}

// ---- the table

// Places are used again in the order in which they became free, the longest free first.
static bool grow(struct corod_questions *all) {
  uint32_t size = all->size ? all->size * 2 : FIRST_PLACES;
  if (size > COROD_QUESTIONS)
    return false;
  struct corod_question_place *places = realloc(all->places, size * sizeof *places);
  if (places)
    all->places = places;
  struct corod_question **heap = places ? realloc(all->heap, size * sizeof(struct corod_question *)) : NULL;
  if (!heap)
    return false;
  all->heap = heap;
  for (uint32_t i = all->size; i < size; i++)
    places[i] = (struct corod_question_place){.next = i + 1 < size ? i + 1 : COROD_QUESTIONS};
  all->free = all->size; // there was none
  all->last_free = size - 1;
  all->size = size;
  return true;
}

struct corod_question *corod_question_find(struct corod_core *core, uint32_t handle) {
  uint32_t index = handle & (COROD_QUESTIONS - 1);
  struct corod_question *question = index < core->questions.size ? core->questions.places[index].question : NULL;
  return question && question->handle == handle ? question : NULL;
}

static void link_to(struct corod_question **list, struct corod_question *question, int i) {
  question->next[i] = *list;
  question->previous[i] = list;
  if (*list)
    (*list)->previous[i] = &question->next[i];
  *list = question;
}

static void unlink_from(struct corod_question *question, int i) {
  if (!question->previous[i])
    return;
  *question->previous[i] = question->next[i];
  if (question->next[i])
    question->next[i]->previous[i] = question->previous[i];
}

struct corod_question *corod_question_new(struct corod_node *node, const struct corod_asker *asker, uint32_t *status) {
  struct corod_core *core = node->core;
  struct corod_questions *all = &core->questions;
  *status = COROD_LIMIT;
  if (asker->slot && asker->slot->n_asked >= COROD_QUESTIONS_OF_SLOT)
    return NULL;
  if (all->free == COROD_QUESTIONS && !grow(all))
    return NULL;
  struct corod_question *question = calloc(1, sizeof *question);
  *status = COROD_NO_MEMORY;
  if (!question)
    return NULL;
  uint32_t index = all->free;
  struct corod_question_place *place = &all->places[index];
  all->free = place->next;
  place->question = question;
  place->uses = (place->uses + 1) & (UINT32_MAX >> INDEX_BITS);
  place->uses += place->uses == 0; // no handle is 0
  question->handle = place->uses << INDEX_BITS | index;
  question->node = node;
  question->asker = *asker;
  link_to(&node->questions, question, COROD_LIST_NODE);
  if (asker->slot) {
    link_to(&asker->slot->asked, question, COROD_LIST_ASKER);
    asker->slot->n_asked++;
  }
  question->deadline = asker->deadline;
  rise(all, all->n++, question);
  arm(core);
  core->stats.asked++;
  *status = COROD_OK;
  return question;
}

// Nobody finds it any more.
static void forget(struct corod_core *core, struct corod_question *question) {
  struct corod_questions *all = &core->questions;
  uint32_t index = question->handle & (COROD_QUESTIONS - 1);
  take_off_heap(all, question);
  unlink_from(question, COROD_LIST_NODE);
  unlink_from(question, COROD_LIST_ASKER);
  if (question->asker.slot)
    question->asker.slot->n_asked--;
  all->places[index].question = NULL;
  all->places[index].next = COROD_QUESTIONS;
  if (all->free == COROD_QUESTIONS)
    all->free = index;
  else
    all->places[all->last_free].next = index;
  all->last_free = index;
}

void corod_question_drop(struct corod_core *core, struct corod_question *question) {
  forget(core, question);
  free(question);
}

// ---- ends

void corod_question_end(struct corod_core *core, struct corod_question *question, uint32_t status, const void *bytes,
                        uint32_t n) {
  struct corod_slot *slot = question->asker.slot;
  struct corod_accepted accepted = {question->seq};
  uint32_t head = slot ? sizeof accepted : 0;
  uint8_t *copy = head + n ? malloc(head + n) : NULL;
  if (head + n && !copy)
    status = COROD_NO_MEMORY, n = head = 0;
  if (head)
    memcpy(copy, &accepted, head);
  if (n)
    memcpy(copy + head, bytes, n);
  forget(core, question);
  if (slot) {
    corod_reply_owned(core, slot, question->asker.call, status, copy, head + n);
    free(question);
    return;
  }
  // A function of the host's is called from the bottom of the stack: it may do whatever it likes there.
  struct corod_questions *all = &core->questions;
  question->status = status;
  question->bytes = copy;
  question->n = n;
  question->next[COROD_LIST_ASKER] = NULL;
  *all->told_end = question;
  all->told_end = &question->next[COROD_LIST_ASKER];
  corod_again(core);
}

void corod_questions_tell(struct corod_core *core) {
  struct corod_questions *all = &core->questions;
  while (all->told) {
    struct corod_question *question = all->told;
    all->told = question->next[COROD_LIST_ASKER];
    if (!all->told)
      all->told_end = &all->told;
    question->asker.answered(question->asker.arg, question->status, question->bytes, question->n);
    free(question->bytes);
    free(question);
  }
}

void corod_ask_cancel(struct corod_core *core, uint32_t handle) {
  struct corod_questions *all = &core->questions;
  struct corod_question *question = corod_question_find(core, handle);
  if (question && question->asker.slot)
    return; // not the host's
  if (question) {
    corod_question_drop(core, question);
    return;
  }
  for (struct corod_question **at = &all->told; (question = *at); at = &question->next[COROD_LIST_ASKER]) {
    if (question->handle != handle)
      continue;
    *at = question->next[COROD_LIST_ASKER];
    if (!*at)
      all->told_end = at;
    free(question->bytes);
    free(question);
    return;
  }
}

uint32_t corod_question_answer(struct corod_core *core, const struct corod_node *node, uint32_t handle, uint32_t status,
                               const void *bytes, uint32_t n) {
  struct corod_question *question = corod_question_find(core, handle);
  if (status != COROD_OK && status != COROD_REFUSED && status != COROD_UNANSWERED && status != COROD_DIED)
    return COROD_MALFORMED;
  if (n > COROD_MAX_EVENT)
    return COROD_TOO_BIG;
  if (!question || !node || question->node != node) {
    core->stats.answers_unwanted++;
    return COROD_STALE;
  }
  core->stats.answered++;
  corod_question_end(core, question, status, bytes, n);
  return COROD_OK;
}

uint32_t corod_question_delivered(struct corod_core *core, uint32_t handle) {
  struct corod_question *question = handle ? corod_question_find(core, handle) : NULL;
  if (!question)
    return 0;
  question->in_ring = true;
  return handle;
}

void corod_question_returned(struct corod_core *core, uint32_t handle) {
  struct corod_question *question = corod_question_find(core, handle);
  if (question)
    question->in_ring = false;
}

void corod_questions_died(struct corod_node *node, bool all) {
  struct corod_question *next;
  for (struct corod_question *question = node->questions; question; question = next) {
    next = question->next[COROD_LIST_NODE];
    if (all || question->in_ring)
      corod_question_end(node->core, question, COROD_DIED, NULL, 0);
  }
}

void corod_questions_drop_asker(struct corod_core *core, struct corod_slot *slot) {
  while (slot->asked)
    corod_question_drop(core, slot->asked);
}
