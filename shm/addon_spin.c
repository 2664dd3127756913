// addon_spin.c: the look before the sleep, as the last thing that Node's loop does before it blocks (uv_prepare).
//
// A bell that looks is not armed. So the loop must never block under it: each pass through here ends with the bell
// armed, or with its idle handle running. (That the loop had something else to do is not enough: what runs behind this
// handle may take that away.)
#include "addon.h"

#define TURN_NS 250000u // of finding and running, then the rest of the loop has a turn

static void on_prepare(uv_prepare_t *prepare) {
  struct corod_bell *bell = prepare->data;
  uint64_t begin = bell->looking ? corod_now() : 0;
  bell->holds++;
  while (bell->looking) {
    const struct corod_bell_words *words = &bell->end->words->to_daemon;
    uint64_t now = corod_now(), most = bell->spin.most;
    int timeout = uv_backend_timeout(prepare->loop); // ms; -1: for ever
    if (timeout > 0 && (uint64_t)timeout * 1000000u < most)
      most = (uint64_t)timeout * 1000000u;
    bool found = timeout ? corod_spin_look(words, now + most) : corod_bell_any(words);
    if (found || timeout)
      corod_spin_looked(&bell->spin, found);
    if (found && now - begin < TURN_NS)
      corod_bell_run(bell);
    else if (found || timeout == 0) {
      bell->looking = false;
      corod_bell_kick(bell);
    } else
      corod_bell_sleep(bell);
  }
  corod_bell_let_go(bell);
}

void corod_spin_open(struct corod_bell *bell, uint64_t most) {
  bell->spin.most = most;
  uv_prepare_init(bell->base->owner->loop, &bell->prepare);
  if (most) {
    uv_prepare_start(&bell->prepare, on_prepare);
    uv_unref((uv_handle_t *)&bell->prepare);
  }
}
