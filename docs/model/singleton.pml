/*
 * One pidfile: its lock, its content and the guard; starts, stops and restarts at the same time, and
 * what else can happen to them. README.md says what this leaves out.
 *
 * Each statement is one step; between two steps any other process runs, or is killed. A d_step is one
 * step of several statements: a system call, or a choice of the kernel's.
 *
 * Settings:  KILLS         how many SIGKILLs there are, each at any step of an action or a daemon
 *            FROM, TO      of which processes, by the numbers below
 *            REMOVALS      how often an administrator, who has no lock, removes or replaces the pidfile
 *            PAIRS         any two of the three actions, and not all
 *            BY_NAME       every action is by one name: it takes the guard, and a start is recorded
 *            LAUNCHER_IDS  an action has a process id, too: perhaps that in a stale pidfile
 * Every other macro changes one step: see the tables in README.md.
 */
#ifndef KILLS
#define KILLS 1
#endif
#ifndef FROM
#define FROM 1
#endif
#ifndef TO
#define TO 6
#endif
#ifndef REMOVALS
#define REMOVALS 0
#endif

/* The processes. The number is a handle (a pidfd): it means one process, for good. */
#define NOBODY    0
#define START     1     /* daimon start, under the guard */
#define OTHER     2     /* another start; also without the guard, as the facade's */
#define STOP      3     /* daimon stop or restart */
#define DAEMON(a) (a + 3) /* that the action a starts */
#define BYSTANDER 7     /* any other program */
#define PROCESSES 8
#define IS_DAEMON(p) (p >= DAEMON(START) && p <= DAEMON(STOP))

/* The states of a process, in this order. */
#define FORKED 1        /* has inherited the open file, and not yet executed the program */
#define RUNS   2
#define CLOSED 3        /* ends: its files are closed, but its end is not visible yet */
#define GONE   4        /* a pidfd says so, and the id is free */
byte state[PROCESSES];
byte id[PROCESSES];     /* the process id; 0: none */
bool asked[PROCESSES];  /* SIGTERM was sent */
#define LIVES(p) (state[p] == FORKED || state[p] == RUNS || state[p] == CLOSED)

/* Files. A lock belongs to an open file, not to a process. An open file has the number of the action
   that opened it; the action's daemon inherits it. */
#define INODES 7
byte path;              /* the inode that the pidfile's path names; 0: there is no file */
byte content[INODES];   /* a process id; 0: empty */
byte lock[INODES];      /* the open file that has the lock; 0: not locked */
byte inode[4];          /* the inode of an open file; 0: not open */
byte file[PROCESSES];   /* the open file that a process has; 0: none */
byte looked;            /* the inode that the stop has open for reading, without a lock */
byte guard;             /* the action that has the guard */
byte recorded;          /* the daemon that was started last by the name */
#define OPENED(a)  inode[file[a]]
#define IN_USE(i)  (path == i || looked == i || inode[START] == i || inode[OTHER] == i || inode[STOP] == i)
#define AT_PATH(a) (path == OPENED(a))
#define FREE(a)    (lock[OPENED(a)] == 0)

/* The properties' names. None is ever true: a violated assertion tells its name. */
bool S1, S2, S3, S4, S5, S6, S7, S8, L1, L2, L3, L6;

/* What the properties remember. */
byte removals;          /* how often somebody without the lock has removed or replaced the file */
bool gaveUp[PROCESSES]; /* this daemon has removed its file, which is the last thing that it does */
bool executed[PROCESSES];
bool started[PROCESSES]; /* the action that made this daemon has returned 0 */
bool restarting;        /* a restart, under the guard, has stopped the daemon and not started one */

byte x, y, z;           /* of a d_step alone; 0 between them */

/* ---------------------------------------------------------------------- the kernel */

inline forget(i) {
  if :: !IN_USE(i) -> content[i] = 0 :: else fi
}

inline make_file() { /* O_CREAT: the lowest free inode, so that numbers are used again */
  x = 1;
  do :: IN_USE(x) -> x++; assert(x < INODES) :: else -> break od;
  path = x; x = 0
}

inline unlink() { x = path; path = 0; forget(x); x = 0 }

inline open_file(a) { file[a] = a; inode[a] = path }

