// What a receiver does with a request before it believes it. Both were run against the vector of the specification.
export const VERIFY = {
  node: `import { createHmac, timingSafeEqual } from 'node:crypto';

// body: the bytes of the request as they came, before JSON.parse
export function verify(body, headers, secret) {
  const id = headers['webhook-id'], at = headers['webhook-timestamp'];
  if (!(Math.abs(Date.now() / 1000 - Number(at)) <= 300)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const mine = createHmac('sha256', key).update(\`\${id}.\${at}.\`).update(body).digest();
  return String(headers['webhook-signature']).split(' ').some((s) => {
    const theirs = Buffer.from(s.replace(/^v1,/, ''), 'base64');
    return theirs.length === mine.length && timingSafeEqual(theirs, mine);
  });
}`,
  python: `import base64, hashlib, hmac, time

# body: the bytes of the request as they came, before json.loads
def verify(body: bytes, headers, secret: str) -> bool:
    id, at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(at)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mine = hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    mine = "v1," + base64.b64encode(mine).decode()
    return any(hmac.compare_digest(mine, s) for s in headers["webhook-signature"].split(" "))`,
} as const;
