// The pages' markup. Only escaping tags ({{name}}): what an app or a model wrote stays text.
//
// Bars are SVG because the policy that comes with the page forbids style attributes.

enum PageTemplates {
  static let head = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    {{#refreshSeconds}}<meta http-equiv="refresh" content="{{.}}">{{/refreshSeconds}}
    <title>{{title}}</title>
    <style nonce="{{nonce}}">
    {{>style}}
    </style>
    </head>
    """

  /// The mark: a hull pushed off its course line.
  private static let mark = """
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><path class="course" d="M16 29V3"/>\
    <path class="way" d="M16 29C16 19 19 12 26 5"/>\
    <circle class="ship" cx="26" cy="5" r="3.5"/></svg>
    """

  /// A budget's line.
  private static let bar = """
    <div class="budget"><div class="line">\
    <span><b>{{name}}</b> {{spent}} <small>of {{cap}}</small></span>\
    <span class="share {{tone}}">{{percent}}</span></div>
    <svg class="bar {{tone}}" viewBox="0 0 1000 8" preserveAspectRatio="none" role="img" \
    aria-label="{{label}}"><rect class="used" width="{{used}}" height="8"/>\
    <rect class="held" x="{{used}}" width="{{held}}" height="8"/></svg>
    <small>{{#reserved}}{{.}} held · {{/reserved}}{{#resets}}resets {{.}}{{/resets}}\
    {{^resets}}never resets{{/resets}}</small></div>
    """

  static let overview = """
    {{>head}}
    <body>
    <header>
    <a class="brand" href="/">\(mark)<span>Leeway</span></a>
    <span class="pill {{headlineTone}}">{{headline}}</span>
    <nav><a href="/reports/">Reports</a> <a href="/metrics">Metrics</a></nav>
    </header>
    <main>
    <section aria-label="Totals">
    <h2>Totals <small>{{period}}</small></h2>
    <dl class="tiles">
    {{#tiles}}<div><dt>{{name}}</dt><dd class="{{tone}}">{{value}}</dd></div>
    {{/tiles}}</dl>
    </section>
    <section aria-label="Apps">
    <h2>Apps <small>as of {{at}}</small></h2>
    {{#hasNoApps}}<p class="empty">No app is behind this gateway yet. Add \
    <code>thresholds/apps/APP.yaml</code>, then issue a key with \
    <code>leeway keys issue APP</code>.</p>
    {{/hasNoApps}}{{^hasNoApps}}<table>
    <thead><tr><th>App</th><th>State</th><th class="wide">Spend against cap</th>\
    <th class="n">Calls</th><th class="n">Errors</th><th class="n">Refusals</th>\
    <th>Last verdict</th></tr></thead>
    <tbody>
    {{#rows}}<tr>
    <th scope="row"><b>{{name}}</b><small>{{owner}}</small></th>
    <td class="state">{{#isRunning}}<span class="pill good">running</span>{{/isRunning}}\
    {{#isFull}}<span class="pill watch">at cap</span>{{/isFull}}\
    {{#isCapped}}<span class="pill bad">stopped</span><small>{{reason}}</small>{{/isCapped}}\
    {{#isIsolated}}<span class="pill bad">isolated</span><small>{{reason}}</small>\
    {{/isIsolated}}</td>
    <td class="wide">{{#isUncapped}}<div class="line"><span>{{spent}}</span>\
    <small>no cap</small></div>{{/isUncapped}}{{#bars}}
    \(bar){{/bars}}\
    {{#unknownUsage}}<small class="note">usage unknown for {{.}} calls</small>{{/unknownUsage}}</td>
    <td data-name="Calls" class="n">{{calls}}</td>
    <td data-name="Errors" class="n">{{#hasErrors}}<span class="{{errorTone}}">{{errors}}</span>\
    {{#errorShare}}<small>{{.}}</small>{{/errorShare}}{{/hasErrors}}\
    {{^hasErrors}}0{{/hasErrors}}</td>
    <td data-name="Refusals" class="n">{{#hasRefusals}}<span class="watch">{{refusals}}</span>\
    {{/hasRefusals}}{{^hasRefusals}}0{{/hasRefusals}}</td>
    <td data-name="Last verdict" class="verdict">{{#verdict}}\
    <span class="pill {{tone}}">{{word}}</span>\
    {{#link}} <a href="{{.}}">report</a>{{/link}}\
    <small>{{detail}}</small><small>{{at}}</small>{{/verdict}}\
    {{^verdict}}<small>none yet</small>{{/verdict}}</td>
    </tr>
    {{/rows}}</tbody>
    </table>{{/hasNoApps}}
    </section>
    {{#hasShared}}<section aria-label="Shared budgets">
    <h2>Shared budgets</h2>
    <table>
    <thead><tr><th>Whose</th><th class="wide">Spend against cap</th></tr></thead>
    <tbody>
    {{#shared}}<tr>
    <th scope="row"><b>{{name}}</b><small>{{owner}}</small></th>
    <td class="wide">{{#bars}}
    \(bar){{/bars}}</td>
    </tr>
    {{/shared}}</tbody>
    </table>
    </section>
    {{/hasShared}}<section aria-label="System">
    <h2>System</h2>
    <ul class="health">
    {{#health}}<li>{{#isFine}}\
    <span class="dot good" role="img" aria-label="fine"></span>{{/isFine}}\
    {{^isFine}}<span class="dot bad" role="img" aria-label="failing"></span>{{/isFine}}\
    <span>{{name}}</span> <b>{{value}}</b></li>
    {{/health}}</ul>
    </section>
    </main>
    <footer>Leeway {{version}}\
    {{#refreshSeconds}} · loads itself again every {{.}} s{{/refreshSeconds}}</footer>
    </body>
    </html>
    """

  static let message = """
    {{>head}}
    <body>
    <header><a class="brand" href="/">\(mark)<span>Leeway</span></a></header>
    <main><section><h2>{{title}}</h2><p>{{text}}</p>
    <p><a href="/">To the overview</a></p></section></main>
    </body>
    </html>
    """

  static let listing = """
    {{>head}}
    <body>
    <header><a class="brand" href="/">\(mark)<span>Leeway</span></a>
    <nav><a href="/">Overview</a></nav></header>
    <main><section><h2>{{title}}</h2>
    {{#isEmpty}}<p class="empty">Nothing here yet; the analyzer writes reports with its first \
    run.</p>{{/isEmpty}}
    <ul class="files">
    {{^isTop}}<li><a href="../">one level up</a></li>{{/isTop}}
    {{#entries}}<li><a href="{{link}}">{{name}}</a></li>
    {{/entries}}</ul>
    </section></main>
    </body>
    </html>
    """
}
