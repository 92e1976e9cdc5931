// What should not happen often, counted for the whole process.

/// A process-wide count, exposed as a counter of its own.
public enum Incident: Int, CaseIterable, Sendable {
  /// A sample was chosen but not stored: the queue or the database was behind.
  case samplesDropped
  /// An append to the journal failed.
  case journalWriteFailures
  /// A call came to its settlement twice; the second one changed nothing.
  case duplicateSettlements
  /// An answer came in a coding that could not be read, so its usage was estimated.
  case answersUnreadable
  /// A request was refused before it had an app: malformed, too large, no such endpoint.
  case requestsMalformed
  /// A connection was closed because the limit was reached.
  case connectionsRefused
  /// A connection to an upstream could not be made or broke before an answer.
  case upstreamConnectFailures

  var metricName: String {
    switch self {
    case .samplesDropped: "leeway_samples_dropped_total"
    case .journalWriteFailures: "leeway_journal_write_failures_total"
    case .duplicateSettlements: "leeway_duplicate_settlements_total"
    case .answersUnreadable: "leeway_answers_unreadable_total"
    case .requestsMalformed: "leeway_requests_malformed_total"
    case .connectionsRefused: "leeway_connections_refused_total"
    case .upstreamConnectFailures: "leeway_upstream_connect_failures_total"
    }
  }

  var help: String {
    switch self {
    case .samplesDropped: "Samples chosen but not stored."
    case .journalWriteFailures: "Appends to the journal that failed."
    case .duplicateSettlements:
      "Settlements of a call that was settled before; always 0 if all is well."
    case .answersUnreadable: "Answers in a coding that could not be read, charged as estimated."
    case .requestsMalformed: "Requests refused before an app was known."
    case .connectionsRefused: "Connections closed at accept because the limit was reached."
    case .upstreamConnectFailures: "Failures to connect to an upstream."
    }
  }
}
