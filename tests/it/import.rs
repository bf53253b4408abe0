//! `beeiq import`: each row once, whatever happens on the way (`api.md` 1).

use crate::support::{ANN, Instance, Listener, Process};
use diesel::connection::SimpleConnection;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A folder with files to import.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Starts an import of Ann's in the folder.
    fn start(&self, listener: &Listener<'_>, args: &[&str]) -> Import {
        let child = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .arg("import")
            .args(args)
            .current_dir(self.0.path())
            .env("BEEIQ_LISTENER_URL", &listener.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Import(child)
    }

    /// Imports to the end.
    fn import(&self, listener: &Listener<'_>, args: &[&str]) -> Done {
        let args = [args, &["--sender", ANN]].concat();
        self.start(listener, &args).end()
    }
}

/// An import under way.
struct Import(Child);

impl Import {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    fn end(self) -> Done {
        let output = self.0.wait_with_output().unwrap();
        Done {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What an import came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    /// Fails the test unless it ended with that code and counted that: rows, created, updated,
    /// unchanged, duplicate, queued, failed.
    #[track_caller]
    fn counted(self, code: i32, counts: [u64; 7]) -> Self {
        let Self { code: exit, out, err } = &self;
        assert_eq!(*exit, Some(code), "{out}{err}");
        let line = out.lines().next().unwrap_or_default();
        let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        assert_eq!(numbers, counts, "{out}{err}");
        let sum: u64 = counts.iter().skip(1).sum();
        assert_eq!(counts[0], sum, "the counts add up");
        self
    }

    /// Fails the test unless it failed with that code and these words, before anything was done.
    #[track_caller]
    fn refused(&self, code: i32, words: &str) {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        let last = self.err.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(words), "{words}: {}", self.err);
    }
}

#[actix_web::test]
async fn each_row_is_imported_and_those_that_fail_can_be_mended_and_imported_again() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write(
        "people.csv",
        "\u{feff}name,emails.value,emails[1].value,cusFields.Referred By,tag\n\
         \"Huy, \"\"the\nthird\"\"\",huy@a.test,,Bác Hồ,\"a, b\"\n\
         Lan,,lan(at)a.test,,\n\
         ,nobody@a.test,x@,,\n\
         Huy again,HUY@a.test,,,\n\
         one cell\n",
    );
    let done = files.import(&listener, &["people.csv"]).counted(1, [5, 1, 0, 0, 1, 0, 3]);
    assert!(done.out.contains("people.csv.failures.csv"), "{}", done.out);
    let huy = instance.acme().get("/contacts/PID-1").await.expect(200).body;
    assert_eq!(huy["name"], "Huy, \"the\nthird\"");
    assert_eq!(huy["cusFields"], json!([{"name": "Referred By", "value": "Bác Hồ"}]));
    assert_eq!(huy["tags"], json!(["a", "b"]));

    let failures = files.read("people.csv.failures.csv");
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(failures.as_bytes());
    let header: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(header[..5], ["beeiq_row", "beeiq_code", "beeiq_message", "beeiq_column", "name"]);
    let told = |row: usize| (&rows[row][0], &rows[row][1], &rows[row][3], &rows[row][4]);
    assert_eq!(told(0), ("3", "invalid_email", "emails[1].value", "Lan"));
    assert_eq!((&rows[1][0], &rows[1][6]), ("4", "x@"));
    let both = &rows[1][2];
    assert!(both.contains("/name: ") && both.contains("/emails/1/value: "), "{both}");
    assert_eq!(told(2), ("6", "invalid_value", "", "one cell"));

    let mended = failures
        .replace("lan(at)a.test", "lan@a.test")
        .replace("nobody@a.test,x@", "nobody@a.test,")
        .replace(",one cell", ",one cell,one@a.test,,,");
    files.write("mended.csv", mended);
    files.import(&listener, &["mended.csv"]).counted(1, [3, 2, 0, 0, 0, 0, 1]);
    assert_eq!(instance.db_count("customers"), 3);
    assert_eq!(
        files.names(),
        ["mended.csv", "mended.csv.failures.csv", "people.csv", "people.csv.failures.csv"]
    );
}

