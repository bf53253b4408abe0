//! The rows of a file, each as the action that it asks for, or why it is none.

use super::columns::{ColumnMap, Columns};
use anyhow::{Context, bail};
use beeiq_core::diagnostics::Code;
use clap::ValueEnum;
use csv::ByteRecord;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read};

/// The member of an NDJSON row that says why it failed; it is no field.
pub(crate) const RESERVED_MEMBER: &str = "beeiq";

/// The longest row that is read. No request could carry it; but one that is not much longer than
/// that is one failed row, and not the end of the import.
const MOST_ROW_BYTES: usize = 16 << 20;

const TOO_LONG: &str = "it is longer than 16 MiB";

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A header row, and a row an action.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

#[derive(Debug)]
pub(crate) struct Row {
    /// Of CSV the row as a spreadsheet shows it, of NDJSON the line: from 1, a header and blank ones
    /// included.
    pub(crate) number: u64,
    /// The action as JSON text, or what is wrong with the row.
    pub(crate) action: Result<String, RowFault>,
    pub(crate) original: Original,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowFault {
    /// A stable code, mostly the listener's.
    pub(crate) code: String,
    pub(crate) message: String,
    /// Where: a JSON Pointer into the row's `data`; empty where it is the row as a whole.
    pub(crate) pointer: String,
}

impl RowFault {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code.as_str().to_owned(), message: message.into(), pointer: String::new() }
    }

    /// What the listener says of the row as a whole.
    pub(crate) fn of_server(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), pointer: String::new() }
    }

    pub(crate) fn too_large() -> Self {
        Self::new(Code::BodyTooLarge, "The row is larger than a request may be.")
    }
}

#[derive(Debug)]
pub(crate) enum Original {
    Cells(ByteRecord),
    /// Its line, and whether it is a whole action, not its `data` alone.
    Line(Vec<u8>, Whole),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// With its `actionType`.
    Action,
    /// The `data` of one.
    Data,
}

pub(crate) enum Source {
    Csv(Box<CsvSource>),
    Lines(LineSource),
}

/// A CSV file behind its header row.
pub(crate) struct CsvSource {
    reader: csv::Reader<Lines>,
    columns: Columns,
    action: String,
    delimiter: u8,
    /// The number of the last row.
    rows: u64,
}

pub(crate) struct LineSource {
    reader: BufReader<Box<dyn Read>>,
    action: String,
    lines: u64,
    bytes: u64,
}

impl Source {
    /// Opens a CSV file: reads its header row.
    pub(crate) fn csv(
        input: Box<dyn Read>,
        delimiter: u8,
        map: &ColumnMap,
        action: &str,
    ) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Lines::new(input));
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).context("the header row")? {
            bail!("the file is empty: its first row must name the fields");
        }
        if record
            .get(0)
            .is_some_and(|cell| cell.starts_with(&[0xFF, 0xFE]) || cell.starts_with(&[0xFE, 0xFF]))
        {
            bail!("the file is in UTF-16; save it as UTF-8");
        }
        let headers = record
            .iter()
            .map(|cell| str::from_utf8(cell).map(str::to_owned))
            .collect::<Result<Vec<_>, _>>()
            .context("the header row is not UTF-8; save the file as UTF-8")?;
        let columns = Columns::plan(&headers, map, action)
            .map_err(|faults| anyhow::anyhow!(faults))
            .with_context(|| header_fault(&headers))?;
        let rows = rows_of(reader.get_ref().line, &record);
        let source = CsvSource { reader, columns, action: action.to_owned(), delimiter, rows };
        Ok(Self::Csv(Box::new(source)))
    }

    pub(crate) fn lines(input: Box<dyn Read>, action: &str) -> Self {
        let reader = BufReader::with_capacity(64 * 1024, input);
        Self::Lines(LineSource { reader, action: action.to_owned(), lines: 0, bytes: 0 })
    }

    pub(crate) fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Csv(source) => source.next_row(),
            Self::Lines(source) => source.next_row(),
        }
        .context("the file cannot be read")
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        match self {
            Self::Csv(source) => source.reader.position().byte(),
            Self::Lines(source) => source.bytes,
        }
    }

    pub(crate) fn columns(&self) -> Option<(&Columns, u8)> {
        match self {
            Self::Csv(source) => Some((&source.columns, source.delimiter)),
            Self::Lines(_) => None,
        }
    }
}

/// One column that holds another separator is the commonest mistake.
fn header_fault(headers: &[String]) -> String {
    let mut message = "the header row cannot be used".to_owned();
    if let [only] = headers
        && let Some((separator, name)) =
            [(';', ";"), ('\t', "tab"), (',', ",")].iter().find(|(it, _)| only.contains(*it))
    {
        message.push_str(&format!(
            " (it holds \"{}\": is --delimiter '{name}' meant?)",
            separator.escape_default()
        ));
    }
    message
}

/// The bytes of a CSV file, a line at a time at most: so it is known which line a record ended on,
/// which the reader of records does not tell, for it passes over blank lines in silence. And no more
/// bytes than a row may have, lest a quote that is not closed takes the file into memory.
struct Lines {
    input: BufReader<Box<dyn Read>>,
    /// The line that was handed out last, from 1, or a part of it.
    line: u64,
    /// Whether that was its end, so that another one is next.
    ended: bool,
    /// How many bytes the row may still have.
    left: usize,
}

