module org.example {
  requires dev.daimon.locking;
}
