package dev.daimon.daemon.javacommand;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class JavaCommandPropertyTest {
  @Property
  void argumentsOfTheProgramArriveUnchanged(
      @ForAll("programs") List<String> program, @ForAll("words") List<String> arguments) {
    List<String> words = new ArrayList<>(program);
    words.addAll(arguments);
    JavaCommand command = JavaCommand.of(words, "/d", Map.of(), List.of("-Xmx2g"));
    assertThat(command.problems()).isEmpty();
    assertThat(command.words())
        .hasSize(words.size() + 1)
        .endsWith(arguments.toArray(new String[0]));
  }

  @Property
  void valuesOfPropertiesArriveUnchanged(@ForAll("words") List<String> values) {
    List<String> words = new ArrayList<>(List.of("java"));
    for (String value : values) {
      words.add("-Dx=" + value);
    }
    words.addAll(List.of("-m", "m"));
    assertThat(JavaCommand.of(words, "/d", Map.of(), List.of()).words()).isEqualTo(words);
  }

  @Property
  void aVariableHasTheWordsThatWereQuotedForIt(@ForAll("words") List<String> words) {
    StringBuilder text = new StringBuilder();
    for (String word : words) {
      text.append('"').append(word.replace("\"", "\"'\"'\"")).append("\" ");
    }
    assertThat(ArgumentSplitter.inVariable(text.toString())).isEqualTo(words);
  }

  @Provide
  Arbitrary<List<String>> programs() {
    return Arbitraries.of(
        List.of("java", "-cp", "/a", "Main"),
        List.of("java", "-jar", "/a.jar"),
        List.of("java", "-p", "/a", "-m", "m"),
        List.of("java", "-p", "/a", "--module=m"),
        List.of("java", "-cp", "/a", "--source", "25", "/f"));
  }

  @Provide
  Arbitrary<List<String>> words() {
    return Arbitraries.oneOf(
            bytes(), Arbitraries.of("-cp", "-jar", "@file", "@@x", "--source 2", "", "x.java"))
        .list()
        .ofMaxSize(6);
  }

  /** Every byte but NUL, a character each. */
  private static Arbitrary<String> bytes() {
    return Arbitraries.strings().withCharRange('\1', '\u00ff').ofMaxLength(12);
  }
}