impl Lines {
    fn new(input: Box<dyn Read>) -> Self {
        let input = BufReader::with_capacity(64 * 1024, input);
        Self { input, line: 0, ended: true, left: MOST_ROW_BYTES }
    }

    const fn begin_row(&mut self) {
        self.left = MOST_ROW_BYTES;
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(format!("{TOO_LONG}; is a quote not closed?")));
        }
        let ready = self.input.fill_buf()?;
        let mut line = ready.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let read = line.read(buffer)?;
        if read > 0 {
            self.line += u64::from(self.ended);
            self.ended = buffer.get(..read).is_some_and(|bytes| bytes.ends_with(b"\n"));
        }
        self.input.consume(read);
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

/// How many rows a spreadsheet shows for a record that was read from so many lines: one for it,
/// however many lines its cells have, and one for each blank line before it.
fn rows_of(lines: u64, record: &ByteRecord) -> u64 {
    let in_cells = record.as_slice().iter().filter(|byte| **byte == b'\n').count();
    lines.saturating_sub(u64::try_from(in_cells).unwrap_or(u64::MAX)).max(1)
}

impl CsvSource {
    fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        let mut record = ByteRecord::new();
        self.reader.get_mut().begin_row();
        let before = self.reader.get_ref().line;
        let named = || format!("the row after row {}", self.rows);
        if !self.reader.read_byte_record(&mut record).with_context(named)? {
            return Ok(None);
        }
        self.rows += rows_of(self.reader.get_ref().line - before, &record);
        let action = self.action(&record);
        Ok(Some(Row { number: self.rows, action, original: Original::Cells(record) }))
    }

    fn action(&self, record: &ByteRecord) -> Result<String, RowFault> {
        let (cells, columns) = (record.len(), self.columns.headers().len());
        if cells != columns {
            let message = format!(
                "The row has {cells} cells and the header {columns}; is a quote or a delimiter missing?"
            );
            return Err(RowFault::new(Code::InvalidValue, message));
        }
        let cells: Vec<&str> = record
            .iter()
            .map(str::from_utf8)
            .collect::<Result<_, _>>()
            .map_err(|_| RowFault::new(Code::InvalidValue, "The row is not UTF-8."))?;
        let data = self
            .columns
            .data(&cells)
            .ok_or_else(|| RowFault::new(Code::Required, "The row is empty."))?;
        Ok(json!({"actionType": self.action, "data": data}).to_string())
    }
}

