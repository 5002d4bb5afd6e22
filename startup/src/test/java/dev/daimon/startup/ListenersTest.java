package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.readiness.ListenAddress;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListenersTest {
  private static final InetAddress ONE = InetAddress.ofLiteral("127.0.0.1");
  private static final InetAddress OTHER = InetAddress.ofLiteral("127.0.0.2");

  /** Listens at the address and the port of its arguments. */
  static final class Listener {
    public static void main(String[] args) throws Exception {
      try (ServerSocket socket = new ServerSocket()) {
        InetAddress address = InetAddress.ofLiteral(args[0]);
        socket.bind(new InetSocketAddress(address, Integer.parseInt(args[1])));
        System.out.println("listens");
        System.in.read();
      }
    }
  }

  @Test
  void itIsTheProcessThatListensAtTheAddress() throws Exception {
    try (ServerSocket own = new ServerSocket()) {
      own.bind(new InetSocketAddress(ONE, 0));
      int port = own.getLocalPort();
      Process other =
          new ProcessBuilder(
                  System.getProperty("java.home") + "/bin/java",
                  "-cp",
                  classes(),
                  Listener.class.getName(),
                  OTHER.getHostAddress(),
                  Integer.toString(port))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (BufferedReader lines = other.inputReader()) {
        assertThat(lines.readLine()).isEqualTo("listens");
        assertOwners(port, other.pid());
      } finally {
        other.destroyForcibly().waitFor();
      }
    }
  }

  private static void assertOwners(int port, long other) {
    assertThat(Listeners.words(ListenAddress.tcp(ONE, port, "x")))
        .isEqualTo(words(ProcessHandle.current().pid()));
    assertThat(Listeners.words(ListenAddress.tcp(OTHER, port, "x"))).isEqualTo(words(other));
    assertThat(Listeners.words(ListenAddress.tcp(InetAddress.ofLiteral("::1"), port, "x")))
        .isEmpty();
    assertThat(Listeners.words(ListenAddress.tcp(port, "x"))).isNotEmpty();
  }

  @Test
  void aSocketOfEveryAddressTakesEachOfThem() throws Exception {
    try (ServerSocket every = new ServerSocket(0)) {
      assertThat(Listeners.words(ListenAddress.tcp(OTHER, every.getLocalPort(), "x")))
          .isEqualTo(words(ProcessHandle.current().pid()));
    }
  }

  /** Five thousand descriptors are read in any case; the socket's is behind more. */
  @Test
  @Tag("attack")
  void amongManyDescriptorsTheSocketIsSoughtWithinTheTime() throws Exception {
    Process daemon = new ProcessBuilder("setsid", "sh", "-c", "echo; exec sleep 1000").start();
    List<InputStream> crowd = new ArrayList<>();
    try (BufferedReader lines = daemon.inputReader()) {
      assertThat(lines.readLine()).isEmpty();
      // A machine may allow fewer: those are sought without a look at the clock.
      int many = Math.min(5_001, Proc.mostDescriptors() - 500);
      while (crowd.size() < many) {
        crowd.add(new FileInputStream("/dev/null"));
      }
      boolean late = many == 5_001;
      try (ServerSocket socket = new ServerSocket(0)) {
        ListenAddress address = ListenAddress.tcp(socket.getLocalPort(), "x");

        String self = words(ProcessHandle.current().pid());
        assertThat(Listeners.words(address, 0)).isEqualTo(late ? "" : self);
        assertThat(Listeners.words(address, Long.MAX_VALUE)).isEqualTo(self);
        assertThat(Listeners.areStrangers(address, daemon.pid(), 0)).isEqualTo(!late);
        assertThat(Listeners.areStrangers(address, daemon.pid(), Long.MAX_VALUE)).isTrue();
      }
    } finally {
      for (InputStream file : crowd) {
        file.close();
      }
      daemon.destroyForcibly().waitFor();
    }
  }

  /** Listens beside a daemon, its child in another session, and tells whether that is seen. */
  static final class Stranger {
    public static void main(String[] args) throws Exception {
      Process daemon = new ProcessBuilder("setsid", "sh", "-c", "echo; exec sleep 1000").start();
      try (ServerSocket socket = new ServerSocket(0);
          BufferedReader lines = daemon.inputReader()) {
        lines.readLine();
        ListenAddress address = ListenAddress.tcp(socket.getLocalPort(), "x");
        System.out.println(Listeners.areStrangers(address, daemon.pid()));
      } finally {
        daemon.destroyForcibly().waitFor();
      }
    }
  }

  /** As some machines mount it, so that users do not see each other's processes. */
  @Test
  @Tag("root")
  void aStrangerMayHaveAParentThatIsHidden(@TempDir Path classes) throws Exception {
    String script = "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"";

    String said =
        ChildJvm.of(Stranger.class)
            .startedBy("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh")
            .startedBy(ChildJvm.AS_NOBODY)
            .copied(classes)
            .run()
            .output();

    assertThat(said).isEqualTo("true");
  }

  /** Says who listens where this process does. */
  static final class Named {
    public static void main(String[] args) throws Exception {
      try (ServerSocket socket = new ServerSocket(0)) {
        ListenAddress address = ListenAddress.tcp(socket.getLocalPort(), "x");
        System.out.println("listener" + Listeners.words(address));
        System.out.println(Listeners.areStrangers(address, ProcessHandle.current().pid()));
      }
    }
  }

  @Test
  @Tag("root")
  void aListenerIsNotNamedByItsIdInAnotherNamespace() throws Exception {
    ChildJvm jvm = ChildJvm.of(Named.class).startedBy(ChildJvm.WITH_FOREIGN_PROC);

    assertThat(jvm.run().lines()).containsExactly("listener", "false");
  }

  private static String classes() throws Exception {
    return java.nio.file.Path.of(
            ListenersTest.class.getProtectionDomain().getCodeSource().getLocation().toURI())
        .toString();
  }

  private static String words(long pid) {
    return "; process " + pid + ", java, listens there";
  }
}
