//! What `beeiq import` is told, and what comes of it before anything is sent.

use super::columns::ColumnMap;
use super::source::{Format, Source};
use crate::access::secrets::Secret;
use anyhow::{Context, bail};
use beeiq_core::actions::ACTION_TYPES;
use beeiq_core::values::email::Email;
use beeiq_core::values::suggest::{listed, nearest};
use clap::Args;
use reqwest::Url;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub(crate) struct ImportSettings {
    /// The file: CSV whose first row names the fields, or NDJSON; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The listener's URL
    #[arg(long, env = "BEEIQ_LISTENER_URL", hide_env_values = true, value_name = "LISTENER_URL")]
    pub(crate) url: Secret<String>,
    /// The user in whose name it is done
    #[arg(long, value_name = "EMAIL")]
    pub(crate) sender: String,
    /// What is done with each row that does not say it itself
    #[arg(long, value_parser = action, default_value = "add-contact", value_name = "ACTION")]
    pub(crate) action: String,
    /// How the file is written, where its name does not end in .csv, .tsv, .ndjson or .jsonl
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// What separates the cells of a CSV file: a character, or tab
    #[arg(long, value_parser = delimiter, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<u8>,
    /// A JSON object from headers to the paths that they stand for, or null to leave a column out
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// The most rows in a request
    #[arg(long, default_value_t = 500, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=5000))]
    pub(crate) batch: u16,
    /// Where rows that fail are written with the reason and their number: the row as a spreadsheet
    /// shows it, blank ones counted, or the line of NDJSON; written anew each time
    #[arg(long, value_name = "FILE")]
    pub(crate) failures: Option<PathBuf>,
    /// Go on with an import that was interrupted
    #[arg(long, conflicts_with_all = ["restart", "dry_run"])]
    pub(crate) resume: bool,
    /// Forget what was sent before: send all rows, under new idempotency keys
    #[arg(long)]
    pub(crate) restart: bool,
    /// Have everything checked and nothing changed
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to go on trying while the listener does not answer, in seconds
    #[arg(long = "give-up-after", default_value = "600", value_name = "SECONDS")]
    #[arg(value_parser = give_up_after)]
    pub(crate) give_up_after: Duration,
}

impl ImportSettings {
    pub(crate) fn is_stdin(&self) -> bool {
        self.file == Path::new("-")
    }

    pub(crate) fn sender(&self) -> anyhow::Result<String> {
        Ok(Email::parse(&self.sender).context("--sender")?.value().to_owned())
    }

    pub(crate) fn target(&self) -> anyhow::Result<Url> {
        let mut url: Url =
            self.url.expose().parse().context("BEEIQ_LISTENER_URL (--url) is no URL")?;
        let is_listener = matches!(url.scheme(), "http" | "https")
            && url.path().contains("/listener/")
            && url.query().is_none();
        anyhow::ensure!(
            is_listener,
            "BEEIQ_LISTENER_URL (--url) must be a listener's, such as https://crm.example/listener/…"
        );
        if self.dry_run {
            url.query_pairs_mut().append_pair("dryRun", "true");
        }
        Ok(url)
    }

    pub(crate) fn format(&self) -> anyhow::Result<Format> {
        let ending = self.file.extension().map(|it| it.to_string_lossy().to_lowercase());
        match (self.format, ending.as_deref()) {
            (Some(format), _) => Ok(format),
            (None, Some("csv" | "tsv" | "tab")) => Ok(Format::Csv),
            (None, Some("ndjson" | "jsonl")) => Ok(Format::Ndjson),
            _ => bail!("--format csv or --format ndjson must say how the file is written"),
        }
    }

    /// Opens the file, as far as its header row.
    pub(crate) fn open(&self) -> anyhow::Result<Source> {
        let input: Box<dyn Read> =
            if self.is_stdin() { Box::new(stdin()) } else { Box::new(File::open(&self.file)?) };
        match self.format()? {
            Format::Csv => {
                let tabs = self.file.extension().is_some_and(|it| it == "tsv" || it == "tab");
                let delimiter = self.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
                Source::csv(input, delimiter, &self.column_map()?, &self.action)
            }
            Format::Ndjson if self.map.is_some() || self.delimiter.is_some() => {
                bail!("--map and --delimiter are for CSV")
            }
            Format::Ndjson => Ok(Source::lines(input, &self.action)),
        }
    }

    /// A hash of the file and of all that makes its rows actions.
    pub(crate) fn fingerprint(&self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        let (map, delimiter) = (self.column_map()?, self.delimiter);
        let said = format!("{:?}", (&self.sender, &self.action, delimiter, map, self.dry_run));
        hash.update(said);
        if !self.is_stdin() {
            let mut file = File::open(&self.file)?;
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let read = file.read(&mut buffer)?;
                let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                    break;
                };
                hash.update(bytes);
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn failures(&self) -> anyhow::Result<PathBuf> {
        if let Some(path) = &self.failures {
            let same =
                path.canonicalize().is_ok_and(|path| Some(path) == self.file.canonicalize().ok());
            anyhow::ensure!(!same, "--failures is the file itself, which would be lost");
            return Ok(path.clone());
        }
        let ending = match self.format()? {
            Format::Csv => ".failures.csv",
            Format::Ndjson => ".failures.ndjson",
        };
        Ok(if self.is_stdin() { format!("import{ending}").into() } else { self.beside(ending) })
    }

    /// Where it is kept how far the import has come; a dry run and standard input leave nothing to
    /// go on with.
    pub(crate) fn checkpoint(&self) -> Option<PathBuf> {
        (!self.dry_run && !self.is_stdin()).then(|| self.beside(".beeiq-import"))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(ending);
        name.into()
    }

    fn column_map(&self) -> anyhow::Result<ColumnMap> {
        let Some(path) = &self.map else { return Ok(ColumnMap::new()) };
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).with_context(|| {
            format!("{} must be a JSON object from headers to paths or null", path.display())
        })
    }
}

fn action(text: &str) -> Result<String, String> {
    if ACTION_TYPES.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(match nearest(text, ACTION_TYPES.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", listed(ACTION_TYPES, ACTION_TYPES.len())),
    })
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        [one] if !one.is_ascii_alphanumeric() && *one != b'"' && !b"\r\n".contains(one) => Ok(*one),
        _ => Err("must be one character such as ; or the word tab".to_owned()),
    }
}

fn give_up_after(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=604_800) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds, a week at most".to_owned()),
    }
}
