//! Texts that an adapter should write back: events whose stored text lacks a link that is there by now.

use std::time::Duration;

use super::sealing::KeptText;
use super::{Mirror, MirrorError};
use crate::address::Address;
use crate::store::{Desired, EventRow, HookSecretRow, OfferRow, StoreError, transact};

/// How many changes one answer holds.
const PAGE: u32 = 100;

/// One text to write back.
#[derive(Debug, Clone)]
pub struct Change {
    /// Whose event.
    pub account: String,
    /// Its UID.
    pub uid: String,
    /// The server's paths that carry it, as told.
    pub objects: Vec<String>,
    /// The text to store; `None`: announce the object's current text again with `stored=true` and store the answer.
    pub icalendar: Option<String>,
    /// SHA-256, hexadecimal, of the stored text that it replaces; where the object holds another, the write-back is
    /// dropped, and the next save puts the link in.
    pub replaces_sha256: String,
}

/// A page of changes.
#[derive(Debug, Clone)]
pub struct Changes {
    /// To be handed in next time.
    pub cursor: u64,
    /// In order.
    pub changes: Vec<Change>,
}

impl Mirror {
    /// Changes after `after`; waits up to `wait` for the first. An event stays on offer until its stored text is right, so a
    /// reader that lost its cursor starts at 0 and misses nothing.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn changes(
        self: &std::sync::Arc<Self>,
        reader: &HookSecretRow,
        after: u64,
        wait: Duration,
    ) -> Result<Changes, MirrorError> {
        let deadline = tokio::time::Instant::now() + wait;
        let mut offered = self.pulse.offers();
        loop {
            offered.mark_unchanged();
            let me = std::sync::Arc::clone(self);
            let for_reader = reader.clone();
            let page = super::saves::blocking(move || me.changes_now(&for_reader, after)).await?;
            if !page.changes.is_empty() || self.pulse.is_closing() {
                return Ok(page);
            }
            tracing::debug!(after, "a reader waits for changes");
            match tokio::time::timeout_at(deadline, offered.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Ok(page),
            }
        }
    }

    fn changes_now(&self, reader: &HookSecretRow, after: u64) -> Result<Changes, MirrorError> {
        let rows = crate::store::read(&*self.store, |tx| {
            let mut rows = Vec::new();
            let mut from = after;
            // Another server's events are passed over, not counted.
            while rows.len() < PAGE as usize {
                let page = tx.offers(from, PAGE)?;
                let Some(last) = page.last() else { break };
                from = last.number;
                for offer in page {
                    let ours = Address::parse(&offer.account)
                        .is_ok_and(|account| crate::accounts::hook_secrets::may_speak_for(reader, &account));
                    if ours && let Some(row) = tx.event(&offer.account, &offer.uid)? {
                        rows.push((offer, row.objects));
                    }
                }
            }
            Ok((rows, from))
        })?;
        let (rows, from) = rows;
        let mut changes = Vec::with_capacity(rows.len());
        let mut cursor = from;
        for (offer, objects) in rows {
            let text = self.offer_text(&offer)?;
            cursor = cursor.max(offer.number);
            changes.push(Change {
                account: offer.account,
                uid: offer.uid,
                objects: objects.into_iter().filter(|object| !object.is_empty()).collect(),
                icalendar: Some(text).filter(|text| !text.is_empty()),
                replaces_sha256: super::hex(&offer.base_sha),
            });
        }
        Ok(Changes { cursor, changes })
    }

    /// Offers the text with the link to the adapter, where what the server stored lacks it.
    pub(super) fn renew_offer(&self, row: &EventRow) -> Result<(), MirrorError> {
        let (account, uid) = (row.account.as_str(), row.uid.as_str());
        let link = self.row_view(row)?.join_url.map(|url| super::digest(url.as_bytes()));
        let offer = match (row.desired, &row.stored_sha, row.record_meeting && row.meeting) {
            // What is compared is the link and not the text: servers fold and order lines as they like.
            (Desired::Stored, Some(stored_sha), true) if row.gone_at.is_none() && link != row.stored_link => {
                self.amended(row)?.map(|amended| OfferRow {
                    number: 0,
                    account: account.into(),
                    uid: uid.into(),
                    // An empty text says: ask again with the whole one.
                    text: self.seal_offer(account, uid, if amended.whole { &amended.text } else { "" }),
                    base_sha: *stored_sha,
                    created_at: row.updated_at,
                })
            }
            _ => None,
        };
        let standing = crate::store::read(&*self.store, |tx| tx.offer(account, uid))?;
        match (offer, standing) {
            (Some(offer), _) => {
                let number = transact(&*self.store, |tx| tx.put_offer(&offer))?;
                self.pulse.offered(number);
            }
            (None, Some(_)) => transact(&*self.store, |tx| tx.remove_offer(account, uid))?,
            (None, None) => {}
        }
        Ok(())
    }

    /// The stored text with the link in it.
    fn amended(&self, row: &EventRow) -> Result<Option<KeptText>, MirrorError> {
        let (Some(kept), Some(record)) = (self.row_text(row)?, self.row_record(row)?) else { return Ok(None) };
        let address = Address::parse(&row.account)
            .map_err(|e| StoreError::Failed(format!("a row is kept under an address that is none: {e}")))?;
        let standing = self.accounts.standing(&address).map_err(super::saves::accounts_failed)?;
        let save = super::Save {
            account: address,
            uid: row.uid.clone(),
            object: None,
            calendar: None,
            calendar_name: None,
            wish: crate::component::types::Wish::Keep,
            draft: false,
            draft_of: None,
            change: None,
            stored: true,
            import: false,
            told: None,
            patience: Some(Duration::ZERO),
            text: kept.text,
        };
        let prepared = self.prepare_text(&save, &standing, Some(row), Some(&record))?;
        Ok(Some(KeptText { text: prepared.icalendar, whole: kept.whole }))
    }
}
