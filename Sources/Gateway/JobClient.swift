// Asks providers after jobs, with the upstream's own credential.

import Curl
import Metering
import Providers

/// Makes the requests of the follower.
struct JobClient: Sendable {
  /// More than this of a job's document is not read: the charge is then the estimate.
  private static let bytesMax = 256 * 1024 * 1024

  let curl: CurlClient

  /// Asks once; never throws, since every failure is an answer.
  func ask(_ job: FollowedJob, of upstream: GatewayUpstream) async -> JobAnswer {
    let fed = Fed(JobReader(job.kind))
    var request = CurlRequest(
      url: upstream.url(of: job), content: .http(.init(method: "GET", headers: upstream.ownFields)),
      timeoutSeconds: 120, responseBytesMax: Self.bytesMax,
      certificateFile: upstream.trustRootsPath)
    request.onBody = { fed.reader.feed($0) }
    do throws(CurlFault) {
      let status = try await curl.perform(request).status
      switch status {
      case 200: return .told(fed.reader.progress)
      case 401, 403: return .forbidden(status: status)
      case 404, 410: return .missing
      default: return .failed
      }
    } catch {
      return .failed
    }
  }

  /// A reader on its way to the client's thread and back.
  private final class Fed: @unchecked Sendable {
    // Unchecked: fed on the client's thread, and read once the transfer has ended there.
    let reader: JobReader
    init(_ reader: JobReader) { self.reader = reader }
  }
}

extension GatewayUpstream {
  /// Whether the gateway can ask it after jobs: requests that are to be signed are not made here.
  var canBeAsked: Bool { signing == nil && isUsable }

  fileprivate func url(of job: FollowedJob) -> String {
    let parts = job.path.split(separator: "?", maxSplits: 1)
    let query = parts.count > 1 ? "?\(parts[1])" : ""
    let scheme = isTLS ? "https" : "http"
    return "\(scheme)://\(authority)\(pathPrefix)\(parts[0])/\(job.id)\(query)"
  }

  fileprivate var ownFields: [(name: String, value: String)] {
    let accept = (name: "accept", value: "application/json")
    guard let credential else { return [accept] }
    let scheme = credentialField == .bearer ? "Bearer " : ""
    return [accept, (credentialField.rawValue, scheme + credential)]
  }
}
