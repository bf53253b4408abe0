//! The program as an operator runs it (`api.md` 1).

use crate::support::cluster::{self, Template};
use crate::support::{Instance, PASSWORD, Process, Reply, SECRET_KEY, person};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use futures_util::future::join;
use reqwest::Method;
use serde_json::json;
use std::ffi::OsStr;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// A good secret key.
const KEY: (&str, &str) = ("BEEIQ_SECRET_KEY", SECRET_KEY);

/// What a command came to.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Done {
    /// Fails the test unless the command failed with that code, one line, and these words in it.
    #[track_caller]
    fn failed(&self, code: i32, words: &str) {
        let Self { code: exit, out, err } = self;
        assert_eq!((*exit, out.as_str()), (Some(code), ""), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with("error: ") && err.contains(words), "{words}: {err}");
    }

    #[track_caller]
    fn succeeded(&self) -> &str {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        &self.out
    }
}

/// Runs `beeiq` in a directory with these settings alone, whatever the environment of the tests.
fn beeiq_in(dir: &Path, args: &[&str], settings: &[(&str, &str)], input: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beeiq"));
    for (name, _) in env::vars_os() {
        if name == "DATABASE_URL" || name.to_string_lossy().starts_with("BEEIQ_") {
            command.env_remove(name);
        }
    }
    command.args(args).envs(settings.iter().copied()).current_dir(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `beeiq` on the database of that URL.
fn beeiq(database: &str, args: &[&str], input: &str) -> Done {
    let dir = tempfile::tempdir().unwrap();
    beeiq_in(dir.path(), args, &[("DATABASE_URL", database)], input)
}

async fn sign_in(instance: &Instance, org: &str, email: &str, password: &str) -> Reply {
    let body = json!({"org": org, "email": email, "password": password});
    Reply::to(instance.request(Method::POST, "/api/v1/sessions").json(&body)).await
}

#[actix_web::test]
async fn a_new_orgs_owner_signs_in_with_the_password_that_is_shown_once() {
    let instance = Instance::start().await;
    let args = [
        "org",
        "create",
        "--slug",
        "Initech",
        "--name",
        " Initech Ltd ",
        "--owner-email",
        "Bill@initech.test",
    ];
    let done = beeiq(instance.database_url(), &args, "");
    let out = done.succeeded();
    let password = out.lines().last().unwrap().rsplit_once(": ").unwrap().1;
    assert_eq!(out.matches(password).count(), 1, "{out}");
    assert!(password.len() >= 20, "{password}");

    let session = sign_in(&instance, "initech", "bill@initech.test", password).await.expect(201);
    assert_eq!(session.body["user"]["role"], "owner");
    let token = session.body["token"].as_str().unwrap();
    let me = Reply::to(instance.request(Method::GET, "/api/v1/me").bearer_auth(token)).await;
    assert_eq!(me.body["org"]["name"], "Initech Ltd");
    let made = |from: &str| {
        instance.db_count(&format!(
            "{from} AS t JOIN orgs o ON o.id = t.org_id WHERE o.slug = 'initech'"
        ))
    };
    assert_eq!(made("(SELECT * FROM picklist_entries WHERE list = 'channel')"), 9);
    assert_eq!(made("(SELECT * FROM org_settings WHERE sms_credits = 20)"), 1);
    assert_eq!(made("users"), 1);
}

#[actix_web::test]
async fn an_owners_password_is_read_from_standard_input_and_not_shown() {
    let instance = Instance::start().await;
    let dir = tempfile::tempdir().unwrap();
    let args = [
        "org",
        "create",
        "--slug",
        "initech",
        "--name",
        "I",
        "--owner-email",
        "b@i.test",
        "--owner-password-stdin",
    ];
    let settings = [("DATABASE_URL", instance.database_url()), ("BEEIQ_SMS_TRIAL_CREDITS", "5")];
    // A blank at its end belongs to it, the end of the line does not.
    let done = beeiq_in(dir.path(), &args, &settings, "tps report cover \r\n");
    assert!(!done.succeeded().contains("tps"), "{}", done.out);
    sign_in(&instance, "initech", "b@i.test", "tps report cover").await.expect(401);
    sign_in(&instance, "initech", "b@i.test", "tps report cover ").await.expect(201);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 5"), 1);
}

#[actix_web::test]
async fn an_org_that_cannot_be_made_is_refused_in_one_line_and_leaves_nothing() {
    let instance = Instance::start().await;
    let long = "x".repeat(129);
    for (slug, name, email, password, words) in [
        ("acme", "A", "a@b.test", PASSWORD, "there is an org \"acme\" already"),
        ("ACME", "A", "a@b.test", PASSWORD, "there is an org \"acme\" already"),
        ("a", "A", "a@b.test", PASSWORD, "a slug has 2 to 63"),
        ("a b", "A", "a@b.test", PASSWORD, "a slug has 2 to 63"),
        ("new", " ", "a@b.test", PASSWORD, "--name is empty"),
        ("new", "A", "nobody", PASSWORD, "--owner-email"),
        ("new", "A", "a@b.test", "123456789", "too short"),
        ("new", "A", "a@b.test", long.as_str(), "too long"),
        ("new", "A", "a@b.test", "", "too short"),
    ] {
        let args = [
            "org",
            "create",
            "--slug",
            slug,
            "--name",
            name,
            "--owner-email",
            email,
            "--owner-password-stdin",
        ];
        beeiq(instance.database_url(), &args, password).failed(1, words);
    }
    assert_eq!(instance.db_count("orgs"), 2);
    assert_eq!(instance.db_count("users"), 8);
}

#[actix_web::test]
async fn a_password_that_is_set_ends_the_users_sessions_old_password_and_throttle() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let me = async |token: &str| {
        let request = instance.request(Method::GET, "/api/v1/me").bearer_auth(token);
        Reply::to(request).await.status
    };
    let tokens = [acme.db_token("ann"), acme.db_token("ann")];
    let of_others = [acme.db_token("bob"), instance.globex().db_token("ann")];
    for _ in 0..10 {
        sign_in(&instance, "acme", "ann@acme.test", "wrong horse battery").await.expect(401);
    }
    sign_in(&instance, "acme", "ann@acme.test", PASSWORD).await.expect(429);
    let args =
        ["user", "set-password", "--org", "Acme", "--email", "ANN@acme.test", "--password-stdin"];
    beeiq(instance.database_url(), &args, "a brand new one\n").succeeded();
    for token in &tokens {
        assert_eq!(me(token).await, 401);
    }
    for token in &of_others {
        assert_eq!(me(token).await, 200);
    }
    sign_in(&instance, "acme", "ann@acme.test", PASSWORD).await.expect(401);
    sign_in(&instance, "acme", "ann@acme.test", "a brand new one").await.expect(201);
    sign_in(&instance, "globex", "ann@globex.test", PASSWORD).await.expect(201);
}

#[actix_web::test]
async fn a_password_that_cannot_be_set_changes_nothing() {
    let instance = Instance::start().await;
    let token = instance.acme().db_token("ann");
    for (org, email, password, words) in [
        ("acme", "nobody@acme.test", "a brand new one", "there is no user nobody@acme.test"),
        ("nowhere", "ann@acme.test", "a brand new one", "in an org \"nowhere\""),
        ("globex", "ann@acme.test", "a brand new one", "in an org \"globex\""),
        ("acme", "ann", "a brand new one", "--email"),
        ("acme", "ann@acme.test", "short", "too short"),
    ] {
        let args = ["user", "set-password", "--org", org, "--email", email, "--password-stdin"];
        beeiq(instance.database_url(), &args, password).failed(1, words);
    }
    let request = instance.request(Method::GET, "/api/v1/me").bearer_auth(token);
    Reply::to(request).await.expect(200);
    sign_in(&instance, "acme", "ann@acme.test", PASSWORD).await.expect(201);
}

#[test]
fn migrating_twice_and_at_once_is_migrating_once() {
    static EMPTY: Template = Template::new("empty", |_| {});
    let database = EMPTY.database();
    let at_once: Vec<_> = (0..3)
        .map(|_| {
            let url = database.url.clone();
            std::thread::spawn(move || beeiq(&url, &["migrate"], ""))
        })
        .collect();
    for done in at_once {
        done.join().unwrap().succeeded();
    }
    let args = ["org", "create", "--slug", "acme", "--name", "A", "--owner-email", "a@b.test"];
    beeiq(&database.url, &args, "").succeeded();
    beeiq(&database.url, &["migrate"], "").succeeded();
    beeiq(&database.url, &args, "").failed(1, "already");
}

#[test]
fn a_setting_that_is_missing_or_wrong_stops_the_start_with_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let database = ("DATABASE_URL", "postgres://beeiq@127.0.0.1:1/beeiq");
    for (settings, words) in [
        (vec![database], "BEEIQ_SECRET_KEY (--secret-key) is not set"),
        (vec![database, ("BEEIQ_SECRET_KEY", "")], "BEEIQ_SECRET_KEY (--secret-key) is not set"),
        (vec![database, ("BEEIQ_SECRET_KEY", "hunter2")], "BEEIQ_SECRET_KEY (--secret-key)"),
        (vec![database, ("BEEIQ_SECRET_KEY", "aHVudGVyMg==")], "BEEIQ_SECRET_KEY (--secret-key)"),
        (vec![KEY], "DATABASE_URL (--database-url) is not set"),
        (vec![KEY, ("DATABASE_URL", "hunter2")], "DATABASE_URL (--database-url) is malformed"),
        (vec![KEY, ("DATABASE_URL", "mysql://u:hunter2@h/d")], "DATABASE_URL (--database-url)"),
        (vec![KEY, database, ("BEEIQ_BIND", "localhost")], "BEEIQ_BIND (--bind)"),
        (vec![KEY, database, ("BEEIQ_BIND", "")], "BEEIQ_BIND (--bind)"),
        (vec![KEY, database, ("BEEIQ_PUBLIC_URL", "ftp://x")], "BEEIQ_PUBLIC_URL (--public-url)"),
        (vec![KEY, database, ("BEEIQ_ENVIRONMENT", "test")], "BEEIQ_ENVIRONMENT (--environment)"),
        (
            vec![KEY, database, ("BEEIQ_TRUSTED_PROXIES", "10.0.0.0/8,proxy")],
            "BEEIQ_TRUSTED_PROXIES (--trusted-proxies)",
        ),
        (vec![KEY, database, ("BEEIQ_POOL_SIZE", "0")], "BEEIQ_POOL_SIZE (--pool-size)"),
        (vec![KEY, database, ("BEEIQ_POOL_SIZE", "many")], "BEEIQ_POOL_SIZE (--pool-size)"),
        (vec![KEY, database, ("BEEIQ_LOG", "beeiq=loud")], "BEEIQ_LOG (--log-filter)"),
        (vec![KEY, database, ("BEEIQ_LOG_FORMAT", "xml")], "BEEIQ_LOG_FORMAT (--log-format)"),
        (
            vec![KEY, database, ("BEEIQ_SMTP_URL", "mail:hunter2"), ("BEEIQ_SMTP_FROM", "a@b.c")],
            "BEEIQ_SMTP_URL (--smtp-url)",
        ),
        (
            vec![KEY, database, ("BEEIQ_SMTP_URL", "smtp://u:hunter2@h")],
            "BEEIQ_SMTP_FROM (--smtp-from) is not set",
        ),
        (
            vec![KEY, database, ("BEEIQ_SMS_ACCOUNT", "hunter2")],
            "BEEIQ_SMS_ACCOUNT (--sms-account)",
        ),
        (
            vec![KEY, database, ("BEEIQ_MAX_BODY_BYTES", "900000000")],
            "BEEIQ_MAX_INFLIGHT_BYTES (--max-inflight-bytes)",
        ),
    ] {
        let bind = ("BEEIQ_BIND", "127.0.0.1:0");
        let settings: Vec<_> = [bind].into_iter().chain(settings).collect();
        let done = beeiq_in(dir.path(), &["serve"], &settings, "");
        done.failed(2, words);
        assert!(!done.err.contains("hunter2") && !done.err.contains("aHVudGVyMg"), "{}", done.err);
    }
    let elsewhere = [KEY, database, ("BEEIQ_BIND", "192.0.2.1:80")];
    beeiq_in(dir.path(), &["serve"], &elsewhere, "").failed(1, "BEEIQ_BIND (--bind)");
    beeiq_in(dir.path(), &["serve", "--prot", "80"], &[KEY, database], "").failed(2, "--prot");
    beeiq_in(dir.path(), &["sevre"], &[KEY, database], "").failed(2, "sevre");
}

