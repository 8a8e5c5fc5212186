//! Scalars and whole documents mean to routedrill what they mean to PyYAML, which LiteLLM reads its configuration with.
//!
//! Needs a `python3` that can import `yaml`; without one the test says so and passes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use routedrill_sim::litellm::{Node, Value, parse};
use routedrill_sim::source::Source;
use serde_json::json;

/// Reads a JSON list of documents on stdin and prints what PyYAML makes of each, in a form that keeps types apart.
const PYTHON: &str = r#"
import datetime, json, sys
import yaml

def shown(value):
    if value is None:
        return ["null"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, float):
        return ["float", "nan" if value != value else value.hex() if abs(value) != float("inf") else str(value)]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ["time", str(value)]
    if isinstance(value, list):
        return ["list", [shown(item) for item in value]]
    if isinstance(value, dict):
        return ["map", [[shown(key), shown(item)] for key, item in value.items()]]
    return ["other"]

def load(text):
    try:
        return shown(yaml.safe_load(text))
    except Exception:
        return ["error"]

json.dump([load(text) for text in json.load(sys.stdin)], sys.stdout)
"#;

#[test]
fn scalars_and_documents_mean_what_pyyaml_makes_of_them() {
    let mut documents: Vec<String> = SCALARS.lines().map(|scalar| format!("- {scalar}\n")).collect();
    documents.extend(random_scalars(4_000).iter().map(|scalar| format!("- {scalar}\n")));
    documents.extend(DOCUMENTS.iter().map(|text| (*text).to_owned()));
    documents.extend(examples());
    let Some(theirs) = pyyaml(&documents) else {
        println!("skipped: no python3 that can import yaml");
        return;
    };
    assert_eq!(theirs.len(), documents.len());
    let mut differences = Vec::new();
    for (document, theirs) in documents.iter().zip(theirs) {
        let ours = match parse(&Source::new("document.yaml", document.as_str())) {
            Ok(document) => shown(&document.root),
            Err(_) => json!(["error"]),
        };
        if ours != theirs {
            differences.push(format!("{document:?}\n  PyYAML     {theirs}\n  routedrill {ours}"));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn pyyaml(documents: &[String]) -> Option<Vec<serde_json::Value>> {
    let python = |args: &[&str]| {
        let mut command = Command::new("python3");
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().ok()
    };
    if !python(&["-c", "import yaml"])?.wait().ok()?.success() {
        return None;
    }
    let mut child = python(&["-c", PYTHON])?;
    let mut stdin = child.stdin.take()?;
    stdin.write_all(&serde_json::to_vec(documents).ok()?).ok()?;
    drop(stdin);
    let output = child.wait_with_output().ok()?;
    Some(serde_json::from_slice(&output.stdout).expect("what the script printed"))
}

fn shown(node: &Node) -> serde_json::Value {
    value(&node.value)
}

fn value(value_of: &Value) -> serde_json::Value {
    match value_of {
        Value::Null => json!(["null"]),
        Value::Bool(value) => json!(["bool", value]),
        Value::Int(value) => json!(["int", value.to_string()]),
        Value::Float(value) => json!(["float", hex(*value)]),
        Value::Text(text) => json!(["text", text]),
        Value::Time(text) => json!(["time", text]),
        Value::Sequence(items) => json!(["list", items.iter().map(shown).collect::<Vec<_>>()]),
        Value::Mapping(map) => {
            json!(["map", map.iter().map(|(key, item)| json!([value(&key.value), shown(item)])).collect::<Vec<_>>()])
        }
        Value::Other(_) => json!(["other"]),
    }
}

/// Python's `float.hex`, for bit-exact comparison.
fn hex(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let bits = value.to_bits();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (exponent, mantissa) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    match (exponent, mantissa) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{mantissa:013x}p-1022"),
        _ => format!("{sign}0x1.{mantissa:013x}p{:+}", exponent as i64 - 1023),
    }
}

/// Texts out of the letters that numbers, dates, booleans and nulls are made of.
fn random_scalars(count: usize) -> Vec<String> {
    const LETTERS: &[u8] = b"0011223456789..__::--++eExobTZ~nfyAFia ";
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut pick = |among: usize| (rng.next_u32() as usize) % among;
    (0..count)
        .map(|_| {
            let len = 1 + pick(9);
            (0..len).map(|_| char::from(LETTERS[pick(LETTERS.len())])).collect()
        })
        .collect()
}

/// Every example, whole and with its lines cut short one after the other.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/litellm");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the examples") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("an example");
        let lines: Vec<&str> = text.lines().collect();
        texts.extend((1..lines.len()).step_by(7).map(|len| lines[..len].join("\n")));
        texts.push(text);
    }
    texts
}

