module org.example {
  requires dev.daimon.posix;
}