#[test]
fn settings_are_read_from_a_file_too_and_one_that_is_malformed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(".env"), "BEEIQ_BIND=nowhere\n").unwrap();
    beeiq_in(dir.path(), &["serve"], &[KEY], "").failed(2, "nowhere");
    fs::write(dir.path().join(".env"), "BEEIQ_SECRET_KEY='hunter2\n").unwrap();
    let done = beeiq_in(dir.path(), &["serve"], &[], "");
    done.failed(2, "the .env file cannot be read: the line of BEEIQ_SECRET_KEY");
    assert!(!done.err.contains("hunter2"), "{}", done.err);
}

#[test]
fn a_setting_that_is_not_utf_8_is_named() {
    for (name, flag) in [("BEEIQ_PUBLIC_URL", "--public-url"), ("DATABASE_URL", "--database-url")] {
        let output = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .arg("serve")
            .env(name, OsStr::from_bytes(b"http://hunter2\xff"))
            .current_dir(tempfile::tempdir().unwrap().path())
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.lines().count()), (Some(2), 1), "{err}");
        assert!(err.contains(&format!("{name} ({flag}) is not UTF-8")), "{err}");
        assert!(!err.contains("hunter2"), "{err}");
    }
}

/// The other commands have settings, too.
#[test]
fn each_command_names_the_variable_of_a_bad_setting() {
    let dir = tempfile::tempdir().unwrap();
    let (file, import) = (dir.path().join("x.csv"), ["import", "x.csv", "--sender", "a@b.c"]);
    fs::write(file, "name\nA\n").unwrap();
    for (args, setting, words) in [
        (&["healthcheck"][..], ("BEEIQ_BIND", "nowhere"), "BEEIQ_BIND (--bind)"),
        (&["migrate"], ("BEEIQ_POOL_SIZE", "0"), "BEEIQ_POOL_SIZE (--pool-size)"),
        (&import, ("BEEIQ_LISTENER_URL", "hunter2"), "BEEIQ_LISTENER_URL (--url)"),
        (&import, ("BEEIQ_LISTENER_URL", "http://x/y"), "BEEIQ_LISTENER_URL (--url)"),
        (&["demo"], ("BEEIQ_MAX_NESTING", "1"), "BEEIQ_MAX_NESTING (--max-nesting)"),
    ] {
        beeiq_in(dir.path(), args, &[setting], "").failed(2, words);
    }
    beeiq_in(dir.path(), &["migrate"], &[("DATABASE_URL", "hunter2")], "")
        .failed(1, "DATABASE_URL (--database-url) is malformed");
    fs::write(dir.path().join("taken"), "").unwrap();
    let settings = [("BEEIQ_DATA_DIR", "taken"), ("BEEIQ_BIND", "127.0.0.1:0")];
    let done = beeiq_in(dir.path(), &["demo"], &settings, "");
    assert!(done.err.contains("BEEIQ_DATA_DIR (--data-dir)"), "{}", done.err);
}

