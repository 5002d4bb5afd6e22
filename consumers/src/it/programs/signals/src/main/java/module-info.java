module org.example {
  requires dev.daimon.signals;
}
