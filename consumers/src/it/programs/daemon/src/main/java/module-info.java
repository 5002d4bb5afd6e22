module org.example {
  requires dev.daimon.daemon;
}
