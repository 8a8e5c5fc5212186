//! Kubernetes manifests beside a configuration: how many replicas run it, and what their probes do.
//!
//! A file may hold many documents; those that start no container are passed over. A container counts as LiteLLM's when
//! its name, image, command or arguments speak of LiteLLM.

use super::{Choice, Fleet};
use crate::litellm::finding::{Finding, Findings, rule};
use crate::litellm::node::{Node, Value};
use crate::litellm::yaml;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// How many documents one file may have.
const DOCUMENTS_MAX: usize = 1000;

/// What was found in one manifest.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// What runs LiteLLM: the largest number of replicas that its autoscaler may start.
    pub fleet: Fleet,
    /// What stands, in the order of the file.
    pub findings: Vec<Finding>,
    /// What a comment in the file silences, with the reason it gives.
    pub silenced: Vec<(Finding, String)>,
}

/// Looks at one file of manifests.
///
/// # Errors
/// Not YAML, a template that was not rendered, no Kubernetes object, or no container that runs LiteLLM.
pub fn look(source: &Source, choice: &Choice) -> Result<Manifest, Problems> {
    let documents = documents(source)?;
    let objects: Vec<(&Source, &Node)> = documents
        .iter()
        .flat_map(|(source, root)| {
            // A `List` is a document with documents in it.
            let items = root.get("items").and_then(Node::as_sequence).filter(|_| text(root, "kind") == Some("List"));
            items.map_or_else(|| vec![(source, root)], |items| items.iter().map(|item| (source, item)).collect())
        })
        .filter(|(_, object)| text(object, "kind").is_some())
        .collect();
    if objects.is_empty() {
        let message = "this is no Kubernetes manifest: no document in it has a `kind`";
        return Err(Problem::of_file(source.name(), message, "give the manifests that run the proxy").into());
    }
    let mut found = Vec::new();
    let (mut replicas, mut stores_models, mut workloads) = (0_u32, false, 0_u32);
    for (at, object) in &objects {
        let Some((path, spec)) = pod(object) else { continue };
        let containers = spec.get("containers").and_then(Node::as_sequence).unwrap_or_default();
        for (index, container) in containers.iter().enumerate().filter(|(_, container)| is_litellm(container)) {
            workloads += 1;
            let pods = scaled(&objects, object).or_else(|| number(object.get("spec")?.get("replicas")?)).unwrap_or(1);
            replicas = replicas.saturating_add(pods.saturating_mul(workers(container)));
            stores_models |= sets(container, "STORE_MODEL_IN_DB");
            let mut findings = Findings::new(source.name(), Some(at));
            probes(container, &format!("{path}.containers[{index}]"), &mut findings);
            found.extend(findings.finish());
        }
    }
    if workloads == 0 {
        let message = "no container in it runs LiteLLM: no name, image, command or argument says so";
        return Err(Problem::of_file(source.name(), message, "give the manifest of the proxy's Deployment").into());
    }
    let (findings, silenced) = choice.of(found, source);
    Ok(Manifest { fleet: Fleet { replicas: replicas.max(1), stores_models }, findings, silenced })
}

/// The documents of a file, each with the lines that it has in the file.
fn documents(source: &Source) -> Result<Vec<(Source, Node)>, Problems> {
    let mut pieces = vec![String::new()];
    for (lines, line) in source.text().split_inclusive('\n').enumerate() {
        let marker = line.trim_end();
        if marker == "---" || marker.starts_with("--- ") {
            if pieces.len() >= DOCUMENTS_MAX {
                let message = format!("more than {DOCUMENTS_MAX} documents, the most that are read");
                return Err(Problem::of_file(source.name(), message, "give only what runs the proxy").into());
            }
            // Empty lines in front keep the lines of the document what they are in the file.
            pieces.push("\n".repeat(lines + 1));
        } else if let Some(piece) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    let mut problems = Problems::new();
    let mut documents = Vec::new();
    for piece in pieces.into_iter().filter(|piece| !piece.trim().is_empty()) {
        let piece = Source::new(source.name(), piece);
        match yaml::parse(&piece) {
            Ok(document) if document.root.is_null() => {}
            Ok(document) => documents.push((piece, document.root)),
            Err(_) if piece.text().contains("{{") => problems.push(Problem::of_file(
                source.name(),
                "this is a template and not a manifest",
                "render it first, for instance with `helm template`",
            )),
            Err(more) => problems.append(more),
        }
    }
    problems.or(documents)
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_text)
}

fn number(node: &Node) -> Option<u32> {
    match node.value {
        Value::Int(value) => u32::try_from(value).ok(),
        _ => None,
    }
}

