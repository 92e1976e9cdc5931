// The pages' frame: one Mustache template each, in the program so that a report needs no file but
// itself. Everything in double braces is escaped by `StrictHTML`.

enum PageTemplate {
  static let style = """
    :root { color-scheme: light dark;
      --page: #ffffff; --ink: #1b1f24; --soft: #5b6570; --line: #d9dee4; --panel: #f5f7f9;
      --before: #97a3b0; --after: #0b66c3; --good: #1a7f37; --warn: #9a6700; --bad: #c1121f;
      --band: #e3e8ee; }
    @media (prefers-color-scheme: dark) { :root {
      --page: #12161b; --ink: #e7ebef; --soft: #9aa5b1; --line: #2d353e; --panel: #1b2128;
      --before: #6b7784; --after: #58a6ff; --good: #3fb950; --warn: #d29922; --bad: #ff6b6b;
      --band: #29313a; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    main { max-width: 46rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; }
    h1 { font-size: 1.05rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; overflow-wrap: anywhere; }
    h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
    a { color: var(--after); }
    p { margin: .4rem 0; overflow-wrap: anywhere; }
    .soft, .soft a { color: var(--soft); } .small { font-size: .86rem; }
    .verdict { border: 1px solid var(--line); border-left: .45rem solid var(--tone);
      border-radius: .4rem; padding: .8rem 1rem; margin: .9rem 0; background: var(--panel); }
    .verdict p { font-size: 1.2rem; line-height: 1.4; margin: 0; }
    .tag { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .82rem;
      border: 1px solid var(--tone); color: var(--tone); white-space: nowrap; }
    .ok { --tone: var(--good); } .watch, .no-power { --tone: var(--warn); }
    .drifted { --tone: var(--bad); } .unreadable, .instrument-changed { --tone: var(--bad); }
    ul { margin: .3rem 0; padding-left: 1.2rem; } li { margin: .2rem 0; }
    svg { display: block; width: 100%; max-width: 36rem; height: auto; margin: .8rem 0; }
    svg text { fill: var(--ink); font-size: 14px; font-family: inherit; }
    svg .faint { fill: var(--soft); font-size: 12px; }
    svg .bold { font-weight: 600; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: .92rem; }
    th, td { text-align: left; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line);
      vertical-align: top; }
    thead th { border-top: 0; color: var(--soft); font-weight: 500; vertical-align: bottom; }
    .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
    thead .num { white-space: normal; }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
    @media (max-width: 36rem) { .pair { grid-template-columns: 1fr; } }
    blockquote { margin: .35rem 0; padding: .5rem .7rem; background: var(--panel);
      border-left: .2rem solid var(--side); border-radius: .25rem; font-size: .88rem;
      white-space: pre-wrap; overflow-wrap: anywhere; }
    .before { --side: var(--before); } .after { --side: var(--after); }
    code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .86em;
      overflow-wrap: anywhere; }
    details { margin: .6rem 0; } summary { cursor: pointer; color: var(--soft); }
    """