#[actix_web::test]
async fn lines_may_be_any_actions_and_a_failed_one_can_be_imported_again() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write(
        "all.ndjson",
        [
            r#"{"name":"Huy","emails":[{"value":"huy@a.test"}]}"#,
            r#"{"actionType":"update-lead","data":{"customerId":"LID-1","title":"Mr"}}"#,
            r#"{"actionType":"update-lead","data":{"customerId":"LID-1","title":"Mr"}}"#,
            r#"{"actionType":"send-sms","data":{"content":"Hi","phones":["0905000001"]}}"#,
            r#"{"actionType":"add-note","data":{"body":"","contactType":"lead","customerId":"LID-1"}}"#,
            r#"{"name":"#,
        ]
        .join("\n"),
    );
    let args = ["all.ndjson", "--action", "add-lead", "--batch", "2"];
    files.import(&listener, &args).counted(1, [6, 1, 1, 1, 0, 1, 2]);
    let failures = files.read("all.ndjson.failures.ndjson");
    let lines: Vec<Value> =
        failures.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["data"], json!({"body": "", "contactType": "lead", "customerId": "LID-1"}));
    let reason = &lines[0]["beeiq"];
    assert_eq!(
        (&reason["row"], &reason["code"], &reason["pointer"]),
        (&json!(5), &json!("required"), &json!("/data/body"))
    );
    assert_eq!(
        (&lines[1]["beeiq"]["row"], &lines[1]["beeiq"]["line"]),
        (&json!(6), &json!("{\"name\":"))
    );

    let mended = failures.lines().next().unwrap().replace(r#""body":"""#, r#""body":"Called""#);
    let mut import = files.start(&listener, &["-", "--format", "ndjson", "--sender", ANN]);
    import.0.stdin.take().unwrap().write_all(mended.as_bytes()).unwrap();
    import.end().counted(0, [1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(instance.db_count("notes WHERE body = 'Called'"), 1);
    assert_eq!(files.names(), ["all.ndjson", "all.ndjson.failures.ndjson"]);
}

#[actix_web::test]
async fn columns_with_names_of_their_own_are_mapped() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("export.csv", "Họ tên;E-mail;Ghi chú\nHuy;huy@a.test;x\n");
    let map = json!({"Họ tên": "name", "E-mail": "emails.value", "Ghi chú": null});
    files.write("map.json", map.to_string());
    let args = ["export.csv", "--map", "map.json", "--delimiter", ";"];
    files.import(&listener, &args).counted(0, [1, 1, 0, 0, 0, 0, 0]);
    let huy = instance.acme().get("/contacts/PID-1").await.expect(200).body;
    assert_eq!((&huy["name"], &huy["emails"][0]["value"]), (&json!("Huy"), &json!("huy@a.test")));
}

#[actix_web::test]
async fn what_cannot_be_imported_is_refused_in_one_line_before_anything_is_sent() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("ok.csv", "name\nHuy\n");
    files.write("bad.csv", "First Name,emial\nHuy,x\n");
    files.write("semicolons.csv", "name;tag\nHuy;x\n");
    files.write("empty.csv", "");
    files.write("map.json", "[]");
    for (args, code, words) in [
        (&["bad.csv"][..], 2, "column 1 (\"First Name\") is no path"),
        (&["bad.csv"], 2, "did you mean \"emails\"?"),
        (&["semicolons.csv"], 2, "--delimiter ';'"),
        (&["empty.csv"], 2, "the file is empty"),
        (&["nowhere.csv"], 2, "nowhere.csv"),
        (&["map.json"], 2, "--format"),
        (&["ok.csv", "--map", "map.json"], 2, "must be a JSON object"),
        (&["ok.csv", "--action", "add-contct"], 2, "did you mean add-contact?"),
        (&["ok.csv", "--batch", "0"], 2, "--batch"),
        (&["ok.csv", "--url", "https://crm.example/x"], 2, "(--url) must be a listener's"),
        (&["ok.csv", "--failures", "./ok.csv"], 2, "--failures is the file itself"),
        (&["ok.csv", "--resume"], 2, "no import of this file was interrupted"),
    ] {
        files.import(&listener, args).refused(code, words);
    }
    let args = ["ok.csv", "--sender", "ann"];
    files.start(&listener, &args).end().refused(2, "--sender");
    assert_eq!(instance.db_count("deliveries"), 0);
    assert_eq!(files.read("ok.csv"), "name\nHuy\n");
}

