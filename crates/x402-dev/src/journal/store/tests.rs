//! The directory of purchases: taken up, read beside, finished, closed.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::journal::{Ending, random_id};

fn entry() -> Entry {
    Entry {
        form: FORM,
        id: random_id().unwrap(),
        began: 1,
        errand: Errand {
            method: "POST".to_owned(),
            url: "http://a.test/".to_owned(),
            headers: vec![("authorization".to_owned(), "secret".to_owned())],
            body: Some(4),
            asked: None,
        },
        authorizations: Vec::new(),
        ending: None,
        standing: None,
    }
}

#[test]
fn a_purchase_waits_until_somebody_takes_it_up_and_ends_as_a_line() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::new(home.path());
    assert!(journal.open_purchases().unwrap().is_empty() && journal.history(9).unwrap().is_empty());
    let page = journal.shelf().unwrap().open(entry(), Some(b"body")).unwrap();
    let id = page.entry.id.clone();
    assert_eq!(journal.open_purchases().unwrap()[0].id, id, "it is open, although somebody works on it");
    assert!(matches!(journal.resume(&id), Err(JournalError::Busy { .. })));
    drop(page);
    assert_eq!(journal.open_purchases().unwrap().len(), 1);
    let (mut page, body) = journal.resume(&id).unwrap();
    assert_eq!(body.as_deref(), Some(&b"body"[..]));
    page.entry.ending = Some(Ending::Refused);
    page.close().unwrap();
    assert!(matches!(journal.resume(&id), Err(JournalError::Unknown { .. })));
    let text = fs::read_to_string(home.path().join("purchases").join(HISTORY)).unwrap();
    assert!(text.contains(&id) && !text.contains("secret"), "{text}");
    assert_eq!(journal.history(9).unwrap()[0].ending, Some(Ending::Refused));
}

#[test]
fn an_end_that_was_cut_short_is_finished_by_whoever_looks() {
    // Killed after the end was written, in the middle of the line in the history, and after that line.
    for cut in ["saved", "torn", "recorded"] {
        let home = tempfile::tempdir().unwrap();
        let journal = Journal::new(home.path());
        let mut page = journal.shelf().unwrap().open(entry(), Some(b"body")).unwrap();
        page.entry.ending = Some(Ending::Delivered);
        page.save().unwrap();
        let (id, line) = (page.entry.id.clone(), serde_json::to_string(&page.entry).unwrap());
        assert!(journal.open_purchases().unwrap().is_empty() && journal.history(9).unwrap().is_empty());
        drop(page);
        let history = match cut {
            "torn" => line[..line.len() - 1].to_owned(),
            "recorded" => format!("{line}\n"),
            _ => String::new(),
        };
        fs::write(journal.root.join(HISTORY), history).unwrap();
        assert!(journal.open_purchases().unwrap().is_empty(), "{cut}");
        let ended = journal.history(9).unwrap();
        assert_eq!(ended.iter().map(|entry| &entry.id).collect::<Vec<_>>(), [&id], "{cut}");
        assert_eq!(fs::read_dir(&journal.root).unwrap().count(), 1, "{cut}: the history alone");
    }
}

#[test]
fn who_only_reads_is_in_nobodys_way() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::new(home.path());
    let id = journal.shelf().unwrap().open(entry(), Some(b"body")).unwrap().entry.id;
    let reader = {
        let journal = journal.clone();
        std::thread::spawn(move || (0..200).all(|_| journal.open_purchases().unwrap().len() == 1))
    };
    for _ in 0..200 {
        let (page, _) = journal.resume(&id).unwrap();
        page.save().unwrap();
    }
    assert!(reader.join().unwrap());
}

#[test]
fn the_same_request_is_known_by_both_ends_of_its_redirects() {
    let at = |url: &str, asked: Option<&str>, body| Errand {
        method: if body == Some(4) { "POST".to_owned() } else { "GET".to_owned() },
        url: url.to_owned(),
        headers: Vec::new(),
        body,
        asked: asked.map(|url| crate::journal::Asked { method: "POST".to_owned(), url: url.to_owned() }),
    };
    let (body, none) = (Some(&b"body"[..]), None);
    let led = at("http://a/to", Some("http://a/from"), None);
    assert!(led.is_same(body, &at("http://a/from", None, Some(4)), body), "it is not redirected this time");
    assert!(led.is_same(body, &at("http://a/other", Some("http://a/from"), None), body), "it leads elsewhere");
    assert!(led.is_same(body, &at("http://a/to", None, None), none), "somebody asks where it leads");
    assert!(!led.is_same(body, &at("http://a/from", None, Some(4)), Some(b"more")));
    assert!(!led.is_same(body, &at("http://a/other", None, None), none));
    let kept = at("http://a/to", Some("http://a/from"), Some(4));
    assert!(kept.is_same(body, &at("http://a/to", None, Some(4)), body));
    assert!(!kept.is_same(body, &at("http://a/to", None, Some(4)), Some(b"more")));
}

#[test]
fn nobody_else_can_read_it() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::new(home.path());
    let page = journal.shelf().unwrap().open(entry(), Some(b"body")).unwrap();
    let (root, place) = (&journal.root, journal.root.join(&page.entry.id));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(root), mode(&place)], [0o700; 2]);
    assert_eq!([mode(&place.join(ENTRY)), mode(&place.join(BODY))], [0o600; 2]);
    page.close().unwrap();
    assert_eq!(mode(&root.join(HISTORY)), 0o600);
}

#[test]
fn what_is_no_entry_is_named() {
    let home = tempfile::tempdir().unwrap();
    let journal = Journal::new(home.path());
    for bad in ["", "..", "pay_", "pay_../x", "instances", "pay_0"] {
        assert!(matches!(journal.resume(bad), Err(JournalError::Unknown { .. })), "{bad}");
    }
    let place = journal.root.join("pay_1");
    fs::create_dir_all(&place).unwrap();
    assert!(journal.open_purchases().unwrap().is_empty(), "nothing was sent yet");
    fs::write(place.join(ENTRY), "{").unwrap();
    assert!(matches!(journal.open_purchases(), Err(JournalError::Strange { .. })));
    let other = Entry { form: 99, ..entry() };
    fs::write(place.join(ENTRY), serde_json::to_vec(&other).unwrap()).unwrap();
    assert!(journal.open_purchases().unwrap_err().to_string().contains("form 99"));
}
