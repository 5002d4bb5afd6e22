package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a JVM finds that another program has activated, by the protocol of systemd. */
@Tag("python3")
class ListenDescriptorsTest {
  /** Opens what the words before "--" name, from number 3 up, and becomes the rest. */
  private static final String ACTIVATOR =
      """
      import os, socket, sys
      split = sys.argv.index('--')
      opened = []
      for word in sys.argv[1:split]:
          kind, _, place = word.partition('=')
          if kind in ('LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'):
              if place == 'OWN':  # What the kernel gives to no other process.
                  pidfd = os.pidfd_open(os.getpid())
                  place = str(os.fstat(pidfd).st_ino)
                  os.close(pidfd)
              os.environ[kind] = place.replace('SELF', str(os.getpid()))
              continue
          family, type = {
              'tcp': (socket.AF_INET, socket.SOCK_STREAM),
              'tcp6': (socket.AF_INET6, socket.SOCK_STREAM),
              'udp': (socket.AF_INET, socket.SOCK_DGRAM),
              'udp6': (socket.AF_INET6, socket.SOCK_DGRAM),
              'unix': (socket.AF_UNIX, socket.SOCK_STREAM),
              'unixdgram': (socket.AF_UNIX, socket.SOCK_DGRAM),
              'packets': (socket.AF_UNIX, socket.SOCK_SEQPACKET),
              'pair': (0, 0), 'file': (0, 0)}[kind]
          if kind == 'file':
              opened.append(os.open(place, os.O_RDONLY))
          elif kind == 'pair':
              ends = socket.socketpair()
              ends[1].send(b'x')
              opened += [ends[0].detach(), ends[1].detach()]
          else:
              s = socket.socket(family, type)
              host = {'tcp': '127.0.0.1', 'udp': '127.0.0.1'}.get(kind, '::1')
              s.bind(place.replace('@', '\\0') if family == socket.AF_UNIX else (host, 0))
              if type != socket.SOCK_DGRAM: s.listen(5)
              opened.append(s.detach())
      moved = [os.dup2(os.dup(f), 100 + i) for i, f in enumerate(opened)]
      os.closerange(3, 100)
      for i, f in enumerate(moved): os.dup2(f, 3 + i, inheritable=True)
      os.closerange(3 + len(moved), 200)
      os.execv(sys.argv[split + 1], sys.argv[split + 1:])
      """;

  @TempDir Path directory;

  private ChildJvm activated(Class<?> main, String... words) {
    ChildJvm jvm = ChildJvm.of(main).startedBy("python3", "-c", ACTIVATOR);
    return jvm.startedBy(words).startedBy("--");
  }

  /** Prints what it finds, or why it finds nothing. */
  static final class Finds {
    public static void main(String[] args) {
      try {
        ListenDescriptors found = ListenDescriptors.fromEnvironment();
        for (ListenDescriptor descriptor : found.all()) {
          System.out.println(
              descriptor.toString().replaceAll(":\\d+ ", ":PORT ")
                  + " "
                  + Files.fcntl(descriptor.number(), Files.F_GETFD, 0)
                  + " "
                  + found.named(descriptor.name()).orElseThrow().number());
        }
        System.out.println(found.all().size());
      } catch (IOException wrong) {
        System.out.println(wrong.getMessage());
      }
    }
  }

  @Test
  void eachIsFoundWithItsNameKindAndAddress() throws Exception {
    String socket = directory.resolve("socket").toString();

    assertThat(
            activated(
                    Finds.class,
                    "tcp=",
                    "tcp6=",
                    "udp=",
                    "unix=" + socket,
                    "unixdgram=@daimon-" + ProcessHandle.current().pid(),
                    "packets=" + socket + "2",
                    "file=/dev/null",
                    "LISTEN_PID=SELF",
                    "LISTEN_FDS=7",
                    "LISTEN_FDNAMES=web:web:dns:control::p:f")
                .run()
                .lines())
        .containsExactly(
            "web: listener tcp:127.0.0.1:PORT (descriptor 3) 1 3",
            "web: listener tcp:[0:0:0:0:0:0:0:1]:PORT (descriptor 4) 1 3",
            "dns: datagrams udp:127.0.0.1:PORT (descriptor 5) 1 5",
            "control: listener unix:" + socket + " (descriptor 6) 1 6",
            ": datagrams unix:@daimon-" + ProcessHandle.current().pid() + " (descriptor 7) 1 7",
            "p: socket unix:" + socket + "2 (descriptor 8) 1 8",
            "f: no socket /dev/null (descriptor 9) 1 9",
            "7");
  }

  @ParameterizedTest
  @ValueSource(strings = {"LISTEN_PIDFDID=OWN", "LISTEN_PIDFDID="})
  void theNumberOfThisProcessesPidfdsIsItsOwn(String variable) throws Exception {
    assertThat(
            activated(Finds.class, "tcp=", "LISTEN_PID=SELF", "LISTEN_FDS=1", variable)
                .run()
                .lines())
        .contains("1");
  }

