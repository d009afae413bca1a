//! The door by which commands ask: for whoever knows the token, and nobody else.

use crate::client::Request;
use crate::site::Site;

#[test]
fn without_the_token_there_is_no_answer() {
    let site = Site::new();
    let up = site.detach("--verbose");
    let token = site.state()["token"].as_str().unwrap().to_owned();
    let paths = [Request::get("/_x402/api/instance"), Request::new("POST", "/_x402/api/reload")];
    for request in paths {
        let wrong = [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Bearer 0"), Some("Basic x")].into_iter();
        let nearly = [format!("bearer x{token}"), format!("Bearer {token}0"), token.clone()];
        for said in wrong.chain(nearly.iter().map(|said| Some(said.as_str()))) {
            let request = said.into_iter().fold(request.clone(), |all, said| all.header("Authorization", said));
            let answer = up.send(&request.header("Host", up.address.to_string()));
            answer.assert_status(401);
            assert!(answer.text().contains("\"code\":\"token_required\""), "{answer:?}");
            assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
            assert!(!answer.text().contains(&token));
        }
        let knowing = request.header("Authorization", format!("Bearer {token}"));
        // Not even with the token, from a page of others.
        up.send(&knowing.clone().header("Origin", "http://evil.test")).assert_status(403);
        let right = up.send(&knowing);
        right.assert_status(200);
        assert!(!right.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{right:?}");
    }
    // Not even a preflight request is answered for others.
    let preflight = Request::new("OPTIONS", "/_x402/api/instance")
        .header("Origin", "http://evil.test")
        .header("Access-Control-Request-Method", "GET");
    let answer = up.send(&preflight);
    assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{answer:?}");
    for line in ["status", "status --json", "list --json", "env", "env --shell json", "logs -n 10000", "reload --json"]
    {
        let run = site.mock(line);
        assert!(!run.out.contains(&token) && !run.err.contains(&token), "{line}: {run:?}");
    }
    assert!(!std::fs::read_to_string(site.log_file()).unwrap().contains(&token));
    let fresh = site.mock("restart --json").assert(0).up();
    assert_ne!(site.state()["token"].as_str().unwrap(), token, "each server has a token of its own");
    fresh.assert_serves();
}
