package dev.daimon.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a service manager hears: a socket for {@code NOTIFY_SOCKET}, bound and read by Python, so
 * that nothing of Daimon checks itself. It reads only when it is asked to, and the kernel keeps
 * what was sent meanwhile. Tests that use it have the tag {@code python3}.
 */
public final class ServiceManager implements AutoCloseable {
  private static final String PROGRAM =
      """
      import os, socket, struct, sys
      s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
      s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
      s.bind(sys.argv[1])
      os.chmod(sys.argv[1], 0o777)
      print('bound', flush=True)
      for command in sys.stdin:
          if command == 'fill\\n':
              full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
              full.setblocking(False)
              try:
                  while True:
                      full.sendto(b'STATUS=full', sys.argv[1])
              except BlockingIOError:
                  pass
          try:
              while command == 'read\\n':
                  data, extra, _, _ = s.recvmsg(65536, 1024, socket.MSG_DONTWAIT)
                  pids = [struct.unpack('3i', d)[0] for _, t, d in extra if t == socket.SCM_CREDENTIALS]
                  print(pids[0], data.decode().strip().replace('\\n', '|'))
          except BlockingIOError:
              pass
          print('end', flush=True)
      """;

  /**
   * A message that a process has sent.
   *
   * @param pid the sender, as the kernel knows it
   * @param text its lines, with a bar between them
   */
  public record Message(long pid, String text) {}

  private final Path socket;
  private final Process process;
  private final BufferedReader answers;
  private final List<Message> heard = new ArrayList<>();

  private ServiceManager(Path socket, Process process) {
    this.socket = socket;
    this.process = process;
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Binds a socket at a path that does not exist. */
  public static ServiceManager at(Path socket) throws IOException {
    Process process =
        new ProcessBuilder("python3", "-c", PROGRAM, socket.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    ServiceManager manager = new ServiceManager(socket, process);
    manager.expect("bound");
    return manager;
  }

  private void expect(String line) throws IOException {
    String answer = answers.readLine();
    if (!line.equals(answer)) {
      throw new AssertionError("not " + line + ": " + answer);
    }
  }

  /** The value of {@code NOTIFY_SOCKET}. */
  public String address() {
    return socket.toString();
  }

  /** All that was sent up to now. */
  public List<Message> heard() throws IOException {
    ask("read");
    for (String line = answers.readLine(); !"end".equals(line); line = answers.readLine()) {
      if (line == null) {
        throw new AssertionError("the receiver has ended");
      }
      int space = line.indexOf(' ');
      heard.add(new Message(Long.parseLong(line.substring(0, space)), line.substring(space + 1)));
    }
    return List.copyOf(heard);
  }

  /** Forgets what was sent up to now. */
  public void forget() throws IOException {
    List<Message> _ = heard();
    heard.clear();
  }

  /** Waits until a message with this text was sent. */
  public void await(String text) throws Exception {
    ProcessSandbox.await(
        text + " among " + heard,
        () -> heard().stream().anyMatch(message -> message.text().contains(text)));
  }

  /** The texts of what was sent up to now. */
  public List<String> texts() throws IOException {
    return heard().stream().map(Message::text).toList();
  }

  /** Sends messages to itself until the kernel takes no more. */
  public void fill() throws IOException {
    ask("fill");
    expect("end");
  }

  private void ask(String command) throws IOException {
    process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
    process.getOutputStream().flush();
  }

  /** Ends; the socket's file stays, and nobody reads what is sent there. */
  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    Process _ = process.onExit().join();
  }
}
