import CofferHTTP

extension HTTPServer {
    /// The server's figures in the Prometheus text format.
    func metricsText() -> String {
        let figures = metrics
        let lines: [(name: String, kind: String, help: String, value: Int)] = [
            ("coffer_connections", "gauge", "Connections that are open.", figures.connections),
            ("coffer_connections_accepted_total", "counter", "Connections accepted.", figures.accepted),
            (
                "coffer_connections_refused_total", "counter", "Connections refused for being one too many.",
                figures.refused
            ),
            ("coffer_http_requests_total", "counter", "Requests whose head was understood.", figures.requests),
            ("coffer_received_bytes_total", "counter", "Bytes received.", figures.bytesReceived),
            ("coffer_sent_bytes_total", "counter", "Bytes sent.", figures.bytesSent),
            ("coffer_threads", "gauge", "Threads that serve.", figures.threads),
            ("coffer_threads_idle", "gauge", "Threads that wait for something to do.", figures.idleThreads),
            ("coffer_transfers_parked", "gauge", "Transfers that wait for a slow client.", figures.parked),
        ]
        return lines.reduce(into: "") { text, line in
            text += "# HELP \(line.name) \(line.help)\n# TYPE \(line.name) \(line.kind)\n\(line.name) \(line.value)\n"
        }
    }
}