/// To hear of it after the first request would leave rows done that no report tells of.
#[actix_web::test]
async fn failed_rows_that_could_not_be_written_stop_the_import_before_anything_is_sent() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("ok.csv", "name\nHuy\n");
    let args = ["ok.csv", "--failures", "nowhere/failures.csv"];
    files.import(&listener, &args).refused(2, "nowhere/failures.csv");
    assert_eq!(instance.db_count("deliveries"), 0);
    assert_eq!(files.names(), ["ok.csv"]);
}

#[actix_web::test]
async fn rows_whose_failures_could_not_be_written_are_counted_once() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("people.csv", "name,emails\nA,a@a.test\nB,b@a.test\nC,x\nD,d@a.test\n");
    // A disk that is full.
    let args = ["people.csv", "--batch", "2", "--failures", "/dev/full"];
    files.import(&listener, &args).refused(1, "/dev/full cannot be written");
    let done = files.import(&listener, &["people.csv", "--resume"]);
    done.counted(1, [4, 3, 0, 0, 0, 0, 1]);
    assert_eq!(instance.db_count("customers"), 3);
    assert_eq!(files.read("people.csv.failures.csv").lines().count(), 2);
    assert_eq!(files.names(), ["people.csv", "people.csv.failures.csv"]);
}

/// The way to a remedy: it is no fault of the listener's, and trying harder does not help.
#[actix_web::test]
async fn a_pause_longer_than_the_user_waits_for_is_told_with_the_way_on() {
    let instance = Instance::start().await;
    let limited = json!({"rateLimit": {"perSecond": 1, "burst": 1}});
    let (listener, files) = (instance.acme().listener_with(limited).await, Files::new());
    files.write("two.csv", "name\nHuy\nLan\n");
    let args = ["two.csv", "--batch", "1", "--give-up-after", "0"];
    let done = files.import(&listener, &args);
    done.refused(1, "stopped after 1 rows (--resume goes on from there)");
    done.refused(1, "it asks to wait 1 s");
    files.import(&listener, &["two.csv", "--resume"]).counted(0, [2, 2, 0, 0, 0, 0, 0]);
}

/// A secret that is in the message ends up in somebody's log.
#[actix_web::test]
async fn a_listener_that_refuses_stops_the_import_with_its_own_words() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("ok.csv", "name\nHuy\n");
    let args = ["ok.csv", "--sender", "nobody@acme.test"];
    files.start(&listener, &args).end().refused(1, "answered 422: `senderUser` is no active user");
    let resume = ["ok.csv", "--resume"];
    files.import(&listener, &resume).refused(2, "begin again with --restart");

    instance.acme().patch(&listener.path(), &json!({"enabled": false})).await.expect(200);
    files.import(&listener, &["ok.csv", "--restart"]).refused(1, "answered 410");
    instance.acme().delete(&listener.path()).await.expect(204);
    files.import(&listener, &["ok.csv", "--resume"]).refused(1, "answered 404");

    let closed = listener.at("http://127.0.0.1:1");
    let args = ["ok.csv", "--resume", "--give-up-after", "0"];
    let done = files.import(&closed, &args);
    done.refused(1, "cannot be reached");
    let token = closed.url.rsplit('/').next().unwrap();
    assert!(!done.err.contains(token), "{}", done.err);
}

