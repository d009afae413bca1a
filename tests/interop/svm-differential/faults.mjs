// The named faults. Each one changes the description of a payment before it is built and signed; `spoil` faults change
// the compiled message, or the bytes after they were signed.

const programs = {
  budget: "ComputeBudget111111111111111111111111111111",
  token: "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
  token2022: "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
  memo: "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
  guard: "L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95",
  system: "11111111111111111111111111111111",
};

const guard = () => ({ kind: "guard" });
const at = (d, kind) => d.parts.findIndex(part => part.kind === kind);
const change = (kind, how) => d => {
  const part = d.parts.find(one => one.kind === kind);
  if (part) how(part);
};
/** Something foreign behind the transfer, at a place counted from the fourth instruction. */
const foreign = place => d => {
  while (d.parts.length < 3 + place) d.parts.push(guard());
  d.parts[3 + place] = { kind: "system" };
};

const FAULTS = {
  "scheme-accepted": d => {
    d.accepted.scheme = "other";
  },
  "network-accepted": d => {
    d.accepted.network = "main";
  },
  "fee-payer-missing": d => {
    delete d.extra.feePayer;
  },
  "fee-payer-stranger": d => {
    d.extra.feePayer = "$OTHER";
  },
  cut: d => {
    d.spoil.push("cut");
  },
  "not-base64": d => {
    d.spoil.push("not-base64");
  },
  "version-1": d => {
    d.spoil.push("version-1");
  },
  "paid-by-another": d => {
    d.feePayer = "$OTHER";
  },
  unsigned: d => {
    d.spoil.push("unsigned");
  },
  "wrongly-signed": d => {
    d.spoil.push("wrongly-signed");
  },
  "table-unknown": d => {
    d.spoil.push("table-unknown");
  },
  "table-entry": d => {
    d.spoil.push("table-entry");
  },
  "program-missing": d => {
    d.spoil.push("program-missing");
  },
  "too-few": d => {
    d.parts = d.parts.filter(part => part.kind === "price" || part.kind === "transfer");
  },
  "too-many": d => {
    d.parts.push(guard(), guard(), guard(), guard());
  },
  "seven": d => {
    while (d.parts.length < 7) d.parts.push(guard());
  },
  "limit-missing": d => {
    if (at(d, "limit") === 0) d.parts[0] = { kind: "memo", text: "limit" };
  },
  "limit-short": change("limit", part => {
    part.short = true;
  }),
  "price-missing": d => {
    if (at(d, "price") === 1) d.parts[1] = { kind: "memo", text: "price" };
  },
  "price-short": change("price", part => {
    part.short = true;
  }),
  "price-high": change("price", part => {
    part.price = 5_000_001;
  }),
  "transfer-late": d => {
    const place = at(d, "transfer");
    if (place === 2 && d.parts.length > 3) [d.parts[2], d.parts[3]] = [d.parts[3], d.parts[2]];
  },
  "transfer-none": d => {
    const place = at(d, "transfer");
    if (place >= 0) d.parts[place] = guard();
  },
  "transfer-unchecked": change("transfer", part => {
    part.discriminator = 3;
  }),
  "authority-facilitator": change("transfer", part => {
    part.authority = "$FACILITATOR";
  }),
  mint: change("transfer", part => {
    part.mint = "$OTHER_MINT";
  }),
  "token-program": change("transfer", part => {
    part.program = "token2022";
  }),
  recipient: change("transfer", part => {
    part.to = "$OTHER";
  }),
  "pay-to": d => {
    d.payTo = "not an address";
  },
  "amount-less": change("transfer", part => {
    part.amount = 9_999;
  }),
  "amount-more": change("transfer", part => {
    part.amount = 10_001;
  }),
  "fourth-foreign": foreign(0),
  "fifth-foreign": foreign(1),
  "sixth-foreign": foreign(2),
  "seventh-foreign": foreign(3),
  "memo-missing": d => {
    d.extra.memo = "order-1";
    d.parts = d.parts.filter(part => part.kind !== "memo");
  },
  "memo-other": d => {
    d.extra.memo = "order-1";
  },
  "memo-bytes": change("memo", part => {
    part.text = "\u0000bytes";
  }),
  "blockhash-foreign": d => {
    d.blockhash = "foreign";
  },
  broke: d => {
    d.payer = "$BROKE";
  },
  decimals: change("transfer", part => {
    part.decimals = 9;
  }),
  "source-other": change("transfer", part => {
    part.from = "$OTHER";
  }),
  "units-few": change("limit", part => {
    part.units = 1_000;
  }),
};

export { FAULTS, programs };
