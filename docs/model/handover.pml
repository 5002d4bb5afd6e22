/*
 * One start by the facade: the launcher, its daemon, and a process that inherits all that the daemon
 * has inherited. README.md says what this leaves out.
 *
 * Each statement is one step; between two steps any other process runs, or is killed. A d_step is one
 * step of several statements.
 *
 * Settings:  KILLS    how many SIGKILLs there are, each at any step of the launcher or the daemon
 *            HEIR     there is such a process, which runs the same program; and no Ctrl-C
 *            PATIENT  readyTimeout never ends; otherwise it may end at any step
 * Every other macro changes one step: see the tables in README.md.
 */
#ifndef KILLS
#define KILLS 1
#endif

#define NOBODY   0
#define LAUNCHER 1
#define DAEMON   2
#define OTHER    3 /* the heir */

/* The processes. A process that has ended has closed its descriptors. */
bool runs[4];
#define HAS_ENDED(p) (!runs[p])

/* readiness: Handshake, the file in memory. */
byte named;             /* the process that the launcher has named */
bool emptied;

/* The pipe of answers, from the launcher. Nobody else can write to it. */
#define NAMED     1
#define CONFIRMED 2
chan answers = [2] of { byte };
bool answersClosed;     /* by the launcher's end */
bool copies;            /* the launcher has copies of the daemon's ends of both pipes */
#define HAS_READER (runs[DAEMON] || runs[OTHER] || copies)

/* The pipe of messages, to the launcher. */
#define READY  1
#define FAILED 2
chan messages = [2] of { byte };
#define HAS_WRITER (runs[DAEMON] || runs[OTHER] || copies)

/* The launcher's verdict, and its files. */
#define NONE    0
#define STARTED 1       /* exit status 0 */
#define GAVE_UP 2
byte verdict;
bool decided;
bool deciding;          /* a thread of the launcher is in confirm(), which is synchronized */
bool takenBack;         /* its files are as before */

/* The daemon's ReadinessReport. */
#define STARTING  0
#define IS_READY  1
#define HAS_FAILED 2
#define ABANDONED 3
byte report;
bool listening;
bool serves;            /* it does its work, for good */

/* The properties' names. None is ever true: a violated assertion tells its name. */
bool H1, H2, H3, H4, H5, H6, H7, L4, L7;

/* What the properties remember. */
bool confirmed;         /* the launcher has written the confirmation */
bool livedThen;         /* the daemon lived when the launcher looked, right before it */
bool livedYet;          /* the daemon lived when it was written */
bool saidReady;

/* ---------------------------------------------------------------------- the kernel */

inline end_process(p) {
  if
  :: p == LAUNCHER && runs[p] -> runs[p] = false; answersClosed = true; copies = false
  :: p != LAUNCHER && runs[p] -> runs[p] = false; if :: p == DAEMON -> listening = false; serves = false :: else fi
  :: else
  fi
}

/* ---------------------------------------------------------------------- PendingDaemon */

/* Detached.signalGroup: TERM, KILL, and the wait for the end. */
inline end_daemon() {
  d_step { end_process(DAEMON); end_process(OTHER) }
}

inline give_up() { /* failed and stop: the first decision counts */
#ifdef DECIDED_TWICE
  if
  :: true ->
#else
  if
  :: decided -> skip
  :: d_step { !decided && !deciding -> decided = true };
#endif
#ifdef UNDO_BEFORE_END
     takenBack = true;
     end_daemon();
#else
     end_daemon();
     takenBack = true; /* DaemonFiles.undo */
#endif
     assert(H6 || verdict == NONE); /* a start is decided once */
     verdict = GAVE_UP;
     printf("the launcher gives up\n")
  fi
}

