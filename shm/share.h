// share.h: what is on its way from the thread of an attachment to another thread of this process.
//
// A table of the process, under a lock: who takes something out of it by its token has it alone. So JavaScript passes
// numbers between threads, never descriptors: a number that is used twice, invented, or outlived is found out here, and
// what never arrives is given back when its attachment ends. Any thread may call all of this.
#ifndef COROD_SHARE_H
#define COROD_SHARE_H

#include <stdbool.h>
#include <stdint.h>

enum corod_share_kind {
  COROD_SHARE_EXECUTOR = 1, // a struct corod_executor_end
  COROD_SHARE_SLOT = 2,     // a struct corod_slot that is on no executor
};

// Puts `object` into the table; it is the table's until it is taken. `group` says what belongs together. A token below
// 2^53, or 0: out of memory, and the object stays the caller's.
uint64_t corod_share_offer(enum corod_share_kind kind, void *object, uint64_t group);

// Takes an object: it is the caller's now. `*group` 0: of any group, and `*group` is set; else of that group only.
// DONE, MISUSE (of another kind or group: it stays offered), or GONE (not there, or taken).
int corod_share_take(uint64_t token, enum corod_share_kind kind, uint64_t *group, void **object);

// Who took an object has freed it: the token is gone.
void corod_share_returned(uint64_t token);

// Frees an object that was not taken. False: somebody has it.
bool corod_share_withdraw(uint64_t token);

// Whether somebody has the object, or could still take it.
bool corod_share_out(uint64_t token);

// A number that no other call has given, below 2^32: what attachments make their groups of.
uint64_t corod_share_unique(void);

#endif
