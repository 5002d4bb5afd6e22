package dev.daimon.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The machine that was measured on.
 *
 * @param loadBefore the load average at the beginning
 */
record Machine(String loadBefore) {
  static Machine now() throws IOException {
    return new Machine(load());
  }

  private static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
  }

  String text(Lab lab) throws IOException, InterruptedException {
    String limits = lab.call("sh", "-c", "echo $(ulimit -S -n) $(ulimit -H -n)").strip();
    String pages = first(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"));
    List<String> peers = new ArrayList<>();
    for (String name : List.of("jsvc", "daemonize", "daemon", "dpkg")) {
      peers.add(name + " " + version(lab, name));
    }
    return "Taken on "
        + LocalDate.now()
        + " by `benchmarks/run --"
        + lab.mode.name().toLowerCase(Locale.ROOT)
        + "` on "
        + Runtime.getRuntime().availableProcessors()
        + " processors ("
        + field("/proc/cpuinfo", "model name")
        + "), "
        + field("/proc/meminfo", "MemTotal")
        + " of memory; "
        + release()
        + ", kernel "
        + first(Path.of("/proc/sys/kernel/osrelease"))
        + ", glibc "
        + lab.call("getconf", "GNU_LIBC_VERSION").strip().replace("glibc ", "")
        + "; "
        + System.getProperty("java.vendor.version", "")
        + " ("
        + System.getProperty("java.vm.version")
        + "); huge pages "
        + pages
        + "; `nofile` soft and hard "
        + limits
        + "; load average "
        + loadBefore
        + " before and "
        + load()
        + " after. Peers: "
        + String.join(", ", peers)
        + "; libraries as in [the POM](../benchmarks/pom.xml).\n";
  }

  private static String version(Lab lab, String debianPackage)
      throws IOException, InterruptedException {
    String command = "dpkg-query -W -f '${Version}' " + debianPackage + " 2>/dev/null || echo none";
    String version = lab.call("sh", "-c", command).strip();
    return version.isEmpty() ? "none" : version;
  }

  private static String release() throws IOException {
    return Files.readAllLines(Path.of("/etc/os-release")).stream()
        .filter(line -> line.startsWith("PRETTY_NAME="))
        .map(line -> line.substring(line.indexOf('=') + 1).replace("\"", ""))
        .collect(Collectors.joining());
  }

  private static String first(Path path) throws IOException {
    return Files.exists(path) ? Files.readAllLines(path).getFirst() : "unknown";
  }

  private static String field(String path, String name) throws IOException {
    return Files.readAllLines(Path.of(path)).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(line.indexOf(':') + 1).strip())
        .findFirst()
        .orElse("unknown");
  }
}
