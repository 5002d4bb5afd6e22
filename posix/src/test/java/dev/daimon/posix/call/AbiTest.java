package dev.daimon.posix.call;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.posix.Resource;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.lang.foreign.Linker;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Holds what the bindings believe of the C library against its headers: the compiler is the judge,
 * and nothing is run, so that a cross compiler does as well.
 *
 * <pre>
 * ./mvnw verify -pl testing,posix -Dtest=AbiTest -Ddaimon.cc=aarch64-linux-gnu-gcc
 * </pre>
 */
@Tag("cc")
class AbiTest {
  private static final String CC = System.getProperty("daimon.cc", "cc");

  private static final Path SOURCES = Path.of("src/main/java/dev/daimon/posix/call");
  private static final Path CLASSES = Path.of("target/classes/dev/daimon/posix/call");

  private static final String ARCHITECTURE =
      """
      #if !defined(__%s__)
      #error "the compiler is not for the machine of which this test runs the constants"
      #endif
      """
          .formatted(machine().equals("amd64") ? "x86_64" : machine());

  private static final String HEADERS =
      ARCHITECTURE
          + """
          #define _GNU_SOURCE
          #include <dirent.h>
          #include <errno.h>
          #include <fcntl.h>
          #include <grp.h>
          #include <limits.h>
          #include <linux/audit.h>
          #include <linux/capability.h>
          #include <linux/filter.h>
          #include <linux/kcmp.h>
          #include <linux/keyctl.h>
          #include <linux/seccomp.h>
          #include <poll.h>
          #include <pwd.h>
          #include <netinet/in.h>
          #include <sched.h>
          #include <signal.h>
          #include <spawn.h>
          #include <stddef.h>
          #include <stdio.h>
          #include <stdlib.h>
          #include <string.h>
          #include <sys/epoll.h>
          #include <sys/eventfd.h>
          #include <sys/file.h>
          #include <sys/ioctl.h>
          #include <sys/mman.h>
          #include <sys/prctl.h>
          #include <sys/random.h>
          #include <sys/resource.h>
          #include <sys/socket.h>
          #include <sys/stat.h>
          #include <sys/syscall.h>
          #include <sys/un.h>
          #include <sys/wait.h>
          #include <sys/xattr.h>
          #include <time.h>
          #include <ucontext.h>
          #include <unistd.h>
          #ifndef PIDFD_GET_INFO
          // Linux 6.13's, for older headers.
          struct pidfd_info {
            unsigned long mask, cgroupid;
            unsigned pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
            int exit_code;
          };
          #define PIDFD_GET_INFO _IOWR(0xff, 11, struct pidfd_info)
          #define PIDFD_INFO_CREDS (1 << 1)
          #endif
          #ifndef SO_PASSPIDFD
          // Linux 6.5's, for older headers.
          #define SO_PASSPIDFD 76
          #endif
          // The binary interface of C++ has it, and no header of C.
          int __cxa_atexit(void (*function)(void *), void *argument, void *library);
          // Of a header of the kernel that clashes with the C library's.
          #define UNIX_PATH_MAX sizeof(((struct sockaddr_un *) 0)->sun_path)
          #ifndef SCM_PIDFD
          // The kernel's alone: the C library has no name for it yet.
          #define SCM_PIDFD 4
          #endif
          """;

  /** The kernel's own header, which cannot be included together with glibc's. */
  private static final String KERNEL_HEADERS =
      ARCHITECTURE
          + """
          #include <stddef.h>
          #include <asm/signal.h>
          #include <linux/stat.h>
          """;

  /** Constants of which C has no name, only an expression. */
  private static final Map<String, String> EXPRESSIONS =
      Map.of(
          "CallChain.ALIGNMENT", "_Alignof(max_align_t)",
          "SystemCallFilter.NUMBER", "offsetof(struct seccomp_data, nr)",
          "SystemCallFilter.ARCHITECTURE", "offsetof(struct seccomp_data, arch)",
          "SystemCallFilter.COMMAND", "offsetof(struct seccomp_data, args[1])",
          "Signal.MAX_NUMBER", "_NSIG - 1",
          "PidFds.PIDFD_GET_INFO", "(int) PIDFD_GET_INFO",
          // An unsigned number there.
          "Epoll.EPOLLET", "(int) EPOLLET",
          "Signals.KERNEL_SIGSET_SIZE", "(_NSIG - 1) / 8",
          "Signals.SIG_DFL", "(long) SIG_DFL",
          "Signals.SIG_IGN", "(long) SIG_IGN");

