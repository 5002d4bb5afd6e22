package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Calls that send and receive messages with descriptors and credentials: {@code sys/socket.h}. */
public final class SocketMessages {
  /** Do not wait. */
  public static final int MSG_DONTWAIT = 0x40;

  /** No SIGPIPE. */
  public static final int MSG_NOSIGNAL = 0x4000;

  /** Mark received descriptors close-on-exec. */
  public static final int MSG_CMSG_CLOEXEC = 0x40000000;

  // ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
  private static final long SENDMSG = Libc.address("sendmsg");
  // ssize_t recvmsg(int fd, struct msghdr *message, int flags);
  private static final long RECVMSG = Libc.address("recvmsg");

  private SocketMessages() {}

  /** Sends a message with these descriptors on a connected socket; returns how many bytes went. */
  public static int send(int fd, byte[] bytes, int[] descriptors, int flags) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment text = arena.allocate(Math.max(1, bytes.length));
      Native.view(text).put(bytes);
      int controlSize =
          descriptors.length == 0 ? 0 : SocketMessage.space(Integer.BYTES * descriptors.length);
      MemorySegment control = arena.allocate(controlSize, Long.BYTES);
      if (controlSize > 0) {
        ByteBuffer view = Native.view(control);
        view.putLong(
            Layouts.cmsghdr.cmsg_len,
            Layouts.cmsghdr.SIZE + (long) Integer.BYTES * descriptors.length);
        view.putInt(Layouts.cmsghdr.cmsg_level, Sockets.SOL_SOCKET);
        view.putInt(Layouts.cmsghdr.cmsg_type, SocketMessage.SCM_RIGHTS);
        view.position(Layouts.cmsghdr.SIZE);
        for (int descriptor : descriptors) {
          view.putInt(descriptor);
        }
      }
      MemorySegment message = message(arena, text, bytes.length, control, controlSize);
      return Libc.call(SENDMSG, fd, message.address(), flags);
    }
  }

  /** Receives a message, and returns how many bytes came. The message has at most its room. */
  public static int receive(int fd, SocketMessage received, int flags) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment text = arena.allocate(Math.max(1, received.room()));
      int descriptors = received.descriptorRoom();
      int controlSize = SocketMessage.space(Layouts.ucred.SIZE);
      if (descriptors > 0) {
        controlSize +=
            SocketMessage.space(Integer.BYTES) + SocketMessage.space(Integer.BYTES * descriptors);
      }
      MemorySegment control = arena.allocate(controlSize, Long.BYTES);
      MemorySegment message = message(arena, text, received.room(), control, controlSize);
      int length = Libc.call(RECVMSG, fd, message.address(), flags);
      if (length >= 0) {
        received.read(Native.view(message), Native.view(text), length, Native.view(control));
      }
      return length;
    }
  }

  private static MemorySegment message(
      Arena arena, MemorySegment text, int length, MemorySegment control, int controlSize) {
    MemorySegment vector = arena.allocate(Layouts.iovec.SIZE, Long.BYTES);
    ByteBuffer view = Native.view(vector);
    view.putLong(Layouts.iovec.iov_base, text.address());
    view.putLong(Layouts.iovec.iov_len, length);
    MemorySegment message = arena.allocate(Layouts.msghdr.SIZE, Long.BYTES);
    view = Native.view(message);
    view.putLong(Layouts.msghdr.msg_iov, vector.address());
    view.putLong(Layouts.msghdr.msg_iovlen, 1);
    view.putLong(Layouts.msghdr.msg_control, controlSize == 0 ? 0 : control.address());
    view.putLong(Layouts.msghdr.msg_controllen, controlSize);
    return message;
  }
}