inline close_file(p) { /* the last close of an open file releases its lock */
  x = file[p]; file[p] = 0;
  if
  :: x != 0 && file[x] != x && file[DAEMON(x)] != x ->
     y = inode[x]; inode[x] = 0;
     if :: lock[y] == x -> lock[y] = 0 :: else fi;
     forget(y); y = 0
  :: else
  fi;
  x = 0
}

inline lock_file(a) { lock[OPENED(a)] = file[a] }

inline find(number, result) { /* the process that has this id, and has not ended */
  result = NOBODY; x = 1;
  do
  :: x == PROCESSES -> break
  :: else -> if :: id[x] == number && number != 0 && LIVES(x) -> result = x :: else fi; x++
  od;
  x = 0
}

#define TAKEN(n) (id[1] == n || id[2] == n || id[3] == n || id[4] == n || id[5] == n || id[6] == n || id[7] == n)

/* fork, with the open file that is inherited. The kernel chooses the id: that in the pidfile, if it is
   free, or the lowest free one. */
inline fork_process(p, how, opened) {
  atomic {
    if
    :: path != 0 && content[path] != 0 && !TAKEN(content[path]) -> id[p] = content[path]
    :: d_step { true -> x = 1; do :: TAKEN(x) -> x++ :: else -> break od; id[p] = x; x = 0 }
    fi;
    file[p] = opened;
    state[p] = how
  }
}

/* The end of an action, also by SIGKILL. */
inline exit_action(a) {
  close_file(a);
  if :: guard == a -> guard = NOBODY :: else fi;
  if :: a == STOP -> y = looked; looked = 0; forget(y); y = 0; restarting = false :: else fi;
  state[a] = GONE; id[a] = 0; asked[a] = false
}

/* The end of a daemon, also by SIGKILL: the kernel closes its files first. */
inline exit_daemon(d) { close_file(d); state[d] = CLOSED; asked[d] = false }

inline kill_process(p) {
  printf("SIGKILL for %d\n", p);
  if
  :: IS_DAEMON(p) -> if :: state[p] != CLOSED -> exit_daemon(p) :: else fi
  :: else -> exit_action(p)
  fi
}

/* ---------------------------------------------------------------------- locking: SingletonLock */

/* SingletonLock.remove, by the holder. */
inline remove_file(a) {
#ifdef CLOSE_BEFORE_UNLINK
  yes = AT_PATH(a);
  d_step { close_file(a) };
  if :: yes -> d_step { unlink() } :: else fi;
#else
  yes = AT_PATH(a);
  if :: yes -> d_step { unlink() } :: else fi;
  d_step { close_file(a) };
#endif
  yes = false
}

/* SingletonLock.acquire: open, flock, compare. */
inline acquire(a) {
  do
  ::
     if
     :: d_step { path != 0 -> open_file(a); made = false }
     :: path == 0 -> /* ENOENT */
        if
        :: d_step { path == 0 -> make_file(); open_file(a); made = true } /* O_CREAT, O_EXCL */
        :: path != 0 -> goto again                                        /* EEXIST */
        fi
     fi;
#ifdef TRUNCATE_BEFORE_LOCK
     content[OPENED(a)] = 0;
#endif
     if
     :: d_step { FREE(a) -> lock_file(a) };
#ifdef NO_INODE_CHECK
        break
#else
        if
        :: AT_PATH(a) -> break
        :: !AT_PATH(a) -> d_step { close_file(a) }
        fi
#endif
#ifndef BLOCKING_LOCK
     :: !FREE(a) ->
        printf("%d is refused: the lock is held\n", a);
        failed = true; /* removeIfMade: it may be free by now */
        if
        :: d_step { made && FREE(a) -> lock_file(a) }; remove_file(a)
        :: !made || !FREE(a) -> d_step { close_file(a) }
        fi;
        break
#endif
     fi;
again:
     skip
  od
}

/* ---------------------------------------------------------------------- start */

