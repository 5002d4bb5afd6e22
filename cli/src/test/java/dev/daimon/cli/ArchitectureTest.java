package dev.daimon.cli;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import com.tngtech.archunit.library.dependencies.SliceRule;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules for dependencies between modules, packages and classes. */
class ArchitectureTest {
  private static final Path ROOT = Path.of(System.getProperty("daimon.root"));

  private static final String NOT_PUBLISHED = "<maven.deploy.skip>true</maven.deploy.skip>";

  private static final String[] CONCERNS = {
    "dev.daimon.pidfile..",
    "dev.daimon.locking..",
    "dev.daimon.forking..",
    "dev.daimon.pidfd..",
    "dev.daimon.privileges..",
    "dev.daimon.readiness..",
    "dev.daimon.signals.."
  };

  /**
   * The classes of a library that may print or end the JVM: a program's main, a launcher that ends
   * when the start is decided, its status line, a daemon that stops or whose launcher is gone, a
   * stream that is flushed before it is redirected, and the capture of the streams, which needs
   * their character sets.
   */
  private static final Set<String> TALKERS =
      Set.of(
          "dev.daimon.command.DaemonCommand",
          "dev.daimon.daemon.Daemonizer",
          "dev.daimon.daemon.StatusLine",
          "dev.daimon.daemon.runtime.GracefulStop",
          "dev.daimon.daemon.runtime.ReadinessReport",
          "dev.daimon.daemon.streams.Streams",
          "dev.daimon.forking.StandardStream");

  /** A dependency that closes a cycle, and is permitted. */
  private record Mutual(String from, String to) {}

  /** The permitted cycles, each with its reason. */
  private static final List<Mutual> MUTUAL =
      List.of(
          // A function that the C library lacks fails with an Errno, whose text a function returns.
          new Mutual("posix.call.EntryPoint", "posix.Errno"),
          // An out-parameter and the constants of its calls.
          new Mutual("posix.call.FileStatus", "posix.call.Files"));

  private static final String[] COMPOSITIONS = {
    "dev.daimon.startup..",
    "dev.daimon.control..",
    "dev.daimon.daemon..",
    "dev.daimon.command..",
    "dev.daimon.cli.."
  };

  /** Imported once: that takes seconds. */
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPaths(classDirectories());

