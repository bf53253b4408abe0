//! The walls (`docs/architecture.md`): what may import what, and how the code is to be written. A
//! failure names the files and the lines.
//!
//! File A imports file B where A names, in a `use` or in a path, an item that B defines. A `pub use`
//! passes an item on and imports nothing by itself; who takes it there imports the file that defines
//! it. Tests do not count.

mod source;

use source::{Crate, Import, Source, files, lines_with, words_of};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::Path;
use std::process::Command;

/// From the top down; an import goes to the same line or to one below.
const LAYERS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["server"],
    &["http"],
    &["app"],
    &["service", "ingest", "worker"],
    &["directory", "access", "send"],
    &["store"],
    &["actor", "telemetry", "config"],
    &["problem"],
    &["secrets", "clock", "tls"],
];

const MOST_LINES: usize = 500;

#[track_caller]
fn holds(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}\n{} in all", broken.join("\n  "), broken.len());
}

#[test]
fn sql_is_written_in_the_store_alone() {
    let outside = |path: &str| !path.starts_with("src/store/");
    holds(
        "diesel is named in src/store/ alone",
        &named(&["diesel", "diesel_migrations"], &["src"], outside),
    );
}

#[test]
fn the_web_framework_is_known_to_the_handlers_and_the_server_alone() {
    let outside = |path: &str| !path.starts_with("src/http/") && path != "src/server.rs";
    holds(
        "actix is named in src/http/ and src/server.rs alone",
        &named(&["actix", "actix_web", "actix_rt", "actix_http"], &["src"], outside),
    );
}

#[test]
fn the_core_depends_on_nothing_that_does_input_or_output() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "beeiq-core"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p} {f}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.contains("beeiq-core"), "{}", String::from_utf8_lossy(&output.stderr));
    let broken: Vec<String> = tree
        .lines()
        .filter(|line| {
            let name = line.split(' ').next().unwrap_or_default();
            let with_transport = name == "lettre" && line.contains("transport");
            ["actix-web", "diesel", "reqwest", "rustls", "tokio"].contains(&name) || with_transport
        })
        .map(str::to_owned)
        .collect();
    holds("beeiq-core does no input or output", &broken);
}

#[test]
fn the_core_takes_time_chance_and_settings_as_arguments() {
    const OUT: [&[&str]; 7] = [
        &["std", "::", "env"],
        &["Utc", "::", "now"],
        &["Local", "::", "now"],
        &["Instant", "::", "now"],
        &["SystemTime", "::", "now"],
        &["Uuid", "::", "now_v7"],
        &["rand", "::"],
    ];
    let mut broken = Vec::new();
    for source in files(&["crates/beeiq-core/src"]) {
        let tokens = source.tokens();
        for (start, token) in tokens.iter().enumerate() {
            let begins = |out: &&[&str]| {
                out.iter().zip(tokens.iter().skip(start)).all(|(a, b)| *a == b.text)
                    && tokens.len() - start >= out.len()
            };
            if let Some(out) = OUT.iter().find(|out| begins(out)) {
                broken.push(format!("{} names {}", source.at(token.offset), out.concat()));
            }
        }
    }
    holds("beeiq-core asks neither clock nor chance nor the environment", &broken);
}

#[test]
fn imports_go_down() {
    let house = Crate::read("src");
    let layer = |path: &str| {
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let top = inside.split('/').next().unwrap_or_default();
        let found = LAYERS.iter().position(|layer| layer.contains(&top));
        assert!(found.is_some() || top == "lib", "{path} is in no layer: add it to LAYERS");
        found
    };
    let mut broken = Vec::new();
    for Import { from, to, line } in house.imports() {
        let (from, to) = (&house.files[from].path, &house.files[to].path);
        if layer(to) < layer(from) {
            broken.push(format!("{from}:{line} imports {to}"));
        }
    }
    holds("imports go down (LAYERS)", &broken);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut broken = Vec::new();
    for root in ["src", "crates/beeiq-core/src", "crates/beeiq-postgres/src"] {
        let house = Crate::read(root);
        for circle in circles(&house) {
            broken.push(circle);
        }
    }
    holds("files do not import each other in a circle", &broken);
}

/// A shortest circle of each group of files that all reach each other.
fn circles(house: &Crate) -> Vec<String> {
    let mut edges: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
    for Import { from, to, line } in house.imports() {
        edges.entry(from).or_default().push((to, line));
    }
    let reached: Vec<BTreeSet<usize>> =
        (0..house.files.len()).map(|file| way(&edges, file).into_keys().collect()).collect();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for file in 0..house.files.len() {
        let group: Vec<usize> = reached[file]
            .iter()
            .copied()
            .filter(|&other| reached[other].contains(&file) && reached[file].contains(&file))
            .collect();
        if group.is_empty() || !seen.insert(group.clone()) {
            continue;
        }
        let shortest = group.iter().map(|&start| circle(&edges, start)).min_by_key(Vec::len);
        let steps: Vec<String> = shortest
            .unwrap_or_default()
            .iter()
            .map(|(from, line)| format!("{}:{line}", house.files[*from].path))
            .collect();
        found.push(format!("{} files, such as {}", group.len(), steps.join(" → ")));
    }
    found
}

