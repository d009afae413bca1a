//! The tokens of the catalog. Source: the deployed `FiatTokenV2_2`, whose rules and texts the others share here.

use alloy_primitives::{Address, B256, U256, b256, hex, keccak256};

use super::authorization::{self, CANCEL_TYPE, Caller, Form, RECEIVE_TYPE, digest, signature};
use super::{Halt, Log, Machine, Message, RECOVERY, ec_recover, require};
use crate::catalog::Token;
use crate::ledger::{Account, Effect};
use crate::networks::eip155::abi::{self, Args};
use crate::world::raw::Paid;

/// The hash of `TransferWithAuthorization`'s type.
const TRANSFER_TYPE: B256 = b256!("7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");

/// The hash of `Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)`.
const PERMIT_TYPE: B256 = b256!("6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9");

/// A function of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Name,
    Symbol,
    Decimals,
    Version,
    TotalSupply,
    BalanceOf,
    Allowance,
    Nonces,
    DomainSeparator,
    IsBlacklisted,
    Paused,
    TypeHash(B256),
    AuthorizationState,
    Transfer,
    TransferFrom,
    Approve,
    IncreaseAllowance,
    DecreaseAllowance,
    Permit(Form),
    TransferWithAuthorization(Form),
    ReceiveWithAuthorization(Form),
    CancelAuthorization(Form),
}

use Function as F;

/// Every function: its selector, its signature, what it is.
#[rustfmt::skip]
const FUNCTIONS: &[([u8; 4], &str, Function)] = &[
    (hex!("70a08231"), "balanceOf(address)", F::BalanceOf),
    (hex!("e3ee160e"), "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
        F::TransferWithAuthorization(Form::Parts)),
    (hex!("cf092995"), "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
        F::TransferWithAuthorization(Form::Bytes)),
    (hex!("06fdde03"), "name()", F::Name),
    (hex!("95d89b41"), "symbol()", F::Symbol),
    (hex!("313ce567"), "decimals()", F::Decimals),
    (hex!("54fd4d50"), "version()", F::Version),
    (hex!("e94a0102"), "authorizationState(address,bytes32)", F::AuthorizationState),
    (hex!("dd62ed3e"), "allowance(address,address)", F::Allowance),
    (hex!("7ecebe00"), "nonces(address)", F::Nonces),
    (hex!("3644e515"), "DOMAIN_SEPARATOR()", F::DomainSeparator),
    (hex!("18160ddd"), "totalSupply()", F::TotalSupply),
    (hex!("fe575a87"), "isBlacklisted(address)", F::IsBlacklisted),
    (hex!("5c975abb"), "paused()", F::Paused),
    (hex!("a0cc6a68"), "TRANSFER_WITH_AUTHORIZATION_TYPEHASH()", F::TypeHash(TRANSFER_TYPE)),
    (hex!("7f2eecc3"), "RECEIVE_WITH_AUTHORIZATION_TYPEHASH()", F::TypeHash(RECEIVE_TYPE)),
    (hex!("d9169487"), "CANCEL_AUTHORIZATION_TYPEHASH()", F::TypeHash(CANCEL_TYPE)),
    (hex!("30adf81f"), "PERMIT_TYPEHASH()", F::TypeHash(PERMIT_TYPE)),
    (hex!("a9059cbb"), "transfer(address,uint256)", F::Transfer),
    (hex!("23b872dd"), "transferFrom(address,address,uint256)", F::TransferFrom),
    (hex!("095ea7b3"), "approve(address,uint256)", F::Approve),
    (hex!("39509351"), "increaseAllowance(address,uint256)", F::IncreaseAllowance),
    (hex!("a457c2d7"), "decreaseAllowance(address,uint256)", F::DecreaseAllowance),
    (hex!("d505accf"), "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", F::Permit(Form::Parts)),
    (hex!("9fd5a6cf"), "permit(address,address,uint256,uint256,bytes)", F::Permit(Form::Bytes)),
    (hex!("ef55bec6"), "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
        F::ReceiveWithAuthorization(Form::Parts)),
    (hex!("88b7ab63"), "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
        F::ReceiveWithAuthorization(Form::Bytes)),
    (hex!("5a049a70"), "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)", F::CancelAuthorization(Form::Parts)),
    (hex!("b7b72899"), "cancelAuthorization(address,bytes32,bytes)", F::CancelAuthorization(Form::Bytes)),
];

