/** The queue contract (src/queue/queue-backend.ts) as tests; every backend runs all of it. */
import { afterEach, beforeEach, describe } from "vitest";
import type { QueueHarness } from "../support/queue-harness.js";
import { describeQueueCancelling } from "./queue-contract-cancelling.js";
import { describeQueueClock } from "./queue-contract-clock.js";
import { describeQueueClosing } from "./queue-contract-closing.js";
import { describeQueueDelivery } from "./queue-contract-delivery.js";
import { describeQueueEnqueueing } from "./queue-contract-enqueueing.js";
import { describeQueueFailures } from "./queue-contract-failures.js";
import { describeQueueHandingOn } from "./queue-contract-handing-on.js";
import { describeQueueListing } from "./queue-contract-listing.js";
import { describeQueueRate } from "./queue-contract-rate.js";
import { describeQueueRecovery } from "./queue-contract-recovery.js";

export function describeQueueContract(name: string, createHarness: () => Promise<QueueHarness>): void {
  describe(`queue contract: ${name}`, () => {
    let harness: QueueHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(() => harness.close());

    describeQueueEnqueueing(() => harness);
    describeQueueDelivery(() => harness);
    describeQueueFailures(() => harness);
    describeQueueRate(() => harness);
    describeQueueHandingOn(() => harness);
    describeQueueCancelling(() => harness);
    describeQueueRecovery(() => harness);
    describeQueueClosing(() => harness);
    describeQueueClock(() => harness);
    describeQueueListing(() => harness);
  });
}
