// The executable: everything is in App, so that tests can embed the whole.

import App

@main
struct Leeway {
  static func main() async { await LeewayCommand.main() }
}
