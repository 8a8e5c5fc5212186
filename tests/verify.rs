//! A memo proves itself: `verify` accepts it where and as it was made, and refuses whatever was changed afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};
use tempfile::TempDir;

const STATEMENT: &str = "statement.dsse.json";

fn routedrill(args: &[&str], at: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routedrill"))
        .args(args)
        .current_dir(at)
        .env("SOURCE_DATE_EPOCH", "1795305600")
        .output()
        .expect("routedrill runs")
}

/// A folder with a config, a key pair, and a signed memo in `memo/`.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a folder") };
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/litellm/support-bot.yaml");
        fs::copy(config, desk.at("config.yaml")).expect("a config");
        for (name, seed) in [("ours", 1), ("theirs", 2)] {
            let key = PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
            key.write_openssh_file(&desk.at(name), LineEnding::LF).expect("a private key");
            let public = key.public_key();
            public.write_openssh_file(&desk.at(&format!("{name}.pub"))).expect("a public key");
        }
        let drill = [
            "drill",
            "config.yaml",
            "--only",
            "group:gpt-4/429-retry-after",
            "--seeds",
            "1",
            "--rps",
            "2",
            "--out",
            "memo",
        ];
        let output = routedrill(&[&drill[..], &["--sign", "ours"]].concat(), desk.folder.path());
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        desk
    }

    /// Another desk with the same things on it.
    fn again(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(copy.at("memo")).expect("a folder");
        for from in [self.folder.path().to_owned(), self.at("memo")] {
            for entry in fs::read_dir(&from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_file() {
                    let name = entry.strip_prefix(self.folder.path()).expect("a file on the desk");
                    fs::copy(&entry, copy.folder.path().join(name)).expect("a copy");
                }
            }
        }
        copy
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).expect("a file of the memo")
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(self.at(name), text.replacen(from, to, 1)).expect("an edited file");
    }

    /// Edits the envelope, or the statement in it.
    fn edit_envelope(&self, change: impl FnOnce(&mut Value)) {
        let path = format!("memo/{STATEMENT}");
        let mut envelope: Value = serde_json::from_str(&self.read(&path)).expect("an envelope");
        change(&mut envelope);
        fs::write(self.at(&path), envelope.to_string()).expect("an edited envelope");
    }

    fn edit_statement(&self, change: impl FnOnce(&mut Value)) {
        self.edit_envelope(|envelope| {
            let payload = Base64::decode_vec(envelope["payload"].as_str().expect("a payload")).expect("Base64");
            let mut statement: Value = serde_json::from_slice(&payload).expect("a statement");
            change(&mut statement);
            envelope["payload"] = json!(Base64::encode_string(statement.to_string().as_bytes()));
        });
    }

    fn rewrite(&self, name: &str, change: impl FnOnce(String) -> String) {
        fs::write(self.at(name), change(self.read(name))).expect("an edited file");
    }

    fn verify(&self, more: &[&str]) -> (Option<i32>, String) {
        let output = routedrill(&[&["verify", "memo"], more].concat(), self.folder.path());
        let told = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&told).into_owned())
    }
}