  @Test
  void whatMakesNoSenseIsCutInALine() throws Exception {
    String told =
        activated(Finds.class, "LISTEN_PID=SELF", "LISTEN_FDS=" + "x".repeat(10_000))
            .run()
            .output();

    assertThat(told).startsWith("LISTEN_FDS is not a number: xxx").endsWith("x...");
    assertThat(told.length()).isLessThan(1000);
  }

  @Test
  void withoutNamesAllAreUnknownAndAPairIsConnected() throws Exception {
    assertThat(activated(Finds.class, "pair=", "LISTEN_PID=SELF", "LISTEN_FDS=2").run().lines())
        .containsExactly(
            "unknown: connection unix: (descriptor 3) 1 3",
            "unknown: connection unix: (descriptor 4) 1 3",
            "2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LISTEN_PID=1 LISTEN_FDS=1 | 0",
        "LISTEN_PID=1 LISTEN_FDS=nonsense | 0",
        "LISTEN_FDS=1 | 0",
        "LISTEN_PID=SELF | 0",
        "LISTEN_PID=SELF LISTEN_FDS=0 | 0",
        "LISTEN_PID=SELF LISTEN_FDS=0 LISTEN_FDNAMES= | 0",
        "LISTEN_PID= LISTEN_FDS=1 | 0",
        "LISTEN_PID=SELF LISTEN_FDS= | 0",
        "LISTEN_PID=SELF LISTEN_FDS=2147483645 | LISTEN_FDS is too large: 2147483645",
        "LISTEN_PID=SELF LISTEN_FDS=1 LISTEN_PIDFDID=1 | 0",
        "LISTEN_PID=-1 LISTEN_FDS=1 | LISTEN_PID is not a number: -1",
        "LISTEN_PID=SELF LISTEN_FDS=-1 | LISTEN_FDS is not a number: -1",
        "LISTEN_PID=SELF LISTEN_FDS=one | LISTEN_FDS is not a number: one",
        "LISTEN_PID=SELF LISTEN_FDS=9999999999 | LISTEN_FDS is too large: 9999999999",
        "LISTEN_PID=SELF LISTEN_FDS=9999999999999999999 | LISTEN_FDS is not a number: 9999999999999999999",
        "LISTEN_PID=SELF LISTEN_FDS=1 LISTEN_FDNAMES=a:b | LISTEN_FDNAMES has 2 names for 1"
            + " descriptors: a:b",
        "LISTEN_PID=SELF LISTEN_FDS=2 LISTEN_FDNAMES=a | LISTEN_FDNAMES has 1 names for 2"
            + " descriptors: a",
        "LISTEN_PID=SELF LISTEN_FDS=\u001b[2J | LISTEN_FDS is not a number: ?[2J",
        "LISTEN_PID=SELF LISTEN_FDS=500 | LISTEN_FDS is 500, but descriptor 30 is closed"
      })
  void whatIsMeantForOthersIsNotFoundAndNonsenseIsOneLine(String variables, String said)
      throws Exception {
    String[] words = ("tcp= " + variables).split(" ", -1);

    // How many descriptors the JVM itself has open is its own matter.
    assertThat(
            activated(Finds.class, words)
                .run()
                .output()
                .replaceAll("descriptor \\d+", "descriptor 30"))
        .isEqualTo(said);
  }

  /** Answers one connection through the channel that the JDK makes, and says what it was. */
  static final class Serves {
    public static void main(String[] args) throws IOException {
      ListenDescriptor descriptor =
          ListenDescriptors.fromEnvironment().named(args[0]).orElseThrow();
      int before = Files.fcntl(0, Files.F_GETFD, 0);
      Channel channel = descriptor.toInheritedChannel();
      if (!channel.equals(System.inheritedChannel())
          || !channel.equals(descriptor.toInheritedChannel())) {
        throw new AssertionError("another channel");
      }
      System.out.println(
          channel.getClass().getSimpleName()
              + " "
              + (before == Files.fcntl(0, Files.F_GETFD, 0))
              + " "
              + Files.fcntl(descriptor.number(), Files.F_GETFD, 0));
      if (channel instanceof ServerSocketChannel server) {
        try (SocketChannel client = SocketChannel.open(server.getLocalAddress());
            SocketChannel accepted = server.accept()) {
          accepted.write(ByteBuffer.wrap(new byte[] {'x'}));
          System.out.println(client.read(ByteBuffer.allocate(10)));
        }
      } else if (channel instanceof SocketChannel connection) {
        System.out.println(connection.read(ByteBuffer.allocate(10)));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tcp=, InheritedServerSocketChannelImpl, 1",
    "tcp6=, InheritedServerSocketChannelImpl, 1",
    "unix=$dir/socket, InheritedServerSocketChannelImpl, 1",
    "pair=, InheritedSocketChannelImpl, 1",
    "udp=, InheritedDatagramChannelImpl, ''"
  })
  void theFirstBecomesAChannelByDocumentedApi(String what, String type, String read)
      throws Exception {
    // The other end of a pair has a number, too.
    boolean pair = what.startsWith("pair");
    String[] words = {
      what.replace("$dir", directory.toString()),
      "tcp=",
      "LISTEN_PID=SELF",
      "LISTEN_FDS=" + (pair ? 3 : 2),
      "LISTEN_FDNAMES=first:" + (pair ? "end:" : "") + "other"
    };

    assertThat(activated(Serves.class, words).run("first").output())
        .isEqualTo(type + " true 1" + (read.isEmpty() ? "" : "\n" + read));
  }