/// What a workload's pods are made of, and the keys that lead there.
fn pod(object: &Node) -> Option<(String, &Node)> {
    let spec = object.get("spec")?;
    // A job migrates the database and ends.
    if text(object, "kind") == Some("Job") {
        return None;
    }
    if let Some(template) = spec.get("template").and_then(|template| template.get("spec")) {
        return Some(("spec.template.spec".to_owned(), template));
    }
    (text(object, "kind") == Some("Pod")).then(|| ("spec".to_owned(), spec))
}

/// A database or a Redis that belongs to LiteLLM often has its name, but not its image.
fn is_litellm(container: &Node) -> bool {
    let speaks = |text: &str| text.to_ascii_lowercase().contains("litellm");
    let words = ["command", "args"].into_iter().filter_map(|key| container.get(key)?.as_sequence()).flatten();
    text(container, "image").is_some_and(speaks)
        || words.filter_map(Node::as_text).any(speaks)
        || matches!(text(container, "name"), Some("litellm" | "litellm-proxy"))
}

/// How many processes one container starts: `--num_workers N`.
fn workers(container: &Node) -> u32 {
    let words: Vec<&Node> =
        ["command", "args"].into_iter().filter_map(|key| container.get(key)?.as_sequence()).flatten().collect();
    let written = words.iter().enumerate().find_map(|(at, word)| {
        let word = word.as_text()?;
        match word.strip_prefix("--num_workers") {
            Some("") => {
                let next = words.get(at + 1)?;
                number(next).or_else(|| next.as_text()?.parse().ok())
            }
            Some(rest) => rest.strip_prefix('=')?.parse().ok(),
            None => None,
        }
    });
    written.unwrap_or(1).max(1)
}

/// Whether an environment variable is switched on for the container.
fn sets(container: &Node, variable: &str) -> bool {
    let variables = container.get("env").and_then(Node::as_sequence).unwrap_or_default();
    variables.iter().any(|entry| {
        text(entry, "name") == Some(variable)
            && text(entry, "value").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    })
}

/// The most replicas that an autoscaler gives a workload.
fn scaled(objects: &[(&Source, &Node)], workload: &Node) -> Option<u32> {
    let name = text(workload.get("metadata")?, "name")?;
    objects.iter().find_map(|(_, object)| {
        let spec = object.get("spec").filter(|_| text(object, "kind") == Some("HorizontalPodAutoscaler"))?;
        let target = spec.get("scaleTargetRef")?;
        let meant = text(target, "name") == Some(name) && text(target, "kind") == text(workload, "kind");
        number(spec.get("maxReplicas")?).filter(|_| meant)
    })
}

fn probes(container: &Node, path: &str, findings: &mut Findings<'_>) {
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some((key, probe)) = container.as_mapping().and_then(|map| map.entry(kind)) else { continue };
        let path = format!("{path}.{kind}");
        let Some(asked) = probe.get("httpGet").and_then(|get| get.get("path")) else { continue };
        let asked_path = asked.as_text().unwrap_or("/").split('?').next().unwrap_or("/").trim_end_matches('/');
        match (kind, asked_path) {
            (_, "/health") => {
                let consequence = match kind {
                    "livenessProbe" => "gets a pod restarted in which nothing is wrong",
                    "readinessProbe" => "takes every replica out of service",
                    _ => "keeps pods from starting",
                };
                let better = if kind == "readinessProbe" { "/health/readiness" } else { "/health/liveliness" };
                findings.add(
                    &rule::PROBE_CALLS_MODELS,
                    asked.span.clone(),
                    format!("{path}.httpGet.path"),
                    format!(
                        "{kind} asks /health, which calls every model of the config each time (unless \
                        background_health_checks is on) and answers when the slowest has: one provider that hangs \
                        {consequence}; where a master key is set it answers 401 to Kubernetes"
                    ),
                    format!("write `path: {better}`"),
                );
            }
            ("livenessProbe", "/health/readiness") => findings.add(
                &rule::LIVENESS_NEEDS_DATABASE,
                asked.span.clone(),
                format!("{path}.httpGet.path"),
                "the liveness probe asks /health/readiness, which fails while the database is away: Kubernetes restarts \
                all pods at once",
                "write `path: /health/liveliness`",
            ),
            _ => {}
        }
        if kind == "livenessProbe" && probe.get("timeoutSeconds").is_none() {
            findings.add(
                &rule::PROBE_TIMEOUT,
                key.span.clone(),
                path,
                "the liveness probe gives a busy proxy one second, Kubernetes' default, before it counts as dead",
                "write `timeoutSeconds: 10`",
            );
        }
    }
}