/* PreparedStart (cli) with DaemonFiles (startup) and Program.spawn (forking); ProgramStart (control). */
inline start_daemon(a) {
#ifdef RECORD_BEFORE_LOCK
  if
  :: path == 0 && LIVES(recorded) -> failed = true
  :: else
  fi;
  if :: failed -> skip :: else -> acquire(a) fi;
#else
  acquire(a);
#endif
  if
  :: failed -> skip
  :: !failed && !made -> /* PreviousDaemon */
     d_step { find(content[OPENED(a)], other) };
     if
     :: other != NOBODY && other != a -> failed = true; d_step { close_file(a) } /* it may be the daemon */
     :: true /* nobody; or the record of the last start shows that it is another process */
     fi;
     other = NOBODY
  :: !failed && made -> skip
  fi;
#if defined(BY_NAME) && !defined(RECORD_BEFORE_LOCK)
  if
  :: !failed && LIVES(recorded) -> /* RequestedDaemon.requireEnded */
     printf("%d is refused: %d runs\n", a, recorded);
     failed = true;
     if
     :: made -> remove_file(a)
     :: else -> d_step { close_file(a) }
     fi
  :: else
  fi;
#endif
  if
  :: failed -> skip
  :: else ->
#ifndef TRUNCATE_BEFORE_LOCK
     content[OPENED(a)] = 0; /* SingletonLock.prepare */
#endif
#ifdef LOCK_NOT_INHERITED
     fork_process(DAEMON(a), FORKED, 0);
#else
     fork_process(DAEMON(a), FORKED, file[a]);
#endif
     printf("%d has the lock and forks %d, id %d\n", a, DAEMON(a), id[DAEMON(a)]);
     assert(S5 || !(restarting && a == START)); /* a restart is one piece for whoever takes the guard */
     if
     :: executed[DAEMON(a)] -> skip
#ifdef NO_ERROR_IS_SUCCESS
     :: !executed[DAEMON(a)] && !LIVES(DAEMON(a)) -> skip
#else
     :: !executed[DAEMON(a)] && !LIVES(DAEMON(a)) -> failed = true
#endif
     fi;
     if
     :: failed -> skip
     :: else ->
#ifdef PIDFILE_BY_RENAME
        d_step { y = path; make_file(); forget(y); y = 0; content[path] = id[DAEMON(a)]; wasAtPath = true };
#else
        d_step { content[OPENED(a)] = id[DAEMON(a)]; wasAtPath = AT_PATH(a) }; /* SingletonLock.write */
#endif
#if !defined(NOT_IN_PLACE) && !defined(PIDFILE_BY_RENAME)
        failed = !AT_PATH(a) /* DaemonFiles.requireInPlace */
#endif
     fi;
     if
     :: failed -> /* DaemonFiles.undo, when the program is killed and waited for */
        d_step { if :: LIVES(DAEMON(a)) -> kill_process(DAEMON(a)) :: else fi };
        !LIVES(DAEMON(a));
        content[OPENED(a)] = 0;
        if
        :: made -> remove_file(a)
        :: else -> d_step { close_file(a) }
        fi
     :: else ->
#ifdef BY_NAME
#ifdef RECORD_NEEDS_PIDFILE
        if :: path != 0 -> recorded = DAEMON(a) :: else fi; /* NamedStart.started */
#else
        recorded = DAEMON(a); /* NamedStart.started */
#endif
#endif
        d_step { close_file(a) };
        printf("%d has started %d\n", a, DAEMON(a));
        assert(S4 || (executed[DAEMON(a)] && wasAtPath)); /* a start that returns 0 has started */
        started[DAEMON(a)] = true
     fi
  fi
}

/* ---------------------------------------------------------------------- the daemon */

proctype daemon(byte me) {
  bool yes;
end_not_forked:
  state[me] != 0;
  {
    d_step { state[me] = RUNS; executed[me] = true };
end_runs:
    asked[me];
    if
    :: true    /* any program: leaves its file */
    :: true -> /* LockCleanUp of the facade, after everything else; the lock goes with the process */
       yes = AT_PATH(me);
       d_step { gaveUp[me] = true; if :: yes -> unlink() :: else fi }
    :: true -> /* ignores SIGTERM */
end_stubborn:
       false
    fi;
    d_step { printf("%d ends\n", me); exit_daemon(me) }
  } unless { state[me] == CLOSED };
  d_step { yes = false; state[me] = GONE; id[me] = 0; started[me] = false; gaveUp[me] = false }
}

/* ---------------------------------------------------------------------- stop */

