// Asks providers after jobs and for batches' files, with the upstream's own credential.

import Curl
import Metering
import Providers

/// Makes the requests that are the gateway's own.
struct JobClient: Sendable {
  /// More than this of a job's document is not read: the charge is then the estimate.
  private static let bytesMax = 256 * 1024 * 1024
  /// As above, of a batch's results, which are never held.
  private static let resultBytesMax = 16 * 1024 * 1024 * 1024
  /// As above, of a batch's input file; OpenAI takes 200 MB.
  private static let inputBytesMax = 256 * 1024 * 1024

  let curl: CurlClient

  /// Asks once, and reads the results where there are some; never throws, since every failure is an
  /// answer.
  ///
  /// - Parameter note: gets what the job's document says, before its results are read.
  func ask(
    _ job: FollowedJob, of upstream: GatewayUpstream, note: (CallReading) -> Void
  ) async -> JobAnswer {
    let fed = Fed(JobReader(job.kind))
    let answer = try? await get(
      upstream.url(job.path, "/\(job.id)"), of: upstream, job.kind, bytesMax: Self.bytesMax
    ) {
      fed.value.feed($0)
      return true
    }
    guard answer?.status == 200 else { return Self.answer(status: answer?.status) }
    let progress = fed.value.progress
    if progress.state != .unknown { note(progress.reading) }
    guard let needed = progress.resultsNeeded else { return .told(progress) }
    return await results(of: job, needed, progress, upstream)
  }

  /// Reads the results once. Those that are cut off, or fewer than the batch says, or no results at
  /// all, are read again later; where a line cannot be read, or an answer does not say what it
  /// used, the rest has to be estimated, if they stay so.
  private func results(
    of job: FollowedJob, _ needed: Int64, _ progress: JobProgress, _ upstream: GatewayUpstream
  ) async -> JobAnswer {
    guard let reader = JobResultsReader(job.kind, progress.reading.resultOperation) else {
      return .told(progress)
    }
    guard let url = upstream.url(ofResultsOf: job, progress.reading) else { return .failed }
    let fed = Fed(BatchCount(reader, BatchTally(job, prices: upstream.prices)))
    let answer = try? await get(
      url, of: upstream, job.kind, bytesMax: Self.resultBytesMax, seconds: 3_600
    ) {
      fed.value.feed($0)
      return true
    }
    guard answer?.status == 200 else { return Self.answer(status: answer?.status) }
    fed.value.finish()
    let (results, isWhole) = (fed.value.reader, answer?.isDelimited == true)
    if results.isBroken {
      return results.hasResult && isWhole ? .doubtful(fed.value.tally) : .failed
    }
    // Of none that say no end, nobody knows whether some are missing.
    guard results.answered >= needed, results.answered > 0 || isWhole else { return .failed }
    if results.answered > 0 { return .counted(fed.value.tally) }
    var progress = progress
    progress.reading.resultCount = 0
    return .told(progress)
  }

  private static func answer(status: Int?) -> JobAnswer {
    switch status {
    case 401, 403: .forbidden(status: status ?? 0)
    case 404, 410: .missing
    default: .failed
    }
  }

  // MARK: Input files

  /// Reads a batch's input file to its end, or to the first request that is refused.
  ///
  /// - Parameters:
  ///   - path: below which the batches stand, with what of the query they need.
  ///   - withinSeconds: for the file as a whole.
  func read(
    _ file: BatchFile, named name: String, below path: String, of upstream: GatewayUpstream,
    withinSeconds seconds: Int64
  ) async -> BatchInputOutcome {
    let fed = Fed(file)
    do throws(CurlFault) {
      let answer = try await get(
        upstream.url(ofFile: name, beside: path), of: upstream, .batch,
        bytesMax: Self.inputBytesMax, seconds: Double(seconds)
      ) { fed.value.feed($0) }
      guard answer.status == 200 else {
        return Self.outcome(status: answer.status, of: upstream)
      }
      return answer.isDelimited ? fed.value.finish() : Self.brokenOff(upstream)
    } catch {
      return fed.value.refusal.map { .refused($0) } ?? Self.outcome(of: error, upstream)
    }
  }

