package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.daemon.DaemonizeException.Reason;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.signals.SignalHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Null is refused where it comes in, by the parameter's name. */
class NullTest {
  private static final Map<Class<?>, Object> VALUES =
      Map.ofEntries(
          Map.entry(Path.class, Path.of("/")),
          Map.entry(String.class, "x"),
          Map.entry(String[].class, new String[0]),
          Map.entry(Duration.class, Duration.ZERO),
          Map.entry(Descriptor.class, Descriptor.adopt(99999)),
          Map.entry(ResourceLimit.class, ResourceLimit.parse("core=0")),
          Map.entry(Signal.class, Signal.HUP),
          Map.entry(SignalHandler.class, (SignalHandler) _ -> {}),
          Map.entry(Throwable.class, new IllegalStateException()),
          Map.entry(int.class, 1),
          Map.entry(boolean.class, false));

  static List<Method> setters() {
    List<Method> methods = new ArrayList<>();
    for (Method method : DaemonConfig.Builder.class.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && method.getParameterCount() > 0) {
        methods.add(method);
      }
    }
    return methods;
  }

  @ParameterizedTest
  @MethodSource("setters")
  void noSetterTakesNull(Method setter) {
    Class<?>[] types = setter.getParameterTypes();
    for (int i = 0; i < types.length; i++) {
      if (!types[i].isPrimitive()) {
        Object[] arguments = new Object[types.length];
        for (int j = 0; j < types.length; j++) {
          arguments[j] = j == i ? null : VALUES.get(types[j]);
        }
        assertThatThrownBy(() -> setter.invoke(DaemonConfig.builder(), arguments))
            .isInstanceOf(InvocationTargetException.class)
            .cause()
            .isInstanceOf(NullPointerException.class)
            .message()
            .matches("[a-z]+");
      }
    }
  }

  @Test
  @SuppressWarnings("NullAway")
  void noListOfASetterHasANullInIt() {
    DaemonConfig.Builder builder = DaemonConfig.builder();

    assertThatThrownBy(() -> builder.groups("x", null)).hasMessage("groups");
    assertThatThrownBy(() -> builder.jvmArguments("-x", null)).hasMessage("arguments");
    assertThat(builder.build().groups).isNull();
  }

  @Test
  @SuppressWarnings("NullAway")
  void noCallTakesNull() {
    assertThatThrownBy(() -> Daemonizer.daemonize(null)).hasMessage("config");
    assertThatThrownBy(() -> Daemonizer.launch(null)).hasMessage("config");
    assertThatThrownBy(() -> new DaemonizeException(Reason.FILE, (String) null))
        .hasMessage("message");
    assertThatThrownBy(() -> new DaemonizeException(Reason.FILE, (Exception) null))
        .hasMessage("cause");
    assertThatThrownBy(() -> new DaemonizeException(null, "x")).hasMessage("reason");
  }
}
