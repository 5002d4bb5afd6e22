module org.example {
  requires dev.daimon.privileges;
}
