module org.example {
  requires dev.daimon.pidfile;
}
