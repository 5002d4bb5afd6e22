package dev.daimon.cli;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassSignature;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodSignature;
import java.lang.classfile.Signature;
import java.lang.classfile.TypeAnnotation;
import java.lang.classfile.attribute.InnerClassInfo;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.attribute.RecordComponentInfo;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.constant.ClassDesc;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The public API of a module as text, read from its class files: whatever can break a user's source
 * or binary when it changes, and nothing else.
 */
final class ApiText {
  private static final String INDENT = "    ";

  private final Map<String, ClassModel> classes = new TreeMap<>();
  private final StringBuilder text = new StringBuilder();
  private String thisPackage = "";

  private ApiText() {}

  /** Returns the name of the module whose class files are in a directory. */
  static String moduleName(Path directory) throws IOException {
    return moduleAttribute(directory).moduleName().name().stringValue();
  }

  /** Returns whether a module exports a package to everybody. */
  static boolean hasApi(Path directory) throws IOException {
    return !exportedPackages(directory).isEmpty();
  }

  private static ModuleAttribute moduleAttribute(Path directory) throws IOException {
    return module(directory).findAttribute(Attributes.module()).orElseThrow();
  }

  private static ClassModel module(Path directory) throws IOException {
    return ClassFile.of().parse(directory.resolve("module-info.class"));
  }

  private static List<String> exportedPackages(Path directory) throws IOException {
    return moduleAttribute(directory).exports().stream()
        .filter(export -> export.exportsTo().isEmpty())
        .map(export -> export.exportedPackage().name().stringValue())
        .sorted()
        .toList();
  }

  /** Returns the API of the module whose class files are in a directory. */
  static String of(Path directory) throws IOException {
    ApiText api = new ApiText();
    String name = moduleName(directory);
    api.text
        .append("# The API of ")
        .append(name)
        .append(". What does not say protected is public. ApiTest compares and writes it.\n");
    api.module(module(directory), moduleAttribute(directory));
    for (String exported : exportedPackages(directory)) {
      api.thisPackage = exported;
      api.text.append("\npackage ").append(exported.replace('/', '.')).append('\n');
      api.read(directory.resolve(exported));
      for (Map.Entry<String, ClassModel> entry : api.classes.entrySet()) {
        if (api.isVisible(entry.getValue())) {
          api.type(entry.getValue());
        }
      }
    }
    return api.text.toString();
  }

