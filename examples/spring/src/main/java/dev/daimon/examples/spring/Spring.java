package dev.daimon.examples.spring;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import dev.daimon.readiness.ListenDescriptor;
import dev.daimon.readiness.ListenDescriptors;
import java.io.IOException;
import java.nio.channels.Channel;
import java.nio.file.Path;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationContextInitializedEvent;
import org.springframework.boot.context.event.ApplicationPreparedEvent;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.context.event.ApplicationStartedEvent;
import org.springframework.boot.context.event.ApplicationStartingEvent;
import org.springframework.boot.tomcat.TomcatConnectorCustomizer;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * A Spring Boot application that daemonizes itself before it starts Spring.
 *
 * <p>Start it with {@code java -jar examples/spring/target/spring.jar --server.port=8080}, try
 * {@code curl localhost:8080}, and stop it with {@code daimon stop -p $PWD/spring.pid}.
 */
@SpringBootApplication
@RestController
class Spring {
  public static void main(String[] arguments) {
    Path here = Daemonizer.launchDirectory();
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(here.resolve("spring.pid"))
            // For both streams: if the start fails, the launcher shows the last lines.
            .standardOutput(here.resolve("spring.log"))
            // For systemd, containers and debuggers: java -Dforeground=true -jar …
            .foreground(Boolean.getBoolean("foreground"))
            .build();
    Daemon daemon = Daemonizer.daemonize(config);
    SpringApplication application = new SpringApplication(Spring.class);
    application.addListeners(
        (ApplicationListener<ApplicationEvent>) event -> report(daemon, event));
    application.run(arguments);
    // Spring's threads go on after main; SIGTERM stops them, and the pidfile is removed.
  }

  /** Says how far the start is, and after its last step that the application is ready. */
  private static void report(Daemon daemon, ApplicationEvent event) {
    switch (event) {
      case ApplicationStartingEvent _ -> daemon.status("reading the configuration");
      case ApplicationContextInitializedEvent _ -> daemon.status("loading the beans");
      case ApplicationPreparedEvent _ -> daemon.status("creating the beans");
      case ApplicationStartedEvent _ -> daemon.status("running what is to run at the start");
      case ApplicationReadyEvent ready -> {
        daemon.ready();
        String port =
            ready.getApplicationContext().getEnvironment().getProperty("local.server.port");
        daemon.status("serving port " + port);
      }
      default -> {}
    }
  }

  /**
   * With socket activation the port is open already: Tomcat serves the socket that was handed over.
   */
  @Bean
  TomcatConnectorCustomizer activation() throws IOException {
    List<ListenDescriptor> sockets = ListenDescriptors.fromEnvironment().all();
    if (sockets.isEmpty()) {
      return connector -> {};
    }
    Channel _ = sockets.getFirst().toInheritedChannel();
    return connector -> connector.setProperty("useInheritedChannel", "true");
  }

  @GetMapping("/")
  String hello() {
    return "Hello";
  }
}
