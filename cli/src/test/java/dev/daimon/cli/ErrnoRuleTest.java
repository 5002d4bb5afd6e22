package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * An error that is known by its name is a constant of {@code Errno}, where {@code AbiTest} compares
 * it with the system's headers: no other class makes one from a number of its own.
 */
class ErrnoRuleTest {
  private static final Path ROOT = Path.of(System.getProperty("daimon.root"));
  private static final String ERRNO = "dev/daimon/posix/Errno";

  @Test
  void noErrorIsMadeFromALiteralNumber() throws Exception {
    List<String> violations = new ArrayList<>();
    int callers = 0;
    for (Path file : classFiles()) {
      ClassModel type = ClassFile.of().parse(file);
      if (type.thisClass().asInternalName().equals(ERRNO)) {
        continue;
      }
      for (MethodModel method : type.methods()) {
        if (method.code().isPresent()) {
          callers += calls(method.code().get(), type, violations);
        }
      }
    }
    assertThat(violations).isEmpty();
    // The numbers that the bindings return: PosixException is one that takes them.
    assertThat(callers).isPositive();
  }

  /** Counts the calls of {@code Errno.of}, and notes those whose argument is a constant. */
  private static int calls(CodeModel code, ClassModel type, List<String> violations) {
    int calls = 0;
    Instruction before = null;
    for (CodeElement element : code) {
      if (!(element instanceof Instruction instruction)) {
        continue;
      }
      if (instruction instanceof InvokeInstruction call
          && call.owner().asInternalName().equals(ERRNO)
          && call.name().equalsString("of")) {
        calls++;
        if (before instanceof ConstantInstruction constant) {
          violations.add(
              type.thisClass().asInternalName() + ": Errno.of(" + constant.constantValue() + ")");
        }
      }
      before = instruction;
    }
    return calls;
  }

  private static List<Path> classFiles() throws IOException {
    List<Path> files = new ArrayList<>();
    try (Stream<Path> modules = Files.list(ROOT)) {
      for (Path module : modules.toList()) {
        Path classes = module.resolve("target/classes");
        if (Files.isDirectory(classes)) {
          try (Stream<Path> found = Files.walk(classes)) {
            found.filter(file -> file.toString().endsWith(".class")).forEach(files::add);
          }
        }
      }
    }
    return files;
  }
}