/// All that is reached from a file, with the import that leads there first.
fn way(
    edges: &HashMap<usize, Vec<(usize, usize)>>,
    start: usize,
) -> HashMap<usize, (usize, usize)> {
    let mut came_by = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &(to, line) in edges.get(&file).into_iter().flatten() {
            came_by.entry(to).or_insert_with(|| {
                queue.push_back(to);
                (file, line)
            });
        }
    }
    came_by
}

/// The shortest circle through a file: each file on it, with the line that leads to the next.
fn circle(edges: &HashMap<usize, Vec<(usize, usize)>>, start: usize) -> Vec<(usize, usize)> {
    let came_by = way(edges, start);
    let mut steps = Vec::new();
    let mut file = start;
    while let Some(&(from, line)) = came_by.get(&file) {
        steps.push((from, line));
        file = from;
        if file == start {
            break;
        }
    }
    steps.reverse();
    steps
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let broken: Vec<String> = files(&["src", "crates", "benches", "tests"])
        .iter()
        .filter(|source| source.path != "crates/beeiq-schema/src/lib.rs")
        .map(|source| (&source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{path} has {lines}"))
        .collect();
    holds(&format!("a file has {MOST_LINES} lines at most"), &broken);
}

/// Names that `docs/architecture.md` ("Words") has a plainer word for.
#[test]
fn names_are_plain_words() {
    const OUT: &[(&str, &str)] = &[
        ("came", "origin"),
        ("flights", "in-flight limit"),
        ("finding", "diagnostic"),
        ("findings", "diagnostics"),
        ("mentions", "prefetch keys"),
        ("ride", "member"),
        ("rider", "member"),
        ("setback", "attempt error"),
        ("standing", "quota"),
        ("verdict", "delivery result"),
    ];
    let mut broken = Vec::new();
    for source in files(&["src", "crates", "benches"]) {
        for token in source.tokens() {
            for word in words_of(token.text) {
                if let Some((_, better)) = OUT.iter().find(|(out, _)| *out == word) {
                    let at = source.at(token.offset);
                    broken.push(format!("{at}: {} (say {better})", token.text));
                }
            }
        }
    }
    holds("names are plain words", &broken);
}

#[test]
fn a_person_is_they() {
    const OUT: [&str; 6] = ["he", "his", "him", "himself", "she", "hers"];
    let mut broken = Vec::new();
    // But for this one, which names them.
    let all = files(&["src", "crates", "benches", "tests"]);
    for source in all.iter().filter(|source| source.path != "tests/it/architecture.rs") {
        broken.extend(lines_with(&source.path, &source.words, &OUT));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = std::fs::read_dir(root.join("docs")).into_iter().flatten().flatten();
    for path in documents.map(|it| it.path()).chain([root.join("README.md")]) {
        if let Ok(text) = std::fs::read_to_string(&path) {
            broken.extend(lines_with(&path.display().to_string(), &text, &OUT));
        }
    }
    holds("comments, messages and documents say they", &broken);
}

fn named(names: &[&str], roots: &[&str], outside: impl Fn(&str) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for source in files(roots).iter().filter(|source| outside(&source.path)) {
        for token in source.tokens() {
            if names.contains(&token.text) {
                broken.push(format!("{} names {}", source.at(token.offset), token.text));
            }
        }
    }
    broken
}

/// What the rules stand on: without it a rule could hold because nothing was read.
#[test]
fn imports_are_found_through_groups_paths_and_what_is_passed_on() {
    let file = |path: &str, text: &str| Source::new(path.to_owned(), text.to_owned());
    let house = Crate::of(
        "src",
        vec![
            file("src/lib.rs", "pub mod a; pub mod b; pub mod c;"),
            file("src/a.rs", "use crate::{b::Gate, c as d};\nfn f() { d::deep::g(\"crate::a\") }"),
            file("src/b/mod.rs", "mod inner;\npub use inner::Gate; // crate::c::x\nstruct Own;"),
            file("src/b/inner.rs", "pub struct Gate(super::Own);"),
            file("src/c/mod.rs", "pub mod deep;\n#[cfg(test)] mod tests { use crate::a::f; }"),
            file("src/c/deep.rs", "use super::super::b;\npub fn g<'a>(_: &'a str) {}"),
        ],
    );
    let found: BTreeSet<String> = house
        .imports()
        .iter()
        .map(|it| format!("{}:{} {}", house.files[it.from].path, it.line, house.files[it.to].path))
        .collect();
    let expected =
        ["src/a.rs:1 src/b/inner.rs", "src/a.rs:2 src/c/deep.rs", "src/b/inner.rs:1 src/b/mod.rs"];
    assert_eq!(found, expected.map(str::to_owned).into());
}