  /** Fields within fields, which have names of their own here. */
  private static final Map<String, String> MEMBERS =
      Map.ofEntries(
          entry("changed_seconds", "stx_ctime.tv_sec"),
          entry("changed_nanos", "stx_ctime.tv_nsec"),
          entry("first_seconds", "it_value.tv_sec"),
          entry("modified_seconds", "stx_mtime.tv_sec"),
          entry("modified_nanos", "stx_mtime.tv_nsec"),
          entry("stack_pointer", "uc_stack.ss_sp"),
          entry("stack_size", "uc_stack.ss_size"),
          entry("signal_mask", "uc_sigmask.__val[0]"),
          entry("argument_0", argument("REG_RDI", 0)),
          entry("argument_1", argument("REG_RSI", 1)),
          entry("argument_2", argument("REG_RDX", 2)),
          entry("argument_3", argument("REG_RCX", 3)),
          entry("argument_4", argument("REG_R8", 4)),
          entry("argument_5", argument("REG_R9", 5)),
          entry("user_seconds", "ru_utime.tv_sec"),
          entry("user_microseconds", "ru_utime.tv_usec"),
          entry("system_seconds", "ru_stime.tv_sec"),
          entry("system_microseconds", "ru_stime.tv_usec"));

  /** What this module uses as an {@code int} without a field or a prototype to show for it. */
  private static final Map<String, Integer> ELEMENTS =
      Map.of("pid_t", 4, "uid_t", 4, "gid_t", 4, "int", 4, "long", 8, "void *", 8);

  private static final Pattern FUNCTION =
      Pattern.compile(
          "((?: *//.*\\R)*) *(?:private )?static final long \\w+"
              + " =\\s+Libc\\.(?:optionalA|a)ddress\\(\"(\\w+)\"\\)");

  @TempDir Path directory;

  @BeforeAll
  static void takeTheConstantsOfTheMachineThatIsCompiledFor() {
    // The JDK's linker is this machine's, whatever is compiled for, and so it starts before the
    // property changes. The constants are chosen with the first use of Libc, which comes after it.
    assertThat(Linker.nativeLinker()).isNotNull();
    System.setProperty("os.arch", machine());
  }

  private static String machine() {
    return CC.startsWith("aarch64-") ? "aarch64" : System.getProperty("os.arch");
  }

  private static String argument(String x86_64, int aarch64) {
    return machine().equals("aarch64")
        ? "uc_mcontext.regs[" + aarch64 + "]"
        : "uc_mcontext.gregs[" + x86_64 + "]";
  }

  @Test
  void everyConstantHasTheValueOfItsNameInTheHeaders() throws Exception {
    StringBuilder program = new StringBuilder(HEADERS);
    int constants = 0;
    for (Class<?> type : classes()) {
      // Text from /proc and from pidfiles, and memory, have no constants of C.
      if (type == CallMemory.class
          || type == ProcFiles.class
          || type == ProcStat.class
          || type == PidText.class
          || type == Layouts.class
          || type.getEnclosingClass() == Layouts.class) {
        continue;
      }
      for (Field field : type.getDeclaredFields()) {
        if (isConstant(field)) {
          String name = type.getSimpleName() + "." + field.getName();
          String c = EXPRESSIONS.getOrDefault(name, field.getName());
          program.append(claim(c, value(field), name));
          constants++;
        }
      }
    }
    assertThat(constants).isGreaterThan(40);
    compile(program.toString());
  }