/// The signature of a function that tokens declare, by its selector.
pub(super) fn declared(selector: [u8; 4]) -> Option<&'static str> {
    FUNCTIONS.iter().find(|row| row.0 == selector).map(|row| row.1)
}

/// Calls a token.
pub(super) fn call(machine: &mut Machine<'_>, token: &Token, message: Message<'_>) -> Result<Vec<u8>, Halt> {
    let (selector, args) = abi::split(message.input).ok_or(Halt::SILENT)?;
    let found = FUNCTIONS.iter().find(|row| row.0 == selector).map(|row| row.2);
    match found.ok_or(Halt::SILENT)? {
        F::TransferWithAuthorization(form) => authorization::transfer(machine, token, args, (Caller::Anybody, form)),
        F::ReceiveWithAuthorization(form) => {
            authorization::transfer(machine, token, args, (Caller::Payee(message.sender), form))
        }
        F::CancelAuthorization(form) => authorization::cancel(machine, token, args, form),
        F::AuthorizationState => authorization::state(machine, token, args),
        function @ (F::Transfer | F::TransferFrom | F::Approve | F::IncreaseAllowance | F::DecreaseAllowance) => {
            act(machine, token, message.sender, (function, args))
        }
        F::Permit(form) => permit(machine, token, args, form),
        function => look(machine, token, function, args).ok_or(Halt::SILENT),
    }
}

/// A view.
fn look(machine: &Machine<'_>, token: &Token, function: Function, args: Args<'_>) -> Option<Vec<u8>> {
    let (view, asset) = (machine.view(), token.id);
    let account = |index: usize| args.address(index).map(Account::from);
    Some(match function {
        F::Name => abi::text(token.asset.name.as_bytes()),
        F::Symbol => abi::text(token.asset.symbol.as_bytes()),
        F::Version => abi::text(token.asset.version.as_bytes()),
        F::Decimals => abi::word(U256::from(token.asset.decimals)),
        F::TotalSupply => {
            let minted = view.ledger().minted().find(|(of, _)| *of == asset);
            abi::word(minted.map(|(_, amount)| amount).unwrap_or_default())
        }
        F::BalanceOf => abi::word(view.balance(asset, account(0)?)),
        F::Allowance => abi::word(view.allowance(asset, account(0)?, account(1)?)),
        F::Nonces => abi::word(U256::from(view.ledger().permits(asset, account(0)?))),
        F::DomainSeparator => token.separator.to_vec(),
        F::IsBlacklisted => {
            let address = args.address(0)?;
            abi::flag(address == token.contract || view.is_blocked(address.into()))
        }
        F::Paused => abi::flag(false),
        F::TypeHash(hash) => hash.to_vec(),
        _ => return None,
    })
}