  static let report = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'">
    <title>{{verdictWord}}: {{app}}{{#night}}, {{night}}{{/night}}</title>
    <style>
    {{{style}}}
    </style>
    </head>
    <body>
    <main>
    <h1>{{app}} <span class="soft">· drift report{{#night}} for {{night}}{{/night}}</span></h1>
    <div class="verdict {{verdict}}"><p>{{headline}}</p></div>
    <p class="soft small">Compared: {{periodText}} with {{baselineText}}. Owner: {{owner}}.</p>
    <h3>What to do next</h3>
    <ul>
    {{#next}}
    <li>{{#parts}}{{#code}}<code>{{code}}</code>{{/code}}{{text}}{{/parts}}</li>
    {{/next}}
    </ul>
    {{#classifiers}}
    <h2>{{name}} <span class="tag {{verdict}}">{{verdictWord}}</span></h2>
    <p>{{explanation}}</p>
    {{#chart}}
    {{{chart}}}
    {{/chart}}
    {{#chartNote}}
    <p class="soft small">{{chartNote}}</p>
    {{/chartNote}}
    {{#evidenceChart}}
    <p>{{evidenceText}}</p>
    {{{evidenceChart}}}
    {{/evidenceChart}}
    {{#hasCauses}}
    <h3>Where it comes from</h3>
    {{#causes}}
    {{#sentences}}
    <p>{{.}}</p>
    {{/sentences}}
    <details>
    <summary>Every {{trait}}</summary>
    <div class="scroll">
    <table>
    <thead><tr>
    <th>{{trait}}</th>
    <th class="num">Of all outputs</th>
    <th class="num">{{label}} in it</th>
    <th class="num">Part by its answers</th>
    <th class="num">Part by its share</th>
    </tr></thead>
    <tbody>
    {{#cohorts}}
    <tr>
    <td>{{name}}</td>
    <td class="num">{{outputs}}</td>
    <td class="num">{{shares}}</td>
    <td class="num">{{within}}</td>
    <td class="num">{{mix}}</td>
    </tr>
    {{/cohorts}}
    </tbody>
    </table>
    </div>
    </details>
    {{/causes}}
    {{/hasCauses}}
    {{#hasExamples}}
    <h3>What the outputs look like</h3>
    <p class="soft small">The first of each kind, secrets taken out, shortened.</p>
    {{#examples}}
    <p><strong>{{label}}</strong> <span class="soft">{{movement}}</span></p>
    <div class="pair">
    <div><span class="soft small">In the baseline</span>
    {{#baseline}}
    <blockquote class="before">{{.}}</blockquote>
    {{/baseline}}
    {{^baseline}}
    <p class="soft small">{{noBaseline}}</p>
    {{/baseline}}
    </div>
    <div><span class="soft small">In the period</span>
    {{#period}}
    <blockquote class="after">{{.}}</blockquote>
    {{/period}}
    {{^period}}
    <p class="soft small">None.</p>
    {{/period}}
    </div>
    </div>
    {{/examples}}
    {{/hasExamples}}
    {{#hasFigures}}
    <h3>The figures</h3>
    <div class="scroll">
    <table>
    <thead><tr>
    <th>Statistic</th>
    <th class="num">Found</th>
    <th class="num">If nothing had changed</th>
    </tr></thead>
    <tbody>
    {{#figures}}
    <tr>
    <td>{{name}}<br><span class="soft small">{{meaning}}</span></td>
    <td class="num">{{found}}</td>
    <td class="num">{{expected}}</td>
    </tr>
    {{/figures}}
    </tbody>
    </table>
    </div>
    <details>
    <summary>Counts of every label</summary>
    <div class="scroll">
    <table>
    <thead><tr>
    <th>Label</th>
    <th class="num">Baseline</th>
    <th class="num">Period</th>
    <th class="num">Shift, points</th>
    <th class="num">Interval</th>
    <th class="num">Tolerated</th>
    </tr></thead>
    <tbody>
    {{#rows}}
    <tr>
    <td>{{label}}</td>
    <td class="num">{{baseline}}</td>
    <td class="num">{{period}}</td>
    <td class="num">{{shift}}</td>
    <td class="num">{{interval}}</td>
    <td class="num">{{limit}}</td>
    </tr>
    {{/rows}}
    </tbody>
    </table>
    </div>
    </details>
    {{/hasFigures}}
    <p class="soft small">{{footnote}}</p>
    {{/classifiers}}
    {{#hasNumbers}}
    <h2>Numbers</h2>
    <p class="soft small">Beside the labels; no part of the verdict. With 95 % intervals.</p>
    <div class="scroll">
    <table>
    <thead><tr>
    <th>Percentile</th>
    <th class="num">Baseline</th>
    <th class="num">Period</th>
    <th class="num">Change</th>
    </tr></thead>
    <tbody>
    {{#numbers}}
    <tr>
    <td>{{name}}</td>
    <td class="num">{{baseline}}</td>
    <td class="num">{{period}}</td>
    <td class="num">{{change}}</td>
    </tr>
    {{/numbers}}
    </tbody>
    </table>
    </div>
    {{#numberSentences}}
    <p class="soft small">{{.}}</p>
    {{/numberSentences}}
    {{/hasNumbers}}
    </main>
    </body>
    </html>

    """

  static let index = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'">
    <title>Drift on {{night}}</title>
    <style>
    {{{style}}}
    </style>
    </head>
    <body>
    <main>
    <h1>Drift <span class="soft">· night of {{night}}</span></h1>
    <div class="verdict {{verdict}}"><p>{{summary}}</p></div>
    {{#hasApps}}
    <div class="scroll">
    <table>
    <thead><tr><th>App</th><th>Verdict</th><th>What was found</th><th>Owner</th></tr></thead>
    <tbody>
    {{#apps}}
    <tr>
    <td><a href="{{file}}">{{app}}</a></td>
    <td><span class="tag {{verdict}}">{{verdictWord}}</span></td>
    <td>{{headline}}</td>
    <td>{{owner}}</td>
    </tr>
    {{/apps}}
    </tbody>
    </table>
    </div>
    {{/hasApps}}
    {{#hasFaults}}
    <h2>Apps that could not be judged</h2>
    <ul>
    {{#faults}}
    <li><strong>{{app}}</strong>: {{message}}</li>
    {{/faults}}
    </ul>
    {{/hasFaults}}
    </main>
    </body>
    </html>

    """
}
