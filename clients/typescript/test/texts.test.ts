/** The message of a text is the one that the daemon computes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { textMessage } from "../src/index.js";

test("the message of a text is the daemon's", async () => {
  assert.equal(
    await textMessage("I, \u00c4lice, agree.\n"), "7941a3c933399d84075ffbef0a0f02e1dee6c1a9884fe3ced123842fe1667e7d",
  );
  assert.notEqual(await textMessage("a", "other/v1"), await textMessage("a"));
  await assert.rejects(textMessage("a", "musigd/x"), RangeError);
  await assert.rejects(textMessage("a", "lightninginvoicesignature"), RangeError);
  await assert.rejects(textMessage("a", "TapSighash"), RangeError);
});
