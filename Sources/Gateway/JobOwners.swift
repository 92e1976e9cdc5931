// Whose jobs are whose: apps of one upstream share its credential, so the provider does not know.

import Metering

/// Which app made which job, of the latest ones. A value of bounded size.
struct JobOwners: Sendable {
  private struct Name: Hashable {
    var upstream: String
    var id: String
  }

  /// At least so many jobs are remembered, and at most twice as many.
  private let rememberedMin: Int
  private var apps: [Name: String] = [:]
  private var earlier: [Name: String] = [:]

  init(rememberedMin: Int = 8_192) { self.rememberedMin = rememberedMin }

  mutating func note(_ job: FollowedJob, app: String) {
    if apps.count >= rememberedMin { (earlier, apps) = (apps, [:]) }
    apps[Name(upstream: job.upstream, id: job.id)] = app
  }

  /// The app that made a job; nil: nobody remembers.
  func app(of id: String, at upstream: String) -> String? {
    let name = Name(upstream: upstream, id: id)
    return apps[name] ?? earlier[name]
  }
}
