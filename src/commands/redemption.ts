// Write-off codes: derived from the order and a secret key, so that nobody has to store one.

import { createHmac } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const codeLength = 12;

/** The order's write-off code: base32 of HMAC-SHA-256(redeemKey, orderId), cut to 12 characters. */
export function redemptionCode(redeemKey: string, orderId: string): string {
  const digest = createHmac("sha256", redeemKey).update(orderId).digest();
  let bits = 0;
  let held = 0;
  let code = "";
  for (const byte of digest) {
    bits = (bits << 8) | byte;
    held += 8;
    while (held >= 5 && code.length < codeLength) {
      held -= 5;
      code += alphabet[(bits >> held) & 31] as string;
    }
    bits &= (1 << held) - 1;
  }
  return code;
}

/** What an order keeps of its code, and what a presented code is compared by: an HMAC, so that neither gives the code away. */
export function codeHash(redeemKey: string, code: string): string {
  return createHmac("sha256", redeemKey).update(`code/${code.trim().toUpperCase()}`).digest("base64url");
}
