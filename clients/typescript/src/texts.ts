const ORDINARY_TAG = "signed-text/v1";
const TAG = /^(?!musigd\/|lightning)[a-z0-9][a-z0-9 ./_-]{0,63}$/;

/**
 * The 32 bytes to sign for a text, as hex: BIP-340's tagged hash of its UTF-8, as the daemon computes it. Give the text as
 * `metadata.messageText`, and another tag as `metadata.messageTag`: then every signer's daemon finds the message `checked`.
 * Needs Web Crypto: Node, and pages served by https or from localhost. Throws RangeError for a tag that no daemon takes.
 */
export async function textMessage(text: string, tag: string = ORDINARY_TAG): Promise<string> {
  if (!TAG.test(tag)) {
    throw new RangeError(
      "a tag is 1 to 64 characters out of a-z, 0-9, space and ./_-, and begins with neither musigd/ nor lightning",
    );
  }
  const encoder = new TextEncoder();
  const tagged = await sha256(encoder.encode(tag));
  const hash = await sha256(new Uint8Array([...tagged, ...tagged, ...encoder.encode(text)]));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
