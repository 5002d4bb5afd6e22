import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;

/** The Spring example in the foreground: {@code SpringWorld CLASS ARG...} ends when it is ready. */
class SpringWorld {
  private SpringWorld() {}

  public static void main(String[] arguments) throws ClassNotFoundException {
    SpringApplication application = new SpringApplication(Class.forName(arguments[0]));
    application.addListeners(
        (ApplicationListener<ApplicationReadyEvent>) event -> Runtime.getRuntime().halt(0));
    application.run(arguments);
  }
}
