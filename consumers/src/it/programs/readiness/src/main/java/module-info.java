module org.example {
  requires dev.daimon.readiness;
}