/// What an account does with its own money, or with money that it may move.
fn act(
    machine: &mut Machine<'_>,
    token: &Token,
    caller: Address,
    (function, args): (Function, Args<'_>),
) -> Result<Vec<u8>, Halt> {
    match function {
        F::Transfer => {
            let (to, value) = two(args).ok_or(Halt::SILENT)?;
            machine.try_payment(plain(token, caller, to, value));
            machine.require_welcome(token, &[caller, to])?;
            machine.transfer(token, caller, to, value)?;
        }
        F::TransferFrom => {
            let read = || Some((args.address(0)?, args.address(1)?, args.number(2)?));
            let (from, to, value) = read().ok_or(Halt::SILENT)?;
            machine.try_payment(plain(token, from, to, value));
            machine.transfer_from(token, caller, (from, to), value)?;
        }
        F::Approve => {
            let (spender, value) = two(args).ok_or(Halt::SILENT)?;
            machine.approve(token, caller, spender, value)?;
        }
        F::IncreaseAllowance | F::DecreaseAllowance => {
            let (spender, by) = two(args).ok_or(Halt::SILENT)?;
            let allowed = machine.view().allowance(token.id, caller.into(), spender.into());
            let value = if function == F::IncreaseAllowance {
                allowed.checked_add(by).ok_or(Halt::text("SafeMath: addition overflow"))?
            } else {
                allowed.checked_sub(by).ok_or(Halt::text("ERC20: decreased allowance below zero"))?
            };
            machine.approve(token, caller, spender, value)?;
        }
        _ => return Err(Halt::SILENT),
    }
    Ok(abi::flag(true))
}

/// A payment that nobody signed but its sender.
fn plain(token: &Token, from: Address, to: Address, value: U256) -> Paid {
    Paid { id: None, asset: token.id, from: from.into(), to: to.into(), value }
}

fn two(args: Args<'_>) -> Option<(Address, U256)> {
    Some((args.address(0)?, args.number(1)?))
}

/// EIP-2612.
fn permit(machine: &mut Machine<'_>, token: &Token, args: Args<'_>, form: Form) -> Result<Vec<u8>, Halt> {
    let read = || {
        let (owner, spender) = (args.address(0)?, args.address(1)?);
        Some((owner, spender, args.number(2)?, args.number(3)?, signature(args, 4, form)?))
    };
    let (owner, spender, value, deadline, signature) = read().ok_or(Halt::SILENT)?;
    machine.spend_bytes(signature.len())?;
    let now = U256::from(machine.block().time);
    require(deadline == U256::MAX || deadline >= now, "FiatTokenV2: permit is expired")?;
    let before = machine.view().ledger().permits(token.id, owner.into());
    let numbers = [value, U256::from(before), deadline].map(B256::from);
    let words = [PERMIT_TYPE, owner.into_word(), spender.into_word(), numbers[0], numbers[1], numbers[2]];
    machine.spend(RECOVERY)?;
    let signer = ec_recover(digest(token.separator, keccak256(words.concat())), &signature)?;
    require(signer == owner, "EIP2612: invalid signature")?;
    machine.approve(token, owner, spender, value)?;
    machine.spend(22_000)?;
    machine.apply(vec![Effect::Permits { asset: token.id, owner: owner.into(), before, after: before + 1 }]);
    Ok(Vec::new())
}

impl Machine<'_> {
    /// Lets a spender move so much of an owner's money.
    pub(super) fn approve(&mut self, token: &Token, owner: Address, spender: Address, value: U256) -> Result<(), Halt> {
        require(!owner.is_zero(), "ERC20: approve from the zero address")?;
        require(!spender.is_zero(), "ERC20: approve to the zero address")?;
        self.spend(25_000)?;
        self.allow(token, owner, spender, value);
        self.logs.push(Log::approval(token.contract, owner, spender, value));
        Ok(())
    }

    /// Moves somebody else's money, and counts it against what the sender may move, unless that is without end.
    pub(super) fn transfer_from(
        &mut self,
        token: &Token,
        sender: Address,
        (from, to): (Address, Address),
        value: U256,
    ) -> Result<(), Halt> {
        self.require_welcome(token, &[sender, from, to])?;
        let allowed = self.view().allowance(token.id, from.into(), sender.into());
        require(value <= allowed, "ERC20: transfer amount exceeds allowance")?;
        self.transfer(token, from, to, value)?;
        self.spend(5_000)?;
        if allowed != U256::MAX {
            self.allow(token, from, sender, allowed - value);
        }
        Ok(())
    }

    fn allow(&mut self, token: &Token, owner: Address, spender: Address, after: U256) {
        let (asset, owner, spender) = (token.id, Account::from(owner), Account::from(spender));
        let before = self.view().allowance(asset, owner, spender);
        self.apply(vec![Effect::Approve { asset, owner, spender, before, after }]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{multicall, permit2, proxy};
    use super::*;

    #[test]
    fn every_selector_is_that_of_its_signature() {
        let own = FUNCTIONS.iter().map(|row| (row.0, row.1));
        let others = [multicall::FUNCTIONS, permit2::FUNCTIONS, proxy::FUNCTIONS].concat();
        for (selector, signature) in own.chain(others) {
            assert_eq!(selector, keccak256(signature)[..4], "{signature}");
        }
    }
}
