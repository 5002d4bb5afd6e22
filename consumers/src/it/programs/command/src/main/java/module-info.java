module org.example {
  requires dev.daimon.command;
}