  /** Asks for the channel in the wrong order, and of what has none. */
  static final class Refused {
    public static void main(String[] args) throws IOException {
      if (args[0].equals("late")) {
        System.out.println(System.inheritedChannel());
      }
      if (args[0].equals("another")) {
        int _ = Files.dup2(4, 0);
        System.out.println(System.inheritedChannel() != null);
      }
      for (ListenDescriptor descriptor : ListenDescriptors.fromEnvironment().all()) {
        try {
          System.out.println(descriptor.toInheritedChannel() != null);
        } catch (IllegalStateException | UnsupportedOperationException refused) {
          System.out.println(refused.getMessage().replaceAll(":\\d+ ", ":PORT "));
        }
      }
    }
  }

  @Test
  void theJdkAllowsOneChannelAndNotOfEverything() throws Exception {
    String[] words = {
      "file=/dev/null",
      "packets=" + directory.resolve("p"),
      "unixdgram=" + directory.resolve("d"),
      "tcp=",
      "tcp=",
      "LISTEN_PID=SELF",
      "LISTEN_FDS=5"
    };

    assertThat(activated(Refused.class, words).run("first").lines())
        .containsExactly(
            "the JDK makes no channel of unknown: no socket /dev/null (descriptor 3)",
            "the JDK makes no channel of unknown: socket unix:" + directory + "/p (descriptor 4)",
            "the JDK makes no channel of unknown: datagrams unix:"
                + directory
                + "/d (descriptor 5)",
            "true",
            "the JDK makes one channel of a descriptor, and unknown: listener tcp:127.0.0.1:PORT"
                + " (descriptor 6) is it");
    assertThat(
            activated(Refused.class, "tcp=", "LISTEN_PID=SELF", "LISTEN_FDS=1").run("late").lines())
        .containsExactly(
            "null",
            "somebody has called System.inheritedChannel() before, and it has decided that there is"
                + " none");
  }

  @Test
  void aChannelOfAnotherSocketIsNotTakenForThisOne() throws Exception {
    String[] words = {"pair=", "LISTEN_PID=SELF", "LISTEN_FDS=1"};
    assertThat(activated(Refused.class, words).run("another").lines())
        .containsExactly(
            "true",
            "somebody has called System.inheritedChannel() before, and it is another socket");
  }

  /** Makes the channel, closes it, and goes on; the JDK replaces standard streams for both. */
  static final class Closes {
    public static void main(String[] args) throws Exception {
      String result = "closed";
      try (Channel _ = ListenDescriptors.fromEnvironment().all().get(0).toInheritedChannel()) {
        result = "open";
      } catch (IOException refused) {
        result = refused.getMessage();
      }
      // A class that the JVM reads from its own file.
      Class<?> _ = Class.forName("javax.net.ssl.SSLContext");
      java.nio.file.Files.writeString(java.nio.file.Path.of(args[0]), result);
    }
  }

  /** The JVM's own files have the numbers of streams that were closed before its start. */
  @ParameterizedTest
  @ValueSource(strings = {"0", "1", "2"})
  void withAClosedStandardStreamThereIsNoChannel(String stream) throws Exception {
    java.nio.file.Path report = directory.resolve("report");

    ChildJvm.Result result =
        activated(Closes.class, "tcp=", "LISTEN_PID=SELF", "LISTEN_FDS=1")
            .startedBy("/bin/sh", "-c", "exec \"$@\" " + stream + ">&-", "sh")
            .run(report);

    assertThat(result.exit()).isZero();
    assertThat(report)
        .hasContent(
            "dup2 "
                + stream
                + ": Bad file descriptor (EBADF, 9); this standard stream was closed when this JVM"
                + " was started: give it /dev/null");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAddressIsChecked(boolean port) {
    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(() -> {
              ListenAddress _ =
                  port ? ListenAddress.tcp(65536, "name") : ListenAddress.tcp(1, "a:b");
            }))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