/* PidFd.send: reaches the process that was opened, or none. */
inline send(kill) {
  d_step {
#ifdef SIGNAL_BY_ID
    find(named, z);
#else
    z = target;
#endif
    if
    :: z != NOBODY && LIVES(z) ->
       printf("%d sends a signal to %d\n", STOP, z);
#ifdef NOT_TO_A_LAUNCHER
       assert(L2 || IS_DAEMON(z)); /* a launcher with its own id in a stale file looks like the daemon */
#else
       assert(S2 || z == shown); /* never a signal to another process */
#endif
       if :: kill -> kill_process(z) :: else -> asked[z] = true fi
    :: else
    fi;
    z = NOBODY
  }
}

/* HolderSearch.holds: who has this id now, and what it has open (/proc/ID/fdinfo). */
inline examine() {
  d_step {
    find(named, z);
    proven = z != NOBODY && file[z] != 0 && inode[file[z]] == looked && lock[looked] == file[z];
    shown = (proven -> z : NOBODY);
    z = NOBODY
  }
}

/* Probe: handle, proof, second look. Afterwards target is the daemon; NOBODY if none is proven. */
inline probe() {
  if
  :: path == 0 -> skip
  :: d_step { path != 0 -> looked = path }; /* LockedFile.open */
     named = content[looked];               /* PidFile.read */
#ifdef PROOF_BEFORE_HANDLE
     examine();
     d_step { find(named, target) }; /* PidFd.open */
#else
     d_step { find(named, target) }; /* PidFd.open */
     examine();
#endif
#ifdef NO_PROOF
     proven = target != NOBODY;
#endif
     if
#ifdef NO_SECOND_LOOK
     :: proven && target != NOBODY -> skip
     :: !(proven && target != NOBODY) -> target = NOBODY
#else
     :: proven && target != NOBODY && LIVES(target) -> skip
     :: !(proven && target != NOBODY && LIVES(target)) -> target = NOBODY
#endif
     fi
  fi
}

/* Stop.remove: the file that was probed, under its lock, if it still says the same. */
inline remove_left_over(a) {
  done = true;
  if
  :: looked == 0 || path != looked -> skip
  :: else ->
#ifdef UNLINK_WITHOUT_LOCK
     d_step { unlink() }
#else
     if /* acquireExisting: its own comparison is left to the next one */
     :: path == 0 -> skip
     :: d_step { path != 0 -> open_file(a) };
        if
        :: !FREE(a) -> done = false; d_step { close_file(a) }
        :: d_step { FREE(a) -> lock_file(a) };
           if
           :: OPENED(a) == looked && path == looked && (content[looked] == 0 || content[looked] == named) ->
              remove_file(a)
           :: else -> d_step { close_file(a) }
           fi
        fi
     fi
#endif
  fi
}

/* Stop.isNextRunning, in one step: the file at the path names a process that is proven. */
#define HAS_PATH(p) (file[p] != 0 && inode[file[p]] == path && lock[path] == file[p] && \
                     id[p] != 0 && content[path] == id[p])
#define NEXT_RUNS   (path != 0 && (HAS_PATH(1) || HAS_PATH(2) || HAS_PATH(4) || HAS_PATH(5) || HAS_PATH(6)))

inline stop_daemon(a) {
  probe();
  if
  :: target != NOBODY ->
     send(false);
     if
#ifdef UNLOCKED_IS_STOPPED
     :: lock[looked] == 0
#else
     :: !LIVES(target) /* PidFd.awaitExit */
#endif
#ifndef NO_KILL_AT_LAST
     :: true -> send(true); !LIVES(target)
#endif
     fi;
     printf("%d has stopped %d\n", a, target);
     assert(S3 || (!LIVES(target) && target != BYSTANDER)); /* what was stopped is gone */
     do /* awaitRelease */
     :: done -> break
     :: !done && lock[looked] == 0 -> remove_left_over(a)
#ifndef NEXT_IS_NOT_NOTICED
     :: !done && NEXT_RUNS -> done = true
#endif
     :: timeout -> /* the patience is over: "still locked" */
        printf("%d: still locked\n", a);
#ifdef NEVER_STILL_LOCKED
        assert(L3);               /* a launcher was killed before it wrote the id of its daemon */
#else
        assert(S7 || !NEXT_RUNS); /* a stop does not wait for the end of the next daemon */
#endif
        done = true
     od
  :: target == NOBODY && looked != 0 && lock[looked] == 0 -> remove_left_over(a) /* removeLeftOver */
  :: target == NOBODY && (looked == 0 || lock[looked] != 0) -> skip /* not running, or unknown */
  fi;
  done = false; proven = false; named = 0; target = NOBODY; shown = NOBODY
}