inline confirm() {
  if
  :: decided -> ok = false
  :: d_step { !decided && !deciding -> deciding = true }; /* synchronized, as is giving up */
#ifdef READER_IS_THE_DAEMON
     d_step { ok = true; livedThen = runs[DAEMON] };
#else
     d_step { ok = runs[DAEMON]; livedThen = ok }; /* the pipe may have another reader */
#endif
     if
     :: !ok -> skip
     :: d_step { ok && HAS_READER -> answers!CONFIRMED; confirmed = true; livedYet = runs[DAEMON] }
     :: ok && !HAS_READER -> ok = false /* EPIPE */
     fi;
     if
     :: ok ->
        assert(H6 || verdict == NONE); /* a start is decided once */
        decided = true; verdict = STARTED; printf("the launcher has confirmed\n")
     :: else
     fi;
     deciding = false
  fi
}

proctype launcher() {
  byte message;
  bool ok;
  {
    d_step { runs[DAEMON] = true };           /* Program.detach */
    named = DAEMON;                           /* LauncherEnd.started: Handshake.name */
    if
    :: d_step { HAS_READER -> answers!NAMED } /* and the letter */
    :: !HAS_READER                            /* EPIPE: it has ended */
    fi;
    copies = false;                           /* LauncherEnd.release */
    do
    :: messages?message ->
       if
       :: message == READY ->
          confirm();
          if
          :: !ok -> give_up()
          :: ok -> skip
          fi
       :: message == FAILED -> give_up()
       fi;
       break
#ifdef END_BY_THE_PIPE
    :: empty(messages) && !HAS_WRITER ->
#else
    :: empty(messages) && (!HAS_WRITER || HAS_ENDED(DAEMON)) -> /* Message.Ended: receive asks for both */
#endif
#ifdef END_IS_SUCCESS
       verdict = STARTED;
#else
       give_up();
#endif
       break
#ifndef PATIENT
    :: true -> give_up(); break
#endif
    od;
    printf("the launcher ends\n");
    d_step { end_process(LAUNCHER) }
  } unless { HAS_ENDED(LAUNCHER) }
}

/* Launcher.Interruption, a shutdown hook: at any step, Ctrl-C. */
proctype interruption() {
  {
    (runs[DAEMON] && named != NOBODY); /* before that, nothing is started: Launcher.steps */
    give_up();
    d_step { end_process(LAUNCHER) }
  } unless { HAS_ENDED(LAUNCHER) }
}

/* ---------------------------------------------------------------------- readiness: DaemonEnd */

inline read_answer(letter) {
  if
  :: answers?letter
  :: empty(answers) && answersClosed -> letter = 0
  fi
}

/* DaemonEnd.find. */
inline find(me, found) {
  if
  :: emptied -> found = false /* unreached: in the daemon's copy of this */
  :: else ->
#ifdef ID_NOT_ASKED_FOR
     found = true
#else
     seen = named;
     if
     :: seen == me -> found = true
     :: seen == NOBODY -> /* not named yet */
#ifdef NOT_WAITED_FOR
        found = false
#else
        read_answer(letter);
        found = (letter == 0 || named == me)
#endif
     :: else -> found = false /* unreached: in the daemon's copy of this */
     fi
#endif
  fi;
  if
  :: found -> emptied = true
  :: else
  fi
}

/* ---------------------------------------------------------------------- the daemon */

