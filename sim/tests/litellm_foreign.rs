//! Files that are something else than a configuration: what they are is said, and how to get at the one inside.

use routedrill_sim::litellm::{Options, read};

/// The first problem of a text, with its remedy.
fn problem(text: &str) -> (String, String) {
    let problems = read(text, "given.yaml", &Options::default()).expect_err(text);
    let first = problems.iter().next().expect("a problem");
    (first.message.clone(), first.remedy.clone())
}

#[test]
fn a_config_map_says_where_the_configuration_is_in_it() {
    let (message, remedy) = problem(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  config.yaml: |\n    model_list:\n      - a\n",
    );
    assert!(message.contains("a Kubernetes manifest, a ConfigMap"), "{message}");
    assert_eq!(remedy, "cut it out first: `yq '.data.\"config.yaml\"' FILE > config.yaml`");
}

#[test]
fn other_manifests_are_for_another_option() {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 2}\n";
    let (message, remedy) = problem(deployment);
    assert!(message.contains("a Deployment"), "{message}");
    assert!(remedy.contains("lint --manifest"), "{remedy}");
    let (message, remedy) = problem(&format!("{deployment}---\n{deployment}"));
    assert!(message.contains("Kubernetes manifests"), "{message}");
    assert!(remedy.contains("lint --manifest"), "{remedy}");
}

#[test]
fn values_of_a_chart_say_below_which_key_it_stands() {
    let (message, remedy) = problem("replicaCount: 2\nlitellm:\n  proxy_config:\n    model_list: []\n");
    assert_eq!(message, "no configuration of LiteLLM begins here: it stands below .litellm.proxy_config");
    assert!(remedy.contains("yq '.litellm.proxy_config' FILE"), "{remedy}");
}

#[test]
fn a_compose_file_and_a_template_are_called_so() {
    assert!(problem("services:\n  litellm: {image: x}\n").0.contains("Docker Compose"));
    let (_, remedy) = problem("model_list:\n{{- range .Values.models }}\n  - model_name: x\n{{- end }}\n");
    assert!(remedy.contains("render the file first"), "{remedy}");
    let (_, remedy) = problem("model_list:\n  - model_name: {{ .Values.name }}\n");
    assert!(remedy.contains("render the file first"), "{remedy}");
}
