// slots.c: the life of a slot in an attachment: opened, given turns, left when its last command has run.
#include "internal.h"

void corod_slot_open(struct corod_slot *slot, uint32_t executor, const struct corod_plot *plot) {
  slot->plot = *plot;
  slot->tenure++;
  slot->executor = executor;
  slot->commands = (struct corod_reader){.data = plot->command,
                                         .tail_word = &plot->b->command_tail,
                                         .head_word = &plot->a->command_head,
                                         .size = plot->command_place.size};
  slot->replies = (struct corod_writer){.data = plot->reply,
                                        .tail_word = &plot->a->reply_tail,
                                        .head_word = &plot->b->reply_head,
                                        .size = plot->reply_place.size};
  slot->open = true;
}

bool corod_slot_turn(struct corod_core *core, struct corod_slot *slot, uint32_t *budget) {
  if (slot->node) {
    corod_relay_pump(slot->node);
    corod_deadline_look(slot->node);
  }
  corod_replies_pump(core, slot);
  return core->session->failed || corod_commands_run(core, slot, budget);
}

void corod_slot_leave(struct corod_core *core, struct corod_slot *slot) {
  // The last look: what is published later does not count. A cursor that is none leaves the last good one.
  if (corod_reader_look(&slot->commands) != COROD_RING_SOME)
    core->stats.malformed++;
  corod_replies_drop(core, slot);
  corod_questions_drop_asker(core, slot);
  slot->open = false;
  slot->leaving = true;
  slot->leaving_next = NULL;
  *core->leaving_end = slot;
  core->leaving_end = &slot->leaving_next;
}

static bool leave_turn(struct corod_core *core) {
  uint32_t budget = core->config.budget;
  while (core->leaving) {
    struct corod_slot *slot = core->leaving;
    if (!corod_commands_run(core, slot, &budget))
      return false;
    core->leaving = slot->leaving_next;
    if (!core->leaving)
      core->leaving_end = &core->leaving;
    slot->leaving = false;
    // It may have answered with its last commands.
    if (slot->node)
      corod_questions_died(slot->node, false);
    if (slot->node && slot->node->removing)
      corod_registration_left(slot->node);
  }
  return true;
}

bool corod_slots_leave_turn(struct corod_core *core) {
  corod_burst_begin(core);
  bool done = leave_turn(core);
  corod_burst_end(core);
  return done;
}
