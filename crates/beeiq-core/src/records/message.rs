//! Messages of the outbox: by which channel they go, and what has become of them (`api.md` 4).

use crate::words;

words! {
    /// What a message is.
    #[schema(as = MessageChannel)]
    pub enum Channel {
        Email => "email",
        Sms => "sms",
    }
}

words! {
    /// What has become of a message.
    #[schema(as = MessageStatus)]
    pub enum Status {
        /// It waits to be sent.
        Pending => "pending",
        /// A process is sending it.
        Sending => "sending",
        /// A provider has taken it over.
        Sent => "sent",
        /// It will not be sent by itself any more.
        Dead => "dead",
        /// A person decided that it is not sent.
        Cancelled => "cancelled",
        /// It was never to be sent: this is staging.
        Captured => "captured",
    }
}

impl Status {
    /// Whether a person may have it tried again: not what may have gone out already, and not what
    /// is never to go.
    pub const fn can_be_retried(self) -> bool {
        matches!(self, Self::Pending | Self::Dead | Self::Cancelled)
    }

    /// Whether a person may have it not sent any more.
    pub const fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Pending | Self::Dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_not_gone_out_can_be_retried_or_cancelled() {
        for (status, retried, cancelled) in [
            (Status::Pending, true, true),
            (Status::Sending, false, false),
            (Status::Sent, false, false),
            (Status::Dead, true, true),
            (Status::Cancelled, true, false),
            (Status::Captured, false, false),
        ] {
            assert_eq!(status.can_be_retried(), retried, "{status}");
            assert_eq!(status.can_be_cancelled(), cancelled, "{status}");
        }
    }
}