  @Test
  void everyResourceAndEveryCapabilityHasItsNumber() throws Exception {
    StringBuilder program = new StringBuilder(HEADERS);
    for (Resource resource : Resource.values()) {
      program.append(claim("RLIMIT_" + resource.name(), resource.number(), resource.name()));
    }
    program.append(claim("RLIMIT_NLIMITS", Resource.values().length, "number of resources"));
    for (Capability capability : Capability.values()) {
      program.append(claim(capability.toString(), capability.number(), capability.name()));
    }
    compile(program.toString());
  }

  @Test
  void everyErrnoAndEverySignalHasItsNumber() throws Exception {
    StringBuilder program = new StringBuilder(HEADERS);
    for (Field field : Errno.class.getDeclaredFields()) {
      if (field.getType() == Errno.class) {
        int number = ((Errno) field.get(null)).number();
        program.append(claim(field.getName(), number, "Errno." + field.getName()));
      }
    }
    for (Field field : Signal.class.getDeclaredFields()) {
      if (field.getType() == Signal.class) {
        int number = ((Signal) field.get(null)).number();
        program.append(claim("SIG" + field.getName(), number, "Signal." + field.getName()));
      }
    }
    for (int number = 1; number < 32; number++) {
      program.append(claim(Signal.of(number).name(), number, "Signal.name " + number));
    }
    for (String name : List.of("SIGCLD", "SIGIO", "SIGIOT")) {
      program.append(claim(name, Signal.parse(name).number(), "Signal.parse " + name));
    }
    program.append(
        claim(EXPRESSIONS.get("Signal.MAX_NUMBER"), Signal.MAX_NUMBER, "Signal.MAX_NUMBER"));
    assertThat(program).contains("ENOENT", "SIGHUP", "SIGSYS");
    compile(program.toString());
  }

  @Test
  void everyStructureHasItsSizeAndEveryFieldItsPlaceAndTheWidthThatIsRead() throws Exception {
    Map<String, Integer> widths = widths();
    StringBuilder program = new StringBuilder(HEADERS);
    StringBuilder kernelProgram = new StringBuilder(KERNEL_HEADERS);
    for (Class<?> layout : Layouts.class.getDeclaredClasses()) {
      String name = layout.getSimpleName();
      boolean kernels = name.startsWith("kernel_");
      String type =
          kernels
              ? "struct " + name.substring("kernel_".length())
              : name.endsWith("_t") ? name : "struct " + name;
      StringBuilder text = kernels ? kernelProgram : program;
      for (Field field : layout.getDeclaredFields()) {
        String member = field.getName();
        String what = name + "." + member;
        assertThat(isConstant(field)).as(what).isTrue();
        if (member.equals("SIZE")) {
          text.append(claim("sizeof(" + type + ")", value(field), what));
          continue;
        }
        String c = MEMBERS.getOrDefault(member, member);
        text.append(claim("offsetof(" + type + ", " + c + ")", value(field), what));
        assertThat(widths).as("how the sources read %s", what).containsKey(what);
        text.append(claim("sizeof(((" + type + " *) 0)->" + c + ")", widths.get(what), what));
      }
    }
    ELEMENTS.forEach(
        (type, size) -> program.append(claim("sizeof(" + type + ")", size, "elements")));
    compile(program.toString());
    compile(kernelProgram.toString());
  }

  @Test
  void everyFunctionHasThePrototypeThatIsWrittenAboveIt() throws Exception {
    Map<String, String> prototypes = new LinkedHashMap<>();
    for (String source : sources()) {
      Matcher matcher = FUNCTION.matcher(source);
      int functions = 0;
      while (matcher.find()) {
        functions++;
        String prototype = matcher.group(1).replaceAll("(?m)^ *//", " ").strip();
        assertThat(prototype)
            .as("the comment above %s", matcher.group(2))
            .containsPattern("\\b" + matcher.group(2) + "\\b")
            .endsWith(";");
        prototypes.put(matcher.group(2), prototype);
      }
      assertThat(functions)
          .as("functions found in%n%s", source)
          .isEqualTo(source.split("Libc\\.(optionalA|a)ddress\\(", -1).length - 1);
    }
    assertThat(prototypes).hasSizeGreaterThan(40);

    StringBuilder program = new StringBuilder(HEADERS);
    prototypes.forEach((name, prototype) ->
        // The first line fails where no header declares it, the second where one does otherwise.
        program
            .append("extern __typeof__(" + name + ") " + name + ";\n")
            .append("extern " + prototype + "\n"));
    compile(program.toString());
  }

