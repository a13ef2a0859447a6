import Glibc

/// Runs `body` in a copy of this process, and kills it with -9 when it calls its argument.
///
/// The copy has this one thread alone. What other threads held stays held in it, so that it gets ten seconds; a copy that
/// is stuck or fails is killed too, and proves nothing.
func killedWhile(_ body: (_ reached: () -> Void) throws -> Void) throws {
    // Swift hides fork because it is dangerous, which here is the purpose.
    guard let symbol = dlsym(nil, "fork") else { throw Skip(reason: "no process can be copied") }
    let fork = unsafeBitCast(symbol, to: (@convention(c) () -> pid_t).self)
    let child = fork()
    guard child >= 0 else { throw Skip(reason: "no process can be copied") }
    if child == 0 {
        try? body { kill(getpid(), SIGKILL) }
        _exit(1)
    }
    let deadline = now() + 10
    var status: Int32 = 0
    while waitpid(child, &status, WNOHANG) == 0 {
        if now() > deadline {
            kill(child, SIGKILL)
            waitpid(child, &status, 0)
            throw Skip(reason: "the copied process was stuck")
        }
        usleep(2000)
    }
    if status & 0x7F != SIGKILL { throw Skip(reason: "the copied process could not write") }
}
