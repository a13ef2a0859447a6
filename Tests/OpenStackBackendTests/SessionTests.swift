import CofferPluginSDK
import CofferTransport
import OpenStackStore
import Synchronization
import Testing

/// One session serves everybody for as long as it lives.
struct SessionTests {
    /// Gives a new token each time.
    private final class Service: Sendable {
        let logins = Atomic(0)
        let life: Int64?
        let isDown = Atomic(false)

        init(life: Int64? = nil) { self.life = life }

        func source(given: Session? = nil) -> SessionSource {
            SessionSource(given: given) { call throws(BackendError) in try self.login(call) }
        }

        private func login(_ call: Call) throws(BackendError) -> Session {
            if isDown.load(ordering: .relaxed) { throw BackendError(.unavailable, "down") }
            let number = logins.add(1, ordering: .relaxed).newValue
            return Self.session("token-\(number)", life: life)
        }

        static func session(_ token: String, life: Int64? = nil) -> Session {
            let account = HTTPLocation(origin: HTTPOrigin(isSecure: false, host: "h"), target: "/v1/a")
            return Session(token: token, account: account, expires: life.map { wallClock() + $0 })
        }
    }

    private let call = Call()

    @Test func aTokenIsHadOnce() throws {
        let service = Service()
        let source = service.source()
        for _ in 0..<5 { #expect(try source.session(call: call).token == "token-1") }
        #expect(service.logins.load(ordering: .relaxed) == 1)
    }

    @Test func aRefusedTokenIsRenewedOnceForAllThatMetTheRefusal() throws {
        let service = Service()
        let source = service.source()
        _ = try source.session(call: call)
        #expect(source.renew(instead: "token-1"))
        #expect(try source.session(call: call).token == "token-2")
        // Another caller's refusal of the old token comes late.
        #expect(source.renew(instead: "token-1"))
        #expect(try source.session(call: call).token == "token-2")
        #expect(service.logins.load(ordering: .relaxed) == 2)
    }

    @Test func aGivenTokenAloneCannotBeRenewed() throws {
        let source = SessionSource(given: Service.session("given"), isRenewable: false) { _ throws(BackendError) in
            throw BackendError(.unauthenticated, "no login")
        }
        #expect(try source.session(call: call).token == "given")
        #expect(!source.renew(instead: "given"))
    }

    @Test func aTokenIsRenewedBeforeItEndsAndServesWhileThatFails() throws {
        // In the last tenth of its life from the first moment on.
        let service = Service(life: 0)
        let source = service.source()
        #expect(try source.session(call: call).token == "token-1")
        #expect(try source.session(call: call).token == "token-2")
        let living = Service()
        let other = living.source(given: Service.session("old", life: 3_600_000_000_000))
        living.isDown.store(true, ordering: .relaxed)
        #expect(try other.session(call: call).token == "old")
    }

    @Test func aFailedLoginIsTriedAgainByTheNext() throws {
        let service = Service()
        let source = service.source()
        service.isDown.store(true, ordering: .relaxed)
        #expect(throws: BackendError.self) { try source.session(call: call) }
        service.isDown.store(false, ordering: .relaxed)
        #expect(try source.session(call: call).token == "token-1")
    }
}
