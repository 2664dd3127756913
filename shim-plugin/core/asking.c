// asking.c: a NODE as its parts arrive, and whether it may be. What is wrong is kept until NODE_END and answered there.
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// Keeps the first thing that is wrong.
__attribute__((format(printf, 3, 4))) static void wrong(struct corod_asking *asking, uint32_t status,
                                                        const char *format, ...) {
  va_list args;
  if (asking->status != COROD_OK)
    return;
  asking->status = status;
  va_start(args, format);
  vsnprintf(asking->text, sizeof asking->text, format, args);
  va_end(args);
}

static bool printable(const char *text) {
  for (; *text; text++)
    if (*text < ' ' || *text == 127)
      return false;
  return true;
}

static bool keeps(const struct corod_asking *asking) {
  const struct corod_node_ask *ask = &asking->ask;
  return ask->next <= COROD_MAX_NEXT && ask->counters <= COROD_MAX_COUNTERS && ask->codes <= COROD_MAX_CODES;
}

static void check_ask(struct corod_session *session, struct corod_asking *asking) {
  const struct corod_node_ask *ask = &asking->ask;
  uint32_t rings[] = {ask->event_ring, ask->reply_ring, ask->command_ring};
  if (!corod_name_valid(ask->name))
    wrong(asking, COROD_NAME_INVALID, "node name: %s", corod_status_text(COROD_NAME_INVALID));
  if (!keeps(asking))
    wrong(asking, COROD_LIMIT, "a node has at most %d next nodes, %d counters and %d messages", COROD_MAX_NEXT,
          COROD_MAX_COUNTERS, COROD_MAX_CODES);
  for (int i = 0; i < 3; i++)
    if (rings[i] > COROD_RING_MAX)
      wrong(asking, COROD_LIMIT, "a ring of %u bytes: at most %u", rings[i], COROD_RING_MAX);
  if (ask->executor >= COROD_MAX_EXECUTORS || !session->bells[ask->executor].words)
    wrong(asking, COROD_LIMIT, "executor %u: there is no such executor", ask->executor);
  if (ask->overflow > COROD_OVERFLOW_DROP_NEWEST)
    wrong(asking, COROD_UNSUPPORTED, "overflow policy %u: there are 0 to 2", ask->overflow);
}

void corod_registration_begin(struct corod_session *session, const struct corod_message *m) {
  struct corod_asking *asking = &session->asking;
  *asking = (struct corod_asking){.active = true, .ask = m->node};
  memcpy(asking->spec.name, m->node.name, sizeof asking->spec.name);
  check_ask(session, asking);
  // As much as was announced; nothing is kept of one that announced too much.
  asking->spec.next = calloc(keeps(asking) ? asking->ask.next + 1u : 1, sizeof *asking->spec.next);
  asking->spec.counters = calloc(keeps(asking) ? asking->ask.counters + 1u : 1, sizeof *asking->spec.counters);
  asking->codes = calloc(keeps(asking) ? asking->ask.codes + 1u : 1, sizeof *asking->codes);
  if (!asking->spec.next || !asking->spec.counters || !asking->codes)
    corod_session_fail(session, "no memory for a registration");
}

static void add_next(struct corod_asking *asking, const struct corod_next_ask *next) {
  if (!next->name[0] || !printable(next->name) || strchr(next->name, '%') || strchr(next->name, ' '))
    wrong(asking, COROD_NAME_INVALID, "next node %u: no such name can be", next->index);
  for (uint32_t i = 0; i < asking->spec.n_next; i++)
    if (!strcmp(asking->spec.next[i], next->name))
      wrong(asking, COROD_NAME_TAKEN, "next node %s is named twice", next->name);
  memcpy(asking->spec.next[asking->spec.n_next++], next->name, COROD_NAME);
}

static void add_counter(struct corod_asking *asking, const struct corod_counter_ask *counter) {
  struct corod_counter_spec *spec = &asking->spec.counters[asking->spec.n_counters];
  if (!corod_name_valid(counter->name))
    wrong(asking, COROD_NAME_INVALID, "counter %u: %s", counter->index, corod_status_text(COROD_NAME_INVALID));
  if (!printable(counter->text) || counter->severity > COROD_SEVERITY_ERROR)
    wrong(asking, COROD_MALFORMED, "counter %u: text must be printable, severity 0 to 2", counter->index);
  for (uint32_t i = 0; i < asking->spec.n_counters; i++)
    if (!strcmp(asking->spec.counters[i].name, counter->name))
      wrong(asking, COROD_NAME_TAKEN, "counter %s is named twice", counter->name);
  memcpy(spec->name, counter->name, sizeof spec->name);
  memcpy(spec->text, counter->text, sizeof spec->text);
  spec->severity = counter->severity;
  asking->spec.n_counters++;
}

static void add_code(struct corod_asking *asking, const struct corod_code_ask *code, uint32_t max_event) {
  if (code->code >= COROD_CODE_RESERVED && code->code != COROD_CODE_INTERFACE)
    wrong(asking, COROD_TYPE_UNKNOWN, "code %u is corod's own: use codes below %u", code->code, COROD_CODE_RESERVED);
  if (code->max_size > max_event)
    wrong(asking, COROD_TOO_BIG, "code %u: messages of %u bytes, the host takes %u", code->code, code->max_size,
          max_event);
  uint32_t at = asking->n_codes;
  for (; at > 0 && asking->codes[at - 1].code >= code->code; at--) {
    if (asking->codes[at - 1].code == code->code)
      wrong(asking, COROD_NAME_TAKEN, "code %u is declared twice", code->code);
    asking->codes[at] = asking->codes[at - 1];
  }
  asking->codes[at] = *code;
  asking->n_codes++;
}

void corod_registration_part(struct corod_session *session, const struct corod_message *m) {
  struct corod_asking *asking = &session->asking;
  uint32_t announced = m->type == COROD_MSG_NEXT      ? asking->ask.next
                       : m->type == COROD_MSG_COUNTER ? asking->ask.counters
                                                      : asking->ask.codes;
  uint32_t *arrived = m->type == COROD_MSG_NEXT      ? &asking->spec.n_next
                      : m->type == COROD_MSG_COUNTER ? &asking->spec.n_counters
                                                     : &asking->n_codes;
  if (*arrived >= announced || (m->type != COROD_MSG_CODE && m->next.index != *arrived))
    corod_session_fail(session, "a part of a node that was not announced");
  else if (!keeps(asking))
    ++*arrived; // answered at the end, but the parts still have to go by
  else if (m->type == COROD_MSG_NEXT)
    add_next(asking, &m->next);
  else if (m->type == COROD_MSG_COUNTER)
    add_counter(asking, &m->counter);
  else
    add_code(asking, &m->code, session->core->config.max_event);
}

void corod_registration_forget(struct corod_asking *asking) {
  free(asking->spec.next);
  free(asking->spec.counters);
  free(asking->codes);
  memset(asking, 0, sizeof *asking);
}
