//! Parts of a permit whose members stand beside it.

use serde_json::{Map, Value};

use super::Spot;
use crate::explain::repair::Candidate;

const PERMIT: &str = "/payload/permit2Authorization";

/// The parts of a permit, and their members.
const PARTS: [(&str, &[&str], &[&str]); 2] =
    [("permitted", &["token", "amount"], &[]), ("witness", &["to", "validAfter"], &["facilitator"])];

impl Spot<'_> {
    /// The permit with its parts, where their members stand directly in it.
    pub(super) fn flattened(&self, tree: &Value) -> Option<Candidate> {
        let own = tree.pointer(PERMIT).filter(|_| self.pointer.starts_with(PERMIT))?;
        let (mut permit, mut seen, mut names) = (own.clone(), Vec::new(), Vec::new());
        for (part, members, optional) in PARTS {
            if own.get(part).is_some() || !members.iter().all(|key| own.get(*key).is_some()) {
                continue;
            }
            let keys = members.iter().chain(optional).filter(|key| own.get(**key).is_some());
            let moved: Map<String, Value> = keys
                .clone()
                .filter_map(|key| Some(((*key).to_owned(), permit.as_object_mut()?.remove(*key)?)))
                .collect();
            let listed: Vec<String> = keys.map(|key| format!("`{key}`")).collect();
            seen.push(format!("{} stand directly in `permit2Authorization`", listed.join(", ")));
            names.push(format!("{} into `{part}`", listed.join(", ")));
            permit.as_object_mut()?.insert(part.to_owned(), moved.into());
        }
        let first = seen.first()?.clone();
        let mut finding = self.finding("misplaced_field", first);
        finding = seen.into_iter().skip(1).fold(finding, crate::explain::finding::Finding::seen);
        finding.fix = format!("Put {}, as the types of Permit2 have them.", names.join(", and "));
        finding.cause = "A permit has parts of its own: what is permitted, and the witness that binds it to the payee.";
        Some(Candidate::new(finding, self.attempt.pay(PERMIT, permit), "with the parts of a permit"))
    }
}