#[test]
fn a_true_memo_holds_also_in_another_place() {
    let desk = Desk::new();
    let (code, told) = desk.verify(&["--signer", "ours.pub", "--max-age", "1"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("the memo holds") && told.contains("every digest is the same"), "{told}");

    fs::create_dir(desk.at("elsewhere")).expect("a folder");
    fs::rename(desk.at("memo"), desk.at("elsewhere/papers")).expect("a moved memo");
    fs::rename(desk.at("config.yaml"), desk.at("elsewhere/router.yaml")).expect("a moved config");
    let moved = ["verify", "papers/memo.md", "--config", "router.yaml", "--signer", "../ours.pub"];
    let output = routedrill(&moved, &desk.at("elsewhere"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn without_a_signer_a_signature_is_not_trusted() {
    let desk = Desk::new();
    let (code, told) = desk.verify(&[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("signer not trusted: SHA256:"), "{told}");
    // Evidence that nobody signed is still run again.
    desk.edit_envelope(|envelope| envelope["signatures"] = json!([]));
    let (code, told) = desk.verify(&[]);
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn a_memo_of_another_day_release_or_config_says_what_no_longer_holds() {
    let desk = Desk::new();
    let (code, told) = desk.verify(&["--signer", "ours.pub", "--max-age", "30", "--date", "2027-11-21"]);
    assert!(code == Some(1) && told.contains("--max-age allows 30"), "{told}");
    let (code, told) = desk.verify(&["--signer", "ours.pub", "--litellm", "1.80.17"]);
    assert!(code == Some(1) && told.contains("1.80.17 runs now"), "{told}");
    desk.edit("config.yaml", "num_retries: 2", "num_retries: 0");
    let (code, told) = desk.verify(&["--signer", "ours.pub"]);
    assert!(code == Some(1) && told.contains("config.yaml has changed since"), "{told}");
    assert!(told.contains("in runs with other digests") || told.contains(" was "), "{told}");
    fs::remove_file(desk.at("config.yaml")).expect("a config to lose");
    let (code, told) = desk.verify(&["--signer", "ours.pub"]);
    assert!(code == Some(2) && told.contains("--config says where it is"), "{told}");
}

#[test]
fn every_tampering_is_refused() {
    type Tampering = fn(&Desk);
    let tamperings: [(&str, Tampering); 34] = [
        ("a word of the memo", |desk| desk.edit("memo/memo.md", "lost", "held")),
        ("a figure of the results", |desk| desk.edit("memo/results.json", "\"runs\": ", "\"runs\": 1")),
        ("a missing memo", |desk| fs::remove_file(desk.at("memo/memo.md")).expect("a memo to lose")),
        ("a missing statement", |desk| fs::remove_file(desk.at(&format!("memo/{STATEMENT}"))).expect("one to lose")),
        ("half a statement", |desk| {
            let text = desk.read(&format!("memo/{STATEMENT}"));
            fs::write(desk.at(&format!("memo/{STATEMENT}")), &text[..text.len() / 2]).expect("half of it");
        }),
        ("the config", |desk| desk.edit("config.yaml", "request_timeout: 60", "request_timeout: 61")),
        ("no signature", |desk| desk.edit_envelope(|envelope| envelope["signatures"] = json!([]))),
        ("another signature", |desk| {
            desk.edit_envelope(|envelope| envelope["signatures"][0]["sig"] = json!(Base64::encode_string(&[9; 64])));
        }),
        ("a short signature", |desk| {
            desk.edit_envelope(|envelope| envelope["signatures"][0]["sig"] = json!(Base64::encode_string(&[9; 63])));
        }),
        ("another payload type", |desk| desk.edit_envelope(|envelope| envelope["payloadType"] = json!("text/plain"))),
        ("a payload that is not Base64", |desk| desk.edit_envelope(|envelope| envelope["payload"] = json!("***"))),
        ("one more key in the envelope", |desk| desk.edit_envelope(|envelope| envelope["more"] = json!(1))),
        ("the date", |desk| desk.edit_statement(|statement| statement["predicate"]["date"] = json!("2026-11-20"))),
        ("the release", |desk| desk.edit_statement(|statement| statement["predicate"]["litellm"] = json!("1.80.17"))),
        ("the config's hash", |desk| {
            desk.edit_statement(|statement| statement["predicate"]["config"]["sha256"] = json!("00"));
        }),
        ("a digest", |desk| {
            desk.edit_statement(|statement| statement["predicate"]["rows"][0]["digests"][0] = json!("00"));
        }),
        ("a verdict", |desk| {
            desk.edit_statement(|statement| statement["predicate"]["rows"][0]["verdict"] = json!("untouched"));
        }),
        ("the seeds", |desk| desk.edit_statement(|statement| statement["predicate"]["seeds"] = json!([5]))),
        ("the options", |desk| {
            desk.edit_statement(|statement| statement["predicate"]["options"][0] = json!("--rps=1"));
        }),
        ("an option that there is not", |desk| {
            desk.edit_statement(|statement| statement["predicate"]["options"][0] = json!("--nonsense=1"));
        }),
        ("a memo that the statement does not mention", |desk| {
            desk.edit_statement(|statement| {
                statement["subject"].as_array_mut().expect("subjects").remove(0);
            });
        }),
        ("a subject in another folder", |desk| {
            desk.edit_statement(|statement| statement["subject"][0]["name"] = json!("../config.yaml"));
        }),
        ("a subject whose name is no text", |desk| {
            desk.edit_statement(|statement| statement["subject"][0]["name"] = json!("memo.md\0"));
        }),
        ("the config's line endings", |desk| desk.rewrite("config.yaml", |text| text.replace('\n', "\r\n"))),
        ("a blank at the end of the config", |desk| desk.rewrite("config.yaml", |text| text + " ")),
        ("a line at the end of the memo", |desk| desk.rewrite("memo/memo.md", |text| text + "\n")),
        ("the patch", |desk| desk.rewrite("memo/edits.patch", |text| text.replacen("+", "+ ", 3))),
        ("the page of the drill", |desk| desk.rewrite("memo/report.html", |text| text.replacen("lost", "held", 1))),
        ("another file under the memo's name", |desk| {
            fs::remove_file(desk.at("memo/memo.md")).expect("a memo to lose");
            fs::copy(desk.at("config.yaml"), desk.at("memo/memo.md")).expect("another file in its place");
        }),
        ("a byte order mark", |desk| desk.rewrite("memo/statement.dsse.json", |text| format!("\u{feff}{text}"))),
        ("something after the envelope", |desk| desk.rewrite("memo/statement.dsse.json", |text| text + "{}")),
        ("a key twice, the first of them ours", |desk| {
            desk.rewrite("memo/statement.dsse.json", |text| text.replacen('{', "{\"payload\": \"AAAA\",", 1));
        }),
        ("a key twice, the last of them ours", |desk| {
            let end = ", \"payload\": \"AAAA\"}";
            desk.rewrite("memo/statement.dsse.json", |text| text.trim_end().trim_end_matches('}').to_owned() + end);
        }),
        ("a line break within the payload", |desk| {
            desk.edit_envelope(|envelope| {
                let payload = envelope["payload"].as_str().expect("a payload").to_owned();
                envelope["payload"] = json!(format!("{}\n{}", &payload[..64], &payload[64..]));
            });
        }),
    ];
    let whole = Desk::new();
    for (what, tamper) in tamperings {
        let desk = whole.again();
        tamper(&desk);
        let (code, told) = desk.verify(&["--signer", "ours.pub"]);
        assert!(matches!(code, Some(1 | 2)), "{what}: {code:?}\n{told}");
        assert!(told.contains("FAILS") || told.contains("error"), "{what}\n{told}");
    }
    // Whoever signs anew is found out by the key.
    let (code, told) = whole.verify(&["--signer", "theirs.pub"]);
    assert!(code == Some(1) && told.contains("has not signed this statement"), "{told}");
}

#[test]
fn what_an_unsigned_memo_says_is_held_to_what_runs() {
    // Hashes can be made anew by whoever edits a file; the runs cannot.
    let desk = Desk::new();
    desk.edit("memo/memo.md", "lost", "held");
    let content = desk.read("memo/memo.md");
    desk.edit_envelope(|envelope| envelope["signatures"] = json!([]));
    desk.edit_statement(|statement| {
        statement["subject"][0]["digest"]["sha256"] = json!(routedrill_reports::evidence::sha256(content.as_bytes()));
    });
    let (code, told) = desk.verify(&[]);
    assert!(code == Some(1) && told.contains("memo.md is not what this drill writes"), "{told}");
}

#[test]
fn files_that_the_statement_does_not_mention_are_named_and_those_of_another_memo_refused() {
    let desk = Desk::new();
    fs::write(desk.at("memo/minutes.txt"), "of a meeting").expect("a file beside the memo");
    let (code, told) = desk.verify(&["--signer", "ours.pub"]);
    assert!(code == Some(0) && told.contains("nothing is said about what else lies there: minutes.txt"), "{told}");

    // A drill of an outage that nobody meets proposes no edit, so that a patch beside its memo is an older one's.
    let args = ["drill", "config.yaml", "--model", "gpt-4o-mini", "--only", "group:gpt-4/429-retry-after"];
    let args = [&args[..], &["--seeds", "1", "--duration", "20s", "--out", "calm", "--sign", "ours"]].concat();
    let drilled = routedrill(&args, desk.folder.path());
    assert_eq!(drilled.status.code(), Some(0), "{}", String::from_utf8_lossy(&drilled.stderr));
    assert!(!desk.at("calm/edits.patch").exists(), "nothing to mend");
    let verify = || {
        let output = routedrill(&["verify", "calm", "--signer", "ours.pub"], desk.folder.path());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(verify().0, Some(0), "{}", verify().1);
    fs::copy(desk.at("memo/edits.patch"), desk.at("calm/edits.patch")).expect("an older patch");
    let (code, told) = verify();
    assert!(code == Some(1) && told.contains("edits.patch is there too"), "{told}");
}

#[test]
fn a_key_that_cannot_sign_is_refused_before_anything_runs() {
    let desk = Desk::new();
    for (key, words) in
        [("ours.pub", "failed to read the key"), ("config.yaml", "failed to read the key"), ("no", "failed")]
    {
        let output = routedrill(&["drill", "config.yaml", "--out", "other", "--sign", key], desk.folder.path());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && told.contains(words), "{key}: {told}");
        assert!(!desk.at("other").exists());
    }
}