#[actix_web::test]
async fn a_dry_run_tells_all_and_changes_nothing() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("people.csv", "name,emails\nHuy,huy@a.test\nLan,x\n");
    files.import(&listener, &["people.csv", "--dry-run"]).counted(1, [2, 1, 0, 0, 0, 0, 1]);
    assert!(files.read("people.csv.failures.csv").contains("3,invalid_email"));
    assert_eq!(instance.db_count("customers"), 0);
    files.import(&listener, &["people.csv"]).counted(1, [2, 1, 0, 0, 0, 0, 1]);
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn rows_over_a_limit_of_the_listener_go_in_smaller_requests() {
    let instance = Instance::with(&["--max-actions", "3", "--max-body-bytes", "2000"]).await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    let long = "x".repeat(3000);
    files.write("people.csv", format!("name,bgInfo\na,\nb,\nc,\nd,\ne,{long}\nf,\ng,\nh,\ni,\n"));
    files.import(&listener, &["people.csv"]).counted(1, [9, 8, 0, 0, 0, 0, 1]);
    assert!(files.read("people.csv.failures.csv").contains("\n6,body_too_large,"));
    assert_eq!(instance.db_count("customers"), 8);
}

#[actix_web::test]
async fn a_listener_that_applies_later_is_waited_for() {
    let instance = Instance::start().await;
    let (listener, files) =
        (instance.acme().listener_with(json!({"mode": "async"})).await, Files::new());
    // This thread waits for the program, so what waits is another process's to apply.
    let _server = Process::start(&instance);
    files.write("people.csv", "name,emails\nHuy,huy@a.test\nLan,x\nHuy,huy@a.test\n");
    let args = ["people.csv", "--batch", "2"];
    files.import(&listener, &args).counted(1, [3, 1, 0, 0, 1, 0, 1]);
    assert_eq!(instance.db_count("customers"), 1);
}

/// Who imports a file again wants to know that nothing was done, and how to have it done.
#[actix_web::test]
async fn a_file_that_was_imported_before_is_done_again_only_when_that_is_asked_for() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    files.write("calls.ndjson", r#"{"name":"Huy","emails":[{"value":"huy@a.test"}]}"#);
    files.import(&listener, &["calls.ndjson"]).counted(0, [1, 1, 0, 0, 0, 0, 0]);
    let done = files.import(&listener, &["calls.ndjson"]).counted(0, [1, 1, 0, 0, 0, 0, 0]);
    assert!(done.out.contains("1 requests had been sent before"), "{}", done.out);
    let done = files.import(&listener, &["calls.ndjson", "--restart"]);
    let done = done.counted(0, [1, 0, 0, 0, 1, 0, 0]);
    assert!(!done.out.contains("sent before"), "{}", done.out);
}

/// Notes are not recognised as duplicates: what is sent under another key is there twice.
#[actix_web::test]
async fn an_import_that_is_killed_goes_on_without_doing_anything_twice() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    listener.act("add-contact", json!({"name": "Huy"})).await.expect(200);
    let lines: String = (0..10)
        .map(|n| format!("{{\"body\":\"Call {n}\",\"customerId\":\"PID-{}\"}}\n", 1 + n % 2))
        .collect();
    files.write("calls.ndjson", lines);
    let args = ["calls.ndjson", "--action", "add-note", "--batch", "4"];
    let with_sender = [&args[..], &["--sender", ANN]].concat();

    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; LOCK TABLE deliveries IN EXCLUSIVE MODE").unwrap();
    let mut killed = files.start(&listener, &with_sender);
    instance.db_until_a_request_waits().await;
    killed.0.kill().unwrap();
    killed.0.wait().unwrap();
    lock.batch_execute("COMMIT").unwrap();

    files.import(&listener, &args).refused(2, "go on with --resume");
    let args = ["calls.ndjson", "--action", "add-note", "--batch", "3", "--resume"];
    files.import(&listener, &args).counted(1, [10, 5, 0, 0, 0, 0, 5]);
    assert_eq!(instance.db_count("notes"), 5);
    assert_eq!(instance.db_count("(SELECT DISTINCT body FROM notes) AS distinct_notes"), 5);
    assert_eq!(files.read("calls.ndjson.failures.ndjson").lines().count(), 5);
    assert_eq!(files.names(), ["calls.ndjson", "calls.ndjson.failures.ndjson"]);
}

