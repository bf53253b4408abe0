//! `beeiq import`: a file's rows to a listener, each once (`api.md` 1).
//!
//! Rows go in order, a batch a request. Before a request goes out, a checkpoint says which rows it
//! has, and its `Idempotency-Key` follows from their content: killed at any point, here or there,
//! the same rows go out again under the same key, and are applied once. Keys are kept for 7 days.

mod batch;
mod checkpoint;
mod columns;
mod failures;
mod interrupts;
mod progress;
mod settings;
mod source;
mod tally;
mod target;

pub(crate) use settings::ImportSettings;

use super::failure::Failure;
use crate::clock;
use anyhow::{Context, bail};
use batch::{Batch, Queue};
use checkpoint::{Checkpoint, CheckpointFile};
use failures::Failures;
use interrupts::Interrupts;
use progress::Progress;
use source::{Original, Row, RowFault, Whole};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use target::{ActionError, ActionResult, Answer, Fault, Sent, Target};

/// The exit code of a command that Ctrl-C stopped, as a shell reports it.
const INTERRUPTED: u8 = 130;

/// Imports a file, and tells on standard output what became of its rows.
pub(crate) fn run(settings: &ImportSettings) -> Result<ExitCode, Failure> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let mut import = Import::prepare(settings).map_err(Failure::Usage)?;
        let done = import.send_all().await;
        import.progress.end();
        Ok(import.finish(settings, done)?)
    })
}

/// An import under way.
struct Import {
    sender: String,
    /// What keys are made of besides the rows.
    key_base: String,
    queue: Queue,
    target: Target,
    checkpoint: Checkpoint,
    checkpoint_file: CheckpointFile,
    failures: Failures,
    interrupts: Interrupts,
    progress: Progress,
    /// Warnings by their code: how often, and the first.
    warnings: BTreeMap<String, (u64, String)>,
    /// Requests whose answer was one of an earlier import.
    replayed: u64,
}

impl Import {
    fn prepare(settings: &ImportSettings) -> anyhow::Result<Self> {
        let (sender, target) = (settings.sender()?, settings.target()?);
        let named = || settings.file.display().to_string();
        let mut queue = Queue::new(settings.open().with_context(named)?);
        let fingerprint = settings.fingerprint().with_context(named)?;
        let checkpoint_file = CheckpointFile::new(settings.checkpoint());
        let known = if settings.restart { None } else { checkpoint_file.load()? };
        let checkpoint = match known {
            Some(known) if !settings.resume => bail!(
                "an import of this file was interrupted after {} rows: go on with --resume, or \
                 begin again with --restart",
                known.rows
            ),
            Some(known) if known.fingerprint != fingerprint => bail!(
                "the file, the sender, the action or the map is not the one of the import that \
                 was interrupted; begin again with --restart"
            ),
            Some(known) => known,
            None if settings.resume => bail!("no import of this file was interrupted"),
            None => Checkpoint {
                fingerprint,
                nonce: nonce(settings),
                batch: settings.batch.into(),
                ..Checkpoint::default()
            },
        };
        queue.skip(checkpoint.rows).with_context(named)?;
        let bytes = if settings.is_stdin() { None } else { Some(settings.file.metadata()?.len()) };
        Ok(Self {
            sender,
            key_base: format!("{}{}", checkpoint.fingerprint, checkpoint.nonce),
            target: Target::new(target, settings.give_up_after)?,
            failures: Failures::open(&settings.failures()?, checkpoint.failures_bytes)?,
            interrupts: Interrupts::listen()?,
            progress: Progress::new(bytes, (checkpoint.rows, queue.source().bytes_read())),
            queue,
            checkpoint,
            checkpoint_file,
            warnings: BTreeMap::new(),
            replayed: 0,
        })
    }

    /// Sends all rows that are left; `false` where the user does not want to wait for that.
    async fn send_all(&mut self) -> anyhow::Result<bool> {
        loop {
            if self.interrupts.heard().await {
                return Ok(false);
            }
            // After a resume, the rows that were under way: their key is that of all of them.
            let most = match self.checkpoint.under_way {
                0 => self.checkpoint.batch,
                under_way => under_way,
            };
            let Some(batch) = self.queue.take(most)? else { return Ok(true) };
            self.checkpoint.under_way = batch.rows.len();
            self.checkpoint_file.save(&self.checkpoint)?;
            if !self.send(batch).await? {
                return Ok(false);
            }
            self.progress.show(&self.checkpoint.tally, self.queue.source().bytes_read());
        }
    }

    async fn send(&mut self, mut batch: Batch) -> anyhow::Result<bool> {
        if !batch.has_actions() {
            self.settle(&batch, Vec::new())?;
            return Ok(true);
        }
        let body = batch.body(&self.sender);
        let key = batch.key(&self.key_base, &body);
        match self.target.send(&body, &key, &mut self.interrupts, &mut self.progress).await? {
            Sent::Interrupted => Ok(false),
            Sent::Answered(Answer { warnings, results, replayed }) => {
                self.replayed += u64::from(replayed);
                self.warn(&warnings);
                self.settle(&batch, results)?;
                Ok(true)
            }
            Sent::TooLarge(words) if batch.rows.len() > 1 => {
                self.checkpoint.batch = batch.rows.len().div_ceil(2);
                self.checkpoint.under_way = 0;
                self.progress.note(&format!(
                    "{words} Going on with {} rows a request.",
                    self.checkpoint.batch
                ));
                self.queue.give_back(batch);
                Ok(true)
            }
            Sent::TooLarge(words) => {
                for row in &mut batch.rows {
                    row.action = Err(RowFault::of_server("body_too_large", &words));
                }
                self.settle(&batch, Vec::new())?;
                Ok(true)
            }
        }
    }

