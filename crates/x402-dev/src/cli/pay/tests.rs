//! What the words of the command line become.

use clap::Parser;

use super::words::JSON;
use super::*;
use crate::commands::pay::order::Part;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: PayArgs,
}

fn job(words: &[&str]) -> Result<Job, String> {
    let line = Line::try_parse_from(["pay"].iter().chain(words)).map_err(|error| error.to_string())?;
    line.args.try_into()
}

fn order(words: &[&str]) -> Order {
    match job(words).unwrap() {
        Job::Buy(order) => *order,
        other => panic!("{other:?}"),
    }
}

#[test]
fn json_is_a_body_or_the_form_of_the_result() {
    const URL: &str = "http://a.test/b";
    for (words, form, body) in [
        (&[URL][..], Form::Text, None),
        (&[URL, "--json"], Form::Json, None),
        (&["--json", URL], Form::Json, None),
        (&[URL, "--json", "{\"a\":1}"], Form::Text, Some("{\"a\":1}")),
        (&[URL, "--json", "[]", "--json"], Form::Json, Some("[]")),
        (&["--json", "{}", URL], Form::Text, Some("{}")),
        (&["--json={}", URL], Form::Text, Some("{}")),
    ] {
        let order = order(words);
        assert_eq!(order.output.form, form, "{words:?}");
        assert_eq!(
            order.errand.data.map(|data| (data.parts, data.kind)),
            body.map(|body| (vec![Part::of(body)], JSON)),
            "{words:?}"
        );
    }
    for (words, part) in [
        (&[URL, "--json", "nonsense"][..], "no JSON"),
        (&[URL, "--json", "{}", "--json", "{}"], "twice"),
        (&[URL, "--json", "{}", "-d", "x"], "give one"),
        (&["--json"], "what is to be bought"),
        (&[URL, "--confirm", "-d", "@-"], "stdin"),
        (&[URL, "-H", "X-PAYMENT: x"], "written by pay itself"),
        (&["a.test/b"], "write the whole address"),
        (&[URL, "--max-amount", "lots"], "no amount"),
        (&[URL, "--max-time", "soon"], "seconds"),
        (&["--resume", "pay_1", URL], "cannot be used with"),
        (&["--again", URL], "--resume"),
        (&["--resume", "--dry-run"], "cannot be used with"),
        (&["--resume", "--again", "--another"], "cannot be used with"),
        (&["--resume", "pay_1", "--json", "{}"], "a body goes with a URL"),
        (&["--list", "--json", "{}"], "a body goes with a URL"),
        (&[URL, "--repeat", "2", "-L"], "cannot be used with"),
        (&[URL, "--repeat", "2", "--retry", "1"], "cannot be used with"),
        (&[URL, "--repeat", "2", "--retry-delay", "1"], "cannot be used with"),
    ] {
        let error = job(words).unwrap_err();
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[test]
fn a_purchase_is_resumed_by_name_or_alone() {
    let resumed = |words: &[&str]| match job(words).unwrap() {
        Job::Resume(job) => (job.id, job.how),
        other => panic!("{other:?}"),
    };
    assert_eq!(resumed(&["--resume"]), (None, How::Ask));
    assert_eq!(resumed(&["--resume", "pay_1", "--again"]), (Some("pay_1".to_owned()), How::Again));
    assert_eq!(resumed(&["--resume", "--forget"]), (None, How::Forget));
    assert!(matches!(job(&["--list", "--json"]), Ok(Job::List(Form::Json))));
}
