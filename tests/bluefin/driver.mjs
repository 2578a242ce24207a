// The exchange's SDK, driven by lines: node driver.mjs <folder with node_modules> <base address>
//
// Each line of stdin is {"id", "wallet", "call", "with": [...]}: the wallet's number, a method of its client, and what it
// is called with. Each line of stdout answers one ({"id", "result"} or {"id", "error": {status, body}}) or is a message of
// the wallet's account stream ({"wallet", "frame"}).
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

const require = createRequire(path.resolve(process.argv[2], "package.json"));
const { BluefinProSdk, BluefinRequestSigner, makeSigner } = require("@bluefin-exchange/pro-sdk");
const { Ed25519Keypair } = require("@mysten/sui/keypairs/ed25519");
const { Secp256k1Keypair } = require("@mysten/sui/keypairs/secp256k1");

const base = process.argv[3];
const sockets = base.replace(/^http/, "ws");
const hosts = {
  authHost: base,
  apiHost: base,
  tradeHost: base,
  marketWsHost: `${sockets}/ws/market`,
  accountWsHost: `${sockets}/ws/account`,
};
const clients = new Map();

function say(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

async function clientOf(number) {
  if (!clients.has(number)) {
    const secret = new Uint8Array(32).fill(number);
    const keys = number % 2 ? Ed25519Keypair.fromSecretKey(secret) : Secp256k1Keypair.fromSecretKey(secret);
    const signer = new BluefinRequestSigner(makeSigner(keys, false));
    const client = new BluefinProSdk(signer, "devnet", undefined, hosts);
    clients.set(number, client.initialize().then(() => client));
  }
  return clients.get(number);
}

const methods = {
  async login(client, number) {
    return { address: client.bfSigner.getAddress(), number };
  },
  async listen(client, number, streams) {
    let answer;
    const answered = new Promise((resolve) => (answer = resolve));
    const socket = await client.createAccountDataStreamListener(async (frame) => {
      if ("success" in frame) answer(frame);
      else say({ wallet: number, frame });
    });
    socket.send(JSON.stringify({ authToken: await client.getAccessToken(), method: "Subscribe", dataStreams: streams }));
    return answered;
  },
  async info(client) {
    return (await client.exchangeDataApi.getExchangeInfo()).data;
  },
  async depth(client, _number, symbol) {
    return (await client.exchangeDataApi.getOrderbookDepth(symbol)).data;
  },
  async account(client) {
    return (await client.accountDataApi.getAccountDetails(client.bfSigner.getAddress())).data;
  },
  async trades(client, _number, symbol) {
    return (await client.accountDataApi.getAccountTrades(symbol)).data;
  },
  async createOrder(client, _number, params) {
    const made = await client.createOrder(params);
    return made.data ?? made;
  },
  async cancelOrder(client, _number, request) {
    const made = await client.cancelOrder(request);
    return { status: made.status };
  },
  async cancelStandbyOrder(client, _number, request) {
    return (await client.cancelStandbyOrder(request)).data;
  },
  async openOrders(client, _number, symbol) {
    return (await client.getOpenOrders(symbol)).data;
  },
  async standbyOrders(client, _number, symbol) {
    return (await client.getStandbyOrders(symbol)).data;
  },
  async updateLeverage(client, _number, symbol, leverage) {
    return { status: (await client.updateLeverage(symbol, leverage)).status };
  },
  async refreshToken(client) {
    await client.refreshToken(true);
    return {};
  },
};

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const { id, wallet, call, with: given } = JSON.parse(line);
  try {
    const client = await clientOf(wallet);
    say({ id, result: (await methods[call](client, wallet, ...given)) ?? null });
  } catch (error) {
    const body = error.response?.data ?? String(error.stack ?? error);
    say({ id, error: { status: error.response?.status ?? 0, body } });
  }
});
lines.on("close", () => process.exit(0));
