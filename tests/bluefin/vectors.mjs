// What the exchange's SDK hashes and signs, as vectors: node vectors.mjs <folder with node_modules> > vectors.json
//
// The keys are of these vectors alone. Everything is deterministic, so the file can be made again and compared.
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.resolve(process.argv[2], "package.json"));
const { BluefinRequestSigner, makeSigner, toBase64UrlEncoded } = require("@bluefin-exchange/pro-sdk");
const { BCSUtils, Order } = require("@firefly-exchange/library-sui/v3");
const { toSerializedSignature } = require("@mysten/sui/cryptography");
const { Ed25519Keypair } = require("@mysten/sui/keypairs/ed25519");
const { Secp256k1Keypair } = require("@mysten/sui/keypairs/secp256k1");
const { blake2b } = require("@noble/hashes/blake2b");
const { bytesToHex, hexToBytes } = require("@noble/hashes/utils");

const IDS = "0x7c723c16bc4a4d3e1067360de6963cfdfbdc51a128563fe052cb4f8f00d6150b";
const EDS = "0x0a6b939f57595fed2ae10ae4f3a37a410c94e5bdb7dde2e547022d1fe1b9791d";
const OTHER = "0x9b11fafc580f23932f379d99ab6cc4c638e85ba4c252fc909296f3f9e6cea786";
const U64_MAX = "18446744073709551615";
const MILLIS_MAX = Number.MAX_SAFE_INTEGER;

function ordersOf(account) {
  const plain = {
    symbol: "ETH-PERP",
    accountAddress: account,
    priceE9: "3000000000000",
    quantityE9: "1000000000",
    side: "LONG",
    leverageE9: "2000000000",
    isIsolated: false,
    salt: "1795166523766",
    idsId: IDS,
    expiresAtMillis: 1795169842802,
    signedAtMillis: 1795166242803,
  };
  return {
    "a limit order": plain,
    "a market order: its price is 0": { ...plain, priceE9: "0" },
    "short and isolated": { ...plain, side: "SHORT", isIsolated: true },
    "of an account that its signer acts for": { ...plain, accountAddress: OTHER },
    "the largest numbers": {
      ...plain,
      priceE9: U64_MAX,
      quantityE9: U64_MAX,
      leverageE9: U64_MAX,
      salt: U64_MAX,
      expiresAtMillis: MILLIS_MAX,
      signedAtMillis: MILLIS_MAX,
    },
    "all zero": {
      ...plain,
      priceE9: "0",
      quantityE9: "0",
      leverageE9: "0",
      salt: "0",
      expiresAtMillis: 0,
      signedAtMillis: 0,
    },
    "a symbol that JSON escapes": { ...plain, symbol: 'Ä"\\\b\f\n\r\t\u0001\u007f\u2028😀' },
    "a symbol whose length takes two bytes": { ...plain, symbol: "X".repeat(200) },
  };
}

function orderHash(fields) {
  const order = {
    ids: fields.idsId,
    account: fields.accountAddress,
    market: fields.symbol,
    price: fields.priceE9,
    quantity: fields.quantityE9,
    leverage: fields.leverageE9,
    side: fields.side,
    positionType: fields.isIsolated ? "ISOLATED" : "CROSS",
    expiration: fields.expiresAtMillis,
    salt: fields.salt,
    signedAt: fields.signedAtMillis,
  };
  const serialized = BCSUtils.getSerializedDataHex(order, Order).replace(/^0x/, "");
  return bytesToHex(blake2b(hexToBytes(serialized), { dkLen: 32 }));
}

// As the SDKs' first login signs: the hash of the body alone, in base64 for URLs.
async function firstLogin(keys, body) {
  const signature = await keys.sign(blake2b(new TextEncoder().encode(body), { dkLen: 32 }));
  const serialized = toSerializedSignature({
    signature,
    signatureScheme: keys.getKeyScheme(),
    publicKey: keys.getPublicKey(),
  });
  return toBase64UrlEncoded(Buffer.from(serialized, "base64"));
}

async function vectorsOf(keys) {
  const signer = new BluefinRequestSigner(makeSigner(keys, false));
  const account = keys.toSuiAddress();
  const login = { accountAddress: account, signedAtMillis: 1795166242754, audience: "api" };
  const spaced = `{"accountAddress": "${account}", "signedAtMillis": 1795166242754, "audience": "api"}`;
  const request = { accountAddress: account, idsId: IDS, salt: "1795166523767", signedAtMillis: 1795166242804 };
  const leverage = { ...request, symbol: "ETH-PERP", leverageE9: "5000000000" };
  const margin = { ...request, symbol: "ETH-PERP", quantityE9: "250000000000" };
  const [added, subtracted] = [{ ...margin, operation: "ADD" }, { ...margin, operation: "SUBTRACT" }];
  const authorization = { ...request, authorizedAccountAddress: OTHER };
  const withdrawal = {
    assetSymbol: "USDC",
    edsId: EDS,
    accountAddress: account,
    amountE9: "1000000000",
    salt: "1795166523768",
    signedAtMillis: 1795166242805,
  };
  const orders = [];
  for (const [name, fields] of Object.entries(ordersOf(account))) {
    orders.push({ name, fields, hash: orderHash(fields), signature: await signer.signOrderRequest(fields) });
  }
  return {
    scheme: keys.getKeyScheme(),
    publicKey: bytesToHex(keys.getPublicKey().toRawBytes()),
    address: account,
    logins: {
      v1: { body: spaced, signature: await firstLogin(keys, spaced) },
      v2: { body: JSON.stringify(login), signature: await signer.signLoginRequest(login) },
    },
    orders,
    leverage: { fields: leverage, signature: await signer.signLeverageUpdateRequest(leverage) },
    margins: [
      { fields: added, signature: await signer.signAdjustIsolatedMarginRequest(added) },
      { fields: subtracted, signature: await signer.signAdjustIsolatedMarginRequest(subtracted) },
    ],
    authorize: { fields: authorization, signature: await signer.signAccountAuthorizationRequest(authorization, true) },
    deauthorize: { fields: authorization, signature: await signer.signAccountAuthorizationRequest(authorization, false) },
    withdrawal: { fields: withdrawal, signature: await signer.signWithdrawRequest(withdrawal) },
  };
}

const wallets = [
  Ed25519Keypair.fromSecretKey(new Uint8Array(32).fill(1)),
  Secp256k1Keypair.fromSecretKey(new Uint8Array(32).fill(2)),
];
process.stdout.write(JSON.stringify(await Promise.all(wallets.map(vectorsOf)), null, 1) + "\n");
