module org.example {
  requires dev.daimon.startup;
  requires dev.daimon.forking;
}
