// The official TypeScript facilitator behind an HTTP server, its chain in the same process: no second server stands
// between the request and the answer. Ends when its stdin does.

import { createServer } from "node:http";
import { startOfficial } from "../tests/interop/differential/official.mjs";

const facilitator = await startOfficial({ wire: "in-process" });

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const door = request.url === "/verify" ? "verify" : "settle";
  const answer = await facilitator.raw(door, JSON.parse(Buffer.concat(parts).toString("utf8")));
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
});

server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});

process.stdin.on("end", () => process.exit(0)).resume();