  private void read(Path directory) throws IOException {
    classes.clear();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".class")).toList()) {
        ClassModel type = ClassFile.of().parse(file);
        // Alphabetically as a reader sees them: a nested class after its outer one.
        classes.put(name(type.thisClass().asInternalName()), type);
      }
    }
    ClassModel description = classes.remove("package-info");
    if (description != null && !annotations(description).isEmpty()) {
      text.append(INDENT).append(annotations(description)).append('\n');
    }
  }

  private void module(ClassModel model, ModuleAttribute module) {
    text.append("\n")
        .append(annotations(model))
        .append("module ")
        .append(module.moduleName().name().stringValue())
        .append('\n');
    List<String> lines = new ArrayList<>();
    module.requires().stream()
        .filter(required -> required.requiresFlags().contains(AccessFlag.TRANSITIVE))
        .forEach(required ->
            lines.add(
                (required.requiresFlags().contains(AccessFlag.STATIC_PHASE)
                        ? "requires static transitive "
                        : "requires transitive ")
                    + required.requires().name().stringValue()));
    module.opens().stream()
        .filter(open -> open.opensTo().isEmpty())
        .forEach(open -> lines.add("opens " + dotted(open.openedPackage().name().stringValue())));
    module.uses().forEach(used -> lines.add("uses " + dotted(used.asInternalName())));
    module
        .provides()
        .forEach(provided -> lines.add("provides " + dotted(provided.provides().asInternalName())));
    lines.stream().sorted().forEach(line -> text.append(INDENT).append(line).append('\n'));
  }

  /** Whether users of the module can name a type. */
  private boolean isVisible(ClassModel type) {
    Optional<InnerClassInfo> nested = nested(type);
    if (nested.isEmpty()) {
      return type.flags().has(AccessFlag.PUBLIC)
          && type.findAttribute(Attributes.enclosingMethod()).isEmpty();
    }
    Optional<ClassEntry> outer = nested.get().outerClass();
    if (outer.isEmpty()) {
      return false;
    }
    ClassModel outerType = classes.get(name(outer.get().asInternalName()));
    return isVisible(outerType)
        && (nested.get().has(AccessFlag.PUBLIC)
            || (nested.get().has(AccessFlag.PROTECTED)
                && !outerType.flags().has(AccessFlag.FINAL)));
  }

  private static Optional<InnerClassInfo> nested(ClassModel type) {
    return type.findAttribute(Attributes.innerClasses()).stream()
        .flatMap(attribute -> attribute.classes().stream())
        .filter(info -> info.innerClass().equals(type.thisClass()))
        .findFirst();
  }

  private void type(ClassModel type) {
    boolean isEnum = type.flags().has(AccessFlag.ENUM);
    boolean isInterface = type.flags().has(AccessFlag.INTERFACE);
    boolean isAnnotation = type.flags().has(AccessFlag.ANNOTATION);
    List<RecordComponentInfo> components =
        type.findAttribute(Attributes.record()).map(record -> record.components()).orElse(null);
    boolean isClass = !isEnum && !isInterface && components == null;
    Annotations placed = new Annotations(type);
    ClassSignature signature =
        type.findAttribute(Attributes.signature())
            .map(attribute -> attribute.asClassSignature())
            .orElseGet(() -> plainSignature(type));

    text.append('\n').append(annotations(type));
    boolean isFinal = type.flags().has(AccessFlag.FINAL);
    nested(type)
        .ifPresent(info -> {
          text.append(info.has(AccessFlag.PROTECTED) ? "protected " : "");
          text.append(isClass && info.has(AccessFlag.STATIC) ? "static " : "");
        });
    List<ClassEntry> permitted =
        isEnum
            ? List.of()
            : type.findAttribute(Attributes.permittedSubclasses())
                .map(attribute -> attribute.permittedSubclasses())
                .orElse(List.of());
    text.append(isClass && type.flags().has(AccessFlag.ABSTRACT) ? "abstract " : "")
        .append(isClass && isFinal ? "final " : "")
        .append(permitted.isEmpty() ? "" : "sealed ")
        .append(
            isAnnotation
                ? "@interface "
                : isInterface
                    ? "interface "
                    : isEnum ? "enum " : components != null ? "record " : "class ")
        .append(name(type.thisClass().asInternalName()))
        .append(typeParameters(signature.typeParameters(), placed));
    if (components != null) {
      text.append(
          components.stream()
              .map(component -> component(component))
              .collect(joining(", ", "(", ")")));
    }
    if (isClass && !isJavaLang(type.superclass(), "Object")) {
      requireVisible(type, type.superclass().orElseThrow());
      text.append(" extends ").append(placed.type(signature.superclassSignature(), "super 65535"));
    }
    List<String> interfaces = new ArrayList<>();
    for (int i = 0; i < signature.superinterfaceSignatures().size(); i++) {
      requireVisible(type, type.interfaces().get(i));
      interfaces.add(placed.type(signature.superinterfaceSignatures().get(i), "super " + i));
    }
    if (!interfaces.isEmpty() && !isAnnotation) {
      text.append(isInterface ? " extends " : " implements ").append(String.join(", ", interfaces));
    }
    if (!permitted.isEmpty()) {
      text.append(" permits ").append(permits(permitted));
    }
    text.append('\n');
    placed.requireNoneLeft();
    members(type, components == null ? List.of() : components);
  }

  /** What only the module itself can name can only be told by its existence. */
  private String permits(List<ClassEntry> permitted) {
    return permitted.stream()
        .map(entry -> {
          ClassModel type = classes.get(name(entry.asInternalName()));
          return type != null && isVisible(type)
              ? name(entry.asInternalName())
              : "(types that are not public)";
        })
        .distinct()
        .sorted()
        .collect(joining(", "));
  }

  /** A public type inherits the public members of a hidden one, which are not written here. */
  private void requireVisible(ClassModel type, ClassEntry parent) {
    ClassModel hidden = classes.get(name(parent.asInternalName()));
    if (hidden != null && !isVisible(hidden)) {
      throw new IllegalStateException(
          type.thisClass().asInternalName() + " has a supertype that is not public: " + parent);
    }
  }

  private static boolean isJavaLang(Optional<ClassEntry> type, String name) {
    return type.isEmpty() || type.get().asInternalName().equals("java/lang/" + name);
  }

  private static ClassSignature plainSignature(ClassModel type) {
    return ClassSignature.of(
        Signature.ClassTypeSig.of(
            type.superclass().map(ClassEntry::asSymbol).orElse(ClassDesc.of("java.lang.Object"))),
        type.interfaces().stream()
            .map(each -> Signature.ClassTypeSig.of(each.asSymbol()))
            .toArray(Signature.ClassTypeSig[]::new));
  }

  private String component(RecordComponentInfo component) {
    Annotations placed = new Annotations(component);
    Signature type =
        component
            .findAttribute(Attributes.signature())
            .map(attribute -> attribute.asTypeSignature())
            .orElseGet(() -> Signature.of(component.descriptorSymbol()));
    String text =
        annotations(component) + placed.type(type, "field") + " " + component.name().stringValue();
    placed.requireNoneLeft();
    return text;
  }

  private void members(ClassModel type, List<RecordComponentInfo> components) {
    type.fields().stream()
        .filter(field -> field.flags().has(AccessFlag.ENUM))
        .forEach(
            // In their order, which ordinal() and compareTo() tell.
            field ->
                text.append(INDENT)
                    .append(annotations(field))
                    .append(field.fieldName().stringValue())
                    .append('\n'));
    boolean isFinal = type.flags().has(AccessFlag.FINAL);
    Map<String, String> sorted = new TreeMap<>();
    for (FieldModel field : type.fields()) {
      if (isAccessible(field.flags()::has, isFinal) && !field.flags().has(AccessFlag.ENUM)) {
        sorted.put("1 " + field.fieldName().stringValue(), field(field));
      }
    }
    for (MethodModel method : type.methods()) {
      if (isAccessible(method.flags()::has, isFinal) && !isImplied(method, type, components)) {
        boolean isConstructor = method.methodName().equalsString("<init>");
        String line = method(method, type, isConstructor);
        sorted.put(
            (isConstructor ? "2 " : "3 " + method.methodName().stringValue() + " ") + line, line);
      }
    }
    sorted.values().forEach(line -> text.append(INDENT).append(line).append('\n'));
  }

  private interface Flags {
    boolean has(AccessFlag flag);
  }

  private static boolean isAccessible(Flags flags, boolean isFinal) {
    return !flags.has(AccessFlag.SYNTHETIC)
        && (flags.has(AccessFlag.PUBLIC) || (flags.has(AccessFlag.PROTECTED) && !isFinal));
  }

  /** What every enum has, and what the components of a record imply. */
  private boolean isImplied(
      MethodModel method, ClassModel type, List<RecordComponentInfo> components) {
    String name = method.methodName().stringValue();
    String descriptor = method.methodType().stringValue();
    if (type.flags().has(AccessFlag.ENUM)) {
      return (name.equals("values") && descriptor.startsWith("()"))
          || (name.equals("valueOf") && descriptor.startsWith("(Ljava/lang/String;)"));
    }
    if (type.findAttribute(Attributes.record()).isEmpty() || !annotations(method).isEmpty()) {
      return false;
    }
    String canonical =
        components.stream()
            .map(component -> component.descriptor().stringValue())
            .collect(joining("", "(", ")V"));
    return (name.equals("<init>") && descriptor.equals(canonical))
        || (name.equals("toString") && descriptor.equals("()Ljava/lang/String;"))
        || (name.equals("hashCode") && descriptor.equals("()I"))
        || (name.equals("equals") && descriptor.equals("(Ljava/lang/Object;)Z"))
        || components.stream()
            .anyMatch(component ->
                component.name().equalsString(name)
                    && descriptor.equals("()" + component.descriptor().stringValue()));
  }

  private String field(FieldModel field) {
    Annotations placed = new Annotations(field);
    Signature type =
        field
            .findAttribute(Attributes.signature())
            .map(attribute -> attribute.asTypeSignature())
            .orElseGet(() -> Signature.of(field.fieldTypeSymbol()));
    String line =
        annotations(field)
            + (field.flags().has(AccessFlag.PROTECTED) ? "protected " : "")
            + (field.flags().has(AccessFlag.STATIC) ? "static " : "")
            + (field.flags().has(AccessFlag.FINAL) ? "final " : "")
            + placed.type(type, "field")
            + " "
            + field.fieldName().stringValue()
            // A compiler copies it into the classes that use it.
            + field
                .findAttribute(Attributes.constantValue())
                .map(value -> " = " + literal(value.constant().constantValue()))
                .orElse("");
    placed.requireNoneLeft();
    return line;
  }

  private static String literal(Object value) {
    return value instanceof String string
        ? '"' + string.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"'
        : value.toString();
  }

  private String method(MethodModel method, ClassModel type, boolean isConstructor) {
    Annotations placed = new Annotations(method);
    MethodSignature signature =
        method
            .findAttribute(Attributes.signature())
            .map(attribute -> attribute.asMethodSignature())
            .orElseGet(() -> MethodSignature.of(method.methodTypeSymbol()));
    boolean isInterface = type.flags().has(AccessFlag.INTERFACE);
    boolean isStatic = method.flags().has(AccessFlag.STATIC);
    boolean isAbstract = method.flags().has(AccessFlag.ABSTRACT);
    StringBuilder line = new StringBuilder(annotations(method));
    line.append(method.flags().has(AccessFlag.PROTECTED) ? "protected " : "")
        .append(isStatic ? "static " : "")
        .append(isAbstract ? "abstract " : "")
        .append(isInterface && !isStatic && !isAbstract ? "default " : "")
        .append(
            method.flags().has(AccessFlag.FINAL) && !type.flags().has(AccessFlag.FINAL)
                ? "final "
                : "");
    String typeParameters = typeParameters(signature.typeParameters(), placed);
    line.append(typeParameters.isEmpty() ? "" : typeParameters + " ");
    if (isConstructor) {
      String name = name(type.thisClass().asInternalName());
      line.append(name.substring(name.lastIndexOf('.') + 1));
    } else {
      line.append(placed.type(signature.result(), "return"))
          .append(' ')
          .append(method.methodName().stringValue());
    }
    List<String> parameters = new ArrayList<>();
    for (int i = 0; i < signature.arguments().size(); i++) {
      parameters.add(placed.type(signature.arguments().get(i), "parameter " + i));
    }
    if (method.flags().has(AccessFlag.VARARGS)) {
      parameters.add(parameters.removeLast().replaceFirst("\\[]$", "..."));
    }
    line.append(parameters.stream().collect(joining(", ", "(", ")")));
    List<String> thrown = new ArrayList<>();
    if (!signature.throwableSignatures().isEmpty()) {
      for (int i = 0; i < signature.throwableSignatures().size(); i++) {
        thrown.add(placed.type((Signature) signature.throwableSignatures().get(i), "throws " + i));
      }
    } else {
      method
          .findAttribute(Attributes.exceptions())
          .ifPresent(exceptions ->
              exceptions
                  .exceptions()
                  .forEach(exception -> thrown.add(name(exception.asInternalName()))));
    }
    if (!thrown.isEmpty()) {
      line.append(thrown.stream().sorted().collect(joining(", ", " throws ", "")));
    }
    method
        .findAttribute(Attributes.annotationDefault())
        .ifPresent(value -> line.append(" default ").append(value(value.defaultValue())));
    placed.requireNoneLeft();
    return line.toString();
  }

  private String typeParameters(List<Signature.TypeParam> parameters, Annotations placed) {
    List<String> result = new ArrayList<>();
    for (int i = 0; i < parameters.size(); i++) {
      Signature.TypeParam parameter = parameters.get(i);
      List<String> bounds = new ArrayList<>();
      String place = "bound " + i + " ";
      parameter.classBound().ifPresent(bound -> bounds.add(placed.type(bound, place + 0)));
      for (int j = 0; j < parameter.interfaceBounds().size(); j++) {
        bounds.add(placed.type(parameter.interfaceBounds().get(j), place + (j + 1)));
      }
      bounds.remove("Object");
      result.add(
          placed.take("type parameter " + i, "")
              + parameter.identifier()
              + (bounds.isEmpty() ? "" : " extends " + String.join(" & ", bounds)));
    }
    return result.isEmpty() ? "" : "<" + String.join(", ", result) + ">";
  }

  /** The declaration's own annotations, as far as they are kept at run time. */
  private String annotations(AttributedElement element) {
    return element.findAttribute(Attributes.runtimeVisibleAnnotations()).stream()
        .flatMap(attribute -> attribute.annotations().stream())
        .map(each -> annotation(each) + " ")
        .sorted()
        .collect(joining());
  }

  private String annotation(Annotation annotation) {
    String values =
        annotation.elements().stream()
            .map((AnnotationElement each) -> each.name().stringValue() + "=" + value(each.value()))
            .sorted()
            .collect(joining(", "));
    return "@"
        + name(Signature.of(annotation.classSymbol()).signatureString())
        + (values.isEmpty() ? "" : "(" + values + ")");
  }

  private String value(AnnotationValue value) {
    return switch (value) {
      case AnnotationValue.OfConstant constant -> literal(constant.resolvedValue());
      case AnnotationValue.OfEnum constant -> constant.constantName().stringValue();
      case AnnotationValue.OfClass type -> name(type.className().stringValue()) + ".class";
      case AnnotationValue.OfAnnotation nested -> annotation(nested.annotation());
      case AnnotationValue.OfArray array ->
          array.values().stream().map(each -> value(each)).collect(joining(", ", "{", "}"));
    };
  }

  /** A type as a reader writes it; one of this package or of java.lang by its short name. */
  private String name(String internalName) {
    String name =
        internalName.startsWith("L") && internalName.endsWith(";")
            ? internalName.substring(1, internalName.length() - 1)
            : internalName;
    int end = name.lastIndexOf('/');
    String inPackage = end < 0 ? "" : name.substring(0, end);
    boolean isShort =
        inPackage.equals(thisPackage)
            || inPackage.equals("java/lang")
            || inPackage.equals("org/jspecify/annotations");
    return (isShort ? name.substring(end + 1) : dotted(name)).replace('$', '.');
  }

  private static String dotted(String internalName) {
    return internalName.replace('/', '.');
  }

  /** The annotations of types within a declaration, by their places; each is taken once. */
  private final class Annotations {
    private final Map<String, String> byPlace = new HashMap<>();

    Annotations(AttributedElement element) {
      element
          .findAttribute(Attributes.runtimeVisibleTypeAnnotations())
          .ifPresent(attribute -> attribute.annotations().forEach(this::add));
    }

    private void add(TypeAnnotation annotation) {
      String place =
          switch (annotation.targetInfo()) {
            case TypeAnnotation.TypeParameterTarget target ->
                "type parameter " + target.typeParameterIndex();
            case TypeAnnotation.SupertypeTarget target -> "super " + target.supertypeIndex();
            case TypeAnnotation.TypeParameterBoundTarget target ->
                "bound " + target.typeParameterIndex() + " " + target.boundIndex();
            case TypeAnnotation.FormalParameterTarget target ->
                "parameter " + target.formalParameterIndex();
            case TypeAnnotation.ThrowsTarget target -> "throws " + target.throwsTargetIndex();
            case TypeAnnotation.EmptyTarget target ->
                switch (target.targetType()) {
                  case FIELD -> "field";
                  case METHOD_RETURN -> "return";
                  default -> "receiver";
                };
            default -> "code";
          };
      String path =
          annotation.targetPath().stream()
              .map(step ->
                  switch (step.typePathKind()) {
                    case ARRAY -> "[";
                    case INNER_TYPE -> ".";
                    case WILDCARD -> "*";
                    case TYPE_ARGUMENT -> step.typeArgumentIndex() + ";";
                  })
              .collect(joining());
      byPlace.merge(
          place + " at " + path, annotation(annotation.annotation()) + " ", String::concat);
    }

    String take(String place, String path) {
      String found = byPlace.remove(place + " at " + path);
      return found == null ? "" : found;
    }

    void requireNoneLeft() {
      if (!byPlace.isEmpty()) {
        throw new IllegalStateException("annotations at unknown places: " + byPlace);
      }
    }

    String type(Signature signature, String place) {
      return type(signature, place, "");
    }

    private String type(Signature signature, String place, String path) {
      return switch (signature) {
        case Signature.BaseTypeSig base -> take(place, path) + primitive(base.baseType());
        case Signature.TypeVarSig variable -> take(place, path) + variable.identifier();
        case Signature.ArrayTypeSig array -> {
          StringBuilder brackets = new StringBuilder();
          Signature element = array;
          String at = path;
          while (element instanceof Signature.ArrayTypeSig inner) {
            String annotation = take(place, at);
            brackets.append(annotation.isEmpty() ? "[]" : " " + annotation + "[]");
            element = inner.componentSignature();
            at += "[";
          }
          yield type(element, place, at) + brackets;
        }
        case Signature.ClassTypeSig type -> {
          String outer =
              type.outerType().map(enclosing -> type(enclosing, place, path) + ".").orElse("");
          String at = path + (outer.isEmpty() ? "" : ".");
          List<String> arguments = new ArrayList<>();
          for (int i = 0; i < type.typeArgs().size(); i++) {
            arguments.add(argument(type.typeArgs().get(i), place, at + i + ";"));
          }
          yield take(place, at)
              + outer
              + (outer.isEmpty() ? name(type.className()) : type.className())
              + (arguments.isEmpty() ? "" : "<" + String.join(", ", arguments) + ">");
        }
      };
    }

    private String argument(Signature.TypeArg argument, String place, String path) {
      return switch (argument) {
        case Signature.TypeArg.Unbounded unbounded -> take(place, path) + "?";
        case Signature.TypeArg.Bounded bounded ->
            switch (bounded.wildcardIndicator()) {
              case NONE -> type(bounded.boundType(), place, path);
              case EXTENDS ->
                  take(place, path) + "? extends " + type(bounded.boundType(), place, path + "*");
              case SUPER ->
                  take(place, path) + "? super " + type(bounded.boundType(), place, path + "*");
            };
      };
    }

    private static String primitive(char descriptor) {
      return switch (descriptor) {
        case 'B' -> "byte";
        case 'C' -> "char";
        case 'D' -> "double";
        case 'F' -> "float";
        case 'I' -> "int";
        case 'J' -> "long";
        case 'S' -> "short";
        case 'V' -> "void";
        default -> "boolean";
      };
    }
  }
}
