/* handover.pml: the daemon dies at any moment: is an event lost, or delivered again without its mark?
 *
 * The host keeps every event until it was released. The daemon hands events over (one at a time, or several in a turn),
 * each event pushes one command, and what is done is released with the turn, behind its commands. It may be killed
 * between any two steps, CRASHES times; what it has stored is seen, what it has not stored is not. The host then executes
 * the commands that were published, and carries unreleased events over into a new attachment: those before `handed` are
 * marked. Replies come through a ring of their own: an event that waits for one is in hand, and pins the event ring.
 *
 * Mutants (-D), each of which must fail: HANDED_LATE, RELEASE_FIRST, COMMANDS_LATE, NO_CARRY, NO_MARK, REPLY_BEHIND.
 */
#ifndef EVENTS
#define EVENTS 4
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define RING 2

/* shared words of the present attachment, in events from its start */
byte tail, head, handed;
byte commands;            /* published commands; commands[i] is of event order[i] */
byte order[16];
bit reply;                /* the reply of the event in hand is in the reply ring */
bit asked;                /* the event in hand has asked for a reply */

/* the host's own */
byte base;                /* events before it are released: never again */
byte executed;            /* commands executed, of `commands` */
bit effect[EVENTS];       /* the event's command was executed */
bit mark[EVENTS];         /* the event was handed over by a daemon that died */

/* what the checker knows */
bit started[EVENTS];      /* a coroutine has seen it */
bit gone[EVENTS];         /* it was released */
byte crashes;
bit alive = 1;
bit over;

inline execute() {
  d_step {
    do
    :: executed < commands -> effect[order[executed]] = 1; executed++
    :: else -> break
    od
  }
}

/* The host, while the daemon lives: fills the ring, executes, replies, takes note of releases. */
active proctype host() {
  byte i;
  do
  :: alive && base + tail < EVENTS && tail - head < RING -> tail++
  :: alive && executed < commands -> execute()
  :: alive && asked && !reply ->
#ifdef REPLY_BEHIND
       /* a record of the event ring: it needs room there, and is read after the events before it */
       if
       :: tail - head < RING -> reply = (handed == tail)
       fi
#else
       reply = 1
#endif
  :: !alive && !over ->
       /* the daemon is dead: freeze, execute what was published, carry over */
       execute();
       d_step {
         i = 0;
         do
         :: i < handed ->
              if
              :: i >= head ->
#ifndef NO_MARK
                   mark[base + i] = 1
#else
                   skip
#endif
              :: else -> gone[base + i] = 1
              fi;
              i++
         :: else -> break
         od;
#ifdef NO_CARRY
         base = base + tail;
#else
         base = base + head;
#endif
         tail = 0; head = 0; handed = 0; commands = 0; executed = 0; asked = 0; reply = 0;
         alive = 1
       }
       run daemon()
  :: over -> break
  od;
  execute()
}

/* Any step of the daemon may be its last. */
#define MAY_DIE if :: crashes < CRASHES -> d_step { crashes++; alive = 0 } goto dead :: skip fi

proctype daemon() {
  byte e, done = 0, pushed = 0, turn, mine[RING + 1];
  byte mine_count;
  do
  :: handed < tail ->
       /* a turn: some of the events that are there */
       turn = 0;
       do
       :: handed < tail ->
            e = base + handed;
#ifdef RELEASE_FIRST
            head = handed + 1; MAY_DIE;
#endif
#ifndef HANDED_LATE
            handed++; MAY_DIE;
#endif
            /* the coroutine sees it */
            assert(!gone[e]);
            assert(!started[e] || mark[e]);
            started[e] = 1; MAY_DIE;
#ifdef HANDED_LATE
            handed++; MAY_DIE;
#endif
            /* it asks for a reply and waits, or not */
            if
            :: asked = 1; MAY_DIE; reply == 1; d_step { asked = 0; reply = 0 }
            :: skip
            fi;
            mine[turn] = e;
            turn++;
            done = handed;
            if
            :: break
            :: turn < RING
            fi
       :: else -> break
       od;
       /* the end of the turn: commands, then what is done */
#ifdef COMMANDS_LATE
       head = done; MAY_DIE;
#endif
       mine_count = 0;
       do
       :: mine_count < turn ->
            d_step { order[commands] = mine[mine_count]; commands++; mine_count++ }
            MAY_DIE
       :: else -> break
       od;
#if !defined(COMMANDS_LATE) && !defined(RELEASE_FIRST)
       head = done; MAY_DIE;
#endif
  :: base + handed == EVENTS && handed == tail -> over = 1; goto dead
  od;
dead:
  skip
}

init { run daemon() }

/* Checked when everything has ended. */
active proctype audit() {
  byte i = 0;
  over && executed == commands;
  do
  :: i < EVENTS -> assert(effect[i]); i++
  :: else -> break
  od
}