impl LineSource {
    fn next_row(&mut self) -> anyhow::Result<Option<Row>> {
        loop {
            let mut line = Vec::new();
            let most = u64::try_from(MOST_ROW_BYTES)? + 1;
            let read = self.reader.by_ref().take(most).read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(None);
            }
            if read > MOST_ROW_BYTES {
                bail!("line {}: {TOO_LONG}", self.lines + 1);
            }
            self.bytes += u64::try_from(read)?;
            self.lines += 1;
            let text = match line.strip_prefix("\u{feff}".as_bytes()) {
                Some(rest) if self.lines == 1 => rest,
                _ => line.as_slice(),
            }
            .trim_ascii();
            if text.is_empty() {
                continue;
            }
            let (action, whole) = match self.action(text) {
                Ok((action, whole)) => (Ok(action), whole),
                Err(fault) => (Err(fault), Whole::Data),
            };
            let original = Original::Line(text.to_vec(), whole);
            return Ok(Some(Row { number: self.lines, action, original }));
        }
    }

    fn action(&self, line: &[u8]) -> Result<(String, Whole), RowFault> {
        let read: Value = serde_json::from_slice(line).map_err(|error| {
            RowFault::new(Code::NotJson, format!("The line is not JSON: {error}."))
        })?;
        let Value::Object(mut object) = read else {
            return Err(RowFault::new(Code::WrongType, "The line must be a JSON object."));
        };
        object.remove(RESERVED_MEMBER);
        if object.contains_key("actionType") {
            return Ok((Value::Object(object).to_string(), Whole::Action));
        }
        Ok((json!({"actionType": self.action, "data": object}).to_string(), Whole::Data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn input(bytes: &[u8]) -> Box<dyn Read> {
        Box::new(Cursor::new(bytes.to_vec()))
    }

    fn csv(bytes: &[u8], delimiter: u8) -> anyhow::Result<Source> {
        Source::csv(input(bytes), delimiter, &ColumnMap::new(), "add-contact")
    }

    fn rows(mut source: Source) -> Vec<(u64, Result<Value, String>)> {
        let mut rows = Vec::new();
        while let Some(row) = source.next_row().unwrap() {
            let action = row
                .action
                .map(|text| serde_json::from_str::<Value>(&text).unwrap())
                .map_err(|fault| fault.message);
            rows.push((row.number, action));
        }
        rows
    }

    #[test]
    fn csv_is_read_with_quotes_marks_and_other_delimiters() {
        let huy =
            json!({"actionType": "add-contact", "data": {"name": "Huy, \"H\"\nN", "tag": "ă"}});
        for (bytes, delimiter) in [
            ("name,tag\n\"Huy, \"\"H\"\"\nN\",ă\n", b','),
            ("\u{feff}name,tag\r\n\"Huy, \"\"H\"\"\nN\",ă\r\n", b','),
            ("name;tag\n\"Huy, \"\"H\"\"\nN\";ă", b';'),
            ("name\ttag\n\"Huy, \"\"H\"\"\nN\"\tă", b'\t'),
            ("beeiq_row,name,tag\n7,\"Huy, \"\"H\"\"\nN\",ă", b','),
        ] {
            let read = rows(csv(bytes.as_bytes(), delimiter).unwrap());
            assert_eq!(read, [(2, Ok(huy.clone()))], "{bytes}");
        }
    }

    /// Whoever looks a failed row up in a spreadsheet must not find another one there.
    #[test]
    fn a_row_has_the_number_that_a_spreadsheet_shows() {
        for end in ["\n", "\r\n"] {
            let lines =
                ["", "name,tag", "", "a,", "\"b", "", "b\",\"", "\"", "", "", "c,", "x", "", "d,e"];
            let read = rows(csv(lines.join(end).as_bytes(), b',').unwrap());
            let numbers: Vec<u64> = read.iter().map(|(number, _)| *number).collect();
            assert_eq!(numbers, [4, 5, 8, 9, 11], "{end:?}: {read:?}");
        }
    }

    /// A quote that is not closed would take a file of any size into memory.
    #[test]
    fn a_row_that_is_too_long_is_told_before_it_is_read_whole() {
        let endless = || io::repeat(b'x');
        let csv = Box::new(Cursor::new("name\na\n\"").chain(endless()));
        let mut csv = Source::csv(csv, b',', &ColumnMap::new(), "add-contact").unwrap();
        let mut lines = Source::lines(Box::new(Cursor::new("{}\n").chain(endless())), "add-note");
        for (source, words) in [
            (&mut csv, "the row after row 2: it is longer than 16 MiB; is a quote not closed?"),
            (&mut lines, "line 2: it is longer than 16 MiB"),
        ] {
            assert!(source.next_row().unwrap().is_some());
            let error = format!("{:#}", source.next_row().unwrap_err());
            assert_eq!(error, format!("the file cannot be read: {words}"));
        }
        let header = Source::csv(Box::new(endless()), b',', &ColumnMap::new(), "add-contact");
        let Err(error) = header else { panic!("the header is too long") };
        assert!(format!("{error:#}").contains("the header row: it is longer"), "{error:#}");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_a_fault_of_that_row() {
        let read = rows(csv(b"name,tag\na\nb,c,d\n\xff,x\n,\ne,f\n", b',').unwrap());
        let faults: Vec<(u64, &str)> = read
            .iter()
            .filter_map(|(row, action)| Some((*row, action.as_ref().err()?.as_str())))
            .collect();
        assert_eq!(
            faults,
            [
                (2, "The row has 1 cells and the header 2; is a quote or a delimiter missing?"),
                (3, "The row has 3 cells and the header 2; is a quote or a delimiter missing?"),
                (4, "The row is not UTF-8."),
                (5, "The row is empty."),
            ]
        );
        assert_eq!((read.len(), read[4].0), (5, 6));
    }

    #[test]
    fn a_file_that_cannot_be_used_says_so_before_anything_is_sent() {
        for (bytes, words) in [
            (b"".as_slice(), "the file is empty"),
            (b"\xff\xfen\0a\0", "UTF-16"),
            (b"n\xe4me\n", "not UTF-8"),
            (b"name;tag\na;b\n", "is --delimiter ';' meant?"),
            (b"name\ttag\na\tb\n", "is --delimiter 'tab' meant?"),
        ] {
            let Err(error) = csv(bytes, b',') else { panic!("{words}") };
            assert!(format!("{error:#}").contains(words), "{error:#}");
        }
    }

    #[test]
    fn a_line_is_an_action_or_its_data() {
        let text = "\u{feff}{\"name\":\"a\"}\r\n\n\
                    {\"actionType\":\"add-note\",\"data\":{\"dealId\":9007199254740993}}\n\
                    {\"name\":\"b\",\"beeiq\":{\"row\":7}}\n[1]\n{\"name\"";
        let read = rows(Source::lines(input(text.as_bytes()), "add-lead"));
        let lead = |name: &str| json!({"actionType": "add-lead", "data": {"name": name}});
        let note: Value =
            serde_json::from_str(r#"{"actionType":"add-note","data":{"dealId":9007199254740993}}"#)
                .unwrap();
        assert_eq!(read[0], (1, Ok(lead("a"))));
        assert_eq!(read[1], (3, Ok(note)));
        assert_eq!(read[2], (4, Ok(lead("b"))));
        assert_eq!(read[3], (5, Err("The line must be a JSON object.".to_owned())));
        assert!(read[4].1.as_ref().unwrap_err().starts_with("The line is not JSON"));
    }
}