    /// Counts what became of a batch's rows, and keeps those that failed.
    fn settle(&mut self, batch: &Batch, results: Vec<ActionResult>) -> anyhow::Result<()> {
        // What stops before the failures are written is done again by --resume, so it counts after.
        let mut tally = self.checkpoint.tally;
        let mut failed: Vec<(&Row, RowFault)> = Vec::new();
        let mut results = results.into_iter().enumerate();
        for row in &batch.rows {
            if let Err(fault) = &row.action {
                tally.count_failed();
                failed.push((row, fault.clone()));
                continue;
            }
            let (index, result) = results.next().context("the answer lacks a result")?;
            anyhow::ensure!(
                tally.count(&result.status),
                "the answer has the unknown status \"{}\"",
                result.status
            );
            self.warn(&result.warnings);
            if result.status == "failed" {
                failed.push((row, fault_of(row, index, result.error)));
            }
        }
        anyhow::ensure!(results.next().is_none(), "the answer has too many results");
        self.failures.add(&failed, self.queue.source().columns())?;
        self.checkpoint.tally = tally;
        self.checkpoint.failures_bytes = self.failures.bytes();
        self.checkpoint.rows += batch.len();
        self.checkpoint.under_way = 0;
        Ok(())
    }

    fn warn(&mut self, warnings: &[Fault]) {
        for warning in warnings {
            let entry = self.warnings.entry(warning.code.clone());
            entry.or_insert_with(|| (0, warning.message.clone())).0 += 1;
        }
    }

    fn finish(
        &mut self,
        settings: &ImportSettings,
        done: anyhow::Result<bool>,
    ) -> anyhow::Result<ExitCode> {
        let rows = self.checkpoint.rows;
        self.failures.remove_if_empty();
        if matches!(done, Ok(true)) {
            self.checkpoint_file.remove()?;
        } else {
            self.checkpoint_file.save(&self.checkpoint)?;
        }
        let whole = done.with_context(|| match settings.checkpoint() {
            Some(_) => format!("stopped after {rows} rows (--resume goes on from there)"),
            None => format!("stopped after {rows} rows"),
        })?;
        // Where standard output is closed there is nobody to tell.
        let _ = std::io::stdout().write_all(self.report(settings, whole).as_bytes());
        Ok(match (whole, self.checkpoint.tally.failed()) {
            (false, _) => ExitCode::from(INTERRUPTED),
            (true, 0) => ExitCode::SUCCESS,
            (true, _) => ExitCode::FAILURE,
        })
    }

    fn report(&self, settings: &ImportSettings, whole: bool) -> String {
        let tally = &self.checkpoint.tally;
        let mut report = match (whole, settings.dry_run) {
            (true, false) => format!("{tally}\n"),
            (true, true) => format!("Dry run, nothing was changed: {tally}\n"),
            (false, _) => format!("Interrupted: {tally}\n"),
        };
        if tally.failed() > 0 {
            report.push_str(&format!(
                "The rows that failed, with the reasons: {}; mend them there and import that file.\n",
                self.failures.path().display()
            ));
        }
        for (code, (times, first)) in &self.warnings {
            report.push_str(&format!("{times} warnings {code}, the first: {first}\n"));
        }
        if self.replayed > 0 && !settings.resume {
            report.push_str(&format!(
                "{} requests had been sent before, so what became of their rows then is told again; \
                 --restart sends them anew.\n",
                self.replayed
            ));
        }
        if !whole && settings.checkpoint().is_some() {
            report.push_str("The same command with --resume goes on from there.\n");
        }
        report
    }
}

/// What makes an import another than an earlier one of the same file.
fn nonce(settings: &ImportSettings) -> String {
    if settings.restart || settings.is_stdin() {
        clock::new_id().to_string()
    } else {
        String::new()
    }
}

fn fault_of(row: &Row, index: usize, error: Option<ActionError>) -> RowFault {
    let Some(ActionError { first, errors }) = error else {
        return RowFault::of_server("unknown", "No reason was given.");
    };
    let prefix = match &row.original {
        Original::Line(_, Whole::Action) => format!("/data/{index}"),
        Original::Cells(_) | Original::Line(_, Whole::Data) => format!("/data/{index}/data"),
    };
    let within = |fault: &Fault| fault.pointer.strip_prefix(&prefix).unwrap_or_default().to_owned();
    let pointer = within(&first);
    let message = match errors.as_slice() {
        [] | [_] => first.message,
        several => {
            let each = several.iter().map(|it| format!("{}: {}", within(it), it.message));
            each.collect::<Vec<_>>().join(" ")
        }
    };
    RowFault { code: first.code, message, pointer }
}