proctype daemon() {
  byte seen, letter;
  bool found;
end_not_started:
  runs[DAEMON];
  {
    find(DAEMON, found);
    if
#ifdef HEIR_LOOKS_AT_ONCE
    :: !found -> assert(L7) /* the daemon finds its launcher before such a child does */
#else
    :: !found -> assert(H7) /* the daemon finds its launcher */
#endif
    :: found
    fi;
#ifndef NO_LISTENER
    listening = true; /* ReadinessReport.begin */
#endif
    if
    :: true -> /* ready() */
#ifdef NOT_CONFIRMED
       if :: !HAS_ENDED(LAUNCHER) -> saidReady = true; messages!READY :: HAS_ENDED(LAUNCHER) fi;
       serves = true;
#else
       saidReady = true;
       if :: !HAS_ENDED(LAUNCHER) -> messages!READY :: HAS_ENDED(LAUNCHER) /* EPIPE */ fi;
       report != STARTING;
       if
       :: report == IS_READY -> serves = true
       :: else -> d_step { end_process(DAEMON) }
       fi;
#endif
end_serves:
       false
    :: true -> /* fail(), or an exception, as of a ready() that cannot be written */
       d_step { if :: report == STARTING -> report = HAS_FAILED :: else fi };
       if :: !HAS_ENDED(LAUNCHER) -> messages!FAILED :: HAS_ENDED(LAUNCHER) fi;
       d_step { end_process(DAEMON) }
    :: true -> /* exits without a word */
       d_step { end_process(DAEMON) }
    fi
  } unless { HAS_ENDED(DAEMON) }
}

/* ReadinessReport.listen: its thread. */
proctype listener() {
  byte letter;
end_not_listening:
  listening;
  {
    read_answer(letter); /* DaemonEnd.awaitLauncher */
#ifndef NAMED_IS_CONFIRMED
    if
    :: letter == NAMED -> read_answer(letter)
    :: else
    fi;
    if
    :: letter == CONFIRMED ->
#else
    if
    :: letter != 0 ->
#endif
       d_step { if :: report == STARTING -> report = IS_READY :: else fi }
    :: else ->
       d_step { if :: report == STARTING -> report = ABANDONED :: else fi };
       d_step { end_process(DAEMON); end_process(OTHER) } /* its process group, itself included */
    fi
  } unless { HAS_ENDED(DAEMON) }
}

#ifdef HEIR
/* A child of the daemon that has closed nothing, and runs the same program. */
proctype heir() {
  byte seen, letter;
  bool found;
end_not_started:
#ifdef HEIR_LOOKS_AT_ONCE
  (runs[DAEMON]);
#else
  (runs[DAEMON] && named != NOBODY); /* a program takes longer to begin than its launcher to name it */
#endif
  runs[OTHER] = true;
  {
    find(OTHER, found);
    assert(H7 || !found || HAS_ENDED(LAUNCHER)); /* nobody else does; it may find the end of the pipe */
end_of_heir:
    false
  } unless { HAS_ENDED(OTHER) }
}
#endif

/* ---------------------------------------------------------------------- everything else */

active proctype killer() {
  byte kills;
end_always:
  do
  :: d_step { kills < KILLS && runs[LAUNCHER] -> kills++; end_process(LAUNCHER); printf("SIGKILL for the launcher\n") }
  :: d_step { kills < KILLS && runs[DAEMON] -> kills++; end_process(DAEMON); printf("SIGKILL for the daemon\n") }
  od
}

active proctype properties() {
end_always:
  do
  :: verdict == STARTED && !(saidReady && livedThen) -> assert(H1) /* exit status 0: it was ready, and lived */
#if !defined(HEIR) || defined(TO_THE_LAST_MOMENT)
  :: verdict == STARTED && !livedYet -> assert(L4) /* that it lived when it was confirmed */
#endif
  :: serves && !confirmed -> assert(H2)         /* what serves was confirmed */
  :: verdict == GAVE_UP && (serves || runs[DAEMON] || !takenBack) -> assert(H3) /* a failed start leaves nothing */
  :: takenBack && runs[DAEMON] -> assert(H3)    /* its files are taken back after its end */
  :: timeout -> /* nothing can happen any more */
     assert(H4 || HAS_ENDED(LAUNCHER));         /* a launcher ends */
     assert(H5 || serves || HAS_ENDED(DAEMON)); /* a daemon that is not confirmed ends */
     break
  od
}

init {
  atomic {
    runs[LAUNCHER] = true; copies = true;
    run daemon(); run listener();
    run launcher();
#ifdef HEIR
    run heir()
#else
    run interruption()
#endif
  }
}