  private static List<Path> classDirectories() {
    try (Stream<Path> modules = Files.list(ROOT)) {
      return modules
          // Not built before the command; and one's main class is JMH's business.
          .filter(module -> !module.endsWith("benchmarks") && !module.endsWith("consumers"))
          .map(module -> module.resolve("target/classes"))
          .filter(Files::isDirectory)
          .toList();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Test
  void everyModuleIsLookedAt() {
    assertThat(classDirectories()).hasSize(14);
    assertThat(CLASSES).hasSizeGreaterThan(40);
  }

  @Test
  void siblingsNeverDependOnEachOther() {
    slices()
        .matching("dev.daimon.(pidfile|locking|forking|pidfd|privileges|readiness|signals)..")
        .should()
        .notDependOnEachOther()
        .check(CLASSES);
  }

  @Test
  void noPackagesDependOnEachOther() {
    // The bindings take types of posix, and these types call the bindings: the two packages count
    // as one, of which only a part is exported.
    requireNoCycles(
        "packages",
        type -> type.getPackageName().replace("dev.daimon.posix.call", "dev.daimon.posix"));
  }

  /** Nested classes count as their outermost class. */
  @Test
  void noClassesDependOnEachOther() {
    requireNoCycles("outermost classes", ArchitectureTest::outermost);
  }

  private void requireNoCycles(String description, Function<JavaClass, String> name) {
    SliceAssignment assignment =
        new SliceAssignment() {
          @Override
          public SliceIdentifier getIdentifierOf(JavaClass type) {
            return type.getPackageName().startsWith("dev.daimon.")
                ? SliceIdentifier.of(name.apply(type))
                : SliceIdentifier.ignore();
          }

          @Override
          public String getDescription() {
            return description;
          }
        };
    withoutMutual(slices().assignedFrom(assignment).should().beFreeOfCycles()).check(CLASSES);
  }

  private static SliceRule withoutMutual(SliceRule rule) {
    SliceRule result = rule;
    for (Mutual mutual : MUTUAL) {
      result = result.ignoreDependency(isOutermost(mutual.from), isOutermost(mutual.to));
    }
    return result;
  }

  private static DescribedPredicate<JavaClass> isOutermost(String name) {
    return describe(name, type -> outermost(type).equals("dev.daimon." + name));
  }

  private static String outermost(JavaClass type) {
    String name = type.getName();
    int nested = name.indexOf('$');
    return nested < 0 ? name : name.substring(0, nested);
  }

  /** The settings can change while they are built, and a built configuration must not. */
  @Test
  void onlyTheBuilderChangesSettings() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("dev.daimon.daemon.DaemonConfig$Builder")
        .and()
        .doNotHaveFullyQualifiedName("dev.daimon.daemon.config.Settings")
        .should()
        .setFieldWhere(
            describe(
                "the field is a setting",
                access ->
                    access.getTargetOwner().getName().equals("dev.daimon.daemon.config.Settings")))
        .check(CLASSES);
  }

  @Test
  void dependenciesRunDownwards() {
    noClasses()
        .that()
        .resideInAPackage("dev.daimon.posix..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(CONCERNS)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage(COMPOSITIONS)
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage(CONCERNS)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(COMPOSITIONS)
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("dev.daimon.startup..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.daimon.control..",
            "dev.daimon.daemon..",
            "dev.daimon.command..",
            "dev.daimon.cli..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAnyPackage("dev.daimon.control..", "dev.daimon.daemon..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.daimon.command..", "dev.daimon.cli..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("dev.daimon.command..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.daimon.cli..")
        .check(CLASSES);
  }

  @Test
  void onlyPosixTouchesNativeMemory() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.daimon.posix.call..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign..")
        .check(CLASSES);
  }

  @Test
  void onlyLibcLinksFunctions() {
    noClasses()
        .that()
        .haveNameNotMatching("dev\\.daimon\\.posix\\.call\\.Libc(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(CLASSES);
  }

  @Test
  void compositionsMakeNoSystemCallOfTheirOwn() {
    noClasses()
        .that()
        .resideInAnyPackage(COMPOSITIONS)
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.daimon.posix.call..")
        .check(CLASSES);
  }

  /** What a failure means is told by its type, not by the name of the system call that failed. */
  @Test
  void theCommandDoesNotAskWhichSystemCallFailed() {
    noClasses()
        .that()
        .resideInAPackage("dev.daimon.cli..")
        .should()
        .callMethod(PosixException.class, "call")
        .check(CLASSES);
  }

  @Test
  void librariesNeitherPrintNorEndTheJvm() {
    noClasses()
        .that()
        .resideOutsideOfPackages("dev.daimon.cli..", "dev.daimon.testing..")
        .and(describe("are no talkers", type -> !TALKERS.contains(type.getName())))
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(CLASSES);
  }

  /** An interrupted thread would not pause at all: Pause is for it. */
  @Test
  void aPauseIsOneThatAnInterruptedThreadMakes() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.daimon.testing..")
        .and()
        // Its close interrupts its thread.
        .doNotHaveFullyQualifiedName("dev.daimon.readiness.Watchdog")
        .should()
        .callMethod(LockSupport.class, "parkNanos", long.class)
        .orShould()
        .callMethod(LockSupport.class, "parkNanos", Object.class, long.class)
        .check(CLASSES);
  }

  /** Path.toAbsolutePath loses the bytes of a directory's name that the locale cannot decode. */
  @Test
  void aPathIsMadeAbsoluteByItsBytes() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.daimon.testing..")
        .and()
        .doNotHaveFullyQualifiedName("dev.daimon.posix.NativePath")
        .should()
        .callMethod(Path.class, "toAbsolutePath")
        .check(CLASSES);
  }

  /**
   * The /proc of another PID namespace has other processes by the same ids: that is asked there.
   */
  @Test
  void onlyProcDirectoryNamesTheDirectoryOfAProcess() throws Exception {
    // A child that was adopted has a name for people.
    Set<String> permitted = Set.of("ProcDirectory.java", "Child.java");
    Pattern literal = Pattern.compile("\"/proc/?\"");
    List<Path> found = new ArrayList<>();
    int seen = 0;
    for (Path classes : classDirectories()) {
      Path module = ROOT.relativize(classes).getName(0);
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
        for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
          seen++;
          if (!module.toString().equals("testing")
              && !permitted.contains(String.valueOf(file.getFileName()))
              && literal.matcher(Files.readString(file)).find()) {
            found.add(file);
          }
        }
      }
    }
    assertThat(seen).isGreaterThan(100);
    assertThat(found).isEmpty();
  }

  /** The BOM has what is published, and nothing else; the parent manages the same for the build. */
  @Test
  void theBomNamesEveryPublishedModule() throws Exception {
    List<String> published = new ArrayList<>();
    for (Path pom : poms()) {
      String text = Files.readString(pom);
      if (!text.contains("<packaging>pom</packaging>") && !text.contains(NOT_PUBLISHED)) {
        Matcher artifact =
            Pattern.compile("</parent>\\s*<artifactId>([^<]*)</artifactId>").matcher(text);
        assertThat(artifact.find()).as(pom.toString()).isTrue();
        published.add(artifact.group(1));
      }
    }
    assertThat(published).hasSize(13);
    assertThat(managed("bom/pom.xml")).containsExactlyInAnyOrderElementsOf(published);
    published.add("daimon-testing");
    assertThat(managed("pom.xml")).containsExactlyInAnyOrderElementsOf(published);
  }

  private static List<String> managed(String pom) throws IOException {
    String text = Files.readString(ROOT.resolve(pom));
    return Pattern.compile(
            "<artifactId>(daimon[^<]*)</artifactId>\\s*<version>\\$\\{project.version}")
        .matcher(text.substring(text.indexOf("<dependencyManagement>")))
        .results()
        .map(managed -> managed.group(1))
        .toList();
  }

  /**
   * A release changes one line, and those of the documentation that are copied into other builds.
   */
  @Test
  void theVersionIsWrittenInOnePlace() throws Exception {
    String root = Files.readString(ROOT.resolve("pom.xml"));
    Matcher revision = Pattern.compile("<revision>([^<]+)</revision>").matcher(root);
    assertThat(revision.find()).isTrue();
    for (Path pom : poms()) {
      String text = Files.readString(pom);
      Matcher parent = Pattern.compile("</artifactId>\\s*<version>([^<]*)</version>").matcher(text);
      assertThat(parent.find()).as(pom.toString()).isTrue();
      assertThat(parent.group(1)).as(pom.toString()).isEqualTo("${revision}");
    }
    Matcher documented =
        Pattern.compile("<artifactId>daimon-bom</artifactId>\\s*<version>([^<]*)</version>")
            .matcher(Files.readString(ROOT.resolve("docs/modules.md")));
    assertThat(documented.find()).isTrue();
    assertThat(documented.group(1)).isEqualTo(revision.group(1));
  }

  private static List<Path> poms() throws IOException {
    try (Stream<Path> modules = Files.list(ROOT)) {
      return Stream.concat(Stream.of(ROOT), modules)
          .map(module -> module.resolve("pom.xml"))
          .filter(Files::exists)
          .toList();
    }
  }

  /** A test that does not run proves nothing: what a machine lacks is told by tags instead. */
  @Test
  void noTestIsSkipped() throws Exception {
    JavaClasses tests =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.ONLY_INCLUDE_TESTS)
            .importPaths(
                classDirectories().stream()
                    .map(classes -> classes.resolveSibling("test-classes"))
                    .toList());
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("org.junit.jupiter.api.Disabled")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("org.junit.jupiter.api.Assumptions")
        .orShould()
        .dependOnClassesThat()
        .resideInAPackage("org.junit.jupiter.api.condition..")
        .check(tests);
  }
}