#[actix_web::test]
async fn ctrl_c_finishes_the_running_request_and_tells_how_to_go_on() {
    let instance = Instance::start().await;
    let (listener, files) = (instance.acme().listener().await, Files::new());
    let rows: String = (0..6).map(|n| format!("P{n},p{n}@a.test\n")).collect();
    files.write("people.csv", format!("name,emails\n{rows}"));
    let args = ["people.csv", "--batch", "2"];
    let with_sender = [&args[..], &["--sender", ANN]].concat();

    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; LOCK TABLE deliveries IN EXCLUSIVE MODE").unwrap();
    let import = files.start(&listener, &with_sender);
    instance.db_until_a_request_waits().await;
    import.signal(Signal::SIGINT);
    lock.batch_execute("COMMIT").unwrap();
    let done = import.end().counted(130, [2, 2, 0, 0, 0, 0, 0]);
    assert!(done.out.contains("--resume"), "{}", done.out);
    assert_eq!(instance.db_count("customers"), 2);

    files.write("people.csv", "name,emails\nother,x@a.test\n");
    let resume = [&args[..], &["--resume"]].concat();
    files.import(&listener, &resume).refused(2, "is not the one of the import");
    files.write("people.csv", format!("name,emails\n{rows}"));
    files.import(&listener, &resume).counted(0, [6, 6, 0, 0, 0, 0, 0]);
    assert_eq!(instance.db_count("customers"), 6);
}

/// Rows of which one in a hundred has a bad address.
fn many_people(rows: u32) -> String {
    let people: String = (0..rows)
        .map(|n| {
            let at = if n % 100 == 7 { "(at)" } else { "@" };
            format!("Person {n},p{n}{at}example.test,09{n:08}\n")
        })
        .collect();
    format!("name,emails.value,phones.value\n{people}")
}

/// A request that was applied when its server died must not be applied again, and one that was not
/// must be. `scripts/test-import` does the same with 100,000 rows.
#[actix_web::test]
async fn a_server_that_is_killed_on_the_way_costs_no_row() {
    let rows: u32 =
        std::env::var("BEEIQ_TEST_IMPORT_ROWS").map_or(20_000, |rows| rows.parse().unwrap());
    let instance = Instance::start().await;
    let mut server = Process::start(&instance);
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let listener = instance.acme().listener().await.at(&server.url);
    let files = Files::new();
    files.write("people.csv", many_people(rows));

    let started = Instant::now();
    let import = files.start(&listener, &["people.csv", "--sender", ANN]);
    for _ in 0..2 {
        for _ in 0..rows / 500 / 3 {
            server.logged("route");
        }
        server.kill();
        let flags = [format!("--bind={address}"), "--environment=staging".to_owned()];
        server = Process::with(&instance, &flags);
    }
    let rows = u64::from(rows);
    let (good, bad) = (rows - rows / 100, rows / 100);
    let done = import.end().counted(1, [rows, good, 0, 0, 0, 0, bad]);
    println!("{rows} rows in {:?}", started.elapsed());

    assert!(done.err.contains("cannot be reached"), "{}", done.err);
    let count = |from: &str| u64::try_from(instance.db_count(from)).unwrap();
    assert_eq!(count("customers"), good);
    assert_eq!(count("(SELECT DISTINCT name FROM customers) AS names"), good);
    let failures = files.read("people.csv.failures.csv");
    assert_eq!(u64::try_from(failures.lines().count()).unwrap(), bad + 1);
    assert!(failures.lines().skip(1).all(|line| line.contains("7(at)example.test")), "{failures}");
    assert_eq!(files.names(), ["people.csv", "people.csv.failures.csv"]);
}