#[test]
fn a_database_that_cannot_be_reached_stops_the_start_with_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [KEY, ("DATABASE_URL", "postgres://beeiq@127.0.0.1:1/beeiq")];
    let args = ["serve", "--bind", "127.0.0.1:0"];
    beeiq_in(dir.path(), &args, &settings, "").failed(1, "the database cannot be migrated");
    beeiq_in(dir.path(), &["migrate"], &settings, "").failed(1, "the database cannot be migrated");
}

/// A server that sees the rows of all orgs must not be one by accident.
#[test]
fn a_role_that_row_security_does_not_bind_stops_the_start() {
    // May pass by all policies, and make no role that may not.
    cluster::admin("CREATE ROLE beeiq_unbound LOGIN BYPASSRLS");
    cluster::admin("CREATE DATABASE beeiq_unbound OWNER beeiq_unbound");
    let url = cluster::url_as("beeiq_unbound", "beeiq_unbound");
    let dir = tempfile::tempdir().unwrap();
    // Another database of the cluster may have made the role beeiq_server: it is not its member.
    let settings = [KEY, ("DATABASE_URL", &url)];
    beeiq_in(dir.path(), &["migrate"], &settings, "").succeeded();
    let args = ["serve", "--bind", "127.0.0.1:0"];
    let done = beeiq_in(dir.path(), &args, &settings, "");
    done.failed(1, "BEEIQ_WITHOUT_ROW_SECURITY (--without-row-security)");
}

