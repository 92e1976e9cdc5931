// The pages' one style sheet: light and dark, wide table and narrow cards, no image, no font, no
// script. Two opening braces must not stand together: the sheet passes through Mustache.

enum PageStyle {
  static let css = """
    :root {
      --ground: #f6f7f9; --card: #ffffff; --ink: #161b26; --soft: #5b6577; --line: #e2e6ec;
      --track: #e8ebf0; --good: #13794a; --good-back: #e2f5eb; --watch: #8f5700;
      --watch-back: #fdf0d5; --bad: #b3261e; --bad-back: #fde7e5; --unclear: #55607a;
      --unclear-back: #eaedf3; --link: #1f5fd0; --bar: #2f7d5c; --shadow: 0 1px 2px #1018281a;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #0f131a; --card: #181e28; --ink: #e8ecf3; --soft: #98a3b6; --line: #29313e;
        --track: #29313e; --good: #6fd3a3; --good-back: #14352a; --watch: #f0bd62;
        --watch-back: #3a2c10; --bad: #ff9a92; --bad-back: #45201d; --unclear: #b3bed2;
        --unclear-back: #2a3240; --link: #8ab4ff; --bar: #4fae83; --shadow: none;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--ground); color: var(--ink);
      font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
      font-variant-numeric: tabular-nums;
    }
    header, main, footer { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
    header { display: flex; align-items: center; gap: 16px; padding-top: 20px; flex-wrap: wrap; }
    .brand {
      display: flex; align-items: center; gap: 9px; color: var(--ink); font-size: 20px;
      font-weight: 650; letter-spacing: -.01em; text-decoration: none;
    }
    .mark { width: 26px; height: 26px; fill: none; stroke-width: 3; stroke-linecap: round; }
    .course { stroke: var(--soft); stroke-dasharray: .1 5.2; opacity: .6; }
    .way { stroke: var(--bar); }
    .ship { fill: var(--bar); }
    nav { margin-left: auto; display: flex; gap: 18px; }
    a { color: var(--link); text-decoration: none; }
    a:hover, a:focus-visible { text-decoration: underline; }
    h2 { font-size: 15px; font-weight: 650; margin: 28px 0 10px; }
    small { color: var(--soft); font-size: 12.5px; font-weight: 400; }
    code { font: 13px ui-monospace, Menlo, Consolas, monospace; }
    .pill {
      display: inline-block; padding: 1px 9px; border-radius: 99px; font-size: 12.5px;
      font-weight: 600; white-space: nowrap;
    }
    .pill.good { color: var(--good); background: var(--good-back); }
    .pill.watch { color: var(--watch); background: var(--watch-back); }
    .pill.bad { color: var(--bad); background: var(--bad-back); }
    .pill.unclear { color: var(--unclear); background: var(--unclear-back); }
    header .pill { font-size: 13.5px; padding: 3px 12px; white-space: normal; }
    td .good, dd.good { color: var(--good); }
    td .watch, dd.watch { color: var(--watch); }
    td .bad, dd.bad { color: var(--bad); }
    .tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 12px; margin: 0; }
    .tiles div, table, .health, .empty, .files {
      background: var(--card); border: 1px solid var(--line); border-radius: 10px;
      box-shadow: var(--shadow);
    }
    .tiles div { padding: 12px 16px; }
    dt { color: var(--soft); font-size: 13px; }
    dd { margin: 2px 0 0; font-size: 23px; font-weight: 620; letter-spacing: -.01em; }
    table { width: 100%; border-spacing: 0; }
    th, td { text-align: left; vertical-align: top; padding: 13px 14px; }
    thead th {
      color: var(--soft); font-size: 12.5px; font-weight: 550; padding-top: 10px;
      padding-bottom: 10px; white-space: nowrap;
    }
    tbody th, tbody td { border-top: 1px solid var(--line); }
    tbody th b { font-weight: 650; overflow-wrap: anywhere; }
    th small, td small { display: block; overflow-wrap: anywhere; }
    .line small { display: inline; }
    tbody th { min-width: 130px; }
    td { max-width: 240px; }
    .wide { width: 34%; max-width: none; }
    .n { text-align: right; }
    td.n { white-space: nowrap; }
    .budget + .budget { margin-top: 11px; }
    .line { display: flex; justify-content: space-between; gap: 12px; }
    .share { font-weight: 600; }
    .share.good { color: var(--soft); font-weight: 400; }
    .bar {
      display: block; width: 100%; height: 8px; margin: 4px 0 3px; border-radius: 4px;
      background: var(--track);
    }
    .bar .used { fill: var(--bar); }
    .bar.watch .used { fill: #d68a14; }
    .bar.bad .used { fill: #d5443b; }
    .bar .held { fill: var(--bar); opacity: .38; }
    .bar.watch .held { fill: #d68a14; }
    .bar.bad .held { fill: #d5443b; }
    .note { margin-top: 6px; }
    .health {
      display: flex; flex-wrap: wrap; gap: 8px 26px; margin: 0; padding: 12px 16px;
      list-style: none;
    }
    .health li { display: flex; align-items: baseline; gap: 8px; }
    .health li span:not(.dot) { color: var(--soft); }
    .health b { font-weight: 600; }
    .dot { width: 8px; height: 8px; border-radius: 50%; align-self: center; flex: none; }
    .dot.good { background: var(--bar); }
    .dot.bad { background: #d5443b; }
    .empty { padding: 22px; margin: 0; }
    .files { list-style: none; margin: 0; padding: 8px 16px; }
    .files li { padding: 5px 0; }
    footer { color: var(--soft); font-size: 12.5px; padding-top: 22px; padding-bottom: 30px; }
    @media (max-width: 900px) {
      header, main, footer { padding-left: 14px; padding-right: 14px; }
      header { gap: 10px 14px; }
      header .pill { order: 3; }
      .tiles { grid-template-columns: repeat(6, 1fr); gap: 8px; }
      .tiles div { padding: 9px 12px; grid-column: span 2; }
      .tiles div:nth-child(-n+2) { grid-column: span 3; }
      dd { font-size: 19px; }
      table { background: none; border: 0; box-shadow: none; }
      thead { display: none; }
      table, tbody, tr, tbody th, tbody td { display: block; width: 100%; max-width: none; }
      tbody tr {
        background: var(--card); border: 1px solid var(--line); border-radius: 10px;
        box-shadow: var(--shadow); padding: 12px 14px; margin-bottom: 10px;
        display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px 12px;
      }
      tbody th, tbody td { border: 0; padding: 0; min-width: 0; }
      tbody th { grid-column: 1 / 3; }
      tbody td.state { display: contents; }
      .state .pill { justify-self: end; align-self: start; }
      .state small, tbody td.wide, tbody td.verdict { grid-column: 1 / -1; width: auto; }
      tbody td.n { text-align: left; }
      tbody td.n::before, tbody td.verdict::before {
        content: attr(data-name); display: block; color: var(--soft); font-size: 12.5px;
      }
    }
    """
}
