//! What every store must do, whatever database is behind it: one list of checks, run on each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Runs every check, each on a store of its own that `make` gives.
pub(super) fn run(make: &dyn Fn() -> Arc<dyn Store>) {
    for check in [
        rows_round_trip,
        a_failed_body_leaves_nothing,
        due_rows_come_in_order_and_capped,
        one_account_never_starves_another,
        parked_rows_come_back,
        offers_count_up_for_ever,
        what_can_be_used_once_is_used_once,
        a_removed_account_leaves_nothing,
        a_renamed_account_takes_all_with_it,
        settings_and_policy_are_set_and_unset,
        lists_are_paged_and_filtered,
        an_accounts_calendars_are_those_of_its_events,
        what_is_mirrored_ahead_is_found,
        what_was_told_is_listed,
        connected_accounts_are_paged,
    ] {
        check(&make());
    }
}

fn event(account: &str, uid: &str) -> EventRow {
    EventRow {
        generation: 7,
        mirrored_generation: 6,
        desired: Desired::Stored,
        text: Some(b"sealed text".to_vec()),
        text_sha: Some([1; 32]),
        stored_sha: Some([2; 32]),
        stored_link: Some([8; 32]),
        record_asked: true,
        mirror: true,
        meeting: true,
        record: Some(vec![0, 1, 2]),
        record_sha: Some([3; 32]),
        record_meeting: true,
        mailbox: Some("tenant/object".into()),
        made_for: Some("change-1".into()),
        stored_from: Some(5),
        objects: vec!["/a/b c.ics".into(), "/ü\"'.ics".into()],
        history: "seen-alone".into(),
        gone_at: Some(-1),
        state: "pending".into(),
        reason: Some("reason".into()),
        message: Some("Message.".into()),
        view: Some(vec![9; 10_000]),
        attempts: 3,
        due_at: Some(1_000),
        parked: Some("connection".into()),
        first_start: Some(-86_400_000),
        last_end: Some(i64::MAX),
        calendar: Some("/ü/work/".into()),
        unconfirmed: true,
        ..EventRow::new(account, uid, 42)
    }
}

fn proposal(change: &str, account: &str, uid: &str, created_at: i64) -> ProposalRow {
    ProposalRow {
        change: change.into(),
        account: account.into(),
        uid: uid.into(),
        object: Some("/x.ics".into()),
        calendar: Some("/".into()),
        text: vec![1, 2],
        text_sha: [4; 32],
        original_sha: [5; 32],
        answered_sha: [6; 32],
        answered_link: Some([7; 32]),
        original_link: None,
        mirror: true,
        meeting: false,
        link_needed: true,
        has_guests: false,
        import: true,
        draft: false,
        draft_of: Some("draft".into()),
        reason: None,
        rejected: Some("No.".into()),
        first_start: None,
        last_end: Some(3),
        created_at,
    }
}

fn account(address: &str) -> AccountRow {
    AccountRow {
        address: address.into(),
        further_addresses: vec![format!("second-{address}")],
        display_name: Some("Name".into()),
        time_zone: Some("Europe/Berlin".into()),
        language: Some("de".into()),
        class: Some("staff".into()),
        on: true,
        created_at: 1,
        turned_on_at: Some(3),
        older_events: Some(12),
        older_wanted: true,
        last_remote: Some("x@contoso.example".into()),
    }
}

fn connection(account: &str) -> ConnectionRow {
    ConnectionRow {
        account: account.into(),
        connector: "connector".into(),
        tenant: "tenant".into(),
        object: "object".into(),
        remote_address: "x@contoso.example".into(),
        tokens: vec![7; 4_000],
        version: 9,
        dead: Some("invalid_grant".into()),
        dead_message: Some("Sign in.".into()),
        since: 2,
        facts: Some(vec![1]),
        facts_code: Some("ready".into()),
        facts_message: Some("Teams.".into()),
        facts_at: Some(3),
        facts_until: Some(4),
        facts_events: Some(true),
        facts_meetings: Some(false),
        leaving_since: Some(8),
    }
}