  private static func outcome(status: Int, of upstream: GatewayUpstream) -> BatchInputOutcome {
    switch status {
    case 404:
      .unread(
        .requestInvalid(
          message: "'input_file_id' names no file that upstream '\(upstream.name)' has for this "
            + "gateway; upload it through the gateway, and check the id."))
    case 401, 403:
      unread(
        "upstream '\(upstream.name)' does not let this gateway read it (status \(status)); the "
          + "gateway's operator checks its credential.")
    default:
      unread("upstream '\(upstream.name)' answered with status \(status); try again shortly.")
    }
  }

  private static func outcome(
    of fault: CurlFault, _ upstream: GatewayUpstream
  ) -> BatchInputOutcome {
    switch fault.code {
    case .responseTooLarge:
      .unread(.costUnbounded(part: "the size of its input file (over \(inputBytesMax) bytes)"))
    case .timeout: unread("it did not arrive in time; try again shortly.")
    default: brokenOff(upstream)
    }
  }

  private static func brokenOff(_ upstream: GatewayUpstream) -> BatchInputOutcome {
    unread("upstream '\(upstream.name)' did not hand it out whole; try again shortly.")
  }

  private static func unread(_ reason: String) -> BatchInputOutcome {
    .unread(.inputUnavailable(reason: reason))
  }

  // MARK: Requests

  /// The answer, but for its body.
  private func get(
    _ url: String, of upstream: GatewayUpstream, _ kind: FollowedJob.Kind, bytesMax: Int,
    seconds: Double = 120, onBody: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool
  ) async throws(CurlFault) -> CurlResponse {
    let request = CurlRequest(
      url: url, content: .http(.init(method: "GET", headers: upstream.ownFields(for: kind))),
      timeoutSeconds: seconds, responseBytesMax: bytesMax,
      certificateFile: upstream.trustRootsPath, onBody: onBody)
    return try await curl.perform(request)
  }

  /// A reader on its way to the client's thread and back.
  private final class Fed<Value>: @unchecked Sendable {
    // Unchecked: fed on the client's thread, and read once the transfer has ended there.
    var value: Value
    init(_ value: Value) { self.value = value }
  }
}

extension GatewayUpstream {
  /// Whether the gateway can ask it after jobs: requests that are to be signed are not made here.
  var canBeAsked: Bool { signing == nil && isUsable }

  /// The address of what stands below a path, whose query goes along.
  fileprivate func url(_ path: String, _ rest: String) -> String {
    let parts = path.split(separator: "?", maxSplits: 1)
    let query = parts.count > 1 ? "?\(parts[1])" : ""
    let scheme = isTLS ? "https" : "http"
    return "\(scheme)://\(authority)\(pathPrefix)\(parts[0])\(rest)\(query)"
  }

  /// The content of a file; files stand beside batches.
  fileprivate func url(ofFile name: String, beside path: String) -> String {
    var parts = path.split(separator: "?", maxSplits: 1).map(String.init)
    if let slash = parts[0].lastIndex(of: "/") { parts[0] = parts[0][..<slash] + "/files" }
    return url(parts.joined(separator: "?"), "/\(name)/content")
  }

  /// Where a job's results stand; nil: nowhere yet.
  fileprivate func url(ofResultsOf job: FollowedJob, _ reading: CallReading) -> String? {
    switch job.kind {
    case .batch: reading.resultFile.map { url(ofFile: $0, beside: job.path) }
    case .backgroundResponse, .messageBatch: url(job.path, "/\(job.id)/results")
    }
  }

  fileprivate func ownFields(for kind: FollowedJob.Kind) -> [(name: String, value: String)] {
    var fields = [(name: "accept", value: "application/json, */*;q=0.5")]
    switch kind {
    case .backgroundResponse, .batch: break
    // The API wants to be told its version, and has no other.
    case .messageBatch: fields.append(("anthropic-version", "2023-06-01"))
    }
    if let credentialValue { fields.append((credentialField.rawValue, credentialValue)) }
    return fields
  }
}
