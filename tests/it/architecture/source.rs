//! Rust files, read far enough to know who imports whom.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;

/// A file.
pub struct Source {
    /// From the repository's root.
    pub path: String,
    pub text: String,
    /// The text with blanks for comments, literals and what is compiled for tests alone.
    code: String,
    /// The text with blanks for all but comments and literals.
    pub words: String,
    /// The modules that tests alone have.
    test_modules: Vec<String>,
    imports: Vec<Use>,
}

/// An identifier, `::`, or another character.
#[derive(Clone, Copy)]
pub struct Token<'t> {
    pub offset: usize,
    pub text: &'t str,
}

/// What one name of a `use` stands for.
struct Use {
    offset: usize,
    path: Vec<String>,
    /// `*` for all that is in `path`.
    name: String,
    passed_on: bool,
}

impl Source {
    pub fn new(path: String, text: String) -> Self {
        let (code, words) = split(&text);
        let (code, test_modules) = without_tests(&code);
        let imports = uses(&tokens(&code));
        Self { path, text, code, words, test_modules, imports }
    }

    pub fn tokens(&self) -> Vec<Token<'_>> {
        tokens(&self.code)
    }

    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    pub fn at(&self, offset: usize) -> String {
        format!("{}:{}", self.path, self.line(offset))
    }

    fn defines(&self, name: &str) -> bool {
        const KEYWORDS: [&str; 8] =
            ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
        let tokens = self.tokens();
        tokens.windows(2).any(|it| KEYWORDS.contains(&it[0].text) && it[1].text == name)
    }
}

