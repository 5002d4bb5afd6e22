package org.example

import dev.daimon.locking.SingletonLock
import dev.daimon.readiness.DaemonEnd
import java.nio.file.Path

fun main(arguments: Array<String>) {
    SingletonLock.acquire(Path.of(arguments[0])).use { lock ->
        lock.write(ProcessHandle.current().pid())
        println(if (DaemonEnd.find() == null) "no launcher" else "a launcher")
    }
}
