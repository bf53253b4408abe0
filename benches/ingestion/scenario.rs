//! What is measured.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// New contacts: a name, an e-mail, a phone, an address, a tag that is known.
    Add,
    /// Contacts who are there already.
    Duplicate,
    /// One request with each of the eight actions, building on each other.
    Mix,
    /// New contacts, to be applied later (`Prefer: respond-async`), which nothing does here.
    Async,
}

#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Kind,
    /// How many connections send, each one request after the other.
    pub connections: usize,
    /// How many actions a request has.
    pub actions: usize,
    /// How many orgs are sent to, in turn.
    pub orgs: usize,
    /// How many customers the first org has before.
    pub customers: usize,
    /// Whether `--quick` has it.
    pub quick: bool,
}

impl Scenario {
    /// What the server is started with besides its defaults.
    pub fn options(&self) -> &'static [&'static str] {
        match self.kind {
            // The ceiling keeps the deliveries and does no more either.
            Kind::Async => &["--later-workers", "0"],
            Kind::Add | Kind::Duplicate | Kind::Mix => &[],
        }
    }
}

const SINGLE: Scenario = Scenario {
    name: "single-16",
    about: "one new contact a request, 16 connections",
    kind: Kind::Add,
    connections: 16,
    actions: 1,
    orgs: 1,
    customers: 10_000,
    quick: true,
};

/// All of them, in the order in which they are run.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "single-1",
        about: "one new contact a request, one connection",
        connections: 1,
        ..SINGLE
    },
    SINGLE,
    Scenario {
        name: "single-64",
        about: "one new contact a request, 64 connections",
        connections: 64,
        ..SINGLE
    },
    Scenario {
        name: "batch-100",
        about: "100 new contacts a request, 4 connections",
        connections: 4,
        actions: 100,
        ..SINGLE
    },
    Scenario {
        name: "batch-500",
        about: "500 new contacts a request, 4 connections",
        connections: 4,
        actions: 500,
        ..SINGLE
    },
    Scenario {
        name: "duplicates-16",
        about: "one contact a request who is there already, 16 connections",
        kind: Kind::Duplicate,
        ..SINGLE
    },
    Scenario {
        name: "mix-16",
        about: "the eight actions in one request, 16 connections",
        kind: Kind::Mix,
        actions: 8,
        ..SINGLE
    },
    Scenario {
        name: "async-16",
        about: "one new contact a request, accepted for later and not applied, 16 connections",
        kind: Kind::Async,
        ..SINGLE
    },
    Scenario {
        name: "async-64",
        about: "as async-16, 64 connections",
        kind: Kind::Async,
        connections: 64,
        ..SINGLE
    },
    Scenario { name: "orgs-50", about: "as single-16, over fifty orgs", orgs: 50, ..SINGLE },
    Scenario {
        name: "million-16",
        about: "as single-16, with 1,000,000 customers there",
        customers: 1_000_000,
        quick: false,
        ..SINGLE
    },
];
