//! A claim beside the state of the chain. Costly facts are computed once, when they are first asked for.

use std::cell::OnceCell;

use x402_wire::json::Json;

use super::claim::Claim;
use crate::catalog::Token;
use crate::chain::Chain;
use crate::networks::eip155::chain::{
    Code, NO_SUCH_FUNCTION, Revert, Signatures, TransferWithAuthorization, code_at, execute,
};
use crate::networks::eip155::eip712::Domain;
use crate::networks::eip155::signature::{Ecdsa, Recovered, Signature};
use crate::networks::{Network, eip155};
use crate::registry::Version;

/// What a check may look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// What payer and resource say.
    pub claim: Claim<'a>,
    /// The state of the chain.
    pub chain: &'a Chain,
    /// What stands at the asset's address.
    pub code: Code<'a>,
    /// The clock, in seconds.
    pub now: u64,
    /// Whether signatures are looked at.
    pub signatures: Signatures,
    recovered: OnceCell<Option<Recovered>>,
}

impl<'a> Case<'a> {
    /// A claim beside a state of the chain at a second.
    pub fn new(claim: Claim<'a>, chain: &'a Chain, now: u64, signatures: Signatures) -> Self {
        let network = chain.catalog.network(claim.version, claim.asked.network);
        let code_on = |network: &Network| code_at(&chain.catalog, &network.id, claim.asked.asset);
        let code = network.map_or(Code::Nothing, code_on);
        Self { claim, chain, code, now, signatures, recovered: OnceCell::new() }
    }

    /// The token at the asset's address, if there is one.
    pub const fn token(&self) -> Option<&'a Token> {
        match self.code {
            Code::Token(token) => Some(token),
            Code::Nothing | Code::Other => None,
        }
    }

    /// What stands at the payer's address.
    pub fn payer_code(&self) -> Code<'a> {
        let network = self.chain.catalog.network(self.claim.version, self.claim.asked.network);
        let from = self.claim.authorization.from;
        network.map_or(Code::Nothing, |network| code_at(&self.chain.catalog, &network.id, from))
    }

    /// The chain that the requirements name.
    pub fn chain_id(&self) -> Option<u64> {
        match self.claim.version {
            Version::V1 => eip155::assets::v1_chain_id(self.claim.accepted_network)
                .or_else(|| self.chain.catalog.network(Version::V1, self.claim.accepted_network)?.chain_id()),
            Version::V2 => eip155::chain_id(self.claim.asked.network),
        }
    }

    /// The domain that the requirements give, where it can be one.
    pub fn domain(&self) -> Option<Domain<'_>> {
        let name = self.claim.asked.name.and_then(Json::as_str)?;
        let version = self.claim.asked.domain_version.and_then(Json::as_str)?;
        Some(Domain { name, version, chain_id: self.chain_id()?, contract: self.claim.asked.asset })
    }

    /// The signature, if it is one of an account without code.
    pub const fn ecdsa(&self) -> Option<&Ecdsa> {
        match &self.claim.signature {
            Signature::Ecdsa(ecdsa) => Some(ecdsa),
            _ => None,
        }
    }

    /// Whose signature it is, under the requirements' domain. Recovered once.
    pub fn recovered(&self) -> Option<Recovered> {
        *self.recovered.get_or_init(|| {
            let ecdsa = self.ecdsa()?;
            let domain = self.domain()?;
            let separator = match self.token() {
                Some(token) if token.is_domain(&domain) => token.separator,
                _ => domain.separator(),
            };
            let authorization = self.claim.authorization;
            let signer = ecdsa.recover(authorization.digest(separator));
            Some(Recovered { separator, authorization, signer })
        })
    }

    /// What the transfer would do now; `None` where nothing stands at the asset's address that could be called.
    pub fn simulate(&self) -> Option<Result<(), Revert>> {
        let (token, signature) = match (self.code, self.call_signature()) {
            (Code::Nothing, _) => return None,
            (Code::Token(token), Some(signature)) => (token, signature),
            (Code::Token(_) | Code::Other, _) => return Some(Err(Revert(NO_SUCH_FUNCTION))),
        };
        let recovered = self.recovered.get().copied().flatten();
        let authorization = self.claim.authorization;
        let call = TransferWithAuthorization { token, authorization, signature, recovered };
        Some(execute(&call, &self.chain.view, self.now, self.signatures).map(|_| ()))
    }

    /// The signature to call the token with. A trusted one may have any form.
    pub fn call_signature(&self) -> Option<Ecdsa> {
        match self.signatures {
            Signatures::Checked => self.ecdsa().copied(),
            Signatures::Trusted => Some(self.ecdsa().copied().unwrap_or(Ecdsa { compact: [0; 64], v: 27 })),
        }
    }
}

impl Token {
    /// Whether a domain is this token's own.
    pub fn is_domain(&self, domain: &Domain<'_>) -> bool {
        let own = (self.asset.name.as_str(), self.asset.version.as_str(), self.chain_id, self.contract);
        own == (domain.name, domain.version, domain.chain_id, domain.contract)
    }
}
