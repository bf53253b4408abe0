//! Tokens that no two requests may use at once, over all processes, connections and orgs.

use crate::clock;
use crate::secrets::{Keyring, TokenKind};
use crate::send::pull::Failure;
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db, using_tokens};
use crate::store::pulling::{give_back_token, take_token};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// For how long a token is taken at most; a request takes less.
const LEASE: Duration = Duration::from_secs(90);
/// How long one waits for a token that is used elsewhere.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(250);

/// A token, to be used by one request at a time.
pub(crate) struct SharedToken {
    db: Db,
    hash: Vec<u8>,
    holder: Uuid,
}

impl SharedToken {
    pub(crate) fn new(db: Db, key: &Keyring, token: &str) -> Self {
        let hash = key.token_hash(TokenKind::Source, token).hash.to_vec();
        Self { db, hash, holder: clock::new_id() }
    }

    /// Sends a request while nobody else uses the token. Where no answer came, the other system may
    /// still be at it: nobody uses the token for a while.
    pub(crate) async fn alone<T>(
        &self,
        request: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, StoreError> {
        let asked = clock::instant();
        while !self.take().await? {
            if !is_patient(asked) {
                let words = "The token is being used by another connection.".to_owned();
                return Ok(Err(Failure::Later { words, retry_after: None, alone: false }));
            }
            tokio::time::sleep(LOOK).await;
        }
        let answer = request.await;
        if !matches!(answer, Err(Failure::Later { retry_after: None, alone: false, .. })) {
            self.give_back().await?;
        }
        Ok(answer)
    }

    async fn take(&self) -> Result<bool, StoreError> {
        let (hash, holder) = (self.hash.clone(), self.holder);
        let take = move |conn: &mut Conn| {
            using_tokens(conn, |conn| take_token(conn, &hash, holder, LEASE))
        };
        self.db.run(take).await
    }

    async fn give_back(&self) -> Result<(), StoreError> {
        let (hash, holder) = (self.hash.clone(), self.holder);
        let give_back =
            move |conn: &mut Conn| using_tokens(conn, |conn| give_back_token(conn, &hash, holder));
        self.db.run(give_back).await
    }
}

fn is_patient(since: Instant) -> bool {
    since.elapsed() < PATIENCE
}