fn offer(account: &str, uid: &str) -> OfferRow {
    OfferRow { number: 0, account: account.into(), uid: uid.into(), text: vec![8], base_sha: [9; 32], created_at: 5 }
}

fn once(key: u8, account: &str) -> OnceRow {
    OnceRow { kind: "ticket".into(), key: [key; 32], account: account.into(), value: vec![1], expires_at: 10 }
}

fn rows_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (full, bare) = (event("a@x.example", "uid\u{1}/ü"), EventRow::new("a@x.example", "bare", 1));
    let proposed = proposal("change-1", "a@x.example", "bare", 1);
    let connector = ConnectorRow {
        id: "connector".into(),
        name: "teams".into(),
        enabled: true,
        authorize_url: "https://login.example/authorize".into(),
        token_url: "https://login.example/token".into(),
        services: vec![("graph".into(), "https://graph.example/v1.0".into())],
        redirect_url: "https://x.example/api/v1/oauth/access".into(),
        scopes: "openid".into(),
        client_id: Some("client".into()),
        secret: Some(vec![1]),
        proxy: Some("http://proxy.example:3128".into()),
        ca_file: Some("/ca.pem".into()),
        dead: Some("AADSTS7000222".into()),
        dead_message: Some("Expired.".into()),
    };
    let hook =
        HookSecretRow { name: "radicale".into(), digest: [3; 32], domains: vec!["x.example".into()], created_at: 6 };
    transact(store, |tx| {
        tx.put_event(&full)?;
        tx.put_event(&EventRow { generation: 1, ..full.clone() })?;
        tx.put_event(&full)?;
        tx.put_event(&bare)?;
        tx.put_proposal(&proposed)?;
        tx.put_account(&account("a@x.example"))?;
        tx.put_connection(&connection("a@x.example"))?;
        tx.put_connector(&connector)?;
        tx.put_hook_secret(&hook)?;
        tx.put_meta("name", "value")
    })
    .unwrap();
    read(store, |tx| {
        assert_eq!(tx.event("a@x.example", "uid\u{1}/ü")?.as_ref(), Some(&full));
        assert_eq!(tx.event("a@x.example", "bare")?.as_ref(), Some(&bare));
        assert_eq!(tx.event("a@x.example", "BARE")?, None);
        assert_eq!(tx.proposal("change-1")?.as_ref(), Some(&proposed));
        assert_eq!(tx.account("a@x.example")?, Some(account("a@x.example")));
        assert_eq!(tx.connection("a@x.example")?, Some(connection("a@x.example")));
        assert_eq!(tx.accounts_of_mailbox("tenant", "object")?, ["a@x.example"]);
        assert_eq!(tx.connectors()?, vec![connector.clone()]);
        assert_eq!(tx.hook_secrets()?, vec![hook.clone()]);
        assert_eq!(tx.meta("name")?.as_deref(), Some("value"));
        assert_eq!(tx.meta("other")?, None);
        Ok(())
    })
    .unwrap();
    transact(store, |tx| {
        tx.remove_event("a@x.example", "bare")?;
        assert_eq!(tx.proposal("change-1")?, None, "an event's proposals go with it");
        tx.remove_connector("connector")?;
        assert!(tx.connectors()?.is_empty());
        assert!(tx.remove_hook_secret("radicale")?);
        assert!(!tx.remove_hook_secret("radicale")?);
        tx.remove_connection("a@x.example")?;
        assert_eq!(tx.connection("a@x.example")?, None);
        let closed = ClosedRow {
            change: "closed".into(),
            account: "a@x.example".into(),
            uid: "bare".into(),
            result: "stored".into(),
            closed_at: 7,
        };
        tx.put_closed(&closed)?;
        assert_eq!(tx.closed("closed")?, Some(closed));
        tx.expire_closed(8)?;
        assert_eq!(tx.closed("closed")?, None);
        tx.put_proposal(&proposal("late", "a@x.example", "bare", 2))?;
        tx.put_proposal(&proposal("early", "a@x.example", "bare", 1))?;
        let order: Vec<_> = tx.proposals("a@x.example", "bare")?.into_iter().map(|p| p.change).collect();
        assert_eq!(order, ["early", "late"]);
        tx.remove_proposal("early")?;
        assert_eq!(tx.proposals("a@x.example", "bare")?.len(), 1);
        Ok(())
    })
    .unwrap();
    store.check().unwrap();
}