/// All Rust files of these folders that are not for tests alone; those of `tests` itself, too.
pub fn files(roots: &[&str]) -> Vec<Source> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for root in roots {
        collect(repository, &repository.join(root), &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let in_tests: BTreeSet<String> = found
        .iter()
        .flat_map(|source| {
            let beside = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
            let folder = beside.trim_end_matches("/lib").trim_end_matches("/main");
            source.test_modules.iter().map(move |name| format!("{folder}/{name}"))
        })
        .collect();
    found.retain(|source| {
        let whole = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        !in_tests.iter().any(|it| whole == it || whole.starts_with(&format!("{it}/")))
    });
    found
}

fn collect(repository: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            collect(repository, &path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(repository).unwrap().display().to_string();
            found.push(Source::new(name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The code, and the comments and literals, each with blanks for the other.
fn split(text: &str) -> (String, String) {
    let (mut code, mut words) = (Vec::new(), Vec::new());
    let mut rest = text;
    let mut after_name = false;
    while let Some(first) = rest.chars().next() {
        let length = literal(rest, after_name).unwrap_or(0);
        let (part, after) = rest.split_at(if length == 0 { first.len_utf8() } else { length });
        let blank = part.bytes().map(|byte| if byte == b'\n' { b'\n' } else { b' ' });
        if length == 0 {
            words.extend(blank);
            code.extend(part.bytes());
        } else {
            code.extend(blank);
            words.extend(part.bytes());
        }
        after_name = first.is_alphanumeric() || first == '_';
        rest = after;
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(words).unwrap())
}

/// How long the comment or literal is that begins here.
fn literal(rest: &str, after_name: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    let raw = rest.strip_prefix('r').filter(|_| !after_name).map(|it| it.trim_start_matches('#'));
    if let Some(inside) = raw.and_then(|it| it.strip_prefix('"')) {
        let end = format!("\"{}", "#".repeat(rest.len() - inside.len() - 2));
        let start = rest.len() - inside.len();
        return Some(inside.find(&end).map_or(rest.len(), |at| start + at + end.len()));
    }
    let quote = rest.chars().next().filter(|it| *it == '"' || *it == '\'')?;
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(at + 1),
            // A lifetime: of a letter's literal, the second character ends it.
            _ if quote == '\'' && !rest[1..at].is_empty() && !rest.starts_with("'\\") => {
                return None;
            }
            _ => {}
        }
    }
    None
}

/// The code with blanks for the items behind `#[cfg(test)]`, and the modules declared so.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = code.as_bytes().to_vec();
    let mut modules = Vec::new();
    let mut from = 0;
    while let Some(start) = code[from..].find(MARK).map(|at| from + at) {
        let item = start + MARK.len();
        let mut depth = 0_usize;
        let end = code[item..]
            .char_indices()
            .find(|(_, letter)| match letter {
                '{' => {
                    depth += 1;
                    false
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    depth == 0
                }
                ';' => depth == 0,
                _ => false,
            })
            .map_or(code.len(), |(at, _)| item + at + 1);
        let words: Vec<&str> = code[item..end].trim_end_matches(';').split_whitespace().collect();
        if let Some([.., "mod", name]) = words.get(..).filter(|_| code[item..end].ends_with(';')) {
            modules.push((*name).to_owned());
        }
        for byte in &mut kept[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    (String::from_utf8(kept).unwrap(), modules)
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut tokens = Vec::new();
    let mut offset = 0;
    while let Some(first) = code[offset..].chars().next() {
        let rest = &code[offset..];
        let length = if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            tokens.push(Token { offset, text: &rest[..length] });
        }
        offset += length;
    }
    tokens
}

fn uses(tokens: &[Token<'_>]) -> Vec<Use> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].text == "use" {
            let passed_on = at > 0 && matches!(tokens[at - 1].text, "pub" | ")");
            at += 1;
            let start = found.len();
            tree(tokens, &mut at, &[], &mut found);
            found.iter_mut().skip(start).for_each(|it| it.passed_on = passed_on);
        }
        at += 1;
    }
    found
}

/// Reads `a::{b, c::d as e, f::*}`.
fn tree(tokens: &[Token<'_>], at: &mut usize, prefix: &[String], found: &mut Vec<Use>) {
    let mut path = prefix.to_vec();
    let Some(Token { offset, .. }) = tokens.get(*at).copied() else { return };
    let text = |at: usize| tokens.get(at).map_or(";", |token| token.text);
    let mut add = |path: Vec<String>, name: &str| {
        found.push(Use { offset, path, name: name.to_owned(), passed_on: false });
    };
    loop {
        match text(*at) {
            "{" => {
                *at += 1;
                while !matches!(text(*at), "}" | ";") {
                    tree(tokens, at, &path, found);
                    if text(*at) == "," {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "*" => {
                *at += 1;
                return add(path, "*");
            }
            "::" => *at += 1,
            ";" | "}" => return,
            "self" if !path.is_empty() => *at += 1,
            segment => {
                path.push(segment.to_owned());
                *at += 1;
            }
        }
        if text(*at) == "as" {
            let name = text(*at + 1);
            *at += 2;
            return add(path, name);
        }
        if matches!(text(*at), "," | ";" | "}") {
            let name = path.last().cloned().unwrap_or_default();
            return add(path, &name);
        }
    }
}

/// An import of one file by another, and the line where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: usize,
    pub to: usize,
    pub line: usize,
}

/// The files of a crate as modules.
pub struct Crate {
    pub files: Vec<Source>,
    /// By the path of its module, such as `store::pool`; the root's is empty.
    modules: HashMap<String, usize>,
}

/// What a path leads to.
enum Target {
    Module(String),
    /// An item that a file defines.
    Item(usize),
}

/// The names, each in its module, that are being looked for: modules may take all of each other.
type Seen = HashSet<(String, String)>;

impl Crate {
    pub fn read(root: &str) -> Self {
        Self::of(root, files(&[root]))
    }

    pub fn of(root: &str, files: Vec<Source>) -> Self {
        let name = |path: &str| {
            let inside = path.trim_start_matches(root).trim_start_matches('/');
            let module = inside.trim_end_matches(".rs").trim_end_matches("/mod");
            if module == "lib" { String::new() } else { module.replace('/', "::") }
        };
        let modules = files.iter().enumerate().map(|(at, it)| (name(&it.path), at)).collect();
        Self { files, modules }
    }

    /// Every import once for each pair of files: the first line that makes it.
    pub fn imports(&self) -> Vec<Import> {
        let mut found: BTreeSet<Import> = BTreeSet::new();
        for (module, &from) in &self.modules {
            let source = &self.files[from];
            for (offset, path) in self.named_in(module, source) {
                if let Some(Target::Item(to)) = self.resolve(module, &path, &mut Seen::new())
                    && to != from
                {
                    found.insert(Import { from, to, line: source.line(offset) });
                }
            }
        }
        let mut pairs = BTreeSet::new();
        found.into_iter().filter(|it| pairs.insert((it.from, it.to))).collect()
    }

    /// The paths that a file names: those of its `use`s, and those in its code.
    fn named_in(&self, module: &str, source: &Source) -> Vec<(usize, Vec<String>)> {
        let tokens = source.tokens();
        let mut paths = Vec::new();
        for it in &source.imports {
            let used = || tokens.iter().filter(|token| token.text == it.name).count() > 1;
            match self.resolve(module, &it.path, &mut Seen::new()) {
                // All of a module is taken: the file itself.
                Some(Target::Module(_)) if it.name == "*" && !it.passed_on => {
                    paths.push((it.offset, [it.path.clone(), vec!["*".to_owned()]].concat()));
                }
                Some(Target::Item(_)) if !it.passed_on || used() => {
                    paths.push((it.offset, it.path.clone()));
                }
                _ => {}
            }
        }
        let mut in_use = false;
        for (at, token) in tokens.iter().enumerate() {
            in_use = (in_use || token.text == "use") && token.text != ";";
            let before = at.checked_sub(1).map_or("", |before| tokens[before].text);
            let begins = tokens.get(at + 1).is_some_and(|next| next.text == "::")
                && !matches!(before, "::" | "in");
            if in_use || !begins {
                continue;
            }
            let path: Vec<String> = tokens[at..]
                .chunks(2)
                .take_while(|it| it[0].text.starts_with(|c: char| c.is_alphabetic() || c == '_'))
                .scan(true, |more, it| {
                    let goes_on =
                        std::mem::replace(more, it.get(1).is_some_and(|t| t.text == "::"));
                    goes_on.then(|| it[0].text.to_owned())
                })
                .collect();
            paths.push((token.offset, path));
        }
        paths
    }

    fn resolve(&self, module: &str, path: &[String], seen: &mut Seen) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.walk(String::new(), rest, seen),
            "beeiq" if module == "main" => self.walk(String::new(), rest, seen),
            "self" => self.walk(module.to_owned(), rest, seen),
            "super" => self.walk(parent(module), rest, seen),
            name if self.modules.contains_key(&child(module, name)) => {
                self.walk(module.to_owned(), path, seen)
            }
            name => match self.passed_on(module, name, seen)? {
                Target::Module(to) => self.walk(to, rest, seen),
                Target::Item(file) => Some(Target::Item(file)),
            },
        }
    }

    fn walk(&self, from: String, path: &[String], seen: &mut Seen) -> Option<Target> {
        let mut module = from;
        let mut path = path.iter();
        while let Some(segment) = path.next() {
            module = match segment.as_str() {
                "self" => module,
                "super" => parent(&module),
                name if self.modules.contains_key(&child(&module, name)) => child(&module, name),
                name => match self.passed_on(&module, name, seen) {
                    Some(Target::Module(to)) => return self.walk(to, path.as_slice(), seen),
                    Some(Target::Item(file)) => return Some(Target::Item(file)),
                    None => return self.modules.get(&module).copied().map(Target::Item),
                },
            };
        }
        Some(Target::Module(module))
    }

    /// What a name is that a module has by a `use`.
    fn passed_on(&self, module: &str, name: &str, seen: &mut Seen) -> Option<Target> {
        if !seen.insert((module.to_owned(), name.to_owned())) {
            return None;
        }
        let source = &self.files[*self.modules.get(module)?];
        let not_itself =
            |it: &&Use| it.path.len() > 1 || it.path.first().is_some_and(|p| p != name);
        if let Some(it) = source.imports.iter().filter(not_itself).find(|it| it.name == name) {
            return self.resolve(module, &it.path, seen);
        }
        source.imports.iter().filter(|it| it.name == "*").find_map(|it| {
            let Some(Target::Module(to)) = self.resolve(module, &it.path, seen) else {
                return None;
            };
            let file = *self.modules.get(&to)?;
            let inner = child(&to, name);
            if self.modules.contains_key(&inner) {
                Some(Target::Module(inner))
            } else {
                self.files[file].defines(name).then_some(Target::Item(file))
            }
        })
    }
}

fn parent(module: &str) -> String {
    module.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned()
}

fn child(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// The lines that have one of these words.
pub fn lines_with(path: &str, text: &str, words: &[&str]) -> Vec<String> {
    let has = |line: &str| {
        let mut of_line = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        of_line.find(|word| words.contains(&word.to_lowercase().as_str())).map(str::to_owned)
    };
    let found = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, has(line)?)));
    found.map(|(line, word)| format!("{path}:{line} says {word}")).collect()
}

/// The words of a name in `snake_case` or `CamelCase`, in small letters.
pub fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if letter != '_' {
            words.last_mut().unwrap().extend(letter.to_lowercase());
        }
        after_small = letter.is_lowercase();
    }
    words
}
