//! The file of the rows that failed: each as it was, with the reason, so that it can be mended and
//! imported again.

use super::columns::{Columns, RESERVED};
use super::source::{Original, RESERVED_MEMBER, Row, RowFault};
use anyhow::Context;
use csv::ByteRecord;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The columns that come before a row's own.
const REASON_COLUMNS: [&str; 4] = ["beeiq_row", "beeiq_code", "beeiq_message", "beeiq_column"];

/// The file, which is left where a row has failed.
pub(crate) struct Failures {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Failures {
    /// A file at that path that holds what an interrupted import wrote, `bytes` of it, or where that
    /// is 0, nothing. It is made at once: that it cannot be written is to be known before a row is sent.
    pub(crate) fn open(path: &Path, bytes: u64) -> anyhow::Result<Self> {
        let named = || format!("the file of failed rows {} cannot be written", path.display());
        let file = if bytes == 0 {
            File::create(path).with_context(named)?
        } else {
            let file = OpenOptions::new().append(true).open(path).with_context(named)?;
            anyhow::ensure!(
                file.metadata().with_context(named)?.len() >= bytes,
                "the file of failed rows {} is shorter than it was",
                path.display()
            );
            file.set_len(bytes).with_context(named)?;
            file
        };
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn remove_if_empty(&self) {
        // A device that was named instead of a file stays.
        if self.bytes == 0 && self.file.metadata().is_ok_and(|file| file.is_file()) {
            // Where it cannot be removed there is an empty file, which does no harm.
            let _ = remove_file(&self.path);
        }
    }

    pub(crate) fn add(
        &mut self,
        failed: &[(&Row, RowFault)],
        columns: Option<(&Columns, u8)>,
    ) -> anyhow::Result<()> {
        if failed.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        let fresh = self.bytes == 0;
        match columns {
            Some((columns, delimiter)) => {
                let mut writer = csv::WriterBuilder::new()
                    .delimiter(delimiter)
                    .flexible(true)
                    .from_writer(&mut text);
                if fresh {
                    writer.write_byte_record(&header_row(columns))?;
                }
                for (row, fault) in failed {
                    writer.write_byte_record(&failed_row(row, fault, columns))?;
                }
                writer.flush()?;
            }
            None => {
                for (row, fault) in failed {
                    writeln!(text, "{}", failed_line(row, fault))?;
                }
            }
        }
        self.append(&text).with_context(|| format!("{} cannot be written", self.path.display()))
    }

    fn append(&mut self, text: &[u8]) -> anyhow::Result<()> {
        self.file.write_all(text)?;
        self.bytes += u64::try_from(text.len())?;
        Ok(())
    }
}

/// Whether a column is the file's own, not one that an earlier import added.
fn is_own(header: &str) -> bool {
    !header.trim().starts_with(RESERVED)
}

fn header_row(columns: &Columns) -> ByteRecord {
    let own = columns.headers().iter().map(String::as_str).filter(|header| is_own(header));
    REASON_COLUMNS.into_iter().chain(own).map(str::as_bytes).collect::<Vec<_>>().into()
}

fn failed_row(row: &Row, fault: &RowFault, columns: &Columns) -> ByteRecord {
    let Original::Cells(record) = &row.original else { return ByteRecord::new() };
    let lossy: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
    let cells: Vec<&str> = lossy.iter().map(AsRef::as_ref).collect();
    let column = columns.column_at(&fault.pointer, &cells).unwrap_or_default();
    let number = row.number.to_string();
    let mut line = ByteRecord::from(vec![
        number.as_bytes(),
        fault.code.as_bytes(),
        fault.message.as_bytes(),
        column.as_bytes(),
    ]);
    // Cells beyond the header are kept, too.
    for (index, cell) in record.iter().enumerate() {
        if columns.headers().get(index).is_none_or(|header| is_own(header)) {
            line.push_field(cell);
        }
    }
    line
}

fn failed_line(row: &Row, fault: &RowFault) -> Value {
    let Original::Line(line, _) = &row.original else { return Value::Null };
    let mut reason = json!({
        "row": row.number, "code": fault.code, "message": fault.message, "pointer": fault.pointer,
    });
    let mut object = match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => object,
        _ => {
            if let Some(reason) = reason.as_object_mut() {
                reason.insert("line".to_owned(), String::from_utf8_lossy(line).into());
            }
            Map::new()
        }
    };
    object.insert(RESERVED_MEMBER.to_owned(), reason);
    Value::Object(object)
}
