module org.example {
  requires dev.daimon.pidfd;
}
