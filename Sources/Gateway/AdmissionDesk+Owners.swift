// Who may read, end or delete what stands at a provider under a name.

import Metering
import Providers

extension AdmissionDesk.State {
  /// Whether the work of a job is another call's: a provider may answer a creation that comes again
  /// with what it made before.
  ///
  /// - Parameter isUnderWay: one that is, and is not followed, is a new one under an old name.
  func isKnown(
    _ job: FollowedJob, isUnderWay: Bool, to app: String, at places: [String: String]
  ) -> Bool {
    guard let place = places[job.upstream] else { return false }
    let calls = owners.calls(of: job.id, at: place)
    guard calls.isEmpty else {
      return calls.contains { call in
        guard let other = admission.ledger.followed[call] else { return false }
        return other.kind == job.kind && other.id == job.id && other.upstream == job.upstream
      }
    }
    return !isUnderWay && owners.standing(of: [job.id], at: place, to: app) == .own
  }
}

extension AdmissionDesk {
  /// Notes files that a followed job is known to use by now.
  func note(files: [String], of call: CallID) {
    guard !files.isEmpty else { return }
    state.withLock { $0.owners.hold(files, with: call) }
  }

  /// Notes files that the document of an app's own job names.
  func note(files: [String], ofJob id: String, at upstream: GatewayUpstream, app: Int) {
    guard !files.isEmpty else { return }
    state.withLock { state in
      let app = state.admission.policies[app].app
      state.owners.note(files, of: id, app: app, at: upstream.place)
    }
  }

  /// Notes what an app has just uploaded.
  func note(uploads: [String], at upstream: GatewayUpstream, app: Int) {
    state.withLock { state in
      let app = state.admission.policies[app].app
      for name in uploads { state.owners.remember(name, app: app, at: upstream.place) }
    }
  }

  /// The refusal of a call that names another app's job or file: a name is a secret, but every app
  /// can list all of a credential's.
  ///
  /// - Parameter deletesFile: the call deletes a file, which may be the results of a batch before
  ///   anybody here knows their name.
  func foreign(
    _ names: [String], at upstream: GatewayUpstream, to app: Int, deletesFile: Bool = false
  ) -> Denial? {
    state.withLock { state in
      let app = state.admission.policies[app].app
      switch state.owners.standing(of: names, at: upstream.place, to: app) {
      case .own: return nil
      case .foreign: return .jobUnknown
      case .unknown:
        let mayBeForeign =
          deletesFile && state.owners.hasFiles(ofOthersThan: app, at: upstream.place)
        return mayBeForeign ? .requestInvalid(message: Self.unknownFileMessage) : nil
      }
    }
  }

  private static let unknownFileMessage =
    "This gateway does not know whose file this is, and another app's batch is under way that it "
    + "may belong to. Delete it when no other app's batch is, or at the provider."
}

extension GatewayUpstream {
  /// What its names of jobs and files are unique at. Not the credential: several may open one
  /// account.
  var place: String { authority.lowercased() }
}

extension Exchange {
  /// The refusal of a call that names another app's job or file, in its path, in whatever spelling,
  /// or as its input.
  func foreignName(app: Int) -> Denial? {
    let upstream = core.upstreams[plan.upstream]
    guard plan.operation == nil else {
      return estimate.batchInput.flatMap {
        core.desk.foreign([$0.fileID], at: upstream, to: app)
      }
    }
    let names = plan.headBytes.withUnsafeReadableBytes {
      Endpoint.names(in: UnsafeRawBufferPointer(rebasing: $0[plan.path]))
    }
    guard let names else { return .jobUnknown }
    let deletesFile =
      plan.head.method == .delete && names.contains { $0.lowercased() == "files" }
    return core.desk.foreign(names, at: upstream, to: app, deletesFile: deletesFile)
  }

  /// Notes whose the files are that an answer names.
  func noteFiles(of reading: CallReading, app: Int) {
    guard plan.namesFiles, let pipe, 200..<300 ~= pipe.status, let id = reading.jobID,
      BatchInput.isPlain(id)
    else { return }
    let upstream = core.upstreams[plan.upstream]
    if plan.endpoint == .free {
      core.desk.note(uploads: [id] + reading.files, at: upstream, app: app)
    } else {
      core.desk.note(files: reading.files, ofJob: id, at: upstream, app: app)
    }
  }
}
