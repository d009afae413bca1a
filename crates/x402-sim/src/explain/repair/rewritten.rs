//! Signatures that are badly written: mended as they were sent, so that what else is wrong with them is found as well.

use alloy_primitives::U256;

use super::{Candidate, parts, spelling, token};
use crate::explain::finding::Finding;
use crate::explain::judge::{Attempt, Bench, Signed, without_guess};
use crate::networks::eip155::signature::{Ecdsa, Signature};
use crate::reason::Code;

/// Forms whose bytes are certain: whatever was signed, they say which signature was meant.
const CERTAIN: [&str; 2] = ["signature_encoding", "hex_prefix"];

/// Of the mended payments the one that verification or the search carries on with. A signature that fits nothing even when it is
/// well written is another mistake, which signing again would hide.
pub(super) fn gone_on(
    bench: &Bench,
    all: Vec<Candidate>,
    search: impl Fn(&Attempt) -> Vec<Candidate>,
) -> Vec<Candidate> {
    let of_signature = |own: &Candidate| {
        let failed = bench.judge(&own.next).err()?;
        let is_sent = own.next.signed == Signed::AsSent;
        (is_sent && matches!(failed.code, Code::Signature | Code::Permit2Signature)).then_some(failed)
    };
    let failed: Vec<_> = all.iter().map(of_signature).collect();
    let is_good = |(own, failed): (&Candidate, &Option<_>)| own.next.signed == Signed::AsSent && failed.is_none();
    if all.iter().zip(&failed).any(is_good) {
        return all;
    }
    let is_certain = |own: &Candidate| own.finding.as_ref().is_some_and(|finding| CERTAIN.contains(&finding.id));
    let sent = || all.iter().zip(&failed).filter_map(|(own, failed)| Some((own, failed.as_ref()?)));
    let deeper = sent().find(|(own, _)| search(&own.next).iter().any(|next| next.sure.is_some()));
    let Some((own, failed)) = deeper.or_else(|| sent().next().filter(|(own, _)| is_certain(own))) else { return all };
    let proof = format!("{}: verify goes on, to {}", own.how, without_guess(&failed.detail));
    vec![Candidate { sure: Some(proof), ..own.clone() }]
}

/// A signature whose last byte is no recovery id: v may stand first, or the chain id be in it.
pub(super) fn no_recovery_id(
    attempt: &Attempt,
    sent: &Ecdsa,
    fits: impl Fn(&Attempt, &Ecdsa) -> bool,
) -> Vec<Candidate> {
    let first = sent.compact[0];
    let is_first = matches!(first, 0 | 1 | 27 | 28);
    let mut seen = format!("its last byte, v, is {}, which is no recovery id", sent.v);
    let mut all = Vec::new();
    if is_first {
        for meant in parts::meant(sent).into_iter().filter(|own| own.seen.starts_with("its parts stand as v")) {
            let mut mended = spelling::mends(meant.id, &meant.seen, attempt, &[meant.ecdsa], &fits);
            all.extend(mended.drain(..1));
        }
        seen = format!("{seen}; its first byte is {first}: v may stand in front");
    }
    let mended = [27, 28].map(|v| Ecdsa { v, ..*sent });
    let fix = if sent.v >= 35 {
        "Send 27 or 28 as the last byte: v with the chain id in it (EIP-155) is for transactions alone."
    } else {
        "Send r, s and v as the signing function gives them: the last byte is 27 or 28."
    };
    for mut own in spelling::mends("signature_v", &seen, attempt, &mended, &fits) {
        own.finding = own.finding.map(|finding| Finding { fix: fix.to_owned(), ..finding });
        all.push(own);
    }
    all
}

/// Forms of the signature that contracts refuse, beside another mistake whose mend needs a new signature.
pub(in crate::explain) fn beside(attempt: &Attempt, found: &[Finding]) -> Vec<Finding> {
    let is_of_form = |own: &Finding| own.id.starts_with("signature_");
    let is_signed = ["authorization", "permit2Authorization"]
        .iter()
        .any(|part| attempt.payload.pointer(&format!("/payload/{part}")).is_some());
    if !is_signed || found.is_empty() || !found.iter().all(Finding::is_proven) || found.iter().any(is_of_form) {
        return Vec::new();
    }
    let of = |attempt: &Attempt| match attempt.paid("/payload/signature").map(Signature::parse) {
        Some(Signature::Ecdsa(ecdsa)) => ecdsa.recover(U256::ONE.into()),
        _ => None,
    };
    let all = token::form(attempt).into_iter().filter(|own| of(&own.next).is_some() && of(&own.next) == of(attempt));
    let proven = all.filter_map(|own| {
        let proof = format!("{}, it recovers to the same signer; contracts take it in no other form", own.how);
        own.finding.map(|finding| finding.proven(proof))
    });
    proven.collect()
}