/// Errors are told apart by their words.
#[test]
fn messages_that_are_not_english_stop_the_start_with_the_remedy() {
    cluster::admin("CREATE ROLE beeiq_spanish LOGIN");
    cluster::admin("CREATE DATABASE beeiq_spanish OWNER beeiq_spanish");
    let spanish = "ALTER ROLE beeiq_spanish SET lc_messages = 'es_ES.UTF-8'";
    let mut admin = PgConnection::establish(&cluster::url("postgres")).unwrap();
    if admin.batch_execute(spanish).is_err() {
        eprintln!("skipped: this system has no locale es_ES.UTF-8");
        return;
    }
    let url = cluster::url_as("beeiq_spanish", "beeiq_spanish");
    let dir = tempfile::tempdir().unwrap();
    let settings = [KEY, ("DATABASE_URL", &url)];
    beeiq_in(dir.path(), &["migrate"], &settings, "").succeeded();
    let done = beeiq_in(dir.path(), &["serve", "--bind", "127.0.0.1:0"], &settings, "");
    done.failed(1, "SET lc_messages = 'C'");
}

/// A directory above may be somebody else's.
#[test]
fn settings_are_read_from_the_working_directory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let below = dir.path().join("below");
    fs::create_dir(&below).unwrap();
    fs::write(dir.path().join(".env"), "DATABASE_URL=nowhere\n").unwrap();
    beeiq_in(dir.path(), &["migrate"], &[], "")
        .failed(1, "DATABASE_URL (--database-url) is malformed");
    beeiq_in(&below, &["migrate"], &[], "").failed(1, "DATABASE_URL (--database-url) is not set");
}

