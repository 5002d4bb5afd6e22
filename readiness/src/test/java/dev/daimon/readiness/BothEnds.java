package dev.daimon.readiness;

import dev.daimon.posix.PosixException;

/** For tests in which one process is the launcher and the daemon, which none finds by itself. */
final class BothEnds {
  private BothEnds() {}

  /** Makes a connection whose other end this process finds as one that it has inherited. */
  static LauncherEnd open(byte[] greeting) throws PosixException {
    LauncherEnd launcher = LauncherEnd.open(greeting);
    Handshake.forget(launcher.daemonDescriptors().getFirst());
    return launcher;
  }
}
