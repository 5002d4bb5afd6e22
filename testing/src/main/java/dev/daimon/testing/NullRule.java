package dev.daimon.testing;

import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/**
 * The rule on {@code null}: where a public method or constructor does not take it, the call throws
 * a {@link NullPointerException} whose message is the parameter's name. The package is {@link
 * NullMarked}, so that compilers know the rule.
 *
 * <p>Exceptions are left out: the failure of one would hide another failure.
 */
public final class NullRule {
  private final Map<Class<?>, Object> samples = new HashMap<>();

  /** Makes a rule with these arguments for parameters of their types; others get default values. */
  public NullRule(Object... arguments) {
    for (Object argument : arguments) {
      samples.put(argument.getClass(), argument);
    }
    samples.put(String.class, "x");
    samples.put(Path.class, Path.of("/x"));
    samples.put(Duration.class, Duration.ZERO);
    samples.put(Instant.class, Instant.EPOCH);
    samples.put(List.class, List.of());
    samples.put(Set.class, Set.of());
    samples.put(Optional.class, Optional.empty());
    samples.put(OptionalInt.class, OptionalInt.empty());
    samples.put(OptionalLong.class, OptionalLong.empty());
  }

  /** Returns what breaks the rule in the public types of a class's package, one line each. */
  public List<String> violations(Class<?> example) throws Exception {
    String folder = example.getPackageName().replace('.', '/');
    Path directory = Path.of(ChildJvm.root(example), folder);
    List<String> violations = new ArrayList<>();
    if (!example.getPackage().isAnnotationPresent(NullMarked.class)) {
      // Kotlin does not read the annotation of a module.
      violations.add(example.getPackageName() + " is not @NullMarked");
    }
    String[] files = Objects.requireNonNull(directory.toFile().list());
    Arrays.sort(files);
    for (String file : files) {
      if (file.endsWith(".class") && !file.equals("package-info.class")) {
        String name = file.substring(0, file.length() - ".class".length());
        Class<?> type = Class.forName(example.getPackageName() + "." + name);
        if (isPublic(type) && !Throwable.class.isAssignableFrom(type)) {
          look(type, violations);
        }
      }
    }
    return violations;
  }

  private static boolean isPublic(Class<?> type) {
    Class<?> outer = type.getEnclosingClass();
    return Modifier.isPublic(type.getModifiers()) && (outer == null || isPublic(outer));
  }

  private void look(Class<?> type, List<String> violations) throws Exception {
    if (!type.isInterface()) {
      for (Constructor<?> constructor : type.getConstructors()) {
        look(constructor, null, violations);
      }
    }
    for (Method method : type.getDeclaredMethods()) {
      boolean isStatic = Modifier.isStatic(method.getModifiers());
      if (!Modifier.isPublic(method.getModifiers())
          || method.isSynthetic()
          || Modifier.isAbstract(method.getModifiers())
          || (type.isEnum() && isStatic)
          || method.getName().equals("equals")) {
        continue;
      }
      Object target = isStatic ? null : given(type);
      if (!isStatic && target == null && takesReferences(method)) {
        violations.add(method + ": no instance to try it with");
      } else {
        look(method, target, violations);
      }
    }
  }

  private static boolean takesReferences(Method method) {
    for (Parameter parameter : method.getParameters()) {
      if (!parameter.getType().isPrimitive() && !isNullable(parameter)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNullable(Parameter parameter) {
    AnnotatedType type = parameter.getAnnotatedType();
    return type.isAnnotationPresent(Nullable.class);
  }

  private void look(Executable executable, @Nullable Object target, List<String> violations)
      throws Exception {
    Parameter[] parameters = executable.getParameters();
    for (int i = 0; i < parameters.length; i++) {
      if (parameters[i].getType().isPrimitive() || isNullable(parameters[i])) {
        continue;
      }
      Object[] arguments = new Object[parameters.length];
      for (int j = 0; j < parameters.length; j++) {
        arguments[j] = j == i ? null : sample(parameters[j].getType());
      }
      String thrown = thrown(executable, target, arguments);
      // The JVM's own messages are sentences.
      if (!thrown.matches("java.lang.NullPointerException: [a-zA-Z]+")) {
        violations.add(executable + ", parameter " + (i + 1) + ": " + thrown);
      }
    }
  }

  private static String thrown(Executable executable, @Nullable Object target, Object[] arguments)
      throws Exception {
    try {
      if (executable instanceof Constructor<?> constructor) {
        Object _ = constructor.newInstance(arguments);
      } else {
        Object _ = ((Method) executable).invoke(target, arguments);
      }
      return "nothing";
    } catch (InvocationTargetException failure) {
      return String.valueOf(failure.getCause());
    }
  }

  private Object sample(Class<?> type) {
    if (type.isPrimitive()) {
      return Array.get(Array.newInstance(type, 1), 0);
    }
    Object given = given(type);
    if (given != null) {
      return given;
    }
    if (type.isArray()) {
      return Array.newInstance(type.getComponentType(), 0);
    }
    if (type.isInterface()) {
      return Proxy.newProxyInstance(
          type.getClassLoader(), new Class<?>[] {type}, (_, _, _) -> null);
    }
    throw new IllegalArgumentException("no argument of " + type);
  }

  private @Nullable Object given(Class<?> type) {
    for (Object sample : samples.values()) {
      if (type.isInstance(sample)) {
        return sample;
      }
    }
    return null;
  }
}