const SCALARS: &str = r#"1e-6
1E-6
1.0e-6
1.e-6
1e6
1.5e+3
1.5e3
.5
.5e-3
-.5
+.5
5.
-5.
0.1
1_000
1_0.5
_1
1_
12:30:45
1:60
1:59
1:59.5
-1:30
0:30
190:20:30
190:20:30.15
0600
0o17
08
09.5
0b101
0b102
0b
0b_
0x1F
0xfg
-0xFF
+12
0
-0
00
0_
yes
Yes
YES
yEs
y
Y
n
no
No
on
On
ON
off
OFF
true
True
TRUE
tRUE
false
~
null
Null
NULL
nULL
.inf
.Inf
.INF
-.inf
+.inf
.nan
.NaN
-.nan
inf
nan
Infinity
2024-01-01
2024-1-1
2024-02-30
2024-13-01
0000-01-01
2024-01-01T12:30:45Z
2024-01-01 12:30:45
2024-01-01 1:30:45 +1
2024-01-01t12:30:45.123456789-08:00
2024-01-01T12:30:45.5
2024-01-01T12:30
2024-01-01T24:00:00
2024-1-1 12:30:45
2024-01-01 12:30:45+24:00
2024-01-01 12:30:45 -00:30
=
<<
"yes"
'123'
"1e-6"
"a\tb\u00e9\x41\n"
'it''s'
!!str 123
!!int "5"
!!int abc
!!float 5
!!float x
!!bool "yes"
!!bool 1
!!null x
!!timestamp 2024-01-01
!!binary aGVsbG8=
!foo bar
! 12
os.environ/KEY
gpt-4
sk-1234
http://host:8000/v1
a: b
a:b
a #b
a#b
-1
- 1
1 2
99999999999999999999
123456789012345678901234567890
é
"😀"
*
&a b
@a
`a
%a
[a, 1, yes]
{a: 1, b}
{a:1}
[]
{}
[a,b: c]
"#;

const DOCUMENTS: &[&str] = &[
    "",
    "# nothing\n",
    "---\n",
    "--- a\n...\n",
    "a\n---\nb\n",
    "\u{feff}a: 1\n",
    "a: 1\r\nb: 2\r\n",
    "a: |\n  one\n  two\n\nb: >-\n  one\n  two\n\n  three\nc: |+\n  keep\n\n",
    "a: one\n  two\n  three\n",
    "a: \"one\n  two\\\n  three\"\n",
    "a:\n- 1\n- 2\nb:\n  - x: 1\n    y: 2\n  -\n  - z\n",
    "a: 1\na: 2\nb: 3\n",
    "1: a\n1.0: b\ntrue: c\n",
    "null: a\n~: b\n",
    "yes: a\non: b\n2024-01-01: c\n",
    "? a\n: b\n? c\n",
    "? [a, b]\n: c\n",
    "{[a]: b}\n",
    "a: &x 1\nb: *x\n",
    "a: &x {k: 1}\nb: {<<: *x, l: 2}\nc: {l: 2, <<: *x, k: 3}\n",
    "a: &x {k: 1, l: 1}\nb: &y {k: 2, m: 2}\nc: {<<: [*x, *y], n: 3}\nd: {<<: *x, <<: *y}\n",
    "a: &x {k: 1}\nb: &y {<<: *x, l: 2}\nc: {<<: *y, k: 3}\n",
    "a: {<<: 1}\n",
    "a: {<<: [1]}\n",
    "a: {<<: null}\n",
    "a: {\"<<\": {b: 1}}\n",
    "a: &x 1\nb: &x 2\n",
    "a: *x\n",
    "a: {=: 1}\n",
    "a: [=]\n",
    "a: !!set {x, y}\n",
    "{: x}\n",
    "[: x]\n",
    "? \n: x\n",
    "a:\n  : x\n",
    "a: ! {x: 1}\nb: ! '12'\n",
    "a: !!python/object:os.system x\n",
    "a: !include other.yaml\n",
    "a: !!str {x: 1}\n",
    "a: !!map {x: 1}\nb: !!seq [1]\n",
    "a: 'x\n",
    "a: [1, 2\n",
    "a: {b: 1\n",
    "a: 1\n b: 2\n",
    "a:\n\t- b\n",
    "a: b: c\n",
    "- a\nb: c\n",
    "a: 'b' c\n",
    "%YAML 1.1\n---\na: yes\n",
    "a: b\u{7}\n",
    "a: \"b\\q\"\n",
    "key with spaces: value with spaces\n'quoted key': 1\n",
    "a: [\n  1,\n  2,\n]\nb: {x: 1,\n  y: 2,}\n",
    "a: {x: http://host:80/p, y: a:b}\n",
    "a: [a:b, http://x]\n",
];
