package dev.daimon.consumers;

import static java.lang.module.ModuleDescriptor.Requires.Modifier.STATIC;
import static java.lang.module.ModuleDescriptor.Requires.Modifier.TRANSITIVE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * What Maven and Gradle read of a module: its POM. Gradle compiles with what has the scope {@code
 * compile}, and runs with what has the scope {@code runtime} as well.
 */
class PublishedPomIT {
  record Artifact(String id, Path pom, Path jar) {
    @Override
    public String toString() {
      return id;
    }
  }

  static List<Artifact> libraries() throws IOException {
    return installed().stream().filter(artifact -> Files.exists(artifact.jar)).toList();
  }

  /** Returns what is installed of Daimon, but its parent POM and what only its tests need. */
  private static List<Artifact> installed() throws IOException {
    List<Artifact> found = new ArrayList<>();
    try (Stream<Path> poms = Files.walk(Consumers.INSTALLED)) {
      for (Path pom : poms.filter(path -> path.toString().endsWith(".pom")).sorted().toList()) {
        String id = pom.getParent().getParent().getFileName().toString();
        if (!List.of("daimon-parent", "daimon-testing", "daimon-consumers").contains(id)) {
          Path jar = pom.resolveSibling(pom.getFileName().toString().replaceFirst("pom$", "jar"));
          found.add(new Artifact(id, pom, jar));
        }
      }
    }
    return found;
  }

  private static Element read(Artifact artifact) throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(artifact.pom.toFile());
    return document.getDocumentElement();
  }

  private static List<Element> children(Element parent, String name) {
    List<Element> found = new ArrayList<>();
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element element && element.getTagName().equals(name)) {
        found.add(element);
      }
    }
    return found;
  }

  private static String text(Element parent, String name) {
    List<Element> found = children(parent, name);
    return found.isEmpty() ? "" : found.getFirst().getTextContent().strip();
  }

  private static List<Element> dependencies(Element parent) {
    return children(parent, "dependencies").stream()
        .flatMap(list -> children(list, "dependency").stream())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aPomSaysWhatTheModuleRequires(Artifact artifact) throws Exception {
    Element pom = read(artifact);
    Map<String, String> scopes = new TreeMap<>();
    for (Element dependency : dependencies(pom)) {
      if (!text(dependency, "groupId").equals("dev.daimon")) {
        // Maven and Gradle pass it on to nobody.
        assertThat(text(dependency, "scope")).isEqualTo("provided");
        continue;
      }
      assertThat(text(dependency, "version")).isEqualTo(text(pom, "version")).doesNotContain("$");
      assertThat(text(dependency, "optional")).isEmpty();
      String scope = text(dependency, "scope");
      scopes.put(
          moduleOf(text(dependency, "artifactId")).name(), scope.isEmpty() ? "compile" : scope);
    }

    Map<String, String> required = new TreeMap<>();
    for (ModuleDescriptor.Requires requires : moduleOf(artifact.id).requires()) {
      if (requires.name().startsWith("dev.daimon.")) {
        boolean toCompile = requires.modifiers().contains(TRANSITIVE);
        String scope = scopes.getOrDefault(requires.name(), "missing");
        required.put(requires.name(), toCompile || scope.equals("missing") ? "compile" : scope);
      } else {
        assertThat(requires.name().startsWith("java.") || requires.name().startsWith("jdk."))
            .as(requires.name())
            .isEqualTo(!requires.modifiers().contains(STATIC));
      }
    }
    assertThat(scopes).isEqualTo(required);
    assertThat(scopes.values()).isSubsetOf("compile", "runtime");
  }

  private static ModuleDescriptor moduleOf(String artifact) throws IOException {
    Path jar =
        libraries().stream()
            .filter(library -> library.id.equals(artifact))
            .map(Artifact::jar)
            .findFirst()
            .orElseThrow(() -> new AssertionError("no library of Daimon: " + artifact));
    return ModuleFinder.of(jar).findAll().stream()
        .map(ModuleReference::descriptor)
        .findFirst()
        .orElseThrow();
  }

  /** What a POM manages reaches everybody who takes it, with Gradle even unasked. */
  @ParameterizedTest
  @MethodSource("libraries")
  void aPomHasNoParentAndManagesNothing(Artifact artifact) throws Exception {
    Element pom = read(artifact);

    for (String name :
        List.of(
            "parent", "dependencyManagement", "build", "repositories", "profiles", "properties")) {
      assertThat(children(pom, name)).as(name).isEmpty();
    }
  }

  @Test
  void theBomManagesDaimonAlone() throws Exception {
    Artifact bom =
        installed().stream().filter(one -> one.id.equals("daimon-bom")).findFirst().orElseThrow();
    Element pom = read(bom);

    assertThat(children(pom, "parent")).isEmpty();
    assertThat(children(pom, "dependencies")).isEmpty();
    List<Element> managed = dependencies(children(pom, "dependencyManagement").getFirst());
    assertThat(managed)
        .allSatisfy(dependency -> {
          assertThat(text(dependency, "groupId")).isEqualTo("dev.daimon");
          assertThat(text(dependency, "version")).isEqualTo(text(pom, "version"));
          assertThat(text(dependency, "scope")).isEmpty();
        });
    // The command is a program, and nobody's dependency.
    assertThat(managed)
        .extracting(dependency -> text(dependency, "artifactId"))
        .filteredOn(artifact -> !artifact.equals("daimon-cli"))
        .containsExactlyInAnyOrderElementsOf(libraries().stream().map(Artifact::id).toList());
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void aLibraryHasAProgramThatTakesIt(Artifact artifact) throws Exception {
    String program = artifact.id.equals("daimon") ? "daemon" : artifact.id.substring(7);

    assertThat(Consumers.libraries(program)).contains(artifact.id);
  }
}
