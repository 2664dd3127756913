/* space.pml: a full ring: does the one who waits for room always hear of it?
 *
 * A writer with more records than the ring holds; it sets `starved`, looks again, and waits. A reader that takes records,
 * releases them one by one or all at once, and rings if `starved` was set. Both bells are taken as reliable (that is
 * doorbell.pml); the question here is whether they are rung. A missing fence is both orders of the two accesses.
 *
 * Mutants (-D), each of which must fail: NO_SETTER_FENCE, NO_TAKER_FENCE, NO_SECOND_LOOK, NO_BELL, RELEASE_LATE.
 */
#ifndef RECORDS
#define RECORDS 5
#endif
#define SIZE 2

byte tail, head;      /* published, released */
bit starved;
bit room, records;    /* the bells: to the writer, to the reader */

active proctype writer() {
  byte n = 0;
  byte seen = 0;      /* the reader's cursor as last looked at */
  do
  :: n < RECORDS ->
       if
       :: n - seen < SIZE -> n++; tail = n; records = 1
       :: else ->
            seen = head;
            if
            :: n - seen < SIZE
            :: else ->
#ifdef NO_SETTER_FENCE
                 if
                 :: starved = 1; seen = head
                 :: seen = head; starved = 1
                 fi;
#else
                 starved = 1;
#ifndef NO_SECOND_LOOK
                 seen = head;
#endif
#endif
                 if
                 :: n - seen < SIZE
                 :: else -> room == 1 -> room = 0 /* asleep here */
                 fi
            fi
       fi
  :: else -> break
  od
}

active proctype reader() {
  byte read = 0;
  bit wanted;
  do
  :: head < RECORDS ->
       records == 1 -> records = 0; /* asleep here */
       do
       :: read < tail ->
            if
            :: read++
            :: read = tail
            fi;
#ifdef NO_TAKER_FENCE
            if
            :: head = read; wanted = starved
            :: wanted = starved; head = read
            fi;
#else
#ifdef RELEASE_LATE
            wanted = starved;
            head = read;
#else
            head = read;
            wanted = starved;
#endif
#endif
            if
            :: wanted ->
                 d_step { wanted = starved; starved = 0 }
                 if
#ifndef NO_BELL
                 :: wanted -> room = 1
#endif
                 :: else
                 fi
            :: else
            fi
       :: else -> break
       od
  :: else -> break
  od
}
