/* doorbell.pml: shm/doorbell.h and the sleep of its reader: is a wake-up ever lost?
 *
 * A writer publishes records in two slots whose bits share a word; a reader sleeps on a pipe. Every shared access is a
 * step of its own. Where doorbell.h has a full fence, the two accesses around it stay in order; without it each processor
 * may do them in the other order, and that is how a missing fence is modelled: both orders are tried.
 * Before it arms, the reader may look for as long as it likes (spin.h); what it finds it collects without having armed.
 * A lost wake-up is a reader that waits for the pipe while a record is unread: an end state that is not allowed.
 *
 * Mutants (-D), each of which must fail: NO_READER_FENCE, NO_WRITER_FENCE, NO_SECOND_LOOK, NO_RING, READY_FIRST,
 * SUMMARY_FIRST, PUBLISH_LATE, SLEEP_UNARMED.
 */
#ifndef RECORDS
#define RECORDS 4
#endif
#define PIPE 2 /* bytes that fit; more are dropped: a full pipe is a rung bell */

byte tail[2];         /* published records of each slot */
bit ready[2];         /* bits of one word; exchanged together */
bit summary;
bit sleeping;
byte bytes;           /* in the pipe */

inline set_bits(slot) {
#ifdef SUMMARY_FIRST
  summary = 1;
  ready[slot] = 1
#else
  d_step { old = ready[slot]; ready[slot] = 1 }
  if
  :: old -> if
            :: summary == 0 -> summary = 1
            :: else
            fi
  :: else -> summary = 1
  fi
#endif
}

inline ring() {
  if
  :: asked ->
       d_step { asked = sleeping; sleeping = 0 }
       if
       :: asked ->
#ifndef NO_RING
            d_step { if :: bytes < PIPE -> bytes++ :: else fi }
#else
            skip
#endif
       :: else
       fi
  :: else
  fi
}

active proctype writer() {
  byte n = 0, slot = 0;
  bit old, asked;
  do
  :: n < RECORDS ->
       if :: slot = 0 :: slot = 1 fi;
#ifndef PUBLISH_LATE
       tail[slot]++;
#endif
#ifdef NO_WRITER_FENCE
       if
       :: set_bits(slot); asked = sleeping
       :: asked = sleeping; set_bits(slot)
       fi;
#else
       set_bits(slot);
       asked = sleeping;
#endif
       ring();
#ifdef PUBLISH_LATE
       tail[slot]++;
#endif
       n++
  :: else -> break
  od
}

active proctype reader() {
  byte seen = 0, read0 = 0, read1 = 0;
  bit words, got0, got1, quiet, found;
  do
  :: seen < RECORDS ->
       /* look, unarmed */
       found = 0;
       do
       :: found == 0 -> found = (summary != 0)
       :: break
       od;
       if
       :: found -> goto collect
       :: else
       fi;
       /* arm */
#ifdef SLEEP_UNARMED
       quiet = 1;
#else
#ifdef NO_READER_FENCE
       if
       :: sleeping = 1; quiet = (summary == 0)
       :: quiet = (summary == 0); sleeping = 1
       fi;
#else
       sleeping = 1;
#ifdef NO_SECOND_LOOK
       quiet = 1;
#else
       quiet = (summary == 0);
#endif
#endif
#endif
       if
       :: quiet -> bytes > 0 -> bytes = 0 /* asleep here; then one bounded read */
       :: else
       fi;
collect:
       sleeping = 0;
#ifdef READY_FIRST
       d_step { got0 = ready[0]; got1 = ready[1]; ready[0] = 0; ready[1] = 0 }
       d_step { words = summary; summary = 0 }
#else
       d_step { words = summary; summary = 0 }
       if
       :: words -> d_step { got0 = ready[0]; got1 = ready[1]; ready[0] = 0; ready[1] = 0 }
       :: else -> d_step { got0 = 0; got1 = 0 }
       fi;
#endif
       /* drain the slots that are ready: their tails are looked at once */
       if
       :: got0 -> d_step { seen = seen + tail[0] - read0; read0 = tail[0] }
       :: else
       fi;
       if
       :: got1 -> d_step { seen = seen + tail[1] - read1; read1 = tail[1] }
       :: else
       fi
  :: else -> break
  od
}
