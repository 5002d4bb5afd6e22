package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What changes the text of an API, and what does not. Java's own compiler makes the classes. */
class ApiTextTest {
  /** A type before and after a change of its source. */
  record Change(String what, String before, String after) {
    @Override
    public String toString() {
      return what;
    }
  }

  private static Change member(String what, String before, String after) {
    return type(what, "public class A { " + before + " }", "public class A { " + after + " }");
  }

  private static Change type(String what, String before, String after) {
    return new Change(what, before, after);
  }

  static final List<Change> SEEN =
      List.of(
          member("a method added", "", "public void m() {}"),
          member("a method that only this package can call", "public void m() {}", "void m() {}"),
          member("a parameter's type", "public void m(int x) {}", "public void m(long x) {}"),
          member("a result", "public int m() { return 0; }", "public long m() { return 0; }"),
          member("a static method", "public void m() {}", "public static void m() {}"),
          member("a final method", "public void m() {}", "public final void m() {}"),
          member("a protected method", "public void m() {}", "protected void m() {}"),
          member(
              "a checked exception",
              "public void m() {}",
              "public void m() throws java.io.IOException {}"),
          member(
              "an array no longer variable",
              "public void m(int... x) {}",
              "public void m(int[] x) {}"),
          member(
              "a type argument",
              "public java.util.List<String> m() { return null; }",
              "public java.util.List<Integer> m() { return null; }"),
          member(
              "a wildcard",
              "public void m(java.util.List<? extends Number> x) {}",
              "public void m(java.util.List<? super Number> x) {}"),
          member(
              "a bound of a method's type",
              "public <T> void m(T x) {}",
              "public <T extends Number> void m(T x) {}"),
          member(
              "null in a parameter",
              "public void m(String x) {}",
              "public void m(@Nullable String x) {}"),
          member(
              "null in an element of a list",
              "public java.util.List<String> m() { return null; }",
              "public java.util.List<@Nullable String> m() { return null; }"),
          member(
              "null in an element of an array",
              "public String @Nullable [] m() { return null; }",
              "public @Nullable String[] m() { return null; }"),
          member(
              "a constant's value",
              "public static final int C = 1;",
              "public static final int C = 2;"),
          member(
              "a constant text",
              "public static final String C = \"a\\n\";",
              "public static final String C = \"a\\\\n\";"),
          member("a field's type", "public final int f = 1;", "public final long f = 1;"),
          member(
              "a field that can be set",
              "public static final int[] F = {};",
              "public static int[] F = {};"),
          member("a constructor that is hidden", "", "private A() {}"),
          member(
              "a member that is deprecated",
              "public void m() {}",
              "@Deprecated public void m() {}"),
          member(
              "a member that will be removed",
              "@Deprecated public void m() {}",
              "@Deprecated(since = \"2\", forRemoval = true) public void m() {}"),
          member("a nested class", "", "public static class B {}"),
          member(
              "a nested class needs an outer object",
              "public static class B {}",
              "public class B {}"),
          type("a final class", "public class A {}", "public final class A {}"),
          type("an abstract class", "public class A {}", "public abstract class A {}"),
          type("a class of this package", "public class A {}", "class A {}"),
          type("a superclass", "public class A {}", "public class A extends java.util.Date {}"),
          type("an interface", "public class A {}", "public class A implements Cloneable {}"),
          type(
              "a class's type parameter",
              "public class A<T> {}",
              "public class A<T extends Number> {}"),
          type("a record", "public final class A {}", "public record A() {}"),
          type("a component", "public record A(int x) {}", "public record A(int x, int y) {}"),
          type("a component's type", "public record A(int x) {}", "public record A(long x) {}"),
          type(
              "null in a component",
              "public record A(String x) {}",
              "public record A(@Nullable String x) {}"),
          type("the order of constants", "public enum A { X, Y }", "public enum A { Y, X }"),
          type(
              "a method that has no body any more",
              "public interface A { default void m() {} }",
              "public interface A { void m(); }"),
          type(
              "a permitted class",
              "public sealed interface A { record B() implements A {} }",
              "public sealed interface A { record B() implements A {} record C() implements A {} }"),
          type(
              "no longer sealed",
              "public sealed interface A { record B() implements A {} }",
              "public interface A { record B() implements A {} }"),
          type(
              "a value that an annotation has by default",
              "public @interface A { int value() default 1; }",
              "public @interface A { int value() default 2; }"));

