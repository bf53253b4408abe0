//! A run of a connection with wolkvox: its campaigns one after the other (`connections.md` 4).

use super::document::Document;
use super::report::Ended;
use super::run::{Asks, Run, window};
use super::token::SharedToken;
use crate::clock;
use crate::ingest::Cursor;
use crate::send::pull::{Failure, MOST_ROWS, Wolkvox, halves};
use beeiq_core::records::connection::{Window, WolkvoxSettings};
use chrono::TimeDelta;
use chrono_tz::Tz;

/// How far before the cursor a window begins.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);

pub(super) async fn pull(
    run: &mut Run,
    account: &Wolkvox,
    token: &SharedToken,
    settings: &WolkvoxSettings,
    zone: Tz,
) {
    for campaign in &settings.campaign_ids {
        let since = run.claimed.since;
        let window = window(since, run.cursor(campaign), OVERLAP, clock::now());
        let mut campaign_of = Campaign { account, token, campaign, zone };
        let ended = run.resource(campaign, window, &mut campaign_of).await;
        if ended.is_some_and(|ended| !ended.is_alone()) {
            return;
        }
    }
}

struct Campaign<'a> {
    account: &'a Wolkvox,
    token: &'a SharedToken,
    campaign: &'a str,
    zone: Tz,
}

impl Asks for Campaign<'_> {
    async fn ask(&mut self, run: &mut Run, window: Window, cursor: Cursor) -> Result<(), Ended> {
        let request = self.account.campaign(self.campaign, window, self.zone);
        let rows = self.token.alone(request).await??;
        let may_lack_some = rows.len() >= MOST_ROWS;
        if may_lack_some && halves(window).is_some() {
            return Err(Failure::TooLarge.into());
        }
        let mut document = Document::new(self.campaign);
        for row in &rows {
            if document.is_full() {
                run.keep(&mut document, None).await?;
            }
            document.push(row);
        }
        run.keep(&mut document, Some(cursor)).await?;
        if may_lack_some {
            let words = format!(
                "wolkvox tells {MOST_ROWS} rows of one minute, {}, and may have left others out.",
                window.from
            );
            return Err(Failure::Fails(words).into());
        }
        Ok(())
    }

    fn requests(&self) -> u32 {
        self.account.requests()
    }
}
