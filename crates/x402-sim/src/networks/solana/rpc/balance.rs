//! What accounts hold.

use serde_json::{Value, json};

use super::account::{Account, amount, supply as supplied, token_account};
use super::params::{Params, key, wrong};
use super::{Context, text};
use crate::networks::solana::program;
use crate::rpc::RpcError;

/// `getBalance`, in lamports.
pub(super) fn lamports(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let held = Account::at(&context.site(), params.key(0)?).map_or(0, |account| account.lamports);
    params.config(1)?;
    Ok(context.at(&json!(held)))
}

/// `getTokenAccountBalance`.
pub(super) fn tokens(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (site, key) = (context.site(), params.key(0)?);
    params.config(1)?;
    let account = token_account(&site, key).ok_or_else(|| {
        RpcError::invalid_params(format!(
            "Invalid param: could not find account {key}; a token account is known here once its owner was named: ask \
             for getTokenAccountsByOwner first"
        ))
    })?;
    let decimals = site.mint_of(account.asset).and_then(|mint| site.mint(mint)).map_or(0, |mint| mint.decimals);
    Ok(context.at(&amount(account.amount, decimals)))
}

/// `getTokenAccountsByOwner`: by mint, or by token program.
pub(super) fn by_owner(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (site, owner, config) = (context.site(), params.key(0)?, params.config(2)?);
    let filter =
        params.get(1).ok_or_else(|| RpcError::invalid_params("parameter 1 is missing: {mint} or {programId}"))?;
    let said = |name: &str| {
        let Some(value) = filter.get(name) else { return Ok(None) };
        let parsed = value.as_str().and_then(key);
        parsed.map(Some).ok_or_else(|| wrong(1, "an address", value))
    };
    let (mint, kept_by) = (said("mint")?, said("programId")?);
    if mint.is_none() && kept_by.is_none() {
        return Err(wrong(1, "{mint} or {programId}", filter));
    }
    if let Some(unknown) = mint.filter(|mint| site.mint(*mint).is_none()) {
        return Err(RpcError::invalid_params(format!("Invalid param: could not find mint {unknown}")));
    }
    if let Some(other) = kept_by.filter(|program| !program::is_token(*program)) {
        return Err(RpcError::invalid_params(format!("Invalid param: unrecognized Token program id {other}")));
    }
    let wanted = site.mints().filter(|own| mint.is_none_or(|mint| own.key == mint));
    let wanted = wanted.filter(|own| kept_by.is_none_or(|program| own.program == program));
    let encoding = config.text("encoding", "binary")?;
    let one = |own| {
        let account = site.owned(owner, &own)?;
        // What was found is shown: by its address alone it need not be known.
        let shown = Account::of_tokens(&site, &account)?.show(encoding, config);
        Some(shown.map(|shown| json!({ "pubkey": text(account.key), "account": shown })))
    };
    let all = wanted.filter_map(one).collect::<Result<Vec<_>, _>>()?;
    Ok(context.at(&json!(all)))
}

/// `getTokenSupply`: what the ledger has counted.
pub(super) fn supply(context: &Context<'_>, params: Params<'_>) -> Result<Value, RpcError> {
    let (site, key) = (context.site(), params.key(0)?);
    params.config(1)?;
    let mint = site.mint(key).ok_or_else(|| RpcError::invalid_params("Invalid param: not a Token mint"))?;
    Ok(context.at(&amount(supplied(&site, &mint), mint.decimals)))
}