fn a_failed_body_leaves_nothing(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let outcome = store.transact(&mut |tx| {
        tx.put_event(&event("a@x.example", "1"))?;
        Err(StoreError::Undone("no".into()))
    });
    assert!(matches!(outcome, Err(StoreError::Undone(_))));
    let found = read(store, |tx| tx.event("a@x.example", "1")).unwrap();
    assert_eq!(found, None);
    assert!(store.read(&mut |tx| tx.put_meta("x", "y")).is_err(), "a read cannot write");
    assert_eq!(read(store, |tx| tx.meta("x")).unwrap(), None);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = store.transact(&mut |tx| {
            tx.put_meta("x", "y").unwrap();
            panic!("on purpose");
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(read(store, |tx| tx.meta("x")).unwrap(), None);
    transact(store, |tx| tx.put_meta("x", "z")).unwrap();
}

fn due_rows_come_in_order_and_capped(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let row = |account: &str, uid: &str, due_at, first_start| EventRow {
        due_at,
        first_start,
        ..EventRow::new(account, uid, 0)
    };
    transact(store, |tx| {
        tx.put_event(&row("a@x.example", "late", Some(10), Some(300)))?;
        tx.put_event(&row("a@x.example", "soon", Some(20), Some(100)))?;
        tx.put_event(&row("a@x.example", "none", Some(30), None))?;
        tx.put_event(&row("b@x.example", "mid", Some(5), Some(200)))?;
        tx.put_event(&row("b@x.example", "future", Some(1_000), None))?;
        tx.put_event(&row("b@x.example", "idle", None, None))
    })
    .unwrap();
    let due = |now, limit, cap| {
        let rows = read(store, |tx| tx.due_events(now, limit, cap)).unwrap();
        rows.into_iter().map(|(_, uid)| uid).collect::<Vec<_>>()
    };
    assert_eq!(due(100, 10, 10), ["none", "soon", "mid", "late"]);
    assert_eq!(due(100, 10, 2), ["none", "soon", "mid"]);
    assert_eq!(due(100, 2, 10), ["none", "soon"]);
    assert_eq!(due(4, 10, 10), Vec::<String>::new());
    assert_eq!(due(1_000, 10, 10).len(), 5);
    assert_eq!(read(store, |tx| tx.next_due()).unwrap(), Some(5));
}

fn one_account_never_starves_another(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    transact(store, |tx| {
        for n in 0..5_000 {
            let uid = format!("{n}");
            tx.put_event(&EventRow { due_at: Some(n), ..EventRow::new("big@x.example", &uid, 0) })?;
        }
        tx.put_event(&EventRow { due_at: Some(9_000), ..EventRow::new("a@x.example", "1", 0) })?;
        tx.put_event(&EventRow { due_at: Some(9_001), ..EventRow::new("z@x.example", "1", 0) })?;
        tx.put_event(&EventRow { due_at: Some(99_000), ..EventRow::new("y@x.example", "1", 0) })
    })
    .unwrap();
    let due = read(store, |tx| tx.due_events(10_000, 100, 4)).unwrap();
    assert_eq!(due.iter().filter(|(account, _)| account == "big@x.example").count(), 4);
    assert!(due.contains(&("a@x.example".into(), "1".into())));
    assert!(due.contains(&("z@x.example".into(), "1".into())));
    assert_eq!(due.len(), 6);
}

fn parked_rows_come_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let row = |account: &str, uid: &str, why: &str| EventRow {
        due_at: None,
        parked: Some(why.into()),
        ..EventRow::new(account, uid, 0)
    };
    let (one, all, again) = transact(store, |tx| {
        tx.put_event(&row("a@x.example", "1", "connection"))?;
        tx.put_event(&row("a@x.example", "2", "policy"))?;
        tx.put_event(&row("b@x.example", "1", "connection"))?;
        tx.put_event(&row("c@x.example", "1", "connection"))?;
        Ok((
            tx.unpark(Some("a@x.example"), "connection", 50)?,
            tx.unpark(None, "connection", 60)?,
            tx.unpark(None, "connection", 70)?,
        ))
    })
    .unwrap();
    assert_eq!((one, all, again), (1, 2, 0));
    let releases = |why: &str| read(store, |tx| tx.releases(why)).unwrap();
    assert_eq!((releases("connection"), releases("policy")), (3, 0));
    let first = read(store, |tx| tx.event("a@x.example", "1")).unwrap().unwrap();
    assert_eq!((first.due_at, first.parked), (Some(50), None));
    let other = read(store, |tx| tx.event("a@x.example", "2")).unwrap().unwrap();
    assert_eq!((other.due_at, other.parked.as_deref()), (None, Some("policy")));
}

fn offers_count_up_for_ever(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (first, second) = transact(store, |tx| {
        Ok((tx.put_offer(&offer("a@x.example", "1"))?, tx.put_offer(&offer("a@x.example", "2"))?))
    })
    .unwrap();
    assert!(second > first);
    let replaced = transact(store, |tx| tx.put_offer(&offer("a@x.example", "1"))).unwrap();
    assert!(replaced > second);
    transact(store, |tx| {
        tx.remove_offer("a@x.example", "1")?;
        tx.remove_offer("a@x.example", "2")
    })
    .unwrap();
    let third = transact(store, |tx| tx.put_offer(&offer("a@x.example", "3"))).unwrap();
    assert!(third > replaced, "a number is never given twice");
    let found = read(store, |tx| tx.offers(replaced, 10)).unwrap();
    assert_eq!(found, vec![OfferRow { number: third, ..offer("a@x.example", "3") }]);
    assert!(read(store, |tx| tx.offers(third, 10)).unwrap().is_empty());
}

fn what_can_be_used_once_is_used_once(store: &Arc<dyn Store>) {
    transact(store.as_ref(), |tx| tx.put_once(&once(1, "a@x.example"))).unwrap();
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                if transact(store.as_ref(), |tx| tx.take_once("ticket", &[1; 32])).unwrap().is_some() {
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    transact(store.as_ref(), |tx| {
        tx.put_once(&once(2, "a@x.example"))?;
        assert_eq!(tx.take_once("sign-in", &[2; 32])?, None, "the kind is part of the key");
        assert_eq!(tx.once("sign-in", &[2; 32])?, None);
        assert_eq!(tx.once("ticket", &[2; 32])?, Some(once(2, "a@x.example")), "looking does not take");
        tx.expire_once(10)?;
        assert_eq!(tx.take_once("ticket", &[2; 32])?, Some(once(2, "a@x.example")));
        tx.put_once(&once(2, "a@x.example"))?;
        tx.expire_once(11)?;
        assert_eq!(tx.take_once("ticket", &[2; 32])?, None);
        for row in [once(3, "a@x.example"), once(4, "b@x.example")] {
            tx.put_once(&row)?;
            tx.put_once(&OnceRow { kind: "sign-in".into(), ..row.clone() })?;
            tx.put_once(&OnceRow { kind: "session".into(), ..row })?;
        }
        tx.end_once("a@x.example", &["ticket", "sign-in"])?;
        for (key, kind, stays) in [
            (3, "ticket", false),
            (3, "sign-in", false),
            (3, "session", true),
            (4, "ticket", true),
            (4, "sign-in", true),
        ] {
            assert_eq!(tx.once(kind, &[key; 32])?.is_some(), stays, "{kind} {key}");
        }
        Ok(())
    })
    .unwrap();
}

fn belongings(store: &dyn Store, who: &str) -> Vec<bool> {
    transact(store, |tx| {
        let ticket = tx.take_once("ticket", &[5; 32])?;
        if let Some(ticket) = &ticket {
            tx.put_once(ticket)?;
        }
        Ok(vec![
            tx.account(who)?.is_some(),
            tx.connection(who)?.is_some(),
            tx.event(who, "1")?.is_some(),
            !tx.proposals(who, "1")?.is_empty(),
            tx.offers(0, 10)?.iter().any(|o| o.account == who),
            ticket.is_some_and(|t| t.account == who),
            tx.settings(Some(who))?.iter().any(|s| s.scope == Scope::Account(who.into())),
            tx.policy()?.iter().any(|p| p.scope == Scope::Account(who.into())),
            tx.settings(Some(who))?.iter().any(|s| s.scope == Scope::Own(who.into())),
            tx.calendar(who, "/")?.is_some(),
        ])
    })
    .unwrap()
}

fn furnish(store: &dyn Store, who: &str) {
    transact(store, |tx| {
        tx.put_account(&account(who))?;
        tx.put_connection(&connection(who))?;
        tx.put_event(&event(who, "1"))?;
        tx.put_proposal(&proposal("p", who, "1", 1))?;
        tx.put_offer(&offer(who, "1"))?;
        tx.put_once(&once(5, who))?;
        tx.put_setting(&Scope::Account(who.into()), "mirror", Some("all-events"))?;
        tx.put_setting(&Scope::Own(who.into()), "mirror", Some("teams-events"))?;
        tx.put_calendar(&calendar(who, "/", None))?;
        tx.put_policy(&Scope::Account(who.into()), Some(true))
    })
    .unwrap();
}

fn a_removed_account_leaves_nothing(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    transact(store, |tx| tx.put_account(&account("b@x.example"))).unwrap();
    furnish(store, "a@x.example");
    assert_eq!(belongings(store, "a@x.example"), [true; 10]);
    transact(store, |tx| tx.remove_account("a@x.example")).unwrap();
    assert_eq!(belongings(store, "a@x.example"), [false; 10]);
    assert!(read(store, |tx| tx.account("b@x.example")).unwrap().is_some());
}

fn a_renamed_account_takes_all_with_it(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    furnish(store, "a@x.example");
    transact(store, |tx| tx.put_account(&account("taken@x.example"))).unwrap();
    let refused = transact(store, |tx| tx.rename_account("a@x.example", "taken@x.example"));
    assert!(matches!(refused, Err(StoreError::Undone(_))));
    transact(store, |tx| tx.rename_account("a@x.example", "new@x.example")).unwrap();
    assert_eq!(belongings(store, "a@x.example"), [false; 10]);
    assert_eq!(belongings(store, "new@x.example"), [true; 10]);
}

fn settings_and_policy_are_set_and_unset(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (domain, who) = (Scope::Domain("x.example".into()), Scope::Account("a@x.example".into()));
    let (class, own, other) =
        (Scope::Class("staff".into()), Scope::Own("a@x.example".into()), "b@x.example".to_owned());
    transact(store, |tx| {
        tx.put_setting(&own, "mirror", Some("teams-events"))?;
        tx.put_setting(&Scope::Own(other.clone()), "mirror", Some("teams-events"))?;
        for scope in [&Scope::Server, &domain, &class, &who, &Scope::Account(other.clone())] {
            tx.put_setting(scope, "mirror", Some("first"))?;
            tx.put_setting(scope, "mirror", Some("all-events"))?;
            tx.put_policy(scope, Some(false))?;
        }
        tx.put_policy(&domain, Some(true))?;
        tx.put_policy(&who, None)
    })
    .unwrap();
    let of_nobody = read(store, |tx| tx.settings(None)).unwrap();
    assert_eq!(of_nobody.len(), 3);
    let of_a = read(store, |tx| tx.settings(Some("a@x.example"))).unwrap();
    assert!(of_a.contains(&SettingRow { scope: who.clone(), name: "mirror".into(), value: "all-events".into() }));
    assert!(of_a.contains(&SettingRow { scope: own, name: "mirror".into(), value: "teams-events".into() }));
    assert_eq!(of_a.len(), 5, "another account's are not given");
    let policy = read(store, |tx| tx.policy()).unwrap();
    assert_eq!(policy.len(), 4);
    assert!(policy.contains(&PolicyRow { scope: domain.clone(), allow: true }));
    transact(store, |tx| tx.put_setting(&who, "mirror", None)).unwrap();
    assert_eq!(read(store, |tx| tx.settings(Some("a@x.example"))).unwrap().len(), 4);
}

fn calendar(account: &str, path: &str, name: Option<&str>) -> CalendarRow {
    CalendarRow { account: account.into(), path: path.into(), name: name.map(str::to_owned) }
}

fn an_accounts_calendars_are_those_of_its_events(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (a, b) = ("a@x.example", "b@x.example");
    transact(store, |tx| {
        for (who, uid, calendar) in
            [(a, "1", Some("/w/")), (a, "2", Some("/p/")), (a, "3", Some("/w/")), (a, "4", None)]
        {
            tx.put_event(&EventRow { calendar: calendar.map(str::to_owned), ..EventRow::new(who, uid, 0) })?;
        }
        for row in [
            calendar(a, "/w/", None),
            calendar(a, "/w/", Some("Work")),
            calendar(a, "/w/", None),
            calendar(a, "/p/", None),
        ] {
            tx.put_calendar(&row)?;
        }
        tx.put_calendar(&calendar(a, "/empty/", None))?;
        tx.put_calendar(&calendar(b, "/w/", None))
    })
    .unwrap();
    let of = |who: &str, limit| read(store, |tx| tx.calendars(who, limit)).unwrap();
    assert_eq!(of(a, 10), [calendar(a, "/p/", None), calendar(a, "/w/", Some("Work"))]);
    assert_eq!(of(a, 1).len(), 1);
    assert!(of(b, 10).is_empty());
    let one = |path: &str| read(store, |tx| tx.calendar(a, path)).unwrap();
    assert_eq!((one("/empty/"), one("/x/")), (Some(calendar(a, "/empty/", None)), None));
}

fn lists_are_paged_and_filtered(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    transact(store, |tx| {
        for (n, state) in ["pending", "mirrored", "pending"].into_iter().enumerate() {
            for who in ["a@x.example", "b@x.example"] {
                let mut row = EventRow::new(who, &n.to_string(), n as i64);
                row.state = state.into();
                tx.put_event(&row)?;
            }
        }
        for who in ["a@x.example", "b@x.example", "c@x.example"] {
            tx.put_account(&account(who))?;
        }
        Ok(())
    })
    .unwrap();
    let uids = |account, state, limit| {
        let rows = read(store, |tx| tx.list_events(account, state, limit)).unwrap();
        rows.into_iter().map(|r| r.uid).collect::<Vec<_>>()
    };
    assert_eq!(uids(Some("a@x.example"), None, 10), ["2", "1", "0"]);
    assert_eq!(uids(Some("a@x.example"), Some("pending"), 10), ["2", "0"]);
    assert_eq!(uids(None, Some("mirrored"), 10), ["1", "1"]);
    assert_eq!(uids(None, None, 3), ["2", "2", "1"]);
    assert_eq!(read(store, |tx| tx.count_events()).unwrap(), [("mirrored".to_string(), 2), ("pending".to_string(), 4)]);
    let page = read(store, |tx| tx.list_accounts("a@x.example", 1)).unwrap();
    assert_eq!(page, [account("b@x.example")]);
}

fn what_is_mirrored_ahead_is_found(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let with = |uid: &str, last_end, record: Option<Vec<u8>>, state: &str| EventRow {
        last_end,
        record,
        state: state.into(),
        ..event("a@x.example", uid)
    };
    transact(store, |tx| {
        tx.put_event(&with("ahead", Some(11), Some(vec![1]), "mirrored"))?;
        tx.put_event(&with("endless", None, Some(vec![1]), "pending"))?;
        tx.put_event(&with("over", Some(10), Some(vec![1]), "mirrored"))?;
        tx.put_event(&with("nothing there", Some(11), None, "pending"))?;
        tx.put_event(&with("removed there", Some(11), Some(vec![1]), "removed"))?;
        tx.put_event(&EventRow {
            account: "b@x.example".into(),
            ..with("another's", None, Some(vec![1]), "mirrored")
        })?;
        tx.put_connection(&connection("a@x.example"))?;
        tx.put_connection(&ConnectionRow { leaving_since: Some(3), ..connection("b@x.example") })?;
        tx.put_connection(&ConnectionRow { leaving_since: None, ..connection("c@x.example") })
    })
    .unwrap();
    let found = read(store, |tx| tx.mirrored_ahead("a@x.example", 10)).unwrap();
    let mailbox = Some("tenant/object".to_owned());
    assert_eq!(found, [("ahead".to_owned(), mailbox.clone()), ("endless".to_owned(), mailbox)]);
    assert_eq!(read(store, |tx| tx.leaving()).unwrap(), ["b@x.example", "a@x.example"]);
}

fn what_was_told_is_listed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let row = |uid: &str, desired, gone_at, unconfirmed| EventRow {
        desired,
        gone_at,
        unconfirmed,
        ..event("a@x.example", uid)
    };
    let (two, count) = transact(store, |tx| {
        for (uid, desired, gone_at, unconfirmed) in [
            ("1", Desired::Stored, None, false),
            ("2", Desired::Stored, None, true),
            ("3", Desired::Stored, Some(9), false),
            ("4", Desired::Gone, None, false),
            ("5", Desired::Unstored, None, false),
            ("6", Desired::Stored, None, false),
        ] {
            tx.put_event(&row(uid, desired, gone_at, unconfirmed))?;
        }
        tx.put_event(&row("2", Desired::Stored, None, true))?;
        tx.put_event(&event("b@x.example", "1"))?;
        Ok((tx.told_events("a@x.example", "", 2, false)?, tx.count_unconfirmed("a@x.example")?))
    })
    .unwrap();
    let uids = |rows: &[ToldRow]| rows.iter().map(|row| row.uid.clone()).collect::<Vec<_>>();
    assert_eq!((uids(&two), count), (vec!["1".to_owned(), "2".to_owned()], 1));
    let first = two.first().unwrap();
    assert_eq!(first.objects, event("a@x.example", "1").objects);
    assert_eq!((first.stored_sha, first.last_end, first.unconfirmed), (Some([2; 32]), Some(i64::MAX), false));
    let rest = read(store, |tx| tx.told_events("a@x.example", "2", 10, false)).unwrap();
    assert_eq!(uids(&rest), ["6"]);
    let unconfirmed = read(store, |tx| tx.told_events("a@x.example", "", 10, true)).unwrap();
    assert_eq!(uids(&unconfirmed), ["2"]);
}

fn connected_accounts_are_paged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let page = transact(store, |tx| {
        for name in ["c@x.example", "a@x.example", "b@x.example"] {
            tx.put_account(&account(name))?;
            tx.put_connection(&connection(name))?;
        }
        tx.put_account(&account("d@x.example"))?;
        Ok((tx.connected_accounts("", 2)?, tx.connected_accounts("b@x.example", 2)?))
    })
    .unwrap();
    assert_eq!(page.0, ["a@x.example", "b@x.example"]);
    assert_eq!(page.1, ["c@x.example"]);
}
