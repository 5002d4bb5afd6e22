module org.example {
  requires dev.daimon.forking;
}