  static final List<Change> UNSEEN =
      List.of(
          member("a private member", "", "private int f; private void m() {}"),
          member("a member of this package", "", "int f; void m() {}"),
          member(
              "a body",
              "public void m() {}",
              "public void m() { Runnable r = () -> {}; r.run(); }"),
          member("a parameter's name", "public void m(int x) {}", "public void m(int y) {}"),
          member(
              "an order",
              "public void m() {} public void n() {}",
              "public void n() {} public void m() {}"),
          member("a private nested class", "", "private static class B { public void m() {} }"),
          member(
              "an anonymous class",
              "",
              "Object o() { return new Object() { public void m() {} }; }"),
          type(
              "a protected member that no subclass can have",
              "public final class A {}",
              "public final class A { protected void m() {} }"),
          type(
              "a bridge",
              "public final class A implements Comparable<A> {"
                  + " public int compareTo(A other) { return 0; } }",
              "public final class A implements Comparable<A> {"
                  + " @Override public int compareTo(A other) { return 1; } }"),
          type(
              "what a record writes itself",
              "public record A(int x) {}",
              "public record A(int x) { public A { x++; } public int x() { return x; } }"),
          type(
              "a constant with a body",
              "public enum A { X, Y }",
              "public enum A { X { @Override public String toString() { return \"\"; } }, Y }"));

  private static final Map<String, String> TEXTS = new HashMap<>();
  private static String text = "";

  @TempDir static Path directory;

  /** Compiled at once: each source in a package of its own, which the module exports. */
  @BeforeAll
  static void compile() throws Exception {
    Path sources = directory.resolve("sources");
    List<String> arguments =
        new ArrayList<>(
            List.of("-proc:none", "-nowarn", "-d", directory.resolve("classes").toString()));
    StringBuilder module = new StringBuilder("module m {");
    List<String> names = new ArrayList<>();
    for (List<Change> changes : List.of(SEEN, UNSEEN)) {
      for (Change change : changes) {
        for (String source : List.of(change.before, change.after)) {
          String name = "p" + names.size();
          names.add(source);
          module.append(" exports ").append(name).append(';');
          arguments.add(
              write(
                  sources.resolve(name).resolve("A.java"),
                  "package "
                      + name
                      + ";"
                      + " import java.lang.annotation.*;"
                      + source
                      + " @Target(ElementType.TYPE_USE) @Retention(RetentionPolicy.RUNTIME)"
                      + " @interface Nullable {}"));
        }
      }
    }
    arguments.add(write(sources.resolve("hidden/A.java"), "package hidden; public class A {}"));
    module.append(" exports hidden to other; }");
    arguments.add(write(sources.resolve("module-info.java"), module.toString()));
    StringWriter errors = new StringWriter();
    int status =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                new PrintWriter(errors), new PrintWriter(errors), arguments.toArray(String[]::new));
    assertThat(status).as(errors.toString()).isZero();
    text = ApiText.of(directory.resolve("classes"));
    String[] parts = text.split("\npackage ", -1);
    for (int i = 1; i < parts.length; i++) {
      int end = parts[i].indexOf('\n');
      int number = Integer.parseInt(parts[i].substring(1, end));
      TEXTS.put(names.get(number), parts[i].substring(end));
    }
  }

  private static String write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text).toString();
  }

  @ParameterizedTest
  @FieldSource("SEEN")
  void aUserSees(Change change) {
    assertThat(TEXTS.get(change.after)).isNotNull().isNotEqualTo(TEXTS.get(change.before));
  }

  @ParameterizedTest
  @FieldSource("UNSEEN")
  void noUserSees(Change change) {
    assertThat(TEXTS.get(change.after)).isNotNull().isEqualTo(TEXTS.get(change.before));
  }

  @Test
  void aPackageThatOnlyCertainModulesSeeIsNoApi() {
    assertThat(text).contains("package p0\n").doesNotContain("hidden");
  }

  @Test
  void eachLineReadsAsItsDeclaration() {
    assertThat(
            List.of(
                line("null in an element of an array"),
                line("a checked exception"),
                line("a wildcard"),
                line("a constant text"),
                line("a member that will be removed")))
        .containsExactly(
            "@Nullable String[] m()",
            "void m() throws java.io.IOException",
            "void m(java.util.List<? super Number>)",
            "static final String C = \"a\\\\n\"",
            "@Deprecated(forRemoval=true, since=\"2\") void m()");
  }

  private static String line(String what) {
    Change change = SEEN.stream().filter(each -> each.what.equals(what)).findFirst().orElseThrow();
    return TEXTS
        .get(change.after)
        .lines()
        .filter(l -> l.startsWith("    ") && !l.endsWith("A()"))
        .findFirst()
        .orElseThrow()
        .strip();
  }
}
