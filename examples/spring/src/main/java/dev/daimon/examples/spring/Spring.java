package dev.daimon.examples.spring;

import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
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
            .build();
    Daemon daemon = Daemonizer.daemonize(config);
    SpringApplication application = new SpringApplication(Spring.class);
    application.addListeners((ApplicationListener<ApplicationReadyEvent>) event -> daemon.ready());
    application.run(arguments);
    // Spring's threads go on after main; SIGTERM stops them, and the pidfile is removed.
  }

  @GetMapping("/")
  String hello() {
    return "Hello";
  }
}
