// view.h: an attachment without a conversation: one executor and its slots, used by another thread than the
// attachment's.
//
// The attachment's thread lends (attach_share.c), the other thread takes: an executor end of its own, then slots as
// they are registered. What a view holds lives as long as the view, whatever becomes of the attachment; that the host
// is gone shows at the doorbell. Values that come from another thread of this process are true or not there (share.h).
#ifndef COROD_VIEW_H
#define COROD_VIEW_H

#include "slot.h"

struct corod_view {
  struct corod_executor_end *end; // NULL: closed
  uint64_t token, group;
  uint64_t tokens[COROD_MAX_SLOTS]; // of the slots on `end`
  char why[320];                    // it ended for that; empty: it did not
};

// Takes a shared executor. DONE, MISUSE (not an executor), GONE, MEMORY.
int corod_view_open(struct corod_view **view, uint64_t token);

// Takes a slot of this executor. It is ready at once. DONE, MISUSE (not a slot, or of another executor), GONE.
int corod_view_add(struct corod_view *v, uint64_t token);

// Publishes what was pushed, then lets go of a slot: from here on the attachment may give it back to the host. DONE, or
// MISUSE: not there.
int corod_view_remove(struct corod_view *v, uint32_t slot);

// Notes why the view must end, unless it has ended.
void corod_view_end(struct corod_view *v, const char *why);

// Lets go of everything as it is; publishes nothing. Idempotent.
void corod_view_close(struct corod_view *v);
void corod_view_free(struct corod_view *v);

#endif
