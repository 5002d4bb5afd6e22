import dev.daimon.locking.SingletonLock
import dev.daimon.readiness.DaemonEnd

fun passesNull() = SingletonLock.acquire(null)

fun ignoresNull() = DaemonEnd.find().ready()
