//! Sealing and opening what a row holds of people's calendars. Everything is bound to its account and UID, so that a row
//! copied elsewhere does not open.

use serde::{Deserialize, Serialize};

use super::{Mirror, MirrorError};
use crate::component::types::Notice;
use crate::store::{EventRow, OfferRow, ProposalRow, StoreError};

/// What people are told of an event beside its state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct View {
    pub(super) join_url: Option<String>,
    pub(super) web_link: Option<String>,
    pub(super) notices: Vec<Notice>,
}

/// A kept text: with one octet before it that says whether it is the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeptText {
    pub(super) text: String,
    pub(super) whole: bool,
}

impl KeptText {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len() + 1);
        bytes.push(u8::from(self.whole));
        bytes.extend_from_slice(self.text.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (flag, text) = bytes.split_first()?;
        Some(Self { text: String::from_utf8(text.to_vec()).ok()?, whole: *flag == 1 })
    }
}

impl Mirror {
    pub(super) fn seal_text(&self, account: &str, uid: &str, kept: &KeptText) -> Vec<u8> {
        self.vault.seal(&["event-text", account, uid], &kept.to_bytes())
    }

    pub(super) fn open_text(&self, account: &str, uid: &str, sealed: &[u8]) -> Result<KeptText, MirrorError> {
        let bytes = self.open("event-text", account, uid, sealed)?;
        KeptText::from_bytes(&bytes).ok_or_else(|| damaged(account, "text"))
    }

    pub(super) fn row_text(&self, row: &EventRow) -> Result<Option<KeptText>, MirrorError> {
        row.text.as_deref().map(|sealed| self.open_text(&row.account, &row.uid, sealed)).transpose()
    }

    pub(super) fn proposal_text(&self, row: &ProposalRow) -> Result<KeptText, MirrorError> {
        self.open_text(&row.account, &row.uid, &row.text)
    }

    pub(super) fn seal_record(&self, account: &str, uid: &str, record: &[u8]) -> Vec<u8> {
        self.vault.seal(&["event-record", account, uid], record)
    }

    pub(super) fn row_record(&self, row: &EventRow) -> Result<Option<Vec<u8>>, MirrorError> {
        row.record
            .as_deref()
            .map(|sealed| self.open("event-record", &row.account, &row.uid, sealed).map(|bytes| bytes.to_vec()))
            .transpose()
    }

    pub(super) fn seal_view(&self, account: &str, uid: &str, view: &View) -> Vec<u8> {
        let json = serde_json::to_vec(view).unwrap_or_default();
        self.vault.seal(&["event-view", account, uid], &json)
    }

    pub(super) fn row_view(&self, row: &EventRow) -> Result<View, MirrorError> {
        match row.view.as_deref() {
            None => Ok(View::default()),
            Some(sealed) => {
                let bytes = self.open("event-view", &row.account, &row.uid, sealed)?;
                serde_json::from_slice(&bytes).map_err(|_| damaged(&row.account, "view"))
            }
        }
    }

    pub(super) fn seal_offer(&self, account: &str, uid: &str, text: &str) -> Vec<u8> {
        self.vault.seal(&["event-offer", account, uid], text.as_bytes())
    }

    pub(super) fn offer_text(&self, offer: &OfferRow) -> Result<String, MirrorError> {
        let bytes = self.open("event-offer", &offer.account, &offer.uid, &offer.text)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| damaged(&offer.account, "offer"))
    }

    fn open(
        &self,
        purpose: &str,
        account: &str,
        uid: &str,
        sealed: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, MirrorError> {
        self.vault
            .open_sealed(&[purpose, account, uid], sealed)
            .map_err(|e| StoreError::Failed(format!("an {purpose} of `{account}` does not open: {e}")).into())
    }

    /// Seals anew, under another (account, UID), what a row holds; for a draft taken over and for a renamed account.
    pub(super) fn rebind_record(&self, from: &EventRow, account: &str, uid: &str) -> Result<Rebound, MirrorError> {
        let record = self.row_record(from)?.map(|record| self.seal_record(account, uid, &record));
        let view = self.row_view(from)?;
        Ok(Rebound { record, view: Some(self.seal_view(account, uid, &view)) })
    }
}

/// What was sealed anew.
pub(super) struct Rebound {
    pub(super) record: Option<Vec<u8>>,
    pub(super) view: Option<Vec<u8>>,
}

fn damaged(account: &str, what: &str) -> MirrorError {
    StoreError::Failed(format!("a {what} of an event of `{account}` is damaged")).into()
}
