package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.startup.StartException.Reason;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The scripts and {@link ScriptProtocol} have the same properties and numbers. */
class ScriptProtocolTest {
  /** The exit code of {@code status} if it cannot be told whether the daemon runs. */
  private static final String CANNOT_TELL = "4";

  private static final Path ROOT = Path.of(System.getProperty("daimon.root"));
  private static final Path LIBRARY = ROOT.resolve("cli/src/main/dist/lib");
  private static final Pattern PROPERTY = Pattern.compile("-D(daimon\\.[a-z.]+)=");

  @Test
  void theScriptsAndRespawnSetTheseProperties() throws Exception {
    Set<String> launcher = found(PROPERTY, code(LIBRARY.resolve("launcher.sh")));
    Set<String> training = found(PROPERTY, code(LIBRARY.resolve("make-cache")));

    assertThat(launcher)
        .containsExactlyInAnyOrder(
            ScriptProtocol.CALLER,
            ScriptProtocol.CANCEL,
            ScriptProtocol.COPY,
            ScriptProtocol.ERROR);
    assertThat(training).containsExactlyInAnyOrder(ScriptProtocol.CALLER, ScriptProtocol.ERROR);
    assertThat(found(PROPERTY, code(LIBRARY.resolve("jvm.sh")))).isEmpty();
    Set<String> all = new TreeSet<>(launcher);
    all.addAll(constants(source("Respawn")));
    assertThat(all).containsExactlyInAnyOrderElementsOf(properties());
    assertThat(constants(source("Caller"))).containsExactlyInAnyOrderElementsOf(properties());
  }

  /** Every constant of the class that is a property. */
  private static Set<String> properties() throws Exception {
    Set<String> names = new TreeSet<>();
    for (Field field : ScriptProtocol.class.getDeclaredFields()) {
      if (field.get(null) instanceof String name) {
        names.add(name);
      }
    }
    return names;
  }

  /** The properties that a class of the command uses. */
  private static Set<String> constants(String source) throws Exception {
    Set<String> values = new TreeSet<>();
    for (String name : found(Pattern.compile("ScriptProtocol\\.([A-Z_]+)"), source)) {
      values.add((String) ScriptProtocol.class.getDeclaredField(name).get(null));
    }
    return values;
  }

  @Test
  void theScriptReadsTheseStatuses() throws Exception {
    Set<String> expected = new TreeSet<>();
    for (int code = 0; code <= ScriptProtocol.LAST_MOVED; code++) {
      expected.add(Integer.toString(ScriptProtocol.MOVED + code));
    }
    expected.add(Integer.toString(ScriptProtocol.CANCELLED));

    assertThat(found(Pattern.compile("\\b(12[0-5])\\b"), code(LIBRARY.resolve("launcher.sh"))))
        .containsExactlyElementsOf(expected)
        .contains(Integer.toString(ScriptProtocol.RUN_BY_EXEC));
  }

  /** What the scripts find by themselves has the exit codes that the command has for it. */
  @Test
  void theScriptsOwnExitCodesAreThoseOfTheCommand() throws Exception {
    for (Path script :
        List.of(
            LIBRARY.resolve("launcher.sh"),
            LIBRARY.resolve("jvm.sh"),
            LIBRARY.resolveSibling("bin/daimon"),
            ROOT.resolve("daimon"))) {
      Set<String> codes = found(Pattern.compile("\\bexit ([0-9]+)"), code(script));
      codes.remove(CANNOT_TELL);

      assertThat(codes)
          .as(script.toString())
          .containsExactly(Integer.toString(Reason.SYSTEM.exitCode()));
    }
  }

  private static Set<String> found(Pattern pattern, String text) {
    Set<String> found = new TreeSet<>();
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  /** The lines of a script that are no comments. */
  private static String code(Path script) throws Exception {
    StringBuilder code = new StringBuilder();
    for (String line : Files.readAllLines(script)) {
      code.append(line.strip().startsWith("#") ? "" : line).append('\n');
    }
    return code.toString();
  }

  private static String source(String type) throws Exception {
    return Files.readString(ROOT.resolve("cli/src/main/java/dev/daimon/cli/" + type + ".java"));
  }
}