/* ---------------------------------------------------------------------- the actions */

proctype action(byte me; bool guarded; bool stops) {
  bool made, failed, yes, proven, done, wasAtPath;
  byte other, named, target, shown;
  {
#ifdef LAUNCHER_IDS
    fork_process(me, RUNS, 0);
#else
    state[me] = RUNS;
#endif
    if
    :: guarded -> d_step { guard == NOBODY -> guard = me } /* Guard.acquire */
    :: else
    fi;
    if
    :: stops ->
       stop_daemon(me);
       restarting = true
    :: else
    fi;
    start_daemon(me);
    d_step { exit_action(me) }
  } unless { state[me] == GONE }
}

/* ---------------------------------------------------------------------- everything else */

#define DIES(p) (LIVES(p) && p >= FROM && p <= TO)

active proctype killer() {
  byte kills, victim;
end_always:
  do
  :: atomic {
       kills < KILLS && (DIES(1) || DIES(2) || DIES(3) || DIES(4) || DIES(5) || DIES(6));
       if
       :: DIES(1) -> victim = 1
       :: DIES(2) -> victim = 2
       :: DIES(3) -> victim = 3
       :: DIES(4) -> victim = 4
       :: DIES(5) -> victim = 5
       :: DIES(6) -> victim = 6
       fi;
       d_step { kills++; kill_process(victim); victim = 0 }
     }
  od
}

#if REMOVALS > 0
active proctype administrator() {
end_always:
  do
  :: d_step { removals < REMOVALS && path != 0 -> removals++; unlink(); printf("rm\n") }
  :: d_step { removals < REMOVALS && path != 0 -> removals++; z = content[path]; y = path; make_file();
              forget(y); y = 0; content[path] = z; z = 0; printf("cp and mv: another inode\n") }
  od
}
#endif

/* A process of another program, which gets the id that a stale pidfile names, and ends at any time. */
active proctype bystander() {
end_never:
  d_step { path != 0 && content[path] != 0 && !TAKEN(content[path]) -> id[BYSTANDER] = content[path];
           state[BYSTANDER] = RUNS; printf("%d begins, id %d\n", BYSTANDER, id[BYSTANDER]) };
  d_step { state[BYSTANDER] = GONE; id[BYSTANDER] = 0; printf("%d ends\n", BYSTANDER) }
}

#define COUNTS(d) ((state[d] == FORKED || state[d] == RUNS) && !gaveUp[d])
#define LIES(d)   (started[d] && state[d] == RUNS && !gaveUp[d] && AT_PATH(d) && content[path] != id[d])

active proctype properties() {
end_always:
  do
#ifdef BY_NAME
#ifdef RECORDED_TOO_LATE
  :: COUNTS(4) + COUNTS(5) + COUNTS(6) > 1 -> assert(L6) /* also if a start is killed before its record */
#else
  :: COUNTS(4) + COUNTS(5) + COUNTS(6) > 1 -> assert(S8) /* never two daemons by a name */
#endif
#endif
#ifdef ONE_IN_SPITE_OF_REMOVALS
  :: COUNTS(4) + COUNTS(5) + COUNTS(6) > 1 -> assert(L1) /* one more for each removal */
#else
  :: COUNTS(4) + COUNTS(5) + COUNTS(6) > 1 + removals -> assert(S1) /* never two daemons */
#endif
  :: LIES(4) || LIES(5) || LIES(6) -> assert(S6) /* the file of a started daemon names it */
  od
}

init {
  atomic {
    run daemon(DAEMON(START)); run daemon(DAEMON(OTHER)); run daemon(DAEMON(STOP));
#ifdef PAIRS
    if :: state[START] = GONE :: state[OTHER] = GONE :: state[STOP] = GONE fi;
#endif
    run action(START, true, false);
#ifdef BY_NAME
    run action(OTHER, true, false);
#else
    run action(OTHER, false, false);
#endif
#ifdef NO_GUARD
    run action(STOP, false, true)
#else
    run action(STOP, true, true)
#endif
  }
}
