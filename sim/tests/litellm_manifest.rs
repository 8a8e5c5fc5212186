//! Kubernetes manifests beside a configuration: replicas are counted, probes are judged, the rest is passed over.

use routedrill_sim::litellm::lint::Choice;
use routedrill_sim::litellm::lint::manifest::{Manifest, look};
use routedrill_sim::source::Source;

/// A Deployment of one container, with more keys below the container and below the spec.
fn deployment(container: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: gateway\nspec:\n  {}\n  template:\n    spec:\n      \
        containers:\n        - name: proxy\n          image: ghcr.io/berriai/litellm:main-stable\n          {}\n",
        spec.replace('\n', "\n  "),
        container.replace('\n', "\n          ")
    )
}

fn looked(text: &str) -> Manifest {
    look(&Source::new("k8s.yaml", text), &Choice::default()).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn rules(text: &str) -> Vec<(&'static str, u32)> {
    looked(text).findings.iter().map(|finding| (finding.rule.name, finding.line().unwrap_or_default())).collect()
}

const GOOD: &str = "livenessProbe: {httpGet: {path: /health/liveliness, port: 4000}, timeoutSeconds: 10}\n\
    readinessProbe: {httpGet: {path: /health/readiness, port: 4000}}";

#[test]
fn probes_that_call_models_or_need_the_database_are_found_with_their_line() {
    assert_eq!(rules(&deployment(GOOD, "replicas: 2")), []);
    for (probes, expected) in [
        (
            "livenessProbe:\n  timeoutSeconds: 5\n  httpGet:\n    path: /health\n    port: 4000",
            vec![("probe-calls-models", 15)],
        ),
        ("readinessProbe: {httpGet: {path: /health/, port: 4000}}", vec![("probe-calls-models", 12)]),
        (
            "livenessProbe: {httpGet: {path: /health/readiness}, timeoutSeconds: 5}",
            vec![("liveness-needs-database", 12)],
        ),
        ("livenessProbe: {httpGet: {path: /health/liveness}}", vec![("probe-timeout", 12)]),
        ("livenessProbe: {tcpSocket: {port: 4000}}", vec![]),
    ] {
        assert_eq!(rules(&deployment(probes, "replicas: 1")), expected, "{probes}");
    }
}

#[test]
fn lines_are_those_of_the_file_in_every_document() {
    let text = format!("kind: Service\n---\n# second\n{}", deployment("livenessProbe: {httpGet: {path: /health}}", ""));
    assert_eq!(rules(&text), [("probe-timeout", 15), ("probe-calls-models", 15)]);
}

#[test]
fn replicas_are_counted_with_workers_and_autoscalers() {
    let scaler = "---\nkind: HorizontalPodAutoscaler\nspec:\n  maxReplicas: 6\n  \
        scaleTargetRef: {kind: Deployment, name: gateway}\n";
    let list = |items: &str| format!("kind: List\nitems:\n  - {}", items.trim_end().replace('\n', "\n    "));
    for (text, replicas) in [
        (deployment(GOOD, ""), 1),
        (deployment(GOOD, "replicas: 4"), 4),
        (deployment("args: [\"--num_workers\", \"3\"]", "replicas: 4"), 12),
        (deployment("args: [\"--num_workers=3\"]", ""), 3),
        (deployment(GOOD, "replicas: 4") + scaler, 6),
        (deployment(GOOD, "replicas: 4") + &scaler.replace("name: gateway", "name: other"), 4),
        (list(&deployment(GOOD, "replicas: 5")), 5),
    ] {
        assert_eq!(looked(&text).fleet.replicas, replicas, "{text}");
    }
    assert!(looked(&deployment("env: [{name: STORE_MODEL_IN_DB, value: \"True\"}]", "")).fleet.stores_models);
}

#[test]
fn what_does_not_run_the_proxy_is_passed_over() {
    let database = deployment("", "").replace("ghcr.io/berriai/litellm:main-stable", "postgres:16");
    let migration = deployment("", "").replace("kind: Deployment", "kind: Job");
    let good = deployment(GOOD, "replicas: 2");
    assert_eq!(looked(&format!("{database}---\n{migration}---\n{good}")).fleet.replicas, 2);
}

#[test]
fn what_is_no_manifest_says_what_to_give_instead() {
    for (text, message) in [
        ("model_list: []\n", "no document in it has a `kind`"),
        ("kind: Service\n", "no container in it runs LiteLLM"),
        ("kind: Deployment\nspec: {{ .Values.spec }}\n", "this is a template"),
        ("kind: [\n", ""),
        ("", "no document in it has a `kind`"),
    ] {
        let problems = look(&Source::new("k8s.yaml", text), &Choice::default()).expect_err(text);
        let problem = problems.iter().next().expect("one at least");
        assert!(problem.message.contains(message), "{text}\n{problems}");
    }
}

#[test]
fn a_comment_silences_a_rule_in_a_manifest_too() {
    let text = deployment(
        "livenessProbe: {httpGet: {path: /health/liveness}} # routedrill: ignore probe-timeout because it is fast",
        "",
    );
    let manifest = looked(&text);
    assert_eq!((manifest.findings.len(), manifest.silenced.len()), (0, 1));
}
