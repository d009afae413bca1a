//! Who pays: a test account, or a key of one's own. Keys come from files and the environment, never from a flag.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use x402_sim::accounts::{self, TestAccount};
use x402_sim::hex;
use x402_sim::networks::Family;
use x402_sim::networks::eip155::{checksum, secp};
use x402_sim::networks::solana::{ed25519, parse_signature};

use crate::context::Context;

/// The environment variable with a key.
pub const VARIABLE: &str = "X402_DEV_KEY";

/// Where the key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A test account, by name.
    Account(TestAccount),
    /// A file.
    File(PathBuf),
    /// The environment, or else test account 0.
    Surroundings,
}

/// Who pays.
#[derive(Clone, PartialEq, Eq)]
pub enum Payer {
    /// A test account. Its key is public.
    Test(TestAccount),
    /// Somebody whose key is a secret.
    Own {
        /// The address on `eip155` networks.
        address: x402_sim::Address,
        /// The key.
        key: [u8; 32],
    },
    /// Somebody with a secret key on Solana.
    OwnSolana {
        /// The key.
        seed: [u8; 32],
    },
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What is there is no key. It is not repeated: it may be a key with a slip.
    #[error("{place} holds no key: {why}")]
    NoKey {
        /// Where.
        place: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl KeySource {
    /// The payer, and a warning that its owner should hear.
    pub fn read(&self, context: &Context) -> Result<(Payer, Option<String>), KeyError> {
        match self {
            Self::Account(account) => Ok((Payer::Test(*account), None)),
            Self::File(path) => {
                let path = context.working_dir.join(path);
                let unreadable = |source| KeyError::Unreadable { path: path.clone(), source };
                let mode = fs::metadata(&path).map_err(unreadable)?.permissions().mode();
                let text = fs::read_to_string(&path).map_err(unreadable)?;
                let warning = (mode & 0o077 != 0).then(|| open_to_others(&path));
                let place = path.display().to_string();
                parse(&text).map(|payer| (payer, warning)).map_err(|why| KeyError::NoKey { place, why })
            }
            Self::Surroundings => {
                let Some(text) = context.variable(VARIABLE) else {
                    let account = accounts::all().next().expect("there are test accounts");
                    return Ok((Payer::Test(account), None));
                };
                let wrong = |why| KeyError::NoKey { place: VARIABLE.to_owned(), why };
                parse(text).map(|payer| (payer, None)).map_err(wrong)
            }
        }
    }
}

impl Payer {
    /// The test account that it is.
    pub const fn test_account(&self) -> Option<TestAccount> {
        match self {
            Self::Test(account) => Some(*account),
            Self::Own { .. } | Self::OwnSolana { .. } => None,
        }
    }

    /// What its key signs for; `None` where it has one for each family.
    pub const fn family(&self) -> Option<Family> {
        match self {
            Self::Test(_) => None,
            Self::Own { .. } => Some(Family::Eip155),
            Self::OwnSolana { .. } => Some(Family::Solana),
        }
    }

    /// Its address, on `eip155` networks where it has one.
    pub fn address(&self) -> String {
        self.address_on(self.family().unwrap_or(Family::Eip155))
    }

    /// Its address on the networks of a family, where it has one.
    pub fn address_on(&self, family: Family) -> String {
        match self {
            Self::Test(account) => (family.row().address_of)(account).into_owned(),
            Self::Own { address, .. } => checksum(*address),
            Self::OwnSolana { seed } => ed25519::key_of(seed).to_string(),
        }
    }
}

impl fmt::Debug for Payer {
    /// Without the key.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Payer({})", self.address())
    }
}

/// 32 bytes in hexadecimal, with `0x` or without; or a key pair of Solana, as a JSON array of 64 numbers or in base58. A
/// key of a test account is that account, wherever it comes from.
fn parse(text: &str) -> Result<Payer, &'static str> {
    const FORM: &str = "a key is 64 hexadecimal digits, with or without 0x, or a Solana key pair of 64 bytes as a JSON \
                        array of numbers or in base58";
    const PAIR: &str = "the two halves of this Solana key pair do not belong together";
    if text.trim_start().starts_with('[') {
        let bytes: Option<[u8; 64]> = serde_json::from_str::<Vec<u8>>(text).ok().and_then(|own| own.try_into().ok());
        return pair(&bytes.ok_or(FORM)?).ok_or(PAIR);
    }
    let text = text.trim();
    let mut key = [0; 32];
    // First in hexadecimal: 64 digits 1 are 64 bytes in base58, too.
    if hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut key).is_err() {
        return pair(&parse_signature(text).ok_or(FORM)?).ok_or(PAIR);
    }
    let address = secp::address_of(&key).ok_or("this number is no key of the curve secp256k1")?;
    Ok(match accounts::all().find(|account| account.evm() == address) {
        Some(account) => Payer::Test(account),
        None => Payer::Own { address, key },
    })
}

