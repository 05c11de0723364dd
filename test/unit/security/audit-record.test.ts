import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type AuditRecord, auditHeadMac, auditMac, FIRST_PREVIOUS_MAC } from "../../../src/security/audit-record.js";

const KEY = Buffer.alloc(32, 3);
type Unsigned = Omit<AuditRecord, "mac">;
const RECORD: Unsigned = {
  ...{ seq: 1, atMs: 1_700_000_000_000, actorId: "0123456789abcdef", role: "agent", action: "task.read", target: "task-1", outcome: "allowed" },
  previousMac: FIRST_PREVIOUS_MAC,
};

describe("the audit chain's MACs", () => {
  it("are HMAC-SHA-256 in hex under the key given", () => {
    expect(auditMac(KEY, RECORD)).toMatch(/^[0-9a-f]{64}$/);
    expect(auditMac(KEY, RECORD)).toBe(auditMac(Buffer.from(KEY), { ...RECORD }));
    expect(auditMac(Buffer.alloc(32, 4), RECORD)).not.toBe(auditMac(KEY, RECORD));
    expect(FIRST_PREVIOUS_MAC).toBe("0".repeat(64));
  });

  const changes: readonly Partial<Unsigned>[] = [
    { seq: 2 },
    { atMs: 1_700_000_000_001 },
    { actorId: "0123456789abcdee" },
    { role: "admin" },
    { action: "transcript.read" },
    { target: "task-2" },
    { outcome: "denied" },
    { previousMac: "1".repeat(64) },
  ];

  it.each(changes)("change with the field in %j", (change) => {
    expect(auditMac(KEY, { ...RECORD, ...change })).not.toBe(auditMac(KEY, RECORD));
  });

  it("cover every field there is", () => {
    expect(changes.flatMap((change) => Object.keys(change)).sort()).toEqual(Object.keys(RECORD).sort());
  });

  it("can't be kept by moving text from one field to the next", () => {
    const [one, other] = [
      { ...RECORD, actorId: "ab", role: "c" },
      { ...RECORD, actorId: "a", role: "bc" },
    ];
    expect(auditMac(KEY, one)).not.toBe(auditMac(KEY, other));
    const quoted = { ...RECORD, actorId: 'a","b', role: "c" };
    expect(auditMac(KEY, quoted)).not.toBe(auditMac(KEY, { ...RECORD, actorId: "a", role: 'b","c' }));
  });

  it("chain: each record's depends on all before it", () => {
    const chain = (targets: readonly string[]): string =>
      targets.reduce((previousMac, target, index) => auditMac(KEY, { ...RECORD, seq: index + 1, target, previousMac }), FIRST_PREVIOUS_MAC);
    expect(chain(["a", "b", "c"])).toBe(chain(["a", "b", "c"]));
    expect(chain(["x", "b", "c"])).not.toBe(chain(["a", "b", "c"]));
    expect(chain(["b", "a", "c"])).not.toBe(chain(["a", "b", "c"]));
  });

  it("have one for the head that no record's can stand in for", () => {
    const mac = auditMac(KEY, RECORD);
    const head = auditHeadMac(KEY, { seq: 1, mac });
    expect(head).toMatch(/^[0-9a-f]{64}$/);
    expect(head).not.toBe(mac);
    expect(head).not.toBe(createHmac("sha256", KEY).update(mac).digest("hex"));
    expect(auditHeadMac(KEY, { seq: 2, mac })).not.toBe(head);
    expect(auditHeadMac(KEY, { seq: 1, mac: FIRST_PREVIOUS_MAC })).not.toBe(head);
    expect(auditHeadMac(Buffer.alloc(32, 4), { seq: 1, mac })).not.toBe(head);
  });
});
