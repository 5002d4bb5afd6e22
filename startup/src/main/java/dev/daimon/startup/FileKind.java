package dev.daimon.startup;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.HardLinks;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A kind of file: how it is opened, and how that is taken back.
 *
 * @param <T> the open file
 */
interface FileKind<T> {
  T open(Path path) throws IOException;

  Descriptor descriptor(T file);

  /** Removes the file if opening it has created it, and closes it in any case. */
  void undo(T file) throws IOException;

  /** Whether a file that root has opened is given to the target user. */
  default boolean isGiven() {
    return true;
  }

  /** Adds to an error of opening a file what the error number means there. */
  private static PosixException explained(PosixException failure) {
    String explanation = "";
    if (failure.errno().equals(Errno.ELOOP)) {
      explanation = "; a symbolic link is not followed";
    } else if (failure.errno().equals(Errno.ENXIO)) {
      explanation = "; nobody reads this FIFO, or it is a socket";
    }
    return explanation.isEmpty()
        ? failure
        : new PosixException(failure.call(), failure.subject(), failure.errno(), explanation);
  }

  /** A locked file: the pidfile or the lock file. */
  final class Lock implements FileKind<SingletonLock> {
    @Override
    public SingletonLock open(Path path) throws IOException {
      SingletonLock lock = acquire(path);
      try {
        if (!lock.created()) {
          HardLinks.refuse(path, lock.descriptor());
        }
        return lock;
      } catch (IOException refused) {
        try (lock) {
          throw refused;
        }
      }
    }

    private static SingletonLock acquire(Path path) throws IOException {
      try {
        return SingletonLock.acquire(path);
      } catch (PosixException failure) {
        throw explained(failure);
      }
    }

    @Override
    public Descriptor descriptor(SingletonLock lock) {
      return lock.descriptor();
    }

    @Override
    public void undo(SingletonLock lock) throws IOException {
      try (lock) {
        if (lock.created()) {
          lock.remove();
        }
      }
    }
  }

  /** A pidfile without a lock, which is put in place when the program runs. */
  final class Unlocked implements FileKind<PidFile.Pending> {
    @Override
    public PidFile.Pending open(Path path) throws IOException {
      // The rename would replace a link or a device, and fail for a directory only when the program
      // runs already.
      if (Files.isSymbolicLink(path)) {
        throw explained(new PosixException("open", path.toString(), Errno.ELOOP));
      }
      if (Files.isDirectory(path)) {
        throw new PosixException("rename", path.toString(), Errno.EISDIR);
      }
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !Files.isRegularFile(path)) {
        throw new IOException(path + ": not a regular file");
      }
      return PidFile.at(path).prepare();
    }

    @Override
    public Descriptor descriptor(PidFile.Pending pending) {
      return pending.descriptor();
    }

    @Override
    public void undo(PidFile.Pending pending) throws IOException {
      pending.close();
    }
  }

  /** An output file of the user that the program will run as; null for the user of this process. */
  final class Output implements FileKind<OutputFile> {
    private final @Nullable Identity identity;

    Output(@Nullable Identity identity) {
      this.identity = identity;
    }

    @Override
    public OutputFile open(Path path) throws IOException {
      OutputFile output = openOutput(path);
      try {
        output.requireOwner(identity == null ? -1 : identity.uid().orElse(-1));
        return output;
      } catch (IOException refused) {
        try (output) {
          // A file that was created here has the right owner, but asking for it can fail.
          output.removeIfCreated();
        }
        throw refused;
      }
    }

    private static OutputFile openOutput(Path path) throws PosixException {
      try {
        return OutputFile.open(path);
      } catch (PosixException failure) {
        throw explained(failure);
      }
    }

    @Override
    public Descriptor descriptor(OutputFile output) {
      return output.descriptor();
    }

    @Override
    public void undo(OutputFile output) throws IOException {
      try (output) {
        output.removeIfCreated();
      }
    }
  }
}
