package dev.daimon.daemon;

/** What a daemon has open, be it at hand or still to be taken over. */
sealed interface Resources permits OpenResources, InheritedResources {
  /** What it has open, taken over with this call if it is not yet. */
  OpenResources own();

  /** Whether that costs nothing any more. */
  boolean isOwn();
}
