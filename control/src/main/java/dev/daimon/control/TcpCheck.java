package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Tcp;
import dev.daimon.posix.ProcDirectory;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.FileReader;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** Whether the daemon listens on a TCP port. */
final class TcpCheck extends ListenerCheck {
  /** The state of a socket that listens, as {@code /proc} has it. */
  private static final String LISTEN = "0A";

  /** The fields of a line. */
  private static final int LOCAL = 1;

  private static final int STATE = 3;
  private static final int INODE = 9;

  private final Tcp condition;

  TcpCheck(Tcp condition) {
    this.condition = condition;
  }

  @Override
  String where() {
    return condition.toString();
  }

  @Override
  Set<Long> sockets(long main) throws IOException {
    Set<Long> found = new HashSet<>();
    String network = ProcDirectory.of(main) + "/net/";
    addFrom(network + "tcp", found);
    addFrom(network + "tcp6", found);
    return found;
  }

  private void addFrom(String table, Set<Long> found) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(new FileReader(table, StandardCharsets.US_ASCII))) {
      // The title; then the sockets that listen, and then all others.
      String line = lines.readLine();
      while (line != null && (line = lines.readLine()) != null) {
        String[] fields = line.strip().split(" +", INODE + 2);
        if (fields.length <= INODE || !fields[STATE].equals(LISTEN)) {
          return;
        }
        if (isThere(fields[LOCAL])) {
          found.add(Long.parseLong(fields[INODE]));
        }
      }
    } catch (FileNotFoundException none) {
      // The daemon has ended, or its kernel has no IPv6.
      return;
    }
  }

  /** Whether a local address of the table is the one that is meant. */
  private boolean isThere(String local) {
    int colon = local.indexOf(':');
    if (Integer.parseInt(local, colon + 1, local.length(), 16) != condition.port()) {
      return false;
    }
    byte[] address = address(local.substring(0, colon));
    if (condition.address().isEmpty() || isAny(address)) {
      return condition.address().isEmpty() || standsFor(address, condition.address().get());
    }
    byte[] wanted = condition.address().get().getAddress();
    return Arrays.equals(address, wanted) || Arrays.equals(address, mapped(wanted));
  }

  /** The table has each four bytes as a number in the byte order of the machine. */
  static byte[] address(String digits) {
    byte[] bytes = new byte[digits.length() / 2];
    boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
    for (int i = 0; i < bytes.length; i++) {
      int from = little ? i / 4 * 4 + 3 - i % 4 : i;
      bytes[i] = (byte) Integer.parseInt(digits, 2 * from, 2 * from + 2, 16);
    }
    return bytes;
  }

  private static boolean isAny(byte[] address) {
    for (byte b : address) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** Whether the address that stands for all, 0.0.0.0 or [::], may take connections to this one. */
  private static boolean standsFor(byte[] any, InetAddress wanted) {
    return any.length > 4 || wanted instanceof Inet4Address;
  }

  /** An IPv4 address as an IPv6 one, {@code ::ffff:a.b.c.d}; others as they are. */
  private static byte[] mapped(byte[] address) {
    if (address.length > 4) {
      return address;
    }
    byte[] mapped = new byte[16];
    mapped[10] = (byte) 0xff;
    mapped[11] = (byte) 0xff;
    System.arraycopy(address, 0, mapped, 12, 4);
    return mapped;
  }
}