/// Every deployment stops servers: what they have taken must not be lost on the way.
#[actix_web::test]
async fn a_server_that_is_stopped_answers_what_runs_and_ends_well() {
    let instance = Instance::start().await;
    let mut process = Process::start(&instance);
    for path in ["/healthz", "/readyz"] {
        let request = instance.client.get(format!("{}{path}", process.url));
        assert_eq!(Reply::to(request).await.expect(200).body["status"], "ok", "{path}");
    }
    let listener = instance.acme().listener().await.at(&process.url);
    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; LOCK TABLE deliveries IN EXCLUSIVE MODE").unwrap();
    let stop = async {
        instance.db_until_a_request_waits().await;
        process.terminate();
        let address = process.url.strip_prefix("http://").unwrap();
        while TcpStream::connect(address).is_ok() {
            tokio::task::yield_now().await;
        }
        lock.batch_execute("COMMIT").unwrap();
    };
    let (reply, ()) = join(listener.send(&[]), stop).await;
    reply.expect(200);
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(instance.db_count("deliveries WHERE status = 'succeeded'"), 1);
}

/// Whoever stops a server kills it soon after, and counts that as a fault.
#[actix_web::test]
async fn a_server_that_is_stopped_does_not_wait_for_what_is_applied_later() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"mode": "async"})).await;
    listener.send(&[person("Huy", "huy@a.test")]).await.expect(202);
    let mut lock = instance.db_connection();
    lock.batch_execute("BEGIN; LOCK TABLE customers IN EXCLUSIVE MODE").unwrap();
    let mut process = Process::start(&instance);
    instance.db_until_a_request_waits().await;
    let stopped = Instant::now();
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert!(stopped.elapsed() < Duration::from_secs(30), "{:?}", stopped.elapsed());

    lock.batch_execute("COMMIT").unwrap();
    assert_eq!(instance.db_count("deliveries WHERE status = 'pending'"), 1);
    let _next = Process::start(&instance);
    instance.db_until("deliveries WHERE status = 'succeeded'").await;
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn a_server_without_its_database_lives_but_is_not_ready() {
    let instance = Instance::start().await;
    let process = Process::start(&instance);
    instance.db_take_away();
    let get = |path| Reply::to(instance.client.get(format!("{}{path}", process.url)));
    get("/healthz").await.expect(200);
    let reply = get("/readyz").await.expect(503);
    assert_eq!(reply.problem().0, "unavailable");
    assert!(reply.header("Retry-After").is_some());
}

/// A container whose check cannot fail is never restarted.
#[actix_web::test]
async fn a_health_check_says_whether_a_server_lives() {
    let instance = Instance::start().await;
    let mut process = Process::start(&instance);
    let dir = tempfile::tempdir().unwrap();
    let address = process.url.strip_prefix("http://").unwrap().to_owned();
    for bind in [&address, &address.replace("127.0.0.1", "0.0.0.0")] {
        beeiq_in(dir.path(), &["healthcheck"], &[("BEEIQ_BIND", bind)], "").succeeded();
    }
    process.kill();
    beeiq_in(dir.path(), &["healthcheck"], &[("BEEIQ_BIND", &address)], "").failed(1, "healthz");
}