  @Test
  void aWrongClaimDoesNotCompile() throws Exception {
    assertThat(problems(HEADERS + claim("ENOENT", 3, "wrong"))).contains("wrong");
    assertThat(problems(HEADERS + "extern long close(int fd);\n")).contains("conflicting types");
    assertThat(problems(HEADERS + "extern __typeof__(no_such) no_such;\n")).contains("no_such");
  }

  private static String claim(String expression, long value, String what) {
    return "_Static_assert((" + expression + ") == " + value + "L, \"" + what + "\");\n";
  }

  /** Every int and long that is not the address of a function. */
  private static boolean isConstant(Field field) {
    int modifiers = field.getModifiers();
    if (!Modifier.isStatic(modifiers) || !Modifier.isFinal(modifiers)) {
      return false;
    }
    boolean address = Modifier.isPrivate(modifiers) && field.getType() == long.class;
    return (field.getType() == int.class || field.getType() == long.class) && !address;
  }

  private static long value(Field field) throws IllegalAccessException {
    field.setAccessible(true);
    return ((Number) field.get(null)).longValue();
  }

  /** The width with which the sources read or write each field of a structure. */
  private static Map<String, Integer> widths() throws IOException {
    Pattern access =
        Pattern.compile(
            "((?:get|put)(?:Short|Int|Long|)\\(|(?:string|name|path|inet4|inet6)\\(\\w+,)\\s*(?:place \\+ )?Layouts\\.(\\w+\\.\\w+)");
    Map<String, Integer> widths = new LinkedHashMap<>();
    for (String source : sources()) {
      Matcher matcher = access.matcher(source);
      while (matcher.find()) {
        int width =
            switch (matcher.group(1)) {
              case "get(", "put(" -> 1;
              case "getShort(", "putShort(" -> 2;
              case "getInt(", "putInt(" -> 4;
              case "name(buffer," -> 256;
              case "path(view," -> 108;
              case "inet4(wire," -> 4;
              case "inet6(wire," -> 16;
              default -> 8;
            };
        widths.put(matcher.group(2), width);
      }
    }
    return widths;
  }

  private static List<String> sources() throws IOException {
    List<String> sources = new ArrayList<>();
    try (DirectoryStream<Path> files =
        java.nio.file.Files.newDirectoryStream(SOURCES, "[A-Z]*.java")) {
      for (Path file : files) {
        sources.add(java.nio.file.Files.readString(file));
      }
    }
    return sources;
  }

  private static List<Class<?>> classes() throws Exception {
    List<Class<?>> classes = new ArrayList<>();
    try (DirectoryStream<Path> files =
        java.nio.file.Files.newDirectoryStream(CLASSES, "[A-Z]*.class")) {
      for (Path file : files) {
        String name = file.getFileName().toString().replace(".class", "");
        classes.add(Class.forName(Libc.class.getPackageName() + "." + name));
      }
    }
    return classes;
  }

  private void compile(String program) throws Exception {
    assertThat(problems(program)).isEmpty();
  }

  /** What the compiler has to say. */
  private String problems(String program) throws Exception {
    Path source = java.nio.file.Files.writeString(directory.resolve("abi.c"), program);
    Path output = directory.resolve("abi.err");
    try {
      int exit =
          new ProcessBuilder(CC, "-std=gnu11", "-fsyntax-only", source.toString())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start()
              .waitFor();
      String problems = java.nio.file.Files.readString(output);
      return exit != 0 && problems.isEmpty() ? "exit status " + exit : problems;
    } catch (IOException e) {
      return fail("no C compiler \"" + CC + "\": install gcc, or name one with -Ddaimon.cc", e);
    }
  }
}
