//! Pages in a browser: they draw, nothing goes wrong in them, their tables sort and filter, and their rows open.
//!
//! Needs `chromium` (or the browser that `ROUTEDRILL_CHROMIUM` names); skips and says so where there is none.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A page that is open in a browser, spoken to over a pair of pipes in the DevTools protocol.
struct Browser {
    process: Child,
    session: Option<String>,
    sent: u64,
    buffer: Vec<u8>,
    /// What went wrong in the page, in the browser's words.
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

#[expect(clippy::disallowed_methods, reason = "a browser draws in real time")]
fn wait() {
    std::thread::sleep(std::time::Duration::from_millis(50));
}

fn browser_program() -> Option<String> {
    let named = std::env::var("ROUTEDRILL_CHROMIUM").ok();
    named.into_iter().chain(["chromium".to_owned(), "chromium-browser".to_owned()]).find(|name| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    })
}

impl Browser {
    fn open(program: &str, page: &Path, width: u32) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // The browser listens on its file descriptor 3 and speaks on 4.
        let process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1", program, "--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--remote-debugging-pipe", "--disable-background-networking", "--no-first-run"])
            .arg(format!("--window-size={width},1000"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        let mut browser =
            Self { process, session: None, sent: 0, buffer: Vec::new(), complaints: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Runtime.enable", "Log.enable", "Page.enable", "Network.enable"] {
            browser.call(domain, json!({}));
        }
        browser.call("Page.navigate", json!({ "url": format!("file://{}", page.display()) }));
        for _ in 0..1_200 {
            if browser.ask("document.documentElement?.dataset.ready === 'true'") == json!(true) {
                return browser;
            }
            wait();
        }
        panic!("the page never finished drawing: {:?}", browser.complaints);
    }

    fn message(&mut self) -> Value {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == 0) {
                let message: Vec<u8> = self.buffer.drain(..=end).collect();
                return serde_json::from_slice(&message[..end]).expect("the browser speaks JSON");
            }
            let mut chunk = [0; 65_536];
            let read = self.process.stdout.as_mut().expect("a pipe").read(&mut chunk).expect("the browser speaks");
            assert!(read > 0, "the browser went away");
            self.buffer.extend_from_slice(&chunk[..read]);
        }
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let pipe = self.process.stdin.as_mut().expect("a pipe");
        pipe.write_all(message.to_string().as_bytes())
            .and_then(|()| pipe.write_all(&[0]))
            .expect("the browser listens");
        loop {
            let answer = self.message();
            match answer["method"].as_str() {
                Some("Runtime.exceptionThrown" | "Log.entryAdded") => self.complaints.push(answer.to_string()),
                Some("Runtime.consoleAPICalled") => self.complaints.push(answer.to_string()),
                Some("Network.requestWillBeSent")
                    if !answer["params"]["request"]["url"].as_str().is_some_and(|url| url.starts_with("file:")) =>
                {
                    self.complaints.push(format!("asked the network: {answer}"));
                }
                _ => {}
            }
            if answer["id"] == json!(self.sent) {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// What an expression is within the page.
    fn ask(&mut self, expression: &str) -> Value {
        let answer = self.call("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has gone already is as well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn routedrill(args: &[&str]) {
    let ran = Command::new(env!("CARGO_BIN_EXE_routedrill")).args(args).output().expect("routedrill starts");
    assert!(matches!(ran.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Markup, quotes, and marks that turn text around, as names that an operator could have written.
const HOSTILE: &str = r#"
model_list:
  - model_name: "</script><script>document.title='owned'</script>"
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/A, timeout: 5}
    model_info: {id: "a\"b'c </script><img src=x onerror=alert(1)>"}
  - model_name: "evil\u202egpt & co"
    litellm_params: {model: azure/gpt-4o, api_base: "https://x.openai.azure.com", api_key: os.environ/B}
    model_info: {id: "`tick` &lt; --> <!--"}
"#;

#[test]
fn the_page_of_a_drill_opens_sorts_and_filters_whatever_the_config_calls_its_models() {
    let Some(program) = browser_program() else {
        eprintln!("skipped: no chromium here, so no page can be looked at");
        return;
    };
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let config = root.path().join("config.yaml");
    std::fs::write(&config, HOSTILE).expect("the config is written");
    let out = root.path().join("out");
    let arguments = [config.display().to_string(), out.display().to_string()];
    routedrill(&["drill", &arguments[0], "--seeds", "1", "--duration", "60s", "--out", &arguments[1]]);
    for width in [1400, 390] {
        let mut browser = Browser::open(&program, &out.join("report.html"), width);
        assert_ne!(browser.ask("document.title"), json!("owned"));
        assert_eq!(browser.ask("document.querySelectorAll('img').length"), json!(0));
        assert_eq!(browser.ask("document.getElementById('broken').hidden"), json!(true));
        assert_eq!(
            browser.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
            json!(true),
            "nothing is wider than a screen of {width} pixels"
        );

        browser.ask("window.matrix = document.querySelector('.filter').nextElementSibling.querySelector('table'); 0");
        let rows = browser.ask("matrix.querySelectorAll('tr.opens').length").as_u64().expect("a number");
        assert!(rows >= 8, "{rows} rows");

        // A row opens, and its charts are drawn then.
        let canvases = "matrix.querySelectorAll('canvas').length";
        assert_eq!(browser.ask(canvases), json!(0));
        browser.ask("matrix.querySelector('.opener').click(); 0");
        assert!(browser.ask(canvases).as_u64() >= Some(2), "charts of the open row");
        assert_eq!(browser.ask("matrix.querySelector('.opener').getAttribute('aria-expanded')"), json!("true"));
        assert_eq!(browser.ask("matrix.querySelector('tr.detail').hidden"), json!(false));
        // The figures behind a chart are a table.
        browser.ask("matrix.querySelector('details.data').open = true; 0");
        let figures = "matrix.querySelectorAll('details.data table tbody tr').length";
        for _ in 0..50 {
            if browser.ask(figures).as_u64() > Some(5) {
                break;
            }
            wait();
        }
        assert!(browser.ask(figures).as_u64() > Some(5), "the figures of a chart");

        // Figures sort by value, the largest first and then the smallest.
        let column = "Array.from(matrix.tBodies[0].rows).filter(r => !r.classList.contains('detail'))\
                      .map(r => Number(r.cells[3].dataset.value))";
        for (falling, sort) in [(true, "descending"), (false, "ascending")] {
            browser.ask("matrix.tHead.rows[0].cells[3].querySelector('button').click(); 0");
            let values: Vec<f64> = serde_json::from_value(browser.ask(column)).expect("figures");
            let in_order = values.windows(2).all(|pair| if falling { pair[0] >= pair[1] } else { pair[0] <= pair[1] });
            assert!(in_order && values.first() != values.last(), "{sort}: {values:?}");
            assert_eq!(browser.ask("matrix.tHead.rows[0].cells[3].getAttribute('aria-sort')"), json!(sort));
        }

        // A filter leaves the rows that have all its words.
        browser.ask(
            "window.field = document.querySelector('.filter input'); field.value = 'SLOW deployment'; \
             field.dispatchEvent(new Event('input', { bubbles: true })); 0",
        );
        let shown = "Array.from(matrix.querySelectorAll('tr.opens')).filter(r => !r.hidden).map(r => r.dataset.name)";
        let names: Vec<String> = serde_json::from_value(browser.ask(shown)).expect("names");
        assert!(!names.is_empty() && (names.len() as u64) < rows, "{names:?}");
        assert!(names.iter().all(|name| name.contains("deployment:") && name.ends_with("/slow")), "{names:?}");

        assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
    }
}

#[test]
fn the_page_of_a_run_draws_every_chart_beside_another_run() {
    let Some(program) = browser_program() else {
        eprintln!("skipped: no chromium here, so no page can be looked at");
        return;
    };
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let [first, second] = ["first", "second"].map(|name| root.path().join(name).display().to_string());
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/sole-primary-outage.yaml");
    routedrill(&["run", scenario, "--seed", "1", "--out", &first]);
    routedrill(&["run", scenario, "--seed", "2", "--out", &second, "--compare", &first]);
    let mut browser = Browser::open(&program, Path::new(&second).join("report.html").as_path(), 1400);
    let charts = browser.ask("document.querySelectorAll('figure.chart').length").as_u64().expect("a number");
    assert!(charts >= 8, "{charts} charts");
    assert_eq!(browser.ask("document.querySelectorAll('figure.chart canvas').length"), json!(charts));
    let titles = browser.ask("Array.from(document.querySelectorAll('h2')).map(h => h.textContent)").to_string();
    for title in ["Over time", "Beside another run", "Latency", "Who answered", "The worst request"] {
        assert!(titles.contains(title), "{title} in {titles}");
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}
