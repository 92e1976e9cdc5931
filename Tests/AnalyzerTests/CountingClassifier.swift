// A classifier that counts how often it is asked.

import Labels
import Synchronization

final class CountingClassifier: Classifier {
  let name: String
  let version = "1"
  private let asked = Mutex(0)

  init(name: String = "counting") { self.name = name }

  var count: Int { asked.withLock { $0 } }

  func label(_ sample: SampleView) -> String {
    asked.withLock { $0 += 1 }
    return sample.output.contains("billing") ? "billing" : "other"
  }
}
