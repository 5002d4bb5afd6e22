/*
 * The content of one pidfile: somebody writes ids into it in place (SingletonLock.prepare and write),
 * somebody else reads it without a lock (PidFile.read). README.md says what this leaves out.
 *
 * Most file systems do not lock out readers. So a read is two steps: it takes the length, and then
 * copies as many bytes. A write is two steps, too: the bytes, and then the length.
 *
 * The ids are 1, 12 and 123. Id 12 is called 2 here, by its number of digits: its line is "12\n", three
 * bytes long. A line that is read with the length of a shorter one is the beginning of it, and may be
 * another id; read with the length of a longer one it has zeros behind it.
 *
 * Settings:  WRITES  how many ids are written while the reader reads
 * Every other macro changes one step: see the tables in README.md.
 */
#ifndef WRITES
#define WRITES 2
#endif

byte length;
byte line;      /* the id whose line is in the file; 0: zeros, or nothing */
bool was[4];    /* the ids that were in the file, or were being written, since the reader began */

/* The properties' names. None is ever true: a violated assertion tells its name. */
bool C1, L5;

inline choose(some) { if :: some = 1 :: some = 2 :: some = 3 fi }

proctype writer() {
  byte written, next;
  do
  :: written < WRITES ->
     atomic { choose(next); was[next] = true };
#ifndef NO_TRUNCATION
     d_step { length = 0; line = 0 };
#endif
     line = next;
     length = next + 1;
     written++
  :: else -> break
  od
}

/* One pread. Equal results are equal bytes: the length, and zeros, a line, or the beginning of a line. */
#define BEGINNING 7
inline read(result) {
  size = length;
  result = 8 * size + (size == 0 || line == 0 -> 0 : (size > line -> line : BEGINNING))
}

/* PidText: the id in what was read; 0 if it is empty or no id. */
#define ID(result) (result % 8 == BEGINNING -> result / 8 : result % 8)

proctype reader() {
  byte size, first, second;
  read(first);
#ifndef READ_ONCE
  do
  :: read(second);
     if
     :: first == second -> break
     :: first != second -> first = second
     fi
  od;
#endif
#if WRITES > 2
  assert(L5 || ID(first) == 0 || was[ID(first)]) /* nothing, the old id or a new one, for three writes */
#else
  assert(C1 || ID(first) == 0 || was[ID(first)]) /* nothing, the old id or a new one */
#endif
}

init {
  atomic {
    choose(line); /* what was there before */
    length = line + 1; was[line] = true;
    run writer(); run reader()
  }
}