/// A key pair as the tools of Solana write it: the key, and the public key that follows from it.
fn pair(bytes: &[u8; 64]) -> Option<Payer> {
    let seed: [u8; 32] = bytes[..32].try_into().ok()?;
    if ed25519::key_of(&seed).0 != bytes[32..] {
        return None;
    }
    let account = accounts::all().find(|account| account.solana_seed() == seed);
    Some(account.map_or(Payer::OwnSolana { seed }, Payer::Test))
}

fn open_to_others(path: &Path) -> String {
    format!("others on this machine can read the key file {path}: chmod 600 {path}", path = path.display())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use x402_sim::networks::solana::signature_text;

    use super::*;

    #[test]
    fn keys_are_read_and_never_shown() {
        let own = "11".repeat(32);
        let payer = parse(&format!(" 0x{own}\n")).unwrap();
        assert_eq!(payer.address(), "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
        assert!(!format!("{payer:?}").contains("1111") && payer.test_account().is_none());
        assert_eq!(parse(&own), Ok(payer));
        let account = accounts::find("alice").unwrap();
        assert_eq!(parse(account.key), Ok(Payer::Test(account)));
        for bad in ["", "0x", "11", &"00".repeat(32), &"ff".repeat(32), &"zz".repeat(32), &"11".repeat(33)] {
            assert!(!parse(bad).unwrap_err().contains("zz"), "{bad}");
        }
    }

    #[test]
    fn a_key_pair_of_solana_is_read_and_must_fit_together() {
        let account = accounts::find("alice").unwrap();
        let text = |bytes: &[u8]| serde_json::to_string(bytes).unwrap();
        assert_eq!(parse(&text(&account.solana_keypair())), Ok(Payer::Test(account)));
        let key = ed25519::key_of(&[7; 32]);
        let payer = parse(&text(&[[7; 32], key.0].concat())).unwrap();
        assert_eq!((payer.address(), payer.family()), (key.to_string(), Some(Family::Solana)));
        assert!(!format!("{payer:?}").contains("7, 7"));
        assert_eq!(parse(&format!("{}\n", account.solana_keypair_in_base58())), Ok(Payer::Test(account)));
        let own: [u8; 64] = [[7; 32], key.0].concat().try_into().unwrap();
        assert_eq!(parse(&signature_text(&own)), Ok(payer));
        for (bad, part) in [
            (text(&[7; 64]), "do not belong together"),
            (signature_text(&[7; 64]), "do not belong together"),
            (text(&[7; 32]), "64 bytes"),
            (key.to_string(), "64 bytes"),
            (format!("{}1", signature_text(&own)), "64 bytes"),
            ("[".to_owned(), "64 bytes"),
            ("[256]".to_owned(), "64 bytes"),
        ] {
            let why = parse(&bad).unwrap_err();
            assert!(why.contains(part), "{bad}: {why}");
        }
    }

    #[test]
    fn without_a_word_the_environment_is_asked_and_then_account_0_pays() {
        let context = |key: Option<&str>| {
            let pairs = key.map(|key| (VARIABLE.to_owned(), key.to_owned()));
            Context::new("/", pairs.into_iter().collect::<BTreeMap<_, _>>())
        };
        let own = "11".repeat(32);
        let read = |key: Option<&str>| KeySource::Surroundings.read(&context(key)).map(|(payer, _)| payer.address());
        assert_eq!(read(None).unwrap(), accounts::find("0").unwrap().address);
        assert_eq!(read(Some(&own)).unwrap(), "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A");
        let error = read(Some("secret")).unwrap_err().to_string();
        assert!(error.contains(VARIABLE) && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_key_file_that_others_can_read_is_complained_of() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("key");
        fs::write(&path, "11".repeat(32)).unwrap();
        let context = Context::new(place.path(), BTreeMap::new());
        let warning = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            KeySource::File("key".into()).read(&context).unwrap().1
        };
        assert!(warning(0o644).unwrap().contains("chmod 600"));
        assert_eq!(warning(0o600), None);
        let missing = KeySource::File("nothing".into()).read(&context).unwrap_err().to_string();
        assert!(missing.contains("nothing"), "{missing}");
    }
}
