package dev.daimon.forking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.nio.file.Path;

/**
 * Thrown if the kernel cannot execute a program: the file or its interpreter is missing ({@code
 * ENOENT}), or the calling thread may not execute it ({@code EACCES}).
 */
public final class ExecException extends PosixException {
  private static final long serialVersionUID = 1;

  ExecException(String call, Path program, Errno errno) {
    super(call, program.toString(), errno);
  }
}
