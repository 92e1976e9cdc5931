// Asks providers after jobs, with the upstream's own credential.

import Curl
import Metering
import Providers

/// Makes the requests of the follower.
struct JobClient: Sendable {
  /// More than this of a job's document is not read: the charge is then the estimate.
  private static let bytesMax = 256 * 1024 * 1024
  /// As above, of a batch's results, which are never held.
  private static let resultBytesMax = 16 * 1024 * 1024 * 1024

  let curl: CurlClient

  /// Asks once, and reads the results where there are some; never throws, since every failure is an
  /// answer.
  func ask(_ job: FollowedJob, of upstream: GatewayUpstream) async -> JobAnswer {
    let fed = Fed(JobReader(job.kind))
    let status = await get(job, of: upstream) { fed.value.feed($0) }
    guard status == 200 else { return Self.answer(status: status) }
    let progress = fed.value.progress
    guard let needed = progress.resultsNeeded else { return .told(progress) }
    return await results(of: job, needed, progress, upstream)
  }

  /// Reads the results once. Those that are cut off, or fewer than the batch says, are read again
  /// later; of an answer that does not say what it used the whole has to be estimated.
  private func results(
    of job: FollowedJob, _ needed: Int64, _ progress: JobProgress, _ upstream: GatewayUpstream
  ) async -> JobAnswer {
    let fed = Fed(BatchCount(BatchTally(job, prices: upstream.prices)))
    let status = await get(job, of: upstream, part: "/results", isLong: true) {
      fed.value.feed($0)
    }
    guard status == 200 else { return Self.answer(status: status) }
    fed.value.finish()
    guard fed.value.reader.answered >= needed else { return .failed }
    return fed.value.reader.isBroken ? .told(progress) : .counted(fed.value.tally)
  }

  private static func answer(status: Int?) -> JobAnswer {
    switch status {
    case 401, 403: .forbidden(status: status ?? 0)
    case 404, 410: .missing
    default: .failed
    }
  }

  /// The status of the answer; nil: none came to its end.
  private func get(
    _ job: FollowedJob, of upstream: GatewayUpstream, part: String = "", isLong: Bool = false,
    onBody: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
  ) async -> Int? {
    let request = CurlRequest(
      url: upstream.url(of: job, part: part),
      content: .http(.init(method: "GET", headers: upstream.ownFields(for: job.kind))),
      timeoutSeconds: isLong ? 3_600 : 120,
      responseBytesMax: isLong ? Self.resultBytesMax : Self.bytesMax,
      certificateFile: upstream.trustRootsPath, onBody: onBody)
    return try? await curl.perform(request).status
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

  fileprivate func url(of job: FollowedJob, part: String) -> String {
    let parts = job.path.split(separator: "?", maxSplits: 1)
    let query = parts.count > 1 ? "?\(parts[1])" : ""
    let scheme = isTLS ? "https" : "http"
    return "\(scheme)://\(authority)\(pathPrefix)\(parts[0])/\(job.id)\(part)\(query)"
  }

  fileprivate func ownFields(for kind: FollowedJob.Kind) -> [(name: String, value: String)] {
    var fields = [(name: "accept", value: "application/json")]
    switch kind {
    case .backgroundResponse: break
    // The API wants to be told its version, and has no other.
    case .messageBatch: fields.append(("anthropic-version", "2023-06-01"))
    }
    if let credentialValue { fields.append((credentialField.rawValue, credentialValue)) }
    return fields
  }
}
