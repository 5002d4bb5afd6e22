import org.apache.commons.daemon.Daemon;
import org.apache.commons.daemon.DaemonContext;

/** {@code Hello} with jsvc. */
public class JsvcHello implements Daemon {
  @Override
  public void init(DaemonContext context) {}

  @Override
  public void start() {}

  @Override
  public void stop() {}

  @Override
  public void destroy() {}
}
