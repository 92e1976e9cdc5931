// Whose jobs and files are whose: apps of one upstream share its credential, so the provider does
// not know.

import Metering

/// Which app made which job and which file: those of jobs that are followed, and of each app the
/// latest others. A value of bounded size.
struct JobOwners: Sendable {
  /// What a provider calls something. Upstreams at one address are one place, since several keys
  /// may open the same account. Some servers do not mind the case of letters.
  private struct Name: Hashable, Sendable {
    var place: String
    var id: String

    init(_ id: String, at place: String) {
      self.place = place
      self.id = id.lowercased()
    }
  }

  private struct Job: Sendable {
    var app: String
    var place: String
    var hasFiles: Bool
    var names: Set<Name> = []
  }

  /// One app's names, the oldest of which makes room for the next.
  private struct Latest: Sendable {
    var names: [Name] = []
    var oldest = 0
  }

  enum Standing: Sendable { case own, foreign, unknown }

  /// Of one job, whatever its provider says from one time to the next.
  private static let namesMax = 64

  /// Of each app, besides what is followed.
  private let rememberedMax: Int
  private var jobs: [CallID: Job] = [:]
  /// The followed jobs that a name belongs to.
  private var held: [Name: Set<CallID>] = [:]
  /// By place and app, how many of its followed jobs have files.
  private var jobsWithFiles: [String: [String: Int]] = [:]
  private var apps: [Name: String] = [:]
  private var latest: [String: Latest] = [:]

  init(rememberedMax: Int = 8_192) { self.rememberedMax = rememberedMax }

  // MARK: Followed jobs

  /// Notes a job for as long as it is followed.
  ///
  /// - Parameter place: the address of its upstream.
  mutating func hold(_ job: FollowedJob, of call: CallID, app: String, at place: String) {
    let hasFiles = job.kind == .batch
    jobs[call] = Job(app: app, place: place, hasFiles: hasFiles)
    if hasFiles { jobsWithFiles[place, default: [:]][app, default: 0] += 1 }
    hold([job.id], with: call)
  }

  /// Notes names that belong to a followed job.
  mutating func hold(_ ids: [String], with call: CallID) {
    guard let job = jobs[call] else { return }
    for id in ids where jobs[call]?.names.count ?? 0 < Self.namesMax {
      let name = Name(id, at: job.place)
      jobs[call]?.names.insert(name)
      held[name, default: []].insert(call)
    }
  }

  /// The followed calls whose job, or one of whose files, has this name.
  func calls(of id: String, at place: String) -> Set<CallID> { held[Name(id, at: place)] ?? [] }

  /// A job is followed no more: its names are among the latest.
  mutating func end(_ call: CallID) {
    guard let job = jobs.removeValue(forKey: call) else { return }
    if job.hasFiles, let count = jobsWithFiles[job.place]?[job.app] {
      jobsWithFiles[job.place]?[job.app] = count > 1 ? count - 1 : nil
    }
    for name in job.names {
      held[name]?.remove(call)
      if held[name]?.isEmpty == true { held[name] = nil }
      remember(name, app: job.app)
    }
  }

  // MARK: Others

  /// Notes a file, or a job that has ended.
  mutating func remember(_ id: String, app: String, at place: String) {
    remember(Name(id, at: place), app: app)
  }

  private mutating func remember(_ name: Name, app: String) {
    guard rememberedMax > 0, apps[name] != app else { return }
    apps[name] = app
    var its = latest.removeValue(forKey: app) ?? Latest()
    if its.names.count < rememberedMax {
      its.names.append(name)
    } else {
      let old = its.names[its.oldest]
      if apps[old] == app { apps[old] = nil }
      its.names[its.oldest] = name
      its.oldest = (its.oldest + 1) % rememberedMax
    }
    latest[app] = its
  }

  /// Notes files that the document of a job names.
  mutating func note(_ files: [String], of job: String, app: String, at place: String) {
    let calls = calls(of: job, at: place).filter { jobs[$0]?.app == app }
    for call in calls { hold(files, with: call) }
    guard calls.isEmpty, standing(of: [job], at: place, to: app) == .own else { return }
    for file in files { remember(file, app: app, at: place) }
  }

  // MARK: Questions

  /// Whose all of these are, as far as anybody remembers: foreign where one of them is.
  func standing(of ids: [String], at place: String, to app: String) -> Standing {
    var standing = Standing.unknown
    for id in ids {
      let name = Name(id, at: place)
      if let calls = held[name] {
        // Where servers behind one address give the same name twice, it is both's.
        guard calls.contains(where: { jobs[$0]?.app == app }) else { return .foreign }
        standing = .own
      } else if let owner = apps[name] {
        guard owner == app else { return .foreign }
        standing = .own
      }
    }
    return standing
  }

  /// Whether a job that has files, and is another app's, is followed there.
  func hasFiles(ofOthersThan app: String, at place: String) -> Bool {
    guard let apps = jobsWithFiles[place] else { return false }
    return apps.count > (apps[app] == nil ? 0 : 1)
  }
}
