// The account of the tests' DM server, as both sides have it.

export const operator = "com.example.dm";
export const client = { name: "gw", secret: "known to both", nonce: Buffer.from("first nonce, gw") };
export const server = { name: operator, secret: "known to both too", nonce: Buffer.from("first nonce, dm") };

/** An entry of `servers:`: digest both ways, over plain HTTP, no session that nobody asks for. */
export function accountAt(url: string) {
  const digest = ({ name, secret, nonce }: typeof client) => ({
    type: "digest",
    name,
    secret,
    nonce: nonce.toString("base64"),
  });
  return {
    id: operator,
    url,
    insecure: true,
    encoding: "xml",
    auth: { client: digest(client), server: digest(server) },
    poll: 0,
  };
}
