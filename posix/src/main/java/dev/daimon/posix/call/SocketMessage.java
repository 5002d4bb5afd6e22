package dev.daimon.posix.call;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A received message: the out-parameter of {@link SocketMessages#receive}. */
public final class SocketMessage {
  /** The message was longer than the buffer. */
  static final int MSG_TRUNC = 0x20;

  /** Descriptors or credentials of the message were lost. */
  static final int MSG_CTRUNC = 8;

  /** Type of control data: descriptors. */
  static final int SCM_RIGHTS = 1;

  /** Type of control data: process, user and group id of the sender. */
  static final int SCM_CREDENTIALS = 2;

  /** Type of control data: a pidfd of the sender. */
  static final int SCM_PIDFD = 4;

  private final int room;
  private final int descriptorRoom;
  private byte[] bytes = {};
  private int[] descriptors = {};
  private int flags;
  private int pid = -1;
  private int uid = -1;
  private int pidfd = -1;

  /**
   * Makes an empty message, which a call fills.
   *
   * @param room for how many bytes
   * @param descriptorRoom for how many descriptors at least: more may take the room of credentials
   *     and pidfd that do not arrive; with 0 there is room for credentials alone
   */
  public SocketMessage(int room, int descriptorRoom) {
    this.room = room;
    this.descriptorRoom = descriptorRoom;
  }

  int room() {
    return room;
  }

  int descriptorRoom() {
    return descriptorRoom;
  }

  void read(ByteBuffer message, ByteBuffer text, int length, ByteBuffer control) {
    bytes = new byte[Math.min(length, room)];
    text.get(bytes);
    flags = message.getInt(Layouts.msghdr.msg_flags);
    descriptors = new int[0];
    pid = uid = pidfd = -1;
    long end = message.getLong(Layouts.msghdr.msg_controllen);
    int at = 0;
    while (at + Layouts.cmsghdr.SIZE <= end) {
      int size = (int) control.getLong(Layouts.cmsghdr.cmsg_len + at);
      if (size < Layouts.cmsghdr.SIZE) {
        return;
      }
      if (control.getInt(Layouts.cmsghdr.cmsg_level + at) == Sockets.SOL_SOCKET) {
        int type = control.getInt(Layouts.cmsghdr.cmsg_type + at);
        readControl(type, control, at + Layouts.cmsghdr.SIZE, size - Layouts.cmsghdr.SIZE);
      }
      at += space(size - Layouts.cmsghdr.SIZE);
    }
  }

  private void readControl(int type, ByteBuffer control, int at, int length) {
    if (type == SCM_CREDENTIALS && length == Layouts.ucred.SIZE) {
      pid = control.getInt(Layouts.ucred.pid + at);
      uid = control.getInt(Layouts.ucred.uid + at);
    } else if (type == SCM_PIDFD && length == Integer.BYTES) {
      // A negated error number if there was no descriptor left, or the sender is gone.
      pidfd = Math.max(-1, control.getInt(at));
    } else if (type == SCM_RIGHTS) {
      int count = descriptors.length;
      descriptors = Arrays.copyOf(descriptors, count + length / Integer.BYTES);
      for (int i = count; i < descriptors.length; i++) {
        descriptors[i] = control.getInt(at + (i - count) * Integer.BYTES);
      }
    }
  }

  /** The bytes, as many as there was room for. */
  public byte[] bytes() {
    return bytes;
  }

  /** The descriptors that arrived; the caller owns them. */
  public int[] descriptors() {
    return descriptors;
  }

  /** Whether the message was longer than the room for it. */
  public boolean isCut() {
    return (flags & MSG_TRUNC) != 0;
  }

  /** Whether descriptors, or the pidfd, were lost. */
  public boolean lacksControl() {
    return (flags & MSG_CTRUNC) != 0;
  }

  /**
   * The sender's process id; -1 without credentials, 0 in a PID namespace that is not seen here.
   */
  public int pid() {
    return pid;
  }

  /** The sender's user id, unsigned. */
  public int uid() {
    return uid;
  }

  /** The sender's pidfd, which the caller owns; -1 for none. */
  public int pidfd() {
    return pidfd;
  }

  /** The size of control data of this length: {@code CMSG_SPACE}. */
  static int space(int length) {
    return Layouts.cmsghdr.SIZE + ((length + Long.BYTES - 1) & -Long.BYTES);
  }
}
