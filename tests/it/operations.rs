//! What the operator's guide says is so.

use beeiq::config::ServeSettings;
use clap::{Arg, Args, Command};
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn guide() -> String {
    read("docs/operations.md")
}

/// A row of the guide's table for a setting of `beeiq serve`.
fn row(arg: &Arg) -> String {
    let env = arg.get_env().map(|env| format!("`{}`", env.to_str().unwrap())).unwrap_or_default();
    let default: Vec<&str> =
        arg.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
    let default = match default.as_slice() {
        [] | ["false"] => String::new(),
        values => format!("`{}`", values.join(",")),
    };
    let help = arg.get_help().unwrap().to_string().replace('|', "\\|").replace('<', "&lt;");
    format!("| `--{}` | {env} | {default} | {help} |\n", arg.get_long().unwrap())
}

/// Settings come and go; a table that is kept by hand goes stale.
#[test]
fn the_guides_table_of_settings_is_that_of_the_program() {
    let command = ServeSettings::augment_args(Command::new("serve"));
    let rows: String = command.get_arguments().map(row).collect();
    let table = format!("| flag | variable | default | meaning |\n|---|---|---|---|\n{rows}");
    assert!(guide().contains(&table), "docs/operations.md must have this table:\n\n{table}");
}

/// A misspelt setting would be set to nothing, silently.
#[test]
fn the_settings_that_containers_are_given_are_those_of_the_program() {
    let command = ServeSettings::augment_args(Command::new("serve"));
    let known: Vec<&str> =
        command.get_arguments().filter_map(|arg| arg.get_env()?.to_str()).collect();
    for file in ["compose.yaml", "Dockerfile"] {
        let text = read(file);
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let named: Vec<&str> = words.filter(|word| word.starts_with("BEEIQ_")).collect();
        assert!(!named.is_empty(), "{file}");
        for name in named {
            assert!(known.contains(&name), "{file} names {name}, which is no setting");
        }
    }
}

/// A metric that is watched under a name that there is not raises no alarm.
#[actix_web::test]
async fn the_guides_metrics_are_those_of_the_program() {
    let instance = crate::support::Instance::start().await;
    let huy = crate::support::person("Huy", "huy@a.test");
    instance.acme().listener().await.send(&[huy]).await.expect(200);
    let text = instance.client.get(format!("{}/metrics", instance.url)).send().await.unwrap();
    let text = text.text().await.unwrap();
    let told: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let guide = guide();
    for metric in &told {
        assert!(guide.contains(&format!("| `{metric}")), "docs/operations.md lacks {metric}");
    }
    let named = guide
        .split('`')
        .filter(|it| it.starts_with("beeiq_") || it.starts_with("process_"))
        .filter(|it| *it != "beeiq_server"); // the role
    for name in named {
        let name = name.split(['{', ' ', '[']).next().unwrap();
        assert!(told.iter().any(|metric| name.starts_with(metric)), "there is no {name}");
    }
}
