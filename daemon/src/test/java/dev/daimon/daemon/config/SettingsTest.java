package dev.daimon.daemon.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.ResourceLimit;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Launcher and daemon compare all settings: the fields are found by reflection, not by a list. */
class SettingsTest {
  static List<Field> fields() {
    return Arrays.stream(Settings.class.getDeclaredFields())
        .filter(field -> !Modifier.isStatic(field.getModifiers()))
        // These follow from the name.
        .filter(field -> !List.of("directories", "namesLog").contains(field.getName()))
        .toList();
  }

  static List<Field> compared() {
    // The launcher alone can name the descriptors to keep.
    return fields().stream().filter(field -> !field.getName().equals("kept")).toList();
  }

  @ParameterizedTest
  @MethodSource("compared")
  void everySettingIsCompared(Field field) throws Exception {
    List<String> before = new Settings().lines();
    Settings changed = new Settings();
    field.set(changed, another(field.getGenericType(), field.get(changed)));

    assertThat(changed.lines()).hasSameSizeAs(before).isNotEqualTo(before);
  }

  /** Neither is a text in UTF-8. */
  @Test
  void pathsAreComparedByTheirBytes() {
    Settings one = new Settings();
    one.pidFile = NativePath.of(new byte[] {'/', (byte) 0xe4});
    Settings other = new Settings();
    other.pidFile = NativePath.of(new byte[] {'/', (byte) 0xe5});
    Settings third = new Settings();
    third.pidFile = Path.of("/%e4");

    assertThat(List.of(one.lines(), other.lines(), third.lines())).doesNotHaveDuplicates();
    assertThat(one.lines()).contains("pidFile=/%e4");
  }

  @ParameterizedTest
  @MethodSource("fields")
  void everySettingIsCopied(Field field) throws Exception {
    Settings changed = new Settings();
    Object value = another(field.getGenericType(), field.get(changed));
    field.set(changed, value);

    assertThat(field.get(changed.complete())).isEqualTo(value);
  }

  /** What the builder changes later must not change what it has built. */
  @ParameterizedTest
  @MethodSource("fields")
  void aCopySharesNoCollectionThatCanChange(Field field) throws Exception {
    Settings settings = new Settings();
    Object value = field.get(settings);

    if (value instanceof List<?> || value instanceof Map<?, ?>) {
      assertThat(field.get(settings.complete())).isNotSameAs(value);
    }
  }

  private static Object another(Type type, Object value) {
    if (type == boolean.class) {
      return !(boolean) value;
    }
    if (type == int.class) {
      return (int) value + 1;
    }
    if (type == Integer.class) {
      return 7;
    }
    if (type == Boolean.class) {
      return true;
    }
    if (type == String.class) {
      return "another";
    }
    if (type == Path.class) {
      return Path.of("/another");
    }
    if (type == Duration.class) {
      return Duration.ofDays(7);
    }
    if (type == ResourceLimit.class) {
      return ResourceLimit.parse("core=7");
    }
    if (type == Descriptor.class) {
      return Descriptor.adopt(7777);
    }
    ParameterizedType generic = (ParameterizedType) type;
    Type[] arguments = generic.getActualTypeArguments();
    if (generic.getRawType() == List.class) {
      return List.of(another(arguments[0], ""));
    }
    if (generic.getRawType() == Map.class) {
      return Map.of(another(arguments[0], ""), another(arguments[1], ""));
    }
    throw new IllegalArgumentException("add a value of " + type + " to this test");
  }
}
