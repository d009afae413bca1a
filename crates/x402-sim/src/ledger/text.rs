//! How numbers and bytes are written in files: decimal texts, and hexadecimal digits after `0x`.

use alloy_primitives::hex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Account;

/// A number of 256 bits as decimal digits.
pub(crate) mod atomic {
    use std::borrow::Cow;

    use alloy_primitives::U256;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(number: &U256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
        let number = x402_wire::amount::parse_atomic(&Cow::<'de, str>::deserialize(deserializer)?);
        number.ok_or_else(|| Error::custom("not a decimal number of 256 bits"))
    }
}

/// 32 bytes.
pub(crate) mod word {
    use alloy_primitives::B256;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(word: &B256, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(&word.0, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<B256, D::Error> {
        super::read(deserializer).map(B256::new)
    }
}

/// Bytes, however many.
pub(crate) mod bytes {
    use std::borrow::Cow;

    use alloy_primitives::hex;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode_prefixed(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        digits.ok_or_else(|| Error::custom("not 0x and hexadecimal digits"))
    }
}

/// The 20 bytes of an address.
pub(crate) mod address {
    use alloy_primitives::Address;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(&address.into_array(), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        super::read(deserializer).map(|bytes: [u8; 20]| Address::from(bytes))
    }
}

/// The 20 bytes of an address, or null.
pub(crate) mod optional_address {
    use alloy_primitives::Address;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Address20;

    #[expect(clippy::ref_option, reason = "serde asks for this form")]
    pub(crate) fn serialize<S: Serializer>(address: &Option<Address>, serializer: S) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => super::write(&address.into_array(), serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
        Ok(Option::<Address20>::deserialize(deserializer)?.map(|address| address.0))
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Address20(#[serde(with = "address")] alloy_primitives::Address);

/// A signature: `r`, `s` and the last byte.
pub(crate) mod signature {
    use serde::{Deserializer, Serializer};

    use crate::networks::eip155::signature::Ecdsa;

    pub(crate) fn serialize<S: Serializer>(signature: &Ecdsa, serializer: S) -> Result<S::Ok, S::Error> {
        super::write(&signature.bytes(), serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ecdsa, D::Error> {
        super::read(deserializer).map(|bytes| Ecdsa::from_bytes(&bytes))
    }
}

/// Writes bytes as hexadecimal digits.
pub(crate) fn write<const N: usize, S: Serializer>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode_prefixed(bytes))
}

/// Reads bytes from hexadecimal digits.
pub(crate) fn read<'de, const N: usize, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; N], D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    let mut bytes = [0; N];
    let digits = text.strip_prefix("0x").unwrap_or_default();
    match hex::decode_to_slice(digits, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(serde::de::Error::custom(format!("not 0x and {} hexadecimal digits", 2 * N))),
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Self)
    }
}
