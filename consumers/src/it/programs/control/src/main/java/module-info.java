module org.example {
  requires dev.daimon.control;
}
